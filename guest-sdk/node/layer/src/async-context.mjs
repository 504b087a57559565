// What AsyncLocalStorage keeps: one immutable map of stores, swapped as a whole, which goes with every callback that is given
// to a promise, a timer or an AsyncResource. The engine has it, as it is the engine that calls what waits for a promise
// (`reactions.rs`). Without stores there is no map, and nothing here costs anything.

import { apply } from "./intrinsics.mjs";
import { native } from "./native.mjs";

/** A Map from storage to store; undefined when there are none. */
export function currentContext() {
  return native.asyncContext();
}

export function enterContext(context) {
  native.enterAsyncContext(context);
}

export function runInContext(context, callback, self, args) {
  const outer = currentContext();
  enterContext(context);
  try {
    return apply(callback, self, args);
  } finally {
    enterContext(outer);
  }
}

/** The callback, which will see the stores that there are now. */
export function bind(callback) {
  const context = currentContext();
  if (context === undefined) return callback;
  return function (...args) {
    return runInContext(context, callback, this, args);
  };
}
