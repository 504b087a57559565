// Operations of the host that are under way, each with the promise that waits for it.

import { PromiseConstructor, defineHidden, parse, stringify } from "./intrinsics.mjs";
import { native } from "./native.mjs";

/** By the host's id. A bare object, so that nothing a handler replaces is called. */
const underWay = { __proto__: null };
let count = 0;

class MirraError extends Error {}
defineHidden(MirraError.prototype, "name", "MirraError");

const WHILE_PREPARING =
  "was called while the handler was prepared, where nothing outside can be reached; move the call into the handler";

function failed(error, code, message) {
  error.code = code;
  error.message = message;
  return error;
}

/** Starts the operation `name`; its result, all of it, comes with the promise. `refusal`: what to say where nothing can be reached. */
export function start(name, params, refusal) {
  return new Operation(name, params, refusal).first;
}

/** One that may answer in parts. */
export class Operation {
  #id = 0;
  /** The first part. */
  first;
  /** Whether the part that came last was the last one. */
  isOver = false;

  constructor(name, params, refusal = `mirra.${name}() ${WHILE_PREPARING}`) {
    this.first = this.#part(() => {
      if (native.isPreparing()) throw failed(new MirraError(""), "RESOURCE_DENIED", refusal);
      const json = stringify(params ?? {});
      if (json === undefined) throw new TypeError(`mirra.${name}() takes an object, not a ${typeof params}`);
      this.#id = native.start(name, json);
    });
  }

  /** Asks for the next part, once the one before is there and it is not over. */
  next() {
    return this.#part(() => native.nextPart(this.#id));
  }

  /** Nobody wants the rest: what was asked for never comes. */
  cancel() {
    if (this.isOver || this.#id === 0) return;
    this.isOver = true;
    native.cancel(this.#id);
    if (underWay[this.#id] === undefined) return;
    delete underWay[this.#id];
    count -= 1;
  }

  #part(ask) {
    // Made now, since the caller is on the stack only now. An own message from the start stays hidden when it is set.
    const error = new MirraError("");
    return new PromiseConstructor((resolve, reject) => {
      ask();
      underWay[this.#id] = { resolve, reject, error, operation: this };
      count += 1;
    });
  }
}

/** The host's word on an operation: its result as JSON or a part of it, or the code and the message of its failure. */
export function settle(id, isLast, isOk, jsonOrCode, message) {
  const waiting = underWay[id];
  // A host that refuses everything does not look at what was cancelled.
  if (waiting === undefined) return;
  const { resolve, reject, error, operation } = waiting;
  delete underWay[id];
  count -= 1;
  operation.isOver = isLast;
  if (isOk) resolve(parse(jsonOrCode));
  else reject(failed(error, jsonOrCode, message));
}

export function isWaiting() {
  return count > 0;
}
