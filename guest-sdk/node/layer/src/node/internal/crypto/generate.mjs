// New keys.

import { refuseWhilePreparing } from "../../../crypto.mjs";
import { native } from "../../../native.mjs";
import { later } from "./bytes.mjs";
import { checkFunction, checkInteger, coded, unsupported } from "./errors.mjs";
import { createSecretKey, KeyObject } from "./keys.mjs";
import { randomBytes } from "./random.mjs";

/** The engine's names of curves by what else they are called. */
export const CURVES = {
  "P-256": "prime256v1", prime256v1: "prime256v1", secp256r1: "prime256v1",
  "P-384": "secp384r1", secp384r1: "secp384r1",
};

const AES_BITS = [128, 192, 256];

function pairJob(type, options = {}) {
  let kind = type;
  if (type === "ec") {
    kind = CURVES[options.namedCurve];
    if (kind === undefined) throw coded(TypeError, "ERR_CRYPTO_INVALID_CURVE", "Invalid EC curve name");
  } else if (type !== "ed25519") {
    throw unsupported(`generation of ${type} keys: make them elsewhere and give them to the handler`);
  }
  refuseWhilePreparing();
  return () => {
    const handle = native.keyGenerate(kind);
    const pair = { publicKey: new KeyObject("public", native.keyPublic(handle)), privateKey: new KeyObject("private", handle) };
    for (const name of Object.keys(pair)) {
      const encoding = options[`${name}Encoding`];
      if (encoding !== undefined) pair[name] = pair[name].export(encoding);
    }
    return pair;
  };
}

export function generateKeyPairSync(type, options) {
  return pairJob(type, options)();
}

export function generateKeyPair(type, options, callback) {
  if (typeof options === "function") [options, callback] = [undefined, options];
  const job = pairJob(type, options);
  checkFunction("callback", callback);
  later((error, pair) => callback(error, pair?.publicKey, pair?.privateKey), job);
}

function secretJob(type, { length } = {}) {
  if (type === "aes") {
    if (!AES_BITS.includes(length)) throw coded(TypeError, "ERR_INVALID_ARG_VALUE", `The property 'options.length' must be one of: 128, 192, 256. Received ${length}`);
  } else if (type === "hmac") {
    checkInteger("options.length", length, 8, 2 ** 31 - 1);
  } else {
    throw coded(TypeError, "ERR_INVALID_ARG_VALUE", `The argument 'type' must be a supported key type. Received '${type}'`);
  }
  refuseWhilePreparing();
  return () => createSecretKey(randomBytes(length >> 3));
}

export function generateKeySync(type, options) {
  return secretJob(type, options)();
}

export function generateKey(type, options, callback) {
  const job = secretJob(type, options);
  checkFunction("callback", callback);
  later(callback, job);
}
