// Compression and decompression in pieces. It needs neither Buffer nor streams, so that CompressionStream can stand on it.

import { native } from "../../../native.mjs";
import { constants } from "./constants.mjs";

const NO_BYTES = new Uint8Array(0);
const DEFAULT_LEVEL = -1;
const DEFAULT_WINDOW_BITS = 15;

/** The largest piece of a result that is made at once. */
export const PIECE_BYTES = 64 * 1024;

/** Which formats the engine reads; it writes the others. */
const READ = ["gunzip", "inflate", "inflate-raw", "unzip", "brotli-decompress"];

/** Adds Node's number to what the engine throws. */
function numbered(error) {
  const errno = constants[error.code];
  if (errno !== undefined) error.errno = errno;
  return error;
}

function ended() {
  const error = new Error("unexpected end of file");
  error.code = "Z_BUF_ERROR";
  return numbered(error);
}

/** `format` is `gzip`, `deflate`, `deflate-raw`, or what reads them: `gunzip`, `inflate`, `inflate-raw`, `unzip`, `brotli-decompress`. */
export class Codec {
  #engine;
  #isReading;

  constructor(format, { level = DEFAULT_LEVEL, windowBits = DEFAULT_WINDOW_BITS, dictionary = NO_BYTES } = {}) {
    this.#isReading = READ.includes(format);
    try {
      this.#engine = native.zlib(format, level, windowBits, dictionary);
    } catch (error) {
      throw numbered(error);
    }
  }

  /** What came of it so far, an ArrayBuffer of at most `limit` bytes; if it is full, more may be had with what `consumed` leaves. */
  step(bytes, flush, limit) {
    try {
      return native.zlibStep(this.#engine, bytes, flush, limit);
    } catch (error) {
      throw numbered(error);
    }
  }

  /** How many bytes the last step took. */
  get consumed() {
    return native.zlibConsumed(this.#engine);
  }

  get hasEnded() {
    return native.zlibHasEnded(this.#engine);
  }

  /** All pieces that come of these bytes, as ArrayBuffers. */
  *pieces(bytes, flush = constants.Z_NO_FLUSH) {
    for (let rest = bytes; ; rest = rest.subarray(this.consumed)) {
      const piece = this.step(rest, flush, PIECE_BYTES);
      if (piece.byteLength > 0) yield piece;
      if (piece.byteLength < PIECE_BYTES) return;
    }
  }

  /** The pieces that are left when there are no more bytes; throws if some are missing. */
  *end() {
    yield* this.pieces(NO_BYTES, constants.Z_FINISH);
    this.checkEnd();
  }

  checkEnd() {
    if (this.#isReading && !this.hasEnded) throw ended();
  }
}
