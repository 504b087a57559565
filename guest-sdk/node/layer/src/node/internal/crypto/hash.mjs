// Hashes and HMACs.

import { native } from "../../../native.mjs";
import { bytesArgument, encode } from "./bytes.mjs";
import { checkString, coded } from "./errors.mjs";
import { keyBytes } from "./keys.mjs";
import { LazyTransform } from "./lazy-transform.mjs";
import { isArrayBuffer, NO_BYTES } from "./views.mjs";

/** Bytes of each hash by the engine's name for it. */
const HASHES = {
  md5: 16, sha1: 20, ripemd160: 20, sha224: 28, sha256: 32, sha384: 48, sha512: 64,
  "sha3-256": 32, "sha3-384": 48, "sha3-512": 64,
};

const ALIASES = { ripemd: "ripemd160", rmd160: "ripemd160", ssl3md5: "md5", ssl3sha1: "sha1" };

const DATA = "of type string or an instance of Buffer, TypedArray, or DataView";

/** The engine's name of a hash, or undefined. */
export function hashName(name) {
  // As most write it.
  if (typeof name === "string" && Object.hasOwn(HASHES, name)) return name;
  const known = String(name).toLowerCase().replace(/^rsa-/, "").replace(/^sha-(1|224|256|384|512)$/, "sha$1");
  const hash = ALIASES[known] ?? known;
  return Object.hasOwn(HASHES, hash) ? hash : undefined;
}

/** The same for what stands on HMAC, for which the engine has no SHA-3. */
export function digestName(name) {
  checkString("digest", name);
  const hash = hashName(name);
  if (hash === undefined || hash.startsWith("sha3-")) throw coded(TypeError, "ERR_CRYPTO_INVALID_DIGEST", `Invalid digest: ${name}`);
  return hash;
}

export function hashBytes(hash) {
  return HASHES[hash];
}

export function getHashes() {
  const signing = Object.keys(HASHES).filter((name) => !name.startsWith("sha3-")).map((name) => `RSA-${name.toUpperCase()}`);
  return [...signing, ...Object.keys(HASHES), ...Object.keys(ALIASES)].sort();
}

/** What a Hash and an Hmac have in common; each says how to `feed` the engine's state and how to `finish` it. */
class Digesting extends LazyTransform {
  update(data, encoding) {
    const bytes = bytesArgument("data", data, encoding, DATA);
    if (this._isFinal()) throw coded(Error, "ERR_CRYPTO_HASH_FINALIZED", "Digest already called");
    this._feed(bytes);
    return this;
  }

  _transform(chunk, encoding, callback) {
    this.update(chunk, encoding);
    callback();
  }

  _flush(callback) {
    this.push(this.digest());
    callback();
  }
}

export class HashOf extends Digesting {
  #state;
  #name;
  #isFinal = false;

  constructor(name, options, state) {
    super(options);
    this.#name = name;
    this.#state = state;
    const length = options?.outputLength;
    if (length !== undefined && length !== HASHES[name]) {
      const message = "error:030000B2:digital envelope routines::not XOF or invalid length";
      throw coded(Error, "ERR_OSSL_EVP_NOT_XOF_OR_INVALID_LENGTH", message);
    }
  }

  copy(options) {
    if (this.#isFinal) throw coded(Error, "ERR_CRYPTO_HASH_FINALIZED", "Digest already called");
    return new HashOf(this.#name, options, native.hasherCopy(this.#state));
  }

  digest(encoding) {
    if (this.#isFinal) throw coded(Error, "ERR_CRYPTO_HASH_FINALIZED", "Digest already called");
    this.#isFinal = true;
    return encode(native.hasherDigest(this.#state), encoding);
  }

  /** What comes out of the stream can be asked for once more. */
  _flush(callback) {
    this.push(encode(native.hasherDigest(native.hasherCopy(this.#state))));
    callback();
  }

  _feed(bytes) {
    native.hasherUpdate(this.#state, bytes);
  }

  _isFinal() {
    return this.#isFinal;
  }
}
Object.defineProperty(HashOf, "name", { value: "Hash" });

export function createHash(algorithm, options) {
  checkString("algorithm", algorithm);
  const name = hashName(algorithm);
  if (name === undefined) throw new Error("Digest method not supported");
  return new HashOf(name, options, native.hasher(name));
}

/** A hash of what is there at once. */
export function hash(algorithm, data, encoding = "hex") {
  checkString("algorithm", algorithm);
  const bytes = bytesArgument("input", data, "utf8", DATA);
  const name = hashName(algorithm);
  if (name === undefined) throw new Error("Digest method not supported");
  return encode(native.hash(name, bytes), encoding);
}

export class Hmac extends Digesting {
  #state;
  #isFinal = false;

  constructor(name, key, options) {
    super(options);
    this.#state = native.mac(name, key);
  }

  digest(encoding) {
    const digest = this.#isFinal ? NO_BYTES.buffer : native.macDigest(this.#state);
    this.#isFinal = true;
    return encode(digest, encoding);
  }

  _feed(bytes) {
    native.macUpdate(this.#state, bytes);
  }

  _isFinal() {
    return this.#isFinal;
  }
}

export function createHmac(algorithm, key, options) {
  checkString("hmac", algorithm);
  const bytes = keyBytes("key", key, options?.encoding);
  return new Hmac(digestName(algorithm), bytes, options);
}

export function timingSafeEqual(a, b) {
  const [first, second] = [["buf1", a], ["buf2", b]].map(([name, value]) => {
    if (!ArrayBuffer.isView(value) && !isArrayBuffer(value)) {
      throw coded(TypeError, "ERR_INVALID_ARG_TYPE", `The "${name}" argument must be an instance of ArrayBuffer, Buffer, TypedArray, or DataView.`);
    }
    return bytesArgument(name, value);
  });
  if (first.length !== second.length) {
    throw coded(RangeError, "ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH", "Input buffers must have the same byte length");
  }
  return native.timingSafeEqual(first, second);
}
