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

/** Starts the operation `name`; its result comes with the promise. `refusal`: what to say where nothing can be reached. */
export function start(name, params, refusal = `mirra.${name}() ${WHILE_PREPARING}`) {
  // Made now, since the caller is on the stack only now. An own message from the start stays hidden when it is set.
  const error = new MirraError("");
  return new PromiseConstructor((resolve, reject) => {
    if (native.isPreparing()) {
      reject(failed(error, "RESOURCE_DENIED", refusal));
      return;
    }
    const json = stringify(params ?? {});
    if (json === undefined) throw new TypeError(`mirra.${name}() takes an object, not a ${typeof params}`);
    underWay[native.start(name, json)] = { resolve, reject, error };
    count += 1;
  });
}

/** The host's word on an operation: its result as JSON, or the code and the message of its failure. */
export function settle(id, isOk, jsonOrCode, message) {
  const { resolve, reject, error } = underWay[id];
  delete underWay[id];
  count -= 1;
  if (isOk) resolve(parse(jsonOrCode));
  else reject(failed(error, jsonOrCode, message));
}

export function isWaiting() {
  return count > 0;
}
