// Bytes as Uint8Array, which is what the engine takes.

import { native } from "../../../native.mjs";

export const NO_BYTES = new Uint8Array(0);

export function utf8(text) {
  return new Uint8Array(native.utf8Encode(text.toWellFormed()));
}

/** A view of a buffer or of a view; undefined of anything else. */
export function viewOf(value) {
  if (value instanceof Uint8Array) return value;
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return isArrayBuffer(value) ? new Uint8Array(value) : undefined;
}

export function isArrayBuffer(value) {
  return Object.prototype.toString.call(value) === "[object ArrayBuffer]";
}

export function toBase64url(bytes) {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

/** Undefined if the text is none. */
export function fromBase64url(text) {
  try {
    return Uint8Array.fromBase64(text, { alphabet: "base64url" });
  } catch {
    return undefined;
  }
}
