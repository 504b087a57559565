// TextEncoder and TextDecoder: UTF-8 by the engine, UTF-16LE and Latin-1 (which the standard reads as windows-1252) here.

import { defineClasses, min } from "./intrinsics.mjs";
import { native } from "./native.mjs";

/** What an encoding may be called, in the standard's words. */
const NAMES = {
  "utf-8": "utf-8 utf8 unicode-1-1-utf-8 unicode11utf8 unicode20utf8 x-unicode20utf8",
  "utf-16le": "utf-16le utf-16 ucs-2 unicode iso-10646-ucs-2 csunicode unicodefeff",
  "windows-1252":
    "windows-1252 latin1 l1 ascii us-ascii iso-8859-1 iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 cp1252 x-cp1252 cp819 " +
    "ibm819 csisolatin1 iso-ir-100 ansi_x3.4-1968",
};
const LABELS = new Map(Object.entries(NAMES).flatMap(([name, labels]) => labels.split(" ").map((label) => [label, name])));

/** What the bytes 0x80 to 0x9f are in windows-1252; the five that mean nothing stay what they are. */
const WINDOWS_1252 = "€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ";

const BOM = 0xfeff;
/** How many characters one call of fromCharCode takes: its arguments lie on the stack. */
const CHUNK = 4096;

const NO_BYTES = new Uint8Array(0);

/** For each encoding: `decode(bytes, isFatal)` answers text, or null if the bytes are wrong and that is fatal;
 * `unfinished(bytes)` counts the bytes at the end that begin a character. */
const ENCODINGS = {
  "utf-8": {
    decode: (bytes, isFatal) => native.utf8Decode(bytes.buffer, bytes.byteOffset, bytes.byteLength, isFatal) ?? null,
    unfinished(bytes) {
      for (let back = 1; back <= 3 && back <= bytes.length; back += 1) {
        const byte = bytes[bytes.length - back];
        if (byte < 0x80) return 0;
        if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0;
      }
      return 0;
    },
  },
  "utf-16le": {
    decode(bytes, isFatal) {
      const count = bytes.length >> 1;
      const text = charCodes(count, (at) => bytes[2 * at] | (bytes[2 * at + 1] << 8));
      const isBroken = bytes.length % 2 === 1 || !text.isWellFormed();
      if (isBroken && isFatal) return null;
      return bytes.length % 2 === 1 ? `${text.toWellFormed()}\ufffd` : text.toWellFormed();
    },
    unfinished(bytes) {
      const odd = bytes.length % 2;
      const high = bytes[bytes.length - odd - 1];
      return odd + (high >= 0xd8 && high <= 0xdb ? 2 : 0);
    },
  },
  "windows-1252": {
    decode: (bytes) => charCodes(bytes.length, (at) => windows1252(bytes[at])),
    unfinished: () => 0,
  },
};

function windows1252(byte) {
  return byte >= 0x80 && byte < 0xa0 ? WINDOWS_1252.charCodeAt(byte - 0x80) : byte;
}

function charCodes(count, codeAt) {
  let text = "";
  for (let from = 0; from < count; from += CHUNK) {
    const codes = Array.from({ length: min(CHUNK, count - from) }, (_, at) => codeAt(from + at));
    text += String.fromCharCode(...codes);
  }
  return text;
}

function bytesOf(input) {
  if (ArrayBuffer.isView(input)) return new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
  if (input === undefined) return NO_BYTES;
  if (input instanceof ArrayBuffer) return new Uint8Array(input);
  throw coded(new TypeError("decode takes an ArrayBuffer or a view of one"), "ERR_INVALID_ARG_TYPE");
}

function joined(first, second) {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

function coded(error, code) {
  error.code = code;
  return error;
}

class TextDecoder {
  #encoding;
  #isFatal;
  #keepsBom;
  /** Bytes of a character whose rest has not come yet. */
  #pending = NO_BYTES;
  #isAtStart = true;

  constructor(label = "utf-8", options) {
    this.#encoding = LABELS.get(`${label}`.trim().toLowerCase());
    if (this.#encoding === undefined) {
      throw coded(new RangeError(`The "${label}" encoding is not supported`), "ERR_ENCODING_NOT_SUPPORTED");
    }
    this.#isFatal = Boolean(options?.fatal);
    this.#keepsBom = Boolean(options?.ignoreBOM);
  }

  get encoding() {
    return this.#encoding;
  }
  get fatal() {
    return this.#isFatal;
  }
  get ignoreBOM() {
    return this.#keepsBom;
  }

  decode(input, options) {
    const { decode, unfinished } = ENCODINGS[this.#encoding];
    const isStreaming = Boolean(options?.stream);
    let bytes = bytesOf(input);
    if (this.#pending.length > 0) bytes = joined(this.#pending, bytes);
    const kept = isStreaming ? unfinished(bytes) : 0;
    this.#pending = kept > 0 ? bytes.slice(bytes.length - kept) : NO_BYTES;
    const text = decode(kept > 0 ? bytes.subarray(0, bytes.length - kept) : bytes, this.#isFatal);
    const isAtStart = this.#isAtStart;
    this.#isAtStart = !isStreaming || text === null || (isAtStart && text === "");
    if (text === null) {
      this.#pending = NO_BYTES;
      const error = new TypeError(`The encoded data was not valid for encoding ${this.#encoding}`);
      throw coded(error, "ERR_ENCODING_INVALID_ENCODED_DATA");
    }
    return isAtStart && !this.#keepsBom && text.charCodeAt(0) === BOM ? text.slice(1) : text;
  }
}

class TextEncoder {
  get encoding() {
    return "utf-8";
  }

  encode(text = "") {
    return new Uint8Array(native.utf8Encode(`${text}`.toWellFormed()));
  }

  /** Writes as many whole characters as fit. `read` counts UTF-16 units, `written` bytes. */
  encodeInto(text, target) {
    // A unit takes a byte at least, so no more of them can fit.
    const bytes = this.encode(text.slice(0, target.length));
    let written = min(bytes.length, target.length);
    while (written < bytes.length && (bytes[written] & 0xc0) === 0x80) written -= 1;
    target.set(bytes.subarray(0, written));
    if (written === bytes.length) return { read: min(text.length, target.length), written };
    return { read: native.utf8Decode(bytes.buffer, 0, written, false).length, written };
  }
}

export function installTextEncoding() {
  defineClasses({ TextDecoder, TextEncoder });
}
