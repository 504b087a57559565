// Keys out of passwords and of other keys.

import { native } from "../../../native.mjs";
import { bytesArgument, encode, later } from "./bytes.mjs";
import { checkFunction, checkInteger, coded } from "./errors.mjs";
import { digestName, hashBytes } from "./hash.mjs";
import { keyBytes } from "./keys.mjs";

const INT_MAX = 2 ** 31 - 1;
const SCRYPT_MEMORY = 32 * 1024 * 1024;

function pbkdf2Job(password, salt, iterations, length, digest) {
  const [secret, salting] = [keyBytes("password", password), bytesArgument("salt", salt)];
  checkInteger("iterations", iterations, 1, INT_MAX);
  checkInteger("keylen", length, 0, INT_MAX);
  const name = digestName(digest);
  return () => encode(native.pbkdf2(name, secret, salting, iterations, length));
}

export function pbkdf2Sync(password, salt, iterations, length, digest) {
  return pbkdf2Job(password, salt, iterations, length, digest)();
}

export function pbkdf2(password, salt, iterations, length, digest, callback) {
  if (typeof digest === "function") {
    callback = digest;
    digest = undefined;
  }
  const job = pbkdf2Job(password, salt, iterations, length, digest);
  checkFunction("callback", callback);
  later(callback, job);
}

function scryptJob(password, salt, length, options = {}) {
  const [secret, salting] = [keyBytes("password", password), bytesArgument("salt", salt)];
  checkInteger("keylen", length, 0, INT_MAX);
  const cost = options.N ?? options.cost ?? 16384;
  const blockSize = options.r ?? options.blockSize ?? 8;
  const parallelization = options.p ?? options.parallelization ?? 1;
  const memory = options.maxmem ?? SCRYPT_MEMORY;
  checkInteger("N", cost, 0, 2 ** 32 - 1);
  checkInteger("r", blockSize, 0, 2 ** 32 - 1);
  checkInteger("p", parallelization, 0, 2 ** 32 - 1);
  const refused = (why) => coded(RangeError, "ERR_CRYPTO_INVALID_SCRYPT_PARAMS", `Invalid scrypt params${why}`);
  const logarithm = Math.log2(cost);
  if (cost < 2 || !Number.isInteger(logarithm) || blockSize < 1 || parallelization < 1) throw refused("");
  if (parallelization > (2 ** 30 - 1) / blockSize || (16 * blockSize <= logarithm)) throw refused("");
  if (128 * blockSize * (cost + parallelization + 2) > memory) {
    throw refused(": error:030000AC:digital envelope routines::memory limit exceeded");
  }
  return () => encode(native.scrypt(secret, salting, logarithm, blockSize, parallelization, length));
}

export function scryptSync(password, salt, length, options) {
  return scryptJob(password, salt, length, options)();
}

export function scrypt(password, salt, length, options, callback) {
  if (typeof options === "function") {
    callback = options;
    options = undefined;
  }
  const job = scryptJob(password, salt, length, options);
  checkFunction("callback", callback);
  later(callback, job);
}

function hkdfJob(digest, key, salt, info, length) {
  const name = digestName(digest);
  const [secret, salting, context] = [keyBytes("ikm", key), bytesArgument("salt", salt), bytesArgument("info", info)];
  if (context.length > 1024) {
    const message = `The value of "info" is out of range. It must be must not contain more than 1024 bytes. Received ${context.length}`;
    throw coded(RangeError, "ERR_OUT_OF_RANGE", message);
  }
  checkInteger("length", length, 0, INT_MAX);
  if (length > 255 * hashBytes(name)) throw coded(RangeError, "ERR_CRYPTO_INVALID_KEYLEN", "Invalid key length");
  return () => native.hkdf(name, secret, salting, context, length);
}

export function hkdfSync(digest, key, salt, info, length) {
  return hkdfJob(digest, key, salt, info, length)();
}

export function hkdf(digest, key, salt, info, length, callback) {
  const job = hkdfJob(digest, key, salt, info, length);
  checkFunction("callback", callback);
  later(callback, job);
}
