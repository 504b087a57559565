// KeyObject: keys as Node has them. What is asymmetric is kept by the engine.

import { Buffer } from "buffer";

import { native } from "../../../native.mjs";
import { bytesArgument, encode } from "./bytes.mjs";
import { handleOfCryptoKey } from "./crypto-key.mjs";
import { coded, invalidType, invalidValue, unsupported } from "./errors.mjs";
import { fromJwk, toJwk } from "./jwk.mjs";
import { fromPem, toPem } from "./pem.mjs";
import { toBase64url, viewOf } from "./views.mjs";

const KEY = "of type string or an instance of ArrayBuffer, Buffer, TypedArray, DataView, KeyObject, or CryptoKey";

/** How keys are written, by type: the engine's name, and what a PEM file calls it. */
const ENCODINGS = {
  public: { spki: ["spki", "PUBLIC KEY"], pkcs1: ["pkcs1", "RSA PUBLIC KEY"] },
  private: { pkcs8: ["pkcs8", "PRIVATE KEY"], pkcs1: ["pkcs1", "RSA PRIVATE KEY"], sec1: ["sec1", "EC PRIVATE KEY"] },
};

/** What only keys of one kind can be written as. */
const ENCODED_KIND = { pkcs1: ["rsa", "RSA"], sec1: ["ec", "EC"] };

export class KeyObject {
  #type;
  /** A Uint8Array of a secret key, or the engine's of another. */
  #handle;

  constructor(type, handle) {
    if (!["secret", "public", "private"].includes(type)) throw invalidValue("type", type);
    this.#type = type;
    this.#handle = handle;
  }

  static from(key) {
    const handle = handleOfCryptoKey(key);
    if (handle === undefined) throw invalidType("key", "an instance of CryptoKey", key);
    return new KeyObject(key.type, handle);
  }

  get type() {
    return this.#type;
  }

  get symmetricKeySize() {
    return this.#type === "secret" ? this.#handle.length : undefined;
  }

  get asymmetricKeyType() {
    return this.#type === "secret" ? undefined : native.keyParts(this.#handle).kind;
  }

  get asymmetricKeyDetails() {
    if (this.#type === "secret") return undefined;
    const { kind, curve, bits, e } = native.keyParts(this.#handle);
    if (kind === "rsa") return { modulusLength: bits, publicExponent: BigInt(`0x${new Uint8Array(e).toHex()}`) };
    return kind === "ec" ? { namedCurve: curve } : {};
  }

  export(options) {
    if (this.#type === "secret") return this.#exportSecret(options);
    if (typeof options !== "object" || options === null) throw invalidType("options", "of type object", options);
    if (options.format === "jwk") return toJwk(this.#handle);
    const [form, label] = ENCODINGS[this.#type][options.type] ?? [];
    if (form === undefined) throw invalidValue("options.type", options.type);
    const [kind, name] = ENCODED_KIND[options.type] ?? [];
    if (kind !== undefined && kind !== this.asymmetricKeyType) {
      const message = `The selected key encoding ${options.type} can only be used for ${name} keys.`;
      throw coded(Error, "ERR_CRYPTO_INCOMPATIBLE_KEY_OPTIONS", message);
    }
    if (options.cipher !== undefined || options.passphrase !== undefined) throw unsupported("encryption of private keys");
    const der = native.keyEncode(this.#handle, form);
    if (options.format === "der") return encode(der);
    if (options.format !== "pem") throw invalidValue("options.format", options.format);
    return toPem(label, new Uint8Array(der));
  }

  #exportSecret(options) {
    const format = options?.format;
    if (format === "jwk") return { kty: "oct", k: toBase64url(this.#handle) };
    if (format !== undefined && format !== "buffer") throw invalidValue("options.format", format);
    return Buffer.from(this.#handle);
  }

  equals(other) {
    if (!isKeyObject(other)) throw invalidType("otherKeyObject", "an instance of KeyObject", other);
    if (this.#type !== other.#type) return false;
    const [own, its] = [this, other].map((key) => {
      if (key.#type === "secret") return key.#handle;
      return new Uint8Array(native.keyEncode(key.#handle, key.#type === "public" ? "spki" : "pkcs8"));
    });
    return own.length === its.length && native.timingSafeEqual(own, its);
  }

  get [Symbol.toStringTag]() {
    return "KeyObject";
  }

  static _isKeyObject(value) {
    return typeof value === "object" && value !== null && #handle in value;
  }

  static _handleOf(key) {
    return key.#handle;
  }
}

export const isKeyObject = KeyObject._isKeyObject;
const handleOf = KeyObject._handleOf;
delete KeyObject._isKeyObject;
delete KeyObject._handleOf;

/** The bytes of a secret, however it is held. */
export function keyBytes(name, key, encoding) {
  const secret = isKeyObject(key) ? handleOf(key) : handleOfCryptoKey(key);
  if (secret === undefined) return bytesArgument(name, key, encoding, KEY);
  if (key.type !== "secret") throw wrongType(key.type, "secret");
  return secret;
}

function wrongType(type, expected) {
  return coded(TypeError, "ERR_CRYPTO_INVALID_KEY_OBJECT_TYPE", `Invalid key object type ${type}, expected ${expected}.`);
}

export function createSecretKey(key, encoding) {
  return new KeyObject("secret", bytesArgument("key", key, encoding).slice());
}

export function createPrivateKey(key) {
  if (isKeyObject(key)) throw invalidType("key", "of type string or an instance of ArrayBuffer, Buffer, TypedArray, or DataView", key);
  return new KeyObject("private", privateHandle(key));
}

export function createPublicKey(key) {
  if (isKeyObject(key) && key.type !== "private") throw wrongType(key.type, "private");
  return new KeyObject("public", publicHandle(key));
}

/** The engine's private key of whatever stands for one. */
export function privateHandle(input) {
  const key = readKey(input);
  if (!native.keyParts(key).isPrivate) throw wrongType("public", "private");
  return key;
}

/** The engine's public key; a private one has it, too. */
export function publicHandle(input) {
  const key = readKey(input);
  return native.keyParts(key).isPrivate ? native.keyPublic(key) : key;
}

function readKey(input) {
  const held = asymmetricHandle(input);
  if (held !== undefined) return held;
  const isPlain = typeof input === "string" || viewOf(input) !== undefined;
  if (!isPlain && (typeof input !== "object" || input === null)) {
    throw invalidType("key", "of type string or an instance of ArrayBuffer, Buffer, TypedArray, or DataView", input);
  }
  const { key, format = "pem", type, encoding } = isPlain ? { key: input } : input;
  const inner = asymmetricHandle(key);
  if (inner !== undefined) return inner;
  if (format === "jwk") return fromJwk(key);
  const bytes = bytesArgument("key", key, encoding);
  if (format === "der") return native.keyDecode(derForm(bytes, type), bytes);
  if (format !== "pem") throw invalidValue("key.format", format);
  const { form, der } = fromPem(typeof key === "string" ? key : Buffer.from(bytes).toString("latin1"));
  return native.keyDecode(form, der);
}

function asymmetricHandle(key) {
  const handle = isKeyObject(key) ? handleOf(key) : handleOfCryptoKey(key);
  if (handle !== undefined && key.type === "secret") throw wrongType("secret", "private or public");
  return handle;
}

/** Whether PKCS#1 is public or private is told by its version, which only a private key begins with. */
function derForm(der, type) {
  if (type !== "pkcs1") {
    if (!["pkcs8", "spki", "sec1"].includes(type)) throw invalidValue("key.type", type);
    return type;
  }
  const start = der[1] >= 0x80 ? 2 + (der[1] & 0x7f) : 2;
  const beginsWithVersion = der[start] === 2 && der[start + 1] === 1;
  return beginsWithVersion ? "pkcs1-private" : "pkcs1-public";
}
