// Randomness, which comes from the world and is refused while a handler is prepared.

import { Buffer } from "buffer";

import { randomUUID as uuid, refuseWhilePreparing } from "../../../crypto.mjs";
import { native } from "../../../native.mjs";
import { later } from "./bytes.mjs";
import { checkFunction, checkInteger, invalidType, outOfRange } from "./errors.mjs";
import { viewOf } from "./views.mjs";

const INT_MAX = 2 ** 31 - 1;
/** `randomInt` draws numbers of 48 bits. */
const RANGE_MAX = 2 ** 48 - 1;

/** Fills a view of bytes. */
export function fill(view) {
  refuseWhilePreparing();
  native.randomFill(view.buffer, view.byteOffset, view.byteLength);
  return view;
}

export function randomBytes(size, callback) {
  checkInteger("size", size, 0, INT_MAX);
  if (callback === undefined) return fill(Buffer.alloc(size));
  checkFunction("callback", callback);
  refuseWhilePreparing();
  later(callback, () => fill(Buffer.alloc(size)));
  return undefined;
}

export function randomFillSync(buffer, offset = 0, size = undefined) {
  const view = viewOf(buffer);
  if (view === undefined) throw invalidType("buf", "an instance of ArrayBuffer or ArrayBufferView", buffer);
  const width = buffer.BYTES_PER_ELEMENT ?? 1;
  checkInteger("offset", offset, 0, view.length / width);
  const start = offset * width;
  if (size !== undefined) checkInteger("size", size, 0, view.length / width - offset);
  fill(view.subarray(start, size === undefined ? view.length : start + size * width));
  return buffer;
}

export function randomFill(buffer, offset, size, callback) {
  const given = [offset, size, callback];
  const at = given.findIndex((argument) => typeof argument === "function");
  checkFunction("callback", given[at]);
  refuseWhilePreparing();
  later(given[at], () => randomFillSync(buffer, ...given.slice(0, at)));
}

export function randomInt(least, most, callback) {
  if (most === undefined || typeof most === "function") {
    [least, most, callback] = [0, least, most];
  }
  if (!Number.isSafeInteger(least)) throw invalidType("min", "a safe integer", least);
  if (!Number.isSafeInteger(most)) throw invalidType("max", "a safe integer", most);
  if (most <= least) throw outOfRange("max", `greater than the value of "min" (${least})`, most);
  const range = most - least;
  if (range > RANGE_MAX) throw outOfRange("max - min", `<= ${RANGE_MAX}`, range);
  if (callback === undefined) return least + below(range);
  checkFunction("callback", callback);
  refuseWhilePreparing();
  later(callback, () => least + below(range));
  return undefined;
}

/** Evenly: numbers above the last whole multiple of the range are drawn again. */
function below(range) {
  refuseWhilePreparing();
  const limit = 2 ** 52 - (2 ** 52 % range);
  for (;;) {
    const drawn = native.random52();
    if (drawn < limit) return drawn % range;
  }
}

export function randomUUID(options) {
  if (options !== undefined && (typeof options !== "object" || options === null)) throw invalidType("options", "of type object", options);
  return uuid();
}

/** Of what WebCrypto fills. */
export function getRandomValues(array) {
  return globalThis.crypto.getRandomValues(array);
}
