// The one call that an instance serves. Everything in here is on the path of a cold call, which takes microseconds.

import { contextOf } from "./context.mjs";
import { PromiseConstructor } from "./intrinsics.mjs";
import { mirra } from "./mirra.mjs";
import { rebaseTimers } from "./timers.mjs";

let handler;

/** Takes the handler out of its evaluated module: the last step of preparing. */
export function adopt(namespace) {
  handler = findHandler(namespace);
  rebaseTimers();
}

function findHandler(namespace) {
  const { handler: named, default: fallback } = namespace;
  if (typeof named === "function") return named;
  if (named === undefined) {
    if (typeof fallback === "function") return fallback;
    // What `module.exports = { handler }` becomes.
    if (typeof fallback?.handler === "function") return fallback.handler;
  }
  throw new TypeError(`the module must export a function "handler", or a function as default; ${whatIsExported(namespace)}`);
}

function whatIsExported(namespace) {
  const names = Object.keys(namespace);
  if (names.length === 0) return "it exports nothing";
  const exports = names.map((name) => {
    const value = namespace[name];
    const isModuleExports = name === "default" && typeof value === "object" && value !== null;
    return `${name} (${isModuleExports ? `an object with ${Object.keys(value).join(", ") || "nothing in it"}` : typeof value})`;
  });
  return `it exports ${exports.join(", ")}`;
}

/** Answers the handler's result, or a real promise of it: the engine looks at nothing else. */
export function call(event, contextJson) {
  const result = handler(event, contextOf(contextJson), mirra);
  if (typeof result?.then !== "function" || result instanceof PromiseConstructor) return result;
  return new PromiseConstructor((resolve) => resolve(result));
}
