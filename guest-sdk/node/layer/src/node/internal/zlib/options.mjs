// What may be said beside the data, as Node checks it.

import { constants } from "./constants.mjs";
import { coded, invalidType, outOfRange } from "../crypto/errors.mjs";
import { viewOf } from "../crypto/views.mjs";

const { Z_NO_FLUSH, Z_FINISH, Z_BLOCK, Z_MIN_CHUNK, Z_DEFAULT_CHUNK } = constants;

const WINDOW_BITS_MIN = { gzip: 9, gunzip: 0, inflate: 0, unzip: 0 };

function checked(options, name, least, most, otherwise) {
  const value = options[name];
  if (value === undefined || Number.isNaN(value)) return otherwise;
  if (typeof value !== "number") throw invalidType(`options.${name}`, "of type number", value);
  const range = most === Infinity ? `>= ${least}` : `>= ${least} and <= ${most}`;
  if (!(value >= least && value <= most)) throw outOfRange(`options.${name}`, range, value);
  return value;
}

export function zlibOptions(given, format) {
  const options = given ?? {};
  const { dictionary } = options;
  const view = dictionary === undefined ? undefined : viewOf(dictionary);
  if (dictionary !== undefined && view === undefined) {
    throw invalidType("options.dictionary", "an instance of Buffer, TypedArray, DataView, or ArrayBuffer", dictionary);
  }
  return {
    level: checked(options, "level", -1, 9, -1),
    // Zero, for those who read a header, is what it says, and that is at most 15.
    windowBits: checked(options, "windowBits", WINDOW_BITS_MIN[format] ?? 8, 15, 15) || 15,
    flush: checked(options, "flush", Z_NO_FLUSH, Z_BLOCK, Z_NO_FLUSH),
    finishFlush: checked(options, "finishFlush", Z_NO_FLUSH, Z_BLOCK, Z_FINISH),
    chunkSize: checked(options, "chunkSize", Z_MIN_CHUNK, Infinity, Z_DEFAULT_CHUNK),
    maxOutputLength: checked(options, "maxOutputLength", 1, 2 ** 32, Infinity),
    // How much memory and which strategy zlib uses is its own matter: the result is another, and as right.
    memLevel: checked(options, "memLevel", 1, 9, 8),
    strategy: checked(options, "strategy", 0, 4, 0),
    dictionary: view,
  };
}

/** The same of Brotli, whose operations have other numbers. */
export function brotliOptions(given) {
  const options = given ?? {};
  return {
    flush: Z_NO_FLUSH,
    finishFlush: options.finishFlush === constants.BROTLI_OPERATION_FLUSH ? constants.Z_SYNC_FLUSH : Z_FINISH,
    chunkSize: checked(options, "chunkSize", Z_MIN_CHUNK, Infinity, Z_DEFAULT_CHUNK),
    maxOutputLength: checked(options, "maxOutputLength", 1, 2 ** 32, Infinity),
  };
}

export function tooLarge(length) {
  return coded(RangeError, "ERR_BUFFER_TOO_LARGE", `Cannot create a Buffer larger than ${length} bytes`);
}
