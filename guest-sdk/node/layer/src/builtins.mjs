// Node's modules (node/), evaluated when they are first asked for: most handlers never do, and each that does keeps only
// those that it asked for.

import * as asyncContext from "./async-context.mjs";
import * as inspect from "./inspect.mjs";
import * as intrinsics from "./intrinsics.mjs";
import * as nativeSide from "./native.mjs";
import * as timers from "./timers.mjs";
import { defineProperty } from "./intrinsics.mjs";
import { native } from "./native.mjs";

/** What modules see of the layer itself, in place of copies of their own. */
const OF_THE_LAYER = {
  "layer:async-context": asyncContext,
  "layer:builtins": { builtin },
  "layer:inspect": inspect,
  "layer:intrinsics": intrinsics,
  "layer:native": nativeSide,
  "layer:timers": timers,
};

const modules = { __proto__: null, ...OF_THE_LAYER };

/** The module of this name, which is the very same object for whoever asks: `builtin("events")` is the class. */
export function builtin(name) {
  const known = modules[name];
  if (known !== undefined) return known;
  const module = { exports: {} };
  native.compileBuiltin(name)(builtin, module);
  const { exports } = module;
  return (modules[name] = exports.default ?? exports);
}

/** Globals that are modules, or of one: made when somebody looks. */
const GLOBALS = { Buffer: () => builtin("buffer").Buffer, process: () => builtin("process") };

/** Makes what the handler's code names before it is called. */
export function provide(names) {
  for (const name of names) {
    if (name in GLOBALS) void globalThis[name];
    else builtin(name);
  }
}

export function installBuiltins() {
  for (const name in GLOBALS) {
    const define = (value) => defineProperty(globalThis, name, { value, writable: true, enumerable: false, configurable: true });
    defineProperty(globalThis, name, {
      get() {
        const value = GLOBALS[name]();
        define(value);
        return value;
      },
      set: define,
      enumerable: false,
      configurable: true,
    });
  }
}
