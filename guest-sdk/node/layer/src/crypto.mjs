// The global `crypto`: sources of randomness here, the rest in `node/internal/crypto/subtle.mjs`.

import { defineGlobal } from "./intrinsics.mjs";
import { native } from "./native.mjs";
import { installSubtle, subtle } from "./node/internal/crypto/subtle.mjs";

/** The most that one call of getRandomValues fills; the standard's number. */
const QUOTA_BYTES = 65536;

const HEX_DIGITS = 13; // of 52 random bits
const VARIANT = "89ab";

const { toStringTag } = Symbol;
const IntegerArrays = [
  Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, BigInt64Array, BigUint64Array,
];

/** What is drawn while a handler is prepared would be in its image. */
export function refuseWhilePreparing() {
  if (native.isPreparing()) {
    throw new Error("randomness made while a handler is prepared would be the same in every call; move it into the handler");
  }
}

function hex() {
  return native.random52().toString(16).padStart(HEX_DIGITS, "0");
}

/** A version 4 UUID. */
export function randomUUID() {
  refuseWhilePreparing();
  const digits = hex() + hex() + hex();
  const variant = VARIANT[parseInt(digits[15], 16) & 3];
  const part = (from, to) => digits.slice(from, to);
  return `${part(0, 8)}-${part(8, 12)}-4${part(12, 15)}-${variant}${part(16, 19)}-${part(19, 31)}`;
}

class Crypto {
  getRandomValues(array) {
    refuseWhilePreparing();
    if (!IntegerArrays.some((type) => array instanceof type)) {
      throw new DOMException("getRandomValues fills typed arrays of integers only", "TypeMismatchError");
    }
    const { buffer, byteOffset, byteLength } = array;
    if (byteLength > QUOTA_BYTES) {
      const message = `getRandomValues fills at most ${QUOTA_BYTES} bytes a call, not ${byteLength}`;
      throw new DOMException(message, "QuotaExceededError");
    }
    native.randomFill(buffer, byteOffset, byteLength);
    return array;
  }

  randomUUID() {
    return randomUUID();
  }

  get subtle() {
    return subtle;
  }

  get [toStringTag]() {
    return "Crypto";
  }
}

export function installCrypto() {
  defineGlobal("crypto", new Crypto());
  installSubtle();
}
