// The package buffer, with "base64url", and with UTF-8 done by the engine.

import { Buffer, INSPECT_MAX_BYTES, SlowBuffer, kMaxLength } from "buffer/index.js";
import { native } from "../native.mjs";
import { coded } from "./internal/errors.mjs";

const isBase64Url = (encoding) => typeof encoding === "string" && encoding.toLowerCase() === "base64url";
const isUtf8Name = (encoding) => encoding === undefined || encoding === "utf8" || encoding === "utf-8";

/** The package reads both alphabets as "base64", and writes the one. */
const readable = (encoding) => (isBase64Url(encoding) ? "base64" : encoding);

const { from, byteLength, isEncoding, alloc } = Buffer;
const { toString, write, fill, indexOf, lastIndexOf, includes } = Buffer.prototype;

function utf8Bytes(text) {
  return new Uint8Array(native.utf8Encode(text.toWellFormed()));
}

/** What is looked for may be any bytes; the package wants a Buffer. */
const sought = (value) => (value instanceof Uint8Array && !Buffer.isBuffer(value) ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value);

function ofMemory(bytes) {
  return Object.setPrototypeOf(bytes, Buffer.prototype);
}

Object.assign(Buffer, {
  from(value, encodingOrOffset, length) {
    if (typeof value !== "string") return from(value, encodingOrOffset, length);
    return isUtf8Name(encodingOrOffset) ? ofMemory(utf8Bytes(value)) : from(value, readable(encodingOrOffset));
  },
  alloc: (size, value, encoding) => alloc(size, value, readable(encoding)),
  byteLength(value, encoding) {
    if (typeof value !== "string") return byteLength(value, encoding);
    if (isUtf8Name(encoding)) return utf8Bytes(value).length;
    // Padding, which "base64url" goes without, is no content.
    return isBase64Url(encoding) ? Math.floor((value.replace(/=+$/, "").length * 3) / 4) : byteLength(value, encoding);
  },
  isEncoding: (encoding) => isEncoding(encoding) || isBase64Url(encoding),
  copyBytesFrom(view, offset = 0, length = view.length - offset) {
    const part = view.subarray(offset, offset + length);
    return Buffer.from(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  },
});

Object.assign(Buffer.prototype, {
  toString(encoding, start = 0, end = this.length) {
    if (isBase64Url(encoding)) {
      return toString.call(this, "base64", start, end).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
    }
    if (!isUtf8Name(encoding)) return toString.call(this, encoding, start, end);
    const from = Math.min(Math.max(Math.trunc(start) || 0, 0), this.length);
    const to = Math.min(Math.max(Math.trunc(end) || 0, from), this.length);
    return native.utf8Decode(this.buffer, this.byteOffset + from, to - from, false);
  },
  write(text, ...args) {
    return write.call(this, text, ...args.map(readable));
  },
  fill(value, ...args) {
    return fill.call(this, value, ...args.map(readable));
  },
  indexOf(value, offset, encoding) {
    return indexOf.call(this, sought(value), readable(offset), readable(encoding));
  },
  lastIndexOf(value, offset, encoding) {
    return lastIndexOf.call(this, sought(value), readable(offset), readable(encoding));
  },
  includes(value, offset, encoding) {
    return includes.call(this, sought(value), readable(offset), readable(encoding));
  },
});
function isUtf8(input) {
  const bytes = Buffer.from(input.buffer ?? input, input.byteOffset, input.byteLength);
  return native.utf8Decode(bytes.buffer, bytes.byteOffset, bytes.length, true) !== undefined;
}

function isAscii(input) {
  return new Uint8Array(input.buffer ?? input, input.byteOffset ?? 0, input.byteLength).every((byte) => byte < 0x80);
}

function transcode(source, from, to) {
  for (const encoding of [from, to]) {
    if (!Buffer.isEncoding(encoding)) throw coded(new Error(`Unable to transcode Buffer [U_ILLEGAL_ARGUMENT_ERROR]`), "U_ILLEGAL_ARGUMENT_ERROR");
  }
  return Buffer.from(Buffer.from(source).toString(from), to);
}

const { Blob, File, atob, btoa } = globalThis;

export default {
  Buffer,
  SlowBuffer,
  INSPECT_MAX_BYTES,
  kMaxLength,
  kStringMaxLength: kMaxLength,
  constants: { MAX_LENGTH: kMaxLength, MAX_STRING_LENGTH: kMaxLength },
  Blob,
  File,
  atob,
  btoa,
  isAscii,
  isUtf8,
  transcode,
};
