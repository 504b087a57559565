// `crypto.subtle`. It needs neither Buffer nor streams, since every handler has it without importing anything.

import { refuseWhilePreparing } from "../../../crypto.mjs";
import { defineGlobal } from "../../../intrinsics.mjs";
import { native } from "../../../native.mjs";
import { CryptoKey, handleOfCryptoKey, makeCryptoKey } from "./crypto-key.mjs";
import { fromJwk, toJwk } from "./jwk.mjs";
import { ALGORITHMS, bytesOf, failure, hashOf } from "./subtle-algorithms.mjs";
import { fromBase64url, toBase64url, utf8 } from "./views.mjs";

const USAGES = ["encrypt", "decrypt", "sign", "verify", "deriveKey", "deriveBits", "wrapKey", "unwrapKey"];

/** The parameters with the algorithm's name as the standard writes it, and what does it. */
function algorithmOf(given) {
  const parameters = typeof given === "string" ? { name: given } : given;
  if (typeof parameters !== "object" || parameters === null || typeof parameters.name !== "string") {
    throw new TypeError("an algorithm is a name or an object with one");
  }
  const known = parameters.name.toUpperCase();
  const does = Object.hasOwn(ALGORITHMS, known) ? ALGORITHMS[known] : undefined;
  if (does === undefined) throw failure("NotSupportedError", `mirra's WebCrypto has no algorithm ${parameters.name}`);
  return { name: does.name ?? known, parameters, does };
}

/** The algorithm of an operation, which its key must be of and be for. */
function operationOf(given, key, usage) {
  const handle = handleOfCryptoKey(key);
  if (handle === undefined) throw new TypeError("the key must be a CryptoKey");
  const { name, parameters, does } = algorithmOf(given);
  if (key.algorithm.name !== name) throw failure("InvalidAccessError", `the key is for ${key.algorithm.name}, not for ${name}`);
  if (!key.usages.includes(usage)) throw failure("InvalidAccessError", `the key may not be used for ${usage}`);
  return { parameters, does, handle };
}


function checkUsages(does, type, usages) {
  const allowed = does.usages[type];
  for (const usage of usages) {
    if (!USAGES.includes(usage)) throw new TypeError(`${usage} is no key usage`);
    if (!allowed.includes(usage)) throw failure("SyntaxError", `Unsupported key usage for a ${type} key: ${usage}`);
  }
  if (usages.length === 0 && type !== "public") throw failure("SyntaxError", "Usages cannot be empty when creating a key.");
}

function makeKey({ name, parameters, does }, type, isExtractable, usages, handle) {
  checkUsages(does, type, usages);
  const algorithm = does.keyAlgorithm(name, parameters, handle);
  return makeCryptoKey(type, isExtractable, algorithm, [...new Set(usages)], handle);
}

function importHandle(format, data, { parameters, does }) {
  if (does.kind === "secret") {
    if (format === "raw") return bytesOf("keyData", data).slice();
    if (format !== "jwk" || does.isOnlyRaw) throw failure("NotSupportedError", `Unable to import a secret key as ${format}`);
    const bytes = data.kty === "oct" && typeof data.k === "string" ? fromBase64url(data.k) : undefined;
    if (bytes === undefined) throw failure("DataError", "Invalid JWK");
    return bytes;
  }
  try {
    if (format === "jwk") return fromJwk(data);
    if (format === "raw" && does.engineKind !== undefined) {
      const part = does.kind === "ec" ? "point" : "x";
      return native.keyOfParts(does.engineKind(parameters), { [part]: bytesOf("keyData", data) });
    }
    if (format === "spki" || format === "pkcs8") return native.keyDecode(format, bytesOf("keyData", data));
  } catch (error) {
    if (error instanceof DOMException) throw error;
    throw failure("DataError", `Invalid key data: ${error.message}`);
  }
  throw failure("NotSupportedError", `Unable to import this key as ${format}`);
}

class SubtleCrypto {
  async digest(algorithm, data) {
    return native.hash(hashOf(algorithm).engine, bytesOf("data", data));
  }

  async importKey(format, data, algorithm, isExtractable, usages) {
    const known = algorithmOf(algorithm);
    const { does } = known;
    const handle = importHandle(format, data, known);
    if (does.kind === "secret") return makeKey(known, "secret", Boolean(isExtractable), usages, handle);
    const { kind, isPrivate } = native.keyParts(handle);
    if (kind !== does.kind) throw failure("DataError", "Invalid key type");
    return makeKey(known, isPrivate ? "private" : "public", Boolean(isExtractable), usages, handle);
  }

  async exportKey(format, key) {
    const handle = handleOfCryptoKey(key);
    if (handle === undefined) throw new TypeError("the key must be a CryptoKey");
    if (!key.extractable) throw failure("InvalidAccessError", "key is not extractable");
    const { does } = algorithmOf(key.algorithm);
    if (format === "jwk") {
      const jwk = key.type === "secret" ? { kty: "oct", k: toBase64url(handle) } : toJwk(handle);
      const alg = does.jwkAlgorithm?.(key.algorithm);
      return { key_ops: [...key.usages], ext: true, ...jwk, ...(alg === undefined ? {} : { alg }) };
    }
    if (format === "raw" && key.type === "secret") return handle.slice().buffer;
    if (format === "raw" && key.type === "public" && does.engineKind !== undefined) return rawPublic(handle);
    if ((format === "spki" && key.type === "public") || (format === "pkcs8" && key.type === "private")) return native.keyEncode(handle, format);
    throw failure(format === "raw" ? "NotSupportedError" : "InvalidAccessError", `Unable to export a ${key.type} key as ${format}`);
  }

  async generateKey(algorithm, isExtractable, usages) {
    const known = algorithmOf(algorithm);
    const { does, name, parameters } = known;
    if (does.generate !== undefined) return makeKey(known, "secret", Boolean(isExtractable), usages, does.generate(parameters));
    if (does.engineKind === undefined) throw failure("NotSupportedError", `mirra's WebCrypto generates no ${name} keys`);
    refuseWhilePreparing();
    const handle = native.keyGenerate(does.engineKind(parameters));
    const usable = (type) => usages.filter((usage) => does.usages[type].includes(usage));
    if (usages.some((usage) => !usable("public").includes(usage) && !usable("private").includes(usage))) {
      throw failure("SyntaxError", `Unsupported key usage for ${name}`);
    }
    return {
      publicKey: makeKey(known, "public", true, usable("public"), native.keyPublic(handle)),
      privateKey: makeKey(known, "private", Boolean(isExtractable), usable("private"), handle),
    };
  }

  async sign(algorithm, key, data) {
    const { parameters, does, handle } = operationOf(algorithm, key, "sign");
    return does.sign(parameters, key, handle, bytesOf("data", data));
  }

  async verify(algorithm, key, signature, data) {
    const { parameters, does, handle } = operationOf(algorithm, key, "verify");
    return does.verify(parameters, key, handle, bytesOf("signature", signature), bytesOf("data", data));
  }

  async encrypt(algorithm, key, data) {
    const { parameters, does, handle } = operationOf(algorithm, key, "encrypt");
    return does.encrypt(parameters, key, handle, bytesOf("data", data));
  }

  async decrypt(algorithm, key, data) {
    const { parameters, does, handle } = operationOf(algorithm, key, "decrypt");
    return does.decrypt(parameters, key, handle, bytesOf("data", data));
  }

  async deriveBits(algorithm, key, length) {
    const { parameters, does, handle } = operationOf(algorithm, key, "deriveBits");
    return does.deriveBits(parameters, key, handle, length, handleOfCryptoKey);
  }

  async deriveKey(algorithm, key, derived, isExtractable, usages) {
    const { parameters, does, handle } = operationOf(algorithm, key, "deriveKey");
    const made = algorithmOf(derived);
    const length = made.does.lengthOf?.(made.parameters);
    const bits = does.deriveBits(parameters, key, handle, length, handleOfCryptoKey);
    return makeKey(made, "secret", Boolean(isExtractable), usages, new Uint8Array(bits));
  }

  async wrapKey(format, key, wrapping, algorithm) {
    const exported = await this.exportKey(format, key);
    const { parameters, does, handle } = operationOf(algorithm, wrapping, "wrapKey");
    const bytes = format === "jwk" ? utf8(JSON.stringify(exported)) : new Uint8Array(exported);
    return does.encrypt(parameters, wrapping, handle, bytes);
  }

  async unwrapKey(format, wrapped, unwrapping, algorithm, keyAlgorithm, isExtractable, usages) {
    const { parameters, does, handle } = operationOf(algorithm, unwrapping, "unwrapKey");
    const bytes = does.decrypt(parameters, unwrapping, handle, bytesOf("wrappedKey", wrapped));
    const data = format === "jwk" ? JSON.parse(native.utf8Decode(bytes, 0, bytes.byteLength, false)) : bytes;
    return this.importKey(format, data, keyAlgorithm, isExtractable, usages);
  }

  get [Symbol.toStringTag]() {
    return "SubtleCrypto";
  }
}

/** The point of a curve, uncompressed, or what stands for it. */
function rawPublic(handle) {
  const { x, y } = native.keyParts(handle);
  if (y === undefined) return x;
  const point = new Uint8Array(1 + x.byteLength + y.byteLength);
  point[0] = 4;
  point.set(new Uint8Array(x), 1);
  point.set(new Uint8Array(y), 1 + x.byteLength);
  return point.buffer;
}

export const subtle = new SubtleCrypto();

export function installSubtle() {
  for (const type of [CryptoKey, SubtleCrypto]) {
    defineGlobal(type.name, type);
  }
}
