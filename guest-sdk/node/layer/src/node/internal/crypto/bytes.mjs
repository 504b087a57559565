// Bytes in and out: what callers pass becomes a Uint8Array, which is what the engine takes, and its ArrayBuffers what they ask for.

import { Buffer } from "buffer";

import { coded, invalidType } from "./errors.mjs";
import { toBase64url, utf8, viewOf } from "./views.mjs";

const BYTES = "of type string or an instance of ArrayBuffer, Buffer, TypedArray, or DataView";

/** The bytes of a string in that encoding, or of whatever holds bytes. */
export function bytesArgument(name, value, encoding, expected = BYTES) {
  if (typeof value === "string") return decode(value, encoding);
  const view = viewOf(value);
  if (view === undefined) throw invalidType(name, expected, value);
  return view;
}

export function decode(text, encoding) {
  switch (normalized(encoding)) {
    case "utf8":
      return utf8(text);
    case "base64url":
      return Buffer.from(text, "base64");
    default:
      return Buffer.from(text, encoding);
  }
}

/** An ArrayBuffer of the engine as the caller wants it: as a Buffer, or as text. */
export function encode(buffer, encoding) {
  if (encoding === undefined || encoding === null || encoding === "buffer") return Buffer.from(buffer);
  switch (normalized(encoding)) {
    case "hex":
      return new Uint8Array(buffer).toHex();
    case "base64":
      return new Uint8Array(buffer).toBase64();
    case "base64url":
      return toBase64url(new Uint8Array(buffer));
    default:
      return Buffer.from(buffer).toString(encoding);
  }
}

function normalized(encoding) {
  if (encoding === "hex" || encoding === "base64") return encoding;
  if (encoding === undefined || encoding === null || encoding === "buffer") return "utf8";
  const name = String(encoding).toLowerCase();
  if (name === "utf-8") return "utf8";
  if (name !== "base64url" && !Buffer.isEncoding(name)) throw coded(TypeError, "ERR_UNKNOWN_ENCODING", `Unknown encoding: ${encoding}`);
  return name;
}

/** Does what takes long, and tells a callback of it in Node's manner: later. */
export function later(callback, work) {
  setTimeout(() => {
    let result;
    try {
      result = work();
    } catch (error) {
      callback(error);
      return;
    }
    callback(null, result);
  }, 0);
}
