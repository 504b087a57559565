// AbortController and AbortSignal. Written here, as events are: no maintained package has `any`, `timeout` and `reason`.

import { Event, EventTarget } from "./events.mjs";
import { defineClasses } from "./intrinsics.mjs";
import { defineInspectByGetters } from "./format.mjs";
import { unrefTimeout } from "./timers.mjs";

/** Only this file makes signals. */
const MAKE = Symbol();

let abort;

class AbortSignal extends EventTarget {
  #isAborted = false;
  #reason = undefined;
  /** The signals that `any` made of this one; made with the first. */
  #dependents = null;
  #onabort = null;

  constructor(token) {
    if (token !== MAKE) throw new TypeError("Illegal constructor");
    super();
  }

  get aborted() {
    return this.#isAborted;
  }
  get reason() {
    return this.#reason;
  }

  throwIfAborted() {
    if (this.#isAborted) throw this.#reason;
  }

  get onabort() {
    return this.#onabort;
  }
  set onabort(callback) {
    if (this.#onabort !== null) this.removeEventListener("abort", this.#onabort);
    this.#onabort = typeof callback === "function" ? callback : null;
    if (this.#onabort !== null) this.addEventListener("abort", this.#onabort);
  }

  static abort(reason) {
    const signal = makeSignal();
    abort(signal, reason);
    return signal;
  }

  /** Its timer does not keep a call alive, as in Node. */
  static timeout(delay) {
    const ms = Number(delay);
    if (!(ms >= 0 && ms <= Number.MAX_SAFE_INTEGER)) throw new RangeError("AbortSignal.timeout takes milliseconds");
    const signal = makeSignal();
    unrefTimeout(() => abort(signal, new DOMException("The operation was aborted due to timeout", "TimeoutError")), ms);
    return signal;
  }

  static any(signals) {
    const sources = [...signals];
    if (!sources.every((source) => #isAborted in Object(source))) throw new TypeError("AbortSignal.any takes signals");
    const signal = makeSignal();
    const aborted = sources.find((source) => source.#isAborted);
    if (aborted !== undefined) abort(signal, aborted.#reason);
    else for (const source of sources) (source.#dependents ??= new Set()).add(signal);
    return signal;
  }

  static {
    abort = (signal, reason = new DOMException("This operation was aborted", "AbortError")) => {
      if (signal.#isAborted) return;
      // All of them are aborted before the first listener hears of one.
      const reached = new Set([signal]);
      for (const one of reached) {
        one.#isAborted = true;
        one.#reason = reason;
        for (const dependent of one.#dependents ?? []) if (!dependent.#isAborted) reached.add(dependent);
        one.#dependents = null;
      }
      for (const one of reached) one.dispatchEvent(new Event("abort"));
    };
  }
}

// Outside the class, since the bundler renames a class that names itself.
function makeSignal() {
  return new AbortSignal(MAKE);
}

class AbortController {
  #signal = makeSignal();

  get signal() {
    return this.#signal;
  }

  abort(reason) {
    abort(this.#signal, reason);
  }
}

export function installAbort() {
  defineClasses({ AbortController, AbortSignal });
  defineInspectByGetters(AbortSignal, ["aborted"]);
  defineInspectByGetters(AbortController, ["signal"]);
}
