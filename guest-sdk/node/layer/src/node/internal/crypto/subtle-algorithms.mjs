// What WebCrypto's algorithms do, by name. Parameters were read by `subtle.mjs`; here they are checked and used.

import { refuseWhilePreparing } from "../../../crypto.mjs";
import { native } from "../../../native.mjs";
import { NO_BYTES, viewOf } from "./views.mjs";

const HASHES = { "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512" };
const HASH_BITS = { sha1: 512, sha256: 512, sha384: 1024, sha512: 1024 };
const DIGEST_BYTES = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 };

export const CURVES = { "P-256": "prime256v1", "P-384": "secp384r1" };

const AES_TAG_BITS = [32, 64, 96, 104, 112, 120, 128];

export function failure(name, message) {
  return new DOMException(message, name);
}

export function bytesOf(name, value) {
  const view = viewOf(value);
  if (view === undefined) throw new TypeError(`${name} must be an ArrayBuffer or a view of one`);
  return view;
}

/** The engine's name of a hash, given as WebCrypto has it: a name or `{ name }`. */
export function hashOf(hash) {
  const name = String(typeof hash === "object" && hash !== null ? hash.name : hash).toUpperCase();
  if (!Object.hasOwn(HASHES, name)) throw failure("NotSupportedError", `mirra's WebCrypto has no hash ${name}`);
  return { name, engine: HASHES[name] };
}

/** Runs what fails for no reason that may be told. */
function operation(run) {
  try {
    return run();
  } catch {
    throw failure("OperationError", "The operation failed for an operation-specific reason");
  }
}

function randomBytes(length) {
  refuseWhilePreparing();
  const bytes = new Uint8Array(length);
  native.randomFill(bytes.buffer, 0, length);
  return bytes;
}

const engineHash = (key) => HASHES[key.algorithm.hash.name];

function rsaSignature(padding) {
  const saltBytes = (algorithm) => (padding === "pss" ? algorithm.saltLength : 0);
  return {
    kind: "rsa",
    usages: { public: ["verify"], private: ["sign"] },
    keyAlgorithm: rsaKeyAlgorithm,
    sign(algorithm, key, handle, data) {
      if (padding === "pss") refuseWhilePreparing();
      const digest = new Uint8Array(native.hash(engineHash(key), data));
      return operation(() => native.sign(handle, padding, engineHash(key), saltBytes(algorithm), digest));
    },
    verify(algorithm, key, handle, signature, data) {
      const digest = new Uint8Array(native.hash(engineHash(key), data));
      return native.verify(handle, padding, engineHash(key), saltBytes(algorithm), digest, signature);
    },
    jwkAlgorithm: ({ hash }) => `${padding === "pss" ? "PS" : "RS"}${hash.name === "SHA-1" ? "1" : hash.name.slice(4)}`,
  };
}

function rsaKeyAlgorithm(name, algorithm, handle) {
  const { bits, e } = native.keyParts(handle);
  return { name, modulusLength: bits, publicExponent: new Uint8Array(e), hash: { name: hashOf(algorithm.hash).name } };
}

const EC_KEYS = {
  kind: "ec",
  keyAlgorithm(name, { namedCurve }, handle) {
    if (native.keyParts(handle).curve !== CURVES[namedCurve]) throw failure("DataError", "Named curve mismatch");
    return { name, namedCurve };
  },
  engineKind({ namedCurve }) {
    if (!Object.hasOwn(CURVES, namedCurve)) throw failure("NotSupportedError", `mirra's WebCrypto has no curve ${namedCurve}`);
    return CURVES[namedCurve];
  },
};

/** The counter of CTR is `length` bits of the block, which the engine takes for all 128: it must not overflow them. */
function checkCounter({ counter, length }, bytes) {
  const block = bytesOf("counter", counter);
  if (block.length !== 16 || !(length >= 1 && length <= 128)) throw failure("OperationError", "the counter must be 16 bytes, and its length 1 to 128 bits");
  const bits = BigInt(length);
  const start = BigInt(`0x${block.toHex()}`) & ((1n << bits) - 1n);
  if (start + BigInt(Math.ceil(bytes.length / 16)) > 1n << bits) throw failure("NotSupportedError", "the counter would wrap around");
  return block;
}

function crypt(mode, isEncrypting, secret, iv, data) {
  return operation(() => {
    const cipher = native.cipher(mode, isEncrypting, secret, iv);
    return joined(native.cipherUpdate(cipher, data, true), native.cipherFinal(cipher, true));
  });
}

function joined(first, second) {
  if (second.byteLength === 0) return first;
  const both = new Uint8Array(first.byteLength + second.byteLength);
  both.set(new Uint8Array(first));
  both.set(new Uint8Array(second), first.byteLength);
  return both.buffer;
}

const AES_KEYS = {
  kind: "secret",
  usages: { secret: ["encrypt", "decrypt", "wrapKey", "unwrapKey"] },
  keyAlgorithm(name, _algorithm, secret) {
    if (![16, 24, 32].includes(secret.length)) throw failure("DataError", "Invalid key length");
    return { name, length: secret.length * 8 };
  },
  generate({ length }) {
    if (![128, 192, 256].includes(length)) throw failure("OperationError", "AES key length must be 128, 192, or 256 bits");
    return randomBytes(length / 8);
  },
  lengthOf: ({ length }) => length,
  jwkAlgorithm: ({ name, length }) => `A${length}${name.slice(4)}`,
};

function gcm({ iv, additionalData, tagLength = 128 }, isEncrypting, secret) {
  if (!AES_TAG_BITS.includes(tagLength)) throw failure("OperationError", `${tagLength} is not a valid AES-GCM tag length`);
  const vector = bytesOf("iv", iv);
  const cipher = operation(() => native.cipher("gcm", isEncrypting, secret, vector));
  if (additionalData !== undefined) native.cipherAad(cipher, bytesOf("additionalData", additionalData));
  return { cipher, tagBytes: tagLength / 8 };
}

export const ALGORITHMS = {
  HMAC: {
    kind: "secret",
    usages: { secret: ["sign", "verify"] },
    keyAlgorithm(name, { hash, length }, secret) {
      if (secret.length === 0) throw failure("DataError", "Zero-length key is not supported");
      if (length !== undefined && length !== secret.length * 8) throw failure("DataError", "Invalid key length");
      return { name, length: secret.length * 8, hash: { name: hashOf(hash).name } };
    },
    generate: (algorithm) => randomBytes(ALGORITHMS.HMAC.lengthOf(algorithm) / 8),
    lengthOf: ({ hash, length }) => length ?? HASH_BITS[hashOf(hash).engine],
    sign(_algorithm, key, secret, data) {
      const mac = native.mac(engineHash(key), secret);
      native.macUpdate(mac, data);
      return native.macDigest(mac);
    },
    verify(algorithm, key, secret, signature, data) {
      return native.timingSafeEqual(new Uint8Array(this.sign(algorithm, key, secret, data)), signature);
    },
    jwkAlgorithm: ({ hash }) => `HS${hash.name === "SHA-1" ? "1" : hash.name.slice(4)}`,
  },
  "RSASSA-PKCS1-V1_5": { name: "RSASSA-PKCS1-v1_5", ...rsaSignature("pkcs1") },
  "RSA-PSS": rsaSignature("pss"),
  "RSA-OAEP": {
    kind: "rsa",
    usages: { public: ["encrypt", "wrapKey"], private: ["decrypt", "unwrapKey"] },
    keyAlgorithm: rsaKeyAlgorithm,
    encrypt({ label }, key, handle, data) {
      refuseWhilePreparing();
      return operation(() => native.encrypt(handle, "oaep", engineHash(key), label === undefined ? NO_BYTES : bytesOf("label", label), data));
    },
    decrypt({ label }, key, handle, data) {
      return operation(() => native.decrypt(handle, "oaep", engineHash(key), label === undefined ? NO_BYTES : bytesOf("label", label), data));
    },
    jwkAlgorithm: ({ hash }) => (hash.name === "SHA-1" ? "RSA-OAEP" : `RSA-OAEP-${hash.name.slice(4)}`),
  },
  ECDSA: {
    ...EC_KEYS,
    usages: { public: ["verify"], private: ["sign"] },
    sign({ hash }, _key, handle, data) {
      const { engine } = hashOf(hash);
      return native.sign(handle, "ieee-p1363", engine, 0, new Uint8Array(native.hash(engine, data)));
    },
    verify({ hash }, _key, handle, signature, data) {
      const { engine } = hashOf(hash);
      return native.verify(handle, "ieee-p1363", engine, 0, new Uint8Array(native.hash(engine, data)), signature);
    },
  },
  ECDH: {
    ...EC_KEYS,
    usages: { public: [], private: ["deriveKey", "deriveBits"] },
    deriveBits({ public: other }, _key, handle, length, handleOf) {
      const secret = operation(() => native.agree(handle, handleOf(other)));
      const bits = length ?? secret.byteLength * 8;
      if (bits > secret.byteLength * 8) throw failure("OperationError", "derived bit length is too small");
      return secret.slice(0, Math.ceil(bits / 8));
    },
  },
  ED25519: {
    name: "Ed25519",
    kind: "ed25519",
    usages: { public: ["verify"], private: ["sign"] },
    keyAlgorithm: (name) => ({ name }),
    engineKind: () => "ed25519",
    sign: (_algorithm, _key, handle, data) => native.sign(handle, "", "", 0, data),
    verify: (_algorithm, _key, handle, signature, data) => native.verify(handle, "", "", 0, data, signature),
  },
  "AES-CBC": {
    ...AES_KEYS,
    encrypt: ({ iv }, _key, secret, data) => crypt("cbc", true, secret, bytesOf("iv", iv), data),
    decrypt: ({ iv }, _key, secret, data) => crypt("cbc", false, secret, bytesOf("iv", iv), data),
  },
  "AES-CTR": {
    ...AES_KEYS,
    encrypt: (algorithm, _key, secret, data) => crypt("ctr", true, secret, checkCounter(algorithm, data), data),
    decrypt: (algorithm, _key, secret, data) => crypt("ctr", false, secret, checkCounter(algorithm, data), data),
  },
  "AES-GCM": {
    ...AES_KEYS,
    encrypt(algorithm, _key, secret, data) {
      const { cipher, tagBytes } = gcm(algorithm, true, secret);
      const text = native.cipherUpdate(cipher, data, false);
      return joined(text, native.cipherTag(cipher).slice(0, tagBytes));
    },
    decrypt(algorithm, _key, secret, data) {
      const { cipher, tagBytes } = gcm(algorithm, false, secret);
      if (data.length < tagBytes) throw failure("OperationError", "The provided data is too small");
      const end = data.length - tagBytes;
      const text = native.cipherUpdate(cipher, data.subarray(0, end), false);
      const tag = new Uint8Array(native.cipherTag(cipher), 0, tagBytes);
      if (!native.timingSafeEqual(tag, data.subarray(end))) {
        throw failure("OperationError", "The operation failed for an operation-specific reason");
      }
      return text;
    },
  },
  PBKDF2: {
    kind: "secret",
    isOnlyRaw: true,
    usages: { secret: ["deriveKey", "deriveBits"] },
    keyAlgorithm: (name) => ({ name }),
    deriveBits({ hash, salt, iterations }, _key, secret, length) {
      if (!(length > 0) || length % 8 !== 0) throw failure("OperationError", "length must be a multiple of 8");
      if (!(iterations > 0)) throw failure("OperationError", "iterations cannot be zero");
      return native.pbkdf2(hashOf(hash).engine, secret, bytesOf("salt", salt), iterations, length / 8);
    },
  },
  HKDF: {
    kind: "secret",
    isOnlyRaw: true,
    usages: { secret: ["deriveKey", "deriveBits"] },
    keyAlgorithm: (name) => ({ name }),
    deriveBits({ hash, salt, info }, _key, secret, length) {
      const { engine } = hashOf(hash);
      if (!(length >= 0) || length % 8 !== 0) throw failure("OperationError", "length must be a multiple of 8");
      if (length / 8 > 255 * DIGEST_BYTES[engine]) throw failure("OperationError", "length is too large");
      return native.hkdf(engine, secret, bytesOf("salt", salt), bytesOf("info", info), length / 8);
    },
  },
};
