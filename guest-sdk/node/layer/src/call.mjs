// The one call that an instance serves. Everything in here is on the path of a cold call, which takes microseconds.

import { contextOf } from "./context.mjs";
import { PromiseConstructor, functionToString } from "./intrinsics.mjs";
import { mirra } from "./mirra.mjs";
import { rebaseTimers } from "./timers.mjs";

let handler;
/** It answers by a callback, as handlers of AWS Lambda may. */
let takesCallback = false;

/** Takes the handler out of its evaluated module: the last step of preparing. */
export function adopt(namespace) {
  handler = findHandler(namespace);
  takesCallback = handler.length > 2 && /^(callback|cb|done)$/.test(parameterNames(handler)[2]);
  rebaseTimers();
}

/** As far as they are names and not patterns. The third one tells what is meant by it: mirra's handlers are given `mirra` there. */
function parameterNames(method) {
  const list = functionToString.call(method).match(/^[^(]*\(([^)]*)\)/)?.[1] ?? "";
  return list.split(",").map((name) => name.trim());
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
  if (takesCallback) return calledBack(event, contextJson);
  const result = handler(event, contextOf(contextJson), mirra);
  if (typeof result?.then !== "function" || result instanceof PromiseConstructor) return result;
  return new PromiseConstructor((resolve) => resolve(result));
}

/** A promise of what the handler gives its callback; or of what it answers, if that is a promise. */
function calledBack(event, contextJson) {
  return new PromiseConstructor((resolve, reject) => {
    const callback = (error, result) => (error === null || error === undefined ? resolve(result) : reject(error));
    const answer = handler(event, contextOf(contextJson), callback);
    if (typeof answer?.then === "function") resolve(answer);
  });
}
