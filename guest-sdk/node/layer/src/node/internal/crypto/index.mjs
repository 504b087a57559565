// `node:crypto`.

import { createCipheriv, createDecipheriv, Cipheriv, Decipheriv, getCipherInfo, getCiphers } from "./cipher.mjs";
import { constants } from "./constants.mjs";
import { unsupported } from "./errors.mjs";
import { CURVES, generateKey, generateKeyPair, generateKeyPairSync, generateKeySync } from "./generate.mjs";
import { createHash, createHmac, getHashes, hash, HashOf, Hmac, timingSafeEqual } from "./hash.mjs";
import { hkdf, hkdfSync, pbkdf2, pbkdf2Sync, scrypt, scryptSync } from "./kdf.mjs";
import { createPrivateKey, createPublicKey, createSecretKey, KeyObject } from "./keys.mjs";
import * as random from "./random.mjs";
import { createSign, createVerify, diffieHellman, privateDecrypt, publicEncrypt, Sign, sign, Verify, verify } from "./sign.mjs";

/** What Node has and this does not: it can be imported, and says so when it is used. */
const MISSING = [
  "checkPrime", "checkPrimeSync", "createDiffieHellman", "createDiffieHellmanGroup", "createECDH", "generatePrime", "generatePrimeSync",
  "getDiffieHellman", "privateEncrypt", "publicDecrypt", "secureHeapUsed", "setEngine", "setFips",
];

const missing = MISSING.map((name) => [
  name,
  () => {
    throw unsupported(name);
  },
]);

export default {
  ...Object.fromEntries(missing),
  Cipheriv,
  Decipheriv,
  Hash: HashOf,
  Hmac,
  KeyObject,
  Sign,
  Verify,
  constants,
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  createSign,
  createVerify,
  diffieHellman,
  generateKey,
  generateKeyPair,
  generateKeyPairSync,
  generateKeySync,
  getCipherInfo,
  getCiphers,
  getCurves: () => [...new Set(Object.values(CURVES))],
  getFips: () => 0,
  getHashes,
  getRandomValues: random.getRandomValues,
  hash,
  hkdf,
  hkdfSync,
  pbkdf2,
  pbkdf2Sync,
  privateDecrypt,
  prng: random.randomBytes,
  pseudoRandomBytes: random.randomBytes,
  publicEncrypt,
  randomBytes: random.randomBytes,
  randomFill: random.randomFill,
  randomFillSync: random.randomFillSync,
  randomInt: random.randomInt,
  randomUUID: random.randomUUID,
  rng: random.randomBytes,
  scrypt,
  scryptSync,
  sign,
  timingSafeEqual,
  verify,
  get subtle() {
    return globalThis.crypto.subtle;
  },
  get webcrypto() {
    return globalThis.crypto;
  },
};
