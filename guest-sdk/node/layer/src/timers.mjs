// The timers' globals. An immediate is a timer that is due already.

import { bind } from "./async-context.mjs";
import { ceil, defineGlobal, floor, max, min, trunc } from "./intrinsics.mjs";
import { native } from "./native.mjs";
import { isWaiting } from "./operations.mjs";
import { add, firstAt, firstDue, remove } from "./timer-queue.mjs";

/** What fits into Node's 32 bits; a longer delay is taken for 1 ms, as there. */
const DELAY_MAX_MS = 2 ** 31 - 1;
/** Later than any call lasts. */
const DUE_MAX_MS = 2 ** 31 - 1;

/** How many timers keep the call alive. */
let alive = 0;

/** The timers' clock goes on where preparing stopped, so that a timer of the top level comes due in the call. */
let preparedUs = 0;

function nowUs() {
  return preparedUs + native.elapsedUs();
}

export function rebaseTimers() {
  preparedUs = nowUs();
}

const NO_ARGS = [];

class Timer {
  constructor(callback, args) {
    if (typeof callback !== "function") {
      const received = callback === null ? "null" : typeof callback;
      const error = new TypeError(`The "callback" argument must be of type function. Received ${received}`);
      error.code = "ERR_INVALID_ARG_TYPE";
      throw error;
    }
    this._callback = bind(callback);
    this._args = args.length === 0 ? NO_ARGS : args;
    this._isRef = true;
    this._list = null;
    this._before = null;
    this._after = null;
  }

  hasRef() {
    return this._isRef;
  }

  ref() {
    return this._setRef(true);
  }

  unref() {
    return this._setRef(false);
  }

  _setRef(isRef) {
    if (this._list !== null && isRef !== this._isRef) alive += isRef ? 1 : -1;
    this._isRef = isRef;
    return this;
  }

  _schedule(due) {
    add(this, min(due, DUE_MAX_MS) | 0);
    if (this._isRef) alive += 1;
  }

  _cancel() {
    if (this._list === null) return;
    remove(this);
    if (this._isRef) alive -= 1;
  }

  close() {
    this._cancel();
    return this;
  }

  [Symbol.dispose]() {
    this.close();
  }
}

class Immediate extends Timer {
  _run() {
    this._callback(...this._args);
  }
}

let lastId = 0;
/** Timers that were turned into a number, which may come back to `clearTimeout`. */
const byId = { __proto__: null };

class Timeout extends Timer {
  constructor(callback, delay, args, isRepeating) {
    super(callback, args);
    const ms = Number(delay);
    this._delay = ms >= 1 && ms <= DELAY_MAX_MS ? trunc(ms) : 1;
    this._isRepeating = isRepeating;
  }

  /** Starts anew, also when it has fired. */
  refresh() {
    this._cancel();
    // Rounded up: a timer is never early.
    this._schedule(ceil(nowUs() / 1000) + this._delay);
    return this;
  }

  close() {
    this._isRepeating = false;
    return super.close();
  }

  _run() {
    this._callback(...this._args);
    // Unless the callback cleared or refreshed it.
    if (this._isRepeating && this._list === null) this.refresh();
  }

  [Symbol.toPrimitive]() {
    if (this._id === undefined) {
      this._id = lastId += 1;
      byId[this._id] = this;
    }
    return this._id;
  }
}

function setTimeout(callback, delay, ...args) {
  return new Timeout(callback, delay, args, false).refresh();
}

function setInterval(callback, delay, ...args) {
  return new Timeout(callback, delay, args, true).refresh();
}

function setImmediate(callback, ...args) {
  const immediate = new Immediate(callback, args);
  immediate._schedule(floor(nowUs() / 1000));
  return immediate;
}

function clear(timer) {
  if (timer instanceof Timer) timer.close();
  else if (typeof timer === "number" || typeof timer === "string") byId[timer]?.close();
}

/** Runs the first timer, if it is due: one, so that the microtasks it makes come before the next. Answers the microseconds
 * until another can run, or -1 if none ever will. Timers that were unref'd run only as long as something else is awaited. */
export function runTimers() {
  if (alive === 0 && !isWaiting()) return -1;
  const due = firstDue();
  if (due === undefined) return -1;
  if (due * 1000 <= nowUs()) {
    const timer = firstAt(due);
    timer._cancel();
    timer._run();
  }
  return untilNext();
}

function untilNext() {
  const due = alive > 0 || isWaiting() ? firstDue() : undefined;
  return due === undefined ? -1 : max(0, due * 1000 - nowUs());
}

/** Lets an error fail the call that nobody is there to catch, as an uncaught exception ends a Node process. */
export function failCall(error) {
  setImmediate(() => {
    throw error;
  });
}

/** A timeout that does not keep the call alive; a delay that is too long is cut. */
export function unrefTimeout(callback, delay) {
  setTimeout(callback, min(delay, DELAY_MAX_MS)).unref();
}

export function installTimers() {
  const globals = { setTimeout, setInterval, setImmediate, clearTimeout: clear, clearInterval: clear, clearImmediate: clear };
  for (const name in globals) defineGlobal(name, globals[name]);
}
