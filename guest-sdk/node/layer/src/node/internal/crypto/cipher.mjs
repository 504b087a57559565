// AES, in pieces and as streams.

import { native } from "../../../native.mjs";
import { bytesArgument, decode, encode } from "./bytes.mjs";
import { checkString, coded } from "./errors.mjs";
import { keyBytes } from "./keys.mjs";
import { LazyTransform } from "./lazy-transform.mjs";
import { NO_BYTES } from "./views.mjs";

const MODES = ["cbc", "ecb", "ctr", "gcm"];
const KEY_BITS = [128, 192, 256];
const BLOCK_BYTES = 16;
const NAME = /^(?:id-)?aes-?(128|192|256)(?:-?(cbc|ecb|ctr|gcm))?$/i;

const DATA = "of type string or an instance of Buffer, TypedArray, or DataView";

export function getCiphers() {
  const names = KEY_BITS.flatMap((bits) => [`aes${bits}`, `id-aes${bits}-gcm`, ...MODES.map((mode) => `aes-${bits}-${mode}`)]);
  return names.sort();
}

/** What a cipher wants, or undefined if there is no such. */
function parametersOf(name) {
  const [, bits, mode = "cbc"] = NAME.exec(name) ?? [];
  if (bits === undefined) return undefined;
  return { mode: mode.toLowerCase(), keyBytes: bits / 8, name: `aes-${bits}-${mode.toLowerCase()}` };
}

export function getCipherInfo(name, options = {}) {
  const parameters = typeof name === "string" ? parametersOf(name) : undefined;
  if (parameters === undefined) return undefined;
  const { mode, keyBytes: keyLength } = parameters;
  const ivLength = options.ivLength ?? (mode === "gcm" ? 12 : BLOCK_BYTES);
  if (options.keyLength !== undefined && options.keyLength !== keyLength) return undefined;
  if (mode !== "gcm" && mode !== "ecb" && ivLength !== BLOCK_BYTES) return undefined;
  const isStream = mode === "ctr" || mode === "gcm";
  return {
    mode,
    name: mode === "gcm" ? `id-${parameters.name.replace("-", "").replace("gcm", "GCM")}` : parameters.name,
    ...(isStream ? {} : { blockSize: BLOCK_BYTES }),
    ...(mode === "ecb" ? {} : { ivLength }),
    keyLength,
  };
}

function invalidState(what) {
  return coded(Error, "ERR_CRYPTO_INVALID_STATE", `Invalid state${what}`);
}

function invalidTag(length) {
  return coded(TypeError, "ERR_CRYPTO_INVALID_AUTH_TAG", `Invalid authentication tag length: ${length}`);
}

class Cipher extends LazyTransform {
  #state;
  #isEncrypting;
  #isAuthenticated;
  #isPadded = true;
  #isFinal = false;
  #tag;
  #tagBytes;

  constructor(isEncrypting, name, key, iv, options) {
    super(options);
    checkString("cipher", name);
    const secret = keyBytes("key", key);
    const vector = iv === null ? NO_BYTES : bytesArgument("iv", iv);
    const parameters = parametersOf(name);
    if (parameters === undefined) throw coded(Error, "ERR_CRYPTO_UNKNOWN_CIPHER", "Unknown cipher");
    const { mode } = parameters;
    this.#isAuthenticated = mode === "gcm";
    const isRightVector = mode === "ecb" ? vector.length === 0 : mode === "gcm" ? vector.length > 0 : vector.length === BLOCK_BYTES;
    if (!isRightVector) throw coded(TypeError, "ERR_CRYPTO_INVALID_IV", "Invalid initialization vector");
    if (secret.length !== parameters.keyBytes) throw coded(RangeError, "ERR_CRYPTO_INVALID_KEYLEN", "Invalid key length");
    if (options?.authTagLength !== undefined && this.#isAuthenticated) this.#checkTagBytes((this.#tagBytes = options.authTagLength));
    this.#isEncrypting = isEncrypting;
    this.#state = native.cipher(mode, isEncrypting, secret, vector);
  }

  #checkTagBytes(length) {
    if (![4, 8, 12, 13, 14, 15, 16].includes(length)) throw invalidTag(length);
  }

  update(data, inputEncoding, outputEncoding) {
    const bytes = bytesArgument("data", data, inputEncoding, DATA);
    if (this.#isFinal) throw new Error("Trying to add data in unsupported state");
    return encode(native.cipherUpdate(this.#state, bytes, this.#isPadded), outputEncoding);
  }

  final(outputEncoding) {
    if (this.#isFinal) throw invalidState("");
    this.#isFinal = true;
    const last = native.cipherFinal(this.#state, this.#isPadded);
    if (this.#isAuthenticated) this.#authenticate();
    return encode(last, outputEncoding);
  }

  #authenticate() {
    const tag = new Uint8Array(native.cipherTag(this.#state));
    if (this.#isEncrypting) {
      this.#tag = tag.slice(0, this.#tagBytes ?? tag.length);
    } else if (this.#tag === undefined || !native.timingSafeEqual(tag.subarray(0, this.#tag.length), this.#tag)) {
      throw new Error("Unsupported state or unable to authenticate data");
    }
  }

  setAutoPadding(isPadded = true) {
    if (this.#isFinal) throw invalidState(" for operation setAutoPadding");
    this.#isPadded = Boolean(isPadded);
    return this;
  }

  setAAD(data, options) {
    const bytes = bytesArgument("buffer", data, options?.encoding);
    if (!this.#isAuthenticated || this.#isFinal) throw invalidState(" for operation setAAD");
    native.cipherAad(this.#state, bytes);
    return this;
  }

  _authTag() {
    if (!this.#isAuthenticated || !this.#isFinal) throw invalidState(" for operation getAuthTag");
    return encode(this.#tag.slice().buffer);
  }

  _setAuthTag(tag, encoding) {
    const bytes = typeof tag === "string" ? decode(tag, encoding) : bytesArgument("buffer", tag);
    if (!this.#isAuthenticated || this.#isFinal || this.#tag !== undefined) throw invalidState(" for operation setAuthTag");
    this.#checkTagBytes(bytes.length);
    if (bytes.length !== (this.#tagBytes ?? bytes.length)) throw invalidTag(bytes.length);
    this.#tag = bytes.slice();
    return this;
  }

  _transform(chunk, encoding, callback) {
    this.push(this.update(chunk, encoding));
    callback();
  }

  _flush(callback) {
    try {
      this.push(this.final());
    } catch (error) {
      callback(error);
      return;
    }
    callback();
  }
}

export class Cipheriv extends Cipher {
  constructor(name, key, iv, options) {
    super(true, name, key, iv, options);
  }

  getAuthTag() {
    return this._authTag();
  }
}

export class Decipheriv extends Cipher {
  constructor(name, key, iv, options) {
    super(false, name, key, iv, options);
  }

  setAuthTag(tag, encoding) {
    return this._setAuthTag(tag, encoding);
  }
}

export function createCipheriv(name, key, iv, options) {
  return new Cipheriv(name, key, iv, options);
}

export function createDecipheriv(name, key, iv, options) {
  return new Decipheriv(name, key, iv, options);
}
