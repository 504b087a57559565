// The SDK: `mirra.<adapter>.<method>(params)`, and `mirra.resources.<name>.<method>(params)`. Any name will do here: the host
// knows what there is, and refuses the rest.

import { INSPECT, defineGlobal, defineProperty } from "./intrinsics.mjs";
import { Operation, start } from "./operations.mjs";

/** Names that the language asks for: had they a value, `await mirra.memory` or JSON.stringify would start operations. */
const NEVER_A_NAME = { __proto__: null, then: true, toJSON: true };

/** Asked for once at the start, they lie in the image, and a call does not write the memory of making them. */
const USUAL_ADAPTERS = ["ai", "flows", "memory", "resources", "scripts"];

/** An object whose members come into being when they are first asked for, and then stay. */
function grow(target, member) {
  return new Proxy(target, {
    get(target, key) {
      if (Object.hasOwn(target, key)) return target[key];
      if (typeof key === "symbol" || key in Object.prototype) return target[key];
      if (key in NEVER_A_NAME) return undefined;
      const value = member(key);
      defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
      return value;
    },
  });
}

function named(name, target) {
  defineProperty(target, "name", { value: name, configurable: true });
  return target;
}

function operation(name) {
  return named(name, (params) => start(name, params));
}

/** What a model says, while it says it: `for await (const part of mirra.ai.chatStream(params))`. */
async function* parts(name, params) {
  const operation = new Operation(name, params);
  try {
    yield await operation.first;
    while (!operation.isOver) yield await operation.next();
  } finally {
    operation.cancel();
  }
}

function ofModels(method) {
  const name = `ai.${method}`;
  return method.endsWith("Stream") ? named(name, (params) => parts(name, params)) : operation(name);
}

/** A member of `mirra.resources`: an operation (`call`) or, if asked for members, an installed resource. */
function resource(name) {
  const path = `resources.${name}`;
  return name === "call" ? operation(path) : grow(operation(path), (method) => operation(`${path}.${method}`));
}

function adapter(name) {
  const label = `mirra.${name}`;
  const member = { __proto__: null, ai: ofModels, resources: resource }[name] ?? ((method) => operation(`${name}.${method}`));
  return grow(shownAs(label), member);
}

function shownAs(label) {
  return defineProperty({}, INSPECT, { value: () => `[${label}]` });
}

export const mirra = grow(shownAs("mirra"), adapter);

export function installMirra() {
  defineGlobal("mirra", mirra);
  for (const name of USUAL_ADAPTERS) void mirra[name];
}
