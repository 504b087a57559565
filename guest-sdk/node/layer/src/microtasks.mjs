import { PromiseConstructor, defineGlobal, then } from "./intrinsics.mjs";
import { failCall } from "./timers.mjs";

const settled = PromiseConstructor.resolve();

/** Where an error that nobody can catch goes: it fails the call. The engine's own queueMicrotask would drop it. */
function queueMicrotask(callback) {
  if (typeof callback !== "function") throw new TypeError("queueMicrotask takes a function");
  then(settled, () => {
    try {
      callback();
    } catch (error) {
      failCall(error);
    }
  });
}

export function installMicrotasks() {
  defineGlobal("queueMicrotask", queueMicrotask);
}
