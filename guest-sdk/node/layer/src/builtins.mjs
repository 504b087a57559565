// Node's modules, one file each in node/. They are evaluated with the layer: what no call touches costs none anything, and no
// handler keeps them beside the image that all start from.

import evaluate from "virtual:node";
import { defineGlobal, defineProperty, getOwnPropertyDescriptor } from "./intrinsics.mjs";

const modules = { __proto__: null };

/** The module of this name, the very same object for whoever asks (`events` is the class); undefined if there is none. */
export function builtin(name) {
  return modules[name];
}

export function builtinNames() {
  return Object.keys(evaluate);
}

/** Last: they build on the other globals, and packages on these two. */
export function installBuiltins() {
  defineGlobal("Buffer", evaluate.buffer().Buffer);
  defineGlobal("process", evaluate.process());
  for (const name in evaluate) {
    modules[name] = evaluate[name]();
    restoreNames(modules[name]);
  }
  // What is required by a name that is made up at run time: the bundler leaves only that.
  defineGlobal("require", modules.module.createRequire());
}

/** The bundle had to call some classes by other names: `EventEmitter2`. */
function restoreNames(module) {
  for (const name of Object.keys(module)) {
    const { value: member } = getOwnPropertyDescriptor(module, name);
    if (typeof member !== "function" || member.name === name || member.name.replace(/\d+$/, "") !== name) continue;
    defineProperty(member, "name", { value: name, configurable: true });
  }
}
