// What AsyncLocalStorage keeps: one immutable map of stores, swapped as a whole, which goes with every callback that is given
// to a promise, a timer or an AsyncResource.
//
// The engine tells of callbacks of promises (`cc.sh`), `await` among them, and only while there are stores: without, nothing
// here costs anything.

import { apply } from "./intrinsics.mjs";
import { native } from "./native.mjs";

/** A Map from storage to store; undefined when there are none. */
let current;

export function currentContext() {
  return current;
}

export function enterContext(context) {
  if ((context === undefined) !== (current === undefined)) native.bindReactions(context === undefined ? undefined : bind);
  current = context;
}

export function runInContext(context, callback, self, args) {
  const outer = current;
  enterContext(context);
  try {
    return apply(callback, self, args);
  } finally {
    enterContext(outer);
  }
}

/** The callback, which will see the stores that there are now. */
export function bind(callback) {
  const context = current;
  if (context === undefined) return callback;
  return function (...args) {
    return runInContext(context, callback, this, args);
  };
}
