// zlib's streams.

import { Buffer } from "buffer";
import { Transform } from "stream";

import { bytesArgument } from "../crypto/bytes.mjs";
import { NO_BYTES } from "../crypto/views.mjs";
import { Codec, PIECE_BYTES } from "./codec.mjs";
import { constants } from "./constants.mjs";
import { brotliOptions, zlibOptions } from "./options.mjs";

/** Marks an empty chunk as a flush of that kind. */
const FLUSH = Symbol("flush");

class Zlib extends Transform {
  #make;
  #codec;
  #flush;
  #finishFlush;
  #pieceBytes;
  /** Goes on where a piece was more than the reader wanted. */
  #resume;

  constructor(format, options, checked) {
    super({ ...options, autoDestroy: true, emitClose: true });
    this.#make = () => new Codec(format, checked);
    this.#codec = this.#make();
    this.#flush = checked.flush;
    this.#finishFlush = checked.finishFlush;
    this.#pieceBytes = Math.max(checked.chunkSize, PIECE_BYTES);
    this.bytesWritten = 0;
  }

  _transform(chunk, encoding, callback) {
    let bytes;
    try {
      bytes = bytesArgument("chunk", chunk, encoding);
    } catch (error) {
      callback(error);
      return;
    }
    this.#run(bytes, chunk[FLUSH] ?? this.#flush, callback);
  }

  _flush(callback) {
    this.#run(NO_BYTES, this.#finishFlush, (error) => {
      if (!error && this.#finishFlush === constants.Z_FINISH) {
        try {
          this.#codec.checkEnd();
        } catch (missing) {
          error = missing;
        }
      }
      callback(error);
    });
  }

  /** Makes pieces for as long as the reader wants more. */
  #run(bytes, flush, callback) {
    let rest = bytes;
    for (;;) {
      let piece;
      try {
        piece = this.#codec.step(rest, flush, this.#pieceBytes);
      } catch (error) {
        callback(error);
        return;
      }
      const { consumed } = this.#codec;
      rest = rest.subarray(consumed);
      this.bytesWritten += consumed;
      const isWanted = piece.byteLength === 0 || this.push(Buffer.from(piece));
      if (this.destroyed) return;
      if (piece.byteLength < this.#pieceBytes) break;
      if (!isWanted) {
        this.#resume = () => this.#run(rest, flush, callback);
        return;
      }
    }
    callback();
  }

  _read(size) {
    const resume = this.#resume;
    if (resume === undefined) {
      super._read(size);
    } else {
      this.#resume = undefined;
      resume();
    }
  }

  flush(kind, callback) {
    if (typeof kind === "function") [kind, callback] = [undefined, kind];
    const chunk = Buffer.alloc(0);
    chunk[FLUSH] = kind ?? constants.Z_FULL_FLUSH;
    this.write(chunk, "", callback);
  }

  /** From the beginning again. */
  reset() {
    this.#codec = this.#make();
  }

  close(callback) {
    if (callback !== undefined) this.once("close", callback);
    this.destroy();
  }

  get bytesRead() {
    return this.bytesWritten;
  }
}

function zlibStream(format) {
  return class extends Zlib {
    constructor(options) {
      super(format, options, zlibOptions(options, format));
    }
  };
}

export class BrotliDecompress extends Zlib {
  constructor(options) {
    super("brotli-decompress", options, brotliOptions(options));
  }
}

export class Gzip extends zlibStream("gzip") {}
export class Gunzip extends zlibStream("gunzip") {}
export class Deflate extends zlibStream("deflate") {}
export class Inflate extends zlibStream("inflate") {}
export class DeflateRaw extends zlibStream("deflate-raw") {}
export class InflateRaw extends zlibStream("inflate-raw") {}
export class Unzip extends zlibStream("unzip") {}
