// Signatures, and encryption with asymmetric keys.

import { Writable } from "stream";

import { refuseWhilePreparing } from "../../../crypto.mjs";
import { native } from "../../../native.mjs";
import { bytesArgument, decode, encode, later } from "./bytes.mjs";
import { constants } from "./constants.mjs";
import { checkFunction, checkString, coded, invalidValue, unsupported } from "./errors.mjs";
import { hashBytes, hashName } from "./hash.mjs";
import { privateHandle, publicHandle } from "./keys.mjs";
import { NO_BYTES } from "./views.mjs";

const DATA = "of type string or an instance of Buffer, TypedArray, or DataView";

/** The engine takes any negative number for: as long as there is room, and, when verifying, whatever it is. */
const AUTOMATIC = -1;

function invalidDigest(name) {
  return coded(TypeError, "ERR_CRYPTO_INVALID_DIGEST", `Invalid digest: ${name}`);
}

function signingHash(name) {
  const hash = hashName(name);
  if (hash === undefined || hash.startsWith("sha3-")) throw invalidDigest(name);
  return hash;
}

/** How the engine is to sign with a key of that kind, by what was said beside the key. */
function schemeOf(kind, options, hash) {
  if (kind === "ed25519") return { scheme: "ed25519", saltBytes: 0 };
  if (kind === "ec") {
    const { dsaEncoding = "der" } = options;
    if (dsaEncoding !== "der" && dsaEncoding !== "ieee-p1363") throw invalidValue("options.dsaEncoding", dsaEncoding);
    return { scheme: dsaEncoding, saltBytes: 0 };
  }
  const { padding = constants.RSA_PKCS1_PADDING, saltLength = constants.RSA_PSS_SALTLEN_AUTO } = options;
  if (padding === constants.RSA_PKCS1_PADDING) return { scheme: "pkcs1", saltBytes: 0 };
  if (padding !== constants.RSA_PKCS1_PSS_PADDING) throw invalidValue("options.padding", padding);
  return { scheme: "pss", saltBytes: saltLength === constants.RSA_PSS_SALTLEN_DIGEST ? hashBytes(hash) : Math.max(saltLength, AUTOMATIC) };
}

function optionsOf(key) {
  return typeof key === "object" && key !== null && !ArrayBuffer.isView(key) && key.key !== undefined ? key : {};
}

function signHash(handle, options, hash, digest) {
  const { scheme, saltBytes } = schemeOf(native.keyParts(handle).kind, options, hash);
  if (scheme === "pss") refuseWhilePreparing();
  return native.sign(handle, scheme, hash ?? "", saltBytes, digest);
}

function verifyHash(handle, options, hash, digest, signature) {
  const { scheme, saltBytes } = schemeOf(native.keyParts(handle).kind, options, hash);
  return native.verify(handle, scheme, hash ?? "", saltBytes, digest, signature);
}

/** What of the data is signed: Ed25519 signs the data, the others their hash. */
function signed(handle, algorithm, data) {
  if (native.keyParts(handle).kind === "ed25519") {
    if (algorithm) throw unsupported("hash beside Ed25519, which has its own");
    return { digest: data };
  }
  const hash = algorithm ? signingHash(algorithm) : "sha256";
  return { hash, digest: new Uint8Array(native.hash(hash, data)) };
}

/** What Sign and Verify have in common. */
class Signing extends Writable {
  #hasher;
  #hash;

  constructor(algorithm, options) {
    super(options);
    checkString("algorithm", algorithm);
    this.#hash = hashName(algorithm);
    if (this.#hash === undefined || this.#hash.startsWith("sha3-")) throw coded(TypeError, "ERR_CRYPTO_INVALID_DIGEST", "Invalid digest");
    this.#hasher = native.hasher(this.#hash);
  }

  update(data, encoding) {
    native.hasherUpdate(this.#hasher, bytesArgument("data", data, encoding, DATA));
    return this;
  }

  _write(chunk, encoding, callback) {
    this.update(chunk, encoding);
    callback();
  }

  _digest(handle) {
    if (native.keyParts(handle).kind === "ed25519") {
      throw coded(Error, "ERR_CRYPTO_UNSUPPORTED_OPERATION", "Unsupported crypto operation");
    }
    return { hash: this.#hash, digest: new Uint8Array(native.hasherDigest(this.#hasher)) };
  }
}

export class Sign extends Signing {
  sign(key, encoding) {
    checkKey(key);
    const handle = privateHandle(key);
    const { hash, digest } = this._digest(handle);
    return encode(signHash(handle, optionsOf(key), hash, digest), encoding);
  }
}

export class Verify extends Signing {
  verify(key, signature, encoding) {
    const handle = publicHandle(key);
    const bytes = bytesArgument("signature", signature, encoding);
    const { hash, digest } = this._digest(handle);
    return verifyHash(handle, optionsOf(key), hash, digest, bytes);
  }
}

function checkKey(key) {
  if (key === undefined || key === null) throw coded(Error, "ERR_CRYPTO_SIGN_KEY_REQUIRED", "No key provided to sign");
}

export function createSign(algorithm, options) {
  return new Sign(algorithm, options);
}

export function createVerify(algorithm, options) {
  return new Verify(algorithm, options);
}

function signJob(algorithm, data, key) {
  const bytes = bytesArgument("data", data, undefined, DATA);
  checkKey(key);
  const handle = privateHandle(key);
  const { hash, digest } = signed(handle, algorithm, bytes);
  return () => encode(signHash(handle, optionsOf(key), hash, digest));
}

export function sign(algorithm, data, key, callback) {
  const job = signJob(algorithm, data, key);
  if (callback === undefined) return job();
  checkFunction("callback", callback);
  later(callback, job);
  return undefined;
}

export function verify(algorithm, data, key, signature, callback) {
  const bytes = bytesArgument("data", data, undefined, DATA);
  const proof = bytesArgument("signature", signature);
  const handle = publicHandle(key);
  const { hash, digest } = signed(handle, algorithm, bytes);
  const job = () => verifyHash(handle, optionsOf(key), hash, digest, proof);
  if (callback === undefined) return job();
  checkFunction("callback", callback);
  later(callback, job);
  return undefined;
}

/** The padding of encryption, and what belongs to it. */
function paddingOf(key) {
  const { padding = constants.RSA_PKCS1_OAEP_PADDING, oaepHash = "sha1", oaepLabel } = optionsOf(key);
  if (padding === constants.RSA_PKCS1_PADDING) return ["pkcs1", "", NO_BYTES];
  if (padding !== constants.RSA_PKCS1_OAEP_PADDING) throw unsupported(`RSA padding ${padding}`);
  const hash = hashName(oaepHash);
  if (hash === undefined) throw coded(Error, "ERR_OSSL_EVP_INVALID_DIGEST", `Invalid digest: ${oaepHash}`);
  return ["oaep", hash, oaepLabel === undefined ? NO_BYTES : bytesArgument("key.oaepLabel", oaepLabel)];
}

function text(key, buffer) {
  return typeof buffer === "string" ? decode(buffer, optionsOf(key).encoding) : bytesArgument("buffer", buffer);
}

export function publicEncrypt(key, buffer) {
  refuseWhilePreparing();
  return encode(native.encrypt(publicHandle(key), ...paddingOf(key), text(key, buffer)));
}

export function privateDecrypt(key, buffer) {
  return encode(native.decrypt(privateHandle(key), ...paddingOf(key), text(key, buffer)));
}

/** The secret that two sides come to by elliptic curves. */
export function diffieHellman({ privateKey, publicKey }) {
  return encode(native.agree(privateHandle(privateKey), publicHandle(publicKey)));
}
