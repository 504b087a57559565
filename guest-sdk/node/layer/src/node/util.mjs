import { parseArgs } from "@pkgjs/parseargs";
import { isDeepStrictEqual } from "assert/build/internal/util/comparisons.js";
import { format, formatWithOptions, inspect, stripVTControlCharacters } from "../inspect.mjs";
import buffer from "./buffer.mjs";
import { coded, invalidType, validateFunction, validateString } from "./internal/errors.mjs";
import os from "./os.mjs";
import types from "./util/types.mjs";

const custom = Symbol.for("nodejs.util.promisify.custom");

function promisify(original) {
  validateFunction(original, "original");
  if (original[custom] !== undefined) {
    validateFunction(original[custom], "util.promisify.custom");
    return original[custom];
  }
  function promisified(...args) {
    return new Promise((resolve, reject) => {
      original.call(this, ...args, (error, value) => (error ? reject(error) : resolve(value)));
    });
  }
  Object.setPrototypeOf(promisified, Object.getPrototypeOf(original));
  return Object.defineProperties(promisified, Object.getOwnPropertyDescriptors(original));
}
promisify.custom = custom;

function callbackify(original) {
  validateFunction(original, "original");
  return function callbackified(...args) {
    const callback = args.pop();
    validateFunction(callback, "last argument");
    const later = (...results) => process.nextTick(callback, ...results);
    original.apply(this, args).then(
      (value) => later(null, value),
      (reason) => later(reason || falsyRejection(reason)),
    );
  };
}

function falsyRejection(reason) {
  return Object.assign(coded(new Error("Promise was rejected with falsy value"), "ERR_FALSY_VALUE_REJECTION"), { reason });
}

function inherits(constructor, parent) {
  for (const [name, type] of [["ctor", constructor], ["superCtor", parent]]) validateFunction(type, name);
  if (parent.prototype === undefined) throw invalidType("superCtor.prototype", "of type object", parent.prototype);
  Object.defineProperty(constructor, "super_", { value: parent, writable: true, configurable: true });
  Object.setPrototypeOf(constructor.prototype, parent.prototype);
}

const warned = new Set();

/** Warns once; of one code once, too. */
function deprecate(callback, message, code) {
  let hasWarned = false;
  function deprecated(...args) {
    if (!hasWarned && !warned.has(code)) process.emitWarning(message, "DeprecationWarning", code);
    hasWarned = true;
    if (code !== undefined) warned.add(code);
    return new.target ? Reflect.construct(callback, args, new.target) : callback.apply(this, args);
  }
  Object.setPrototypeOf(deprecated, callback);
  if (callback.prototype) deprecated.prototype = callback.prototype;
  return deprecated;
}

/** Says something for the sections that `process.env.NODE_DEBUG` names. */
function debuglog(section, started) {
  const isEnabled = () => `${process.env.NODE_DEBUG ?? ""}`.toUpperCase().split(",").includes(section.toUpperCase());
  const log = (...args) => {
    if (isEnabled()) console.error(`${section.toUpperCase()} ${process.pid}: ${format(...args)}`);
  };
  Object.defineProperty(log, "enabled", { get: isEnabled });
  started?.(log);
  return log;
}

function styleText(style, text) {
  validateString(text, "text");
  const codes = [style].flat().map((name) => {
    const code = inspect.colors[name];
    if (code === undefined) throw coded(new TypeError(`The argument 'format' is invalid. Received ${inspect(name)}`), "ERR_INVALID_ARG_VALUE");
    return code;
  });
  return codes.reduceRight((styled, [start, end]) => `\x1b[${start}m${styled}\x1b[${end}m`, text);
}

const systemErrors = new Map(Object.entries(os.constants.errno).map(([name, number]) => [-number, [name, name]]));

async function aborted(signal) {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}

export default {
  _extend: (target, source) => Object.assign(target, source),
  aborted,
  callbackify,
  debug: debuglog,
  debuglog,
  deprecate,
  format,
  formatWithOptions,
  getSystemErrorMap: () => systemErrors,
  getSystemErrorName: (number) => systemErrors.get(number)?.[0],
  inherits,
  inspect,
  isArray: Array.isArray,
  isBoolean: (value) => typeof value === "boolean",
  isBuffer: (value) => buffer.Buffer.isBuffer(value),
  isDate: types.isDate,
  isDeepStrictEqual,
  isError: (value) => types.isNativeError(value) || value instanceof Error,
  isFunction: (value) => typeof value === "function",
  isNull: (value) => value === null,
  isNullOrUndefined: (value) => value === null || value === undefined,
  isNumber: (value) => typeof value === "number",
  isObject: (value) => typeof value === "object" && value !== null,
  isPrimitive: (value) => Object(value) !== value,
  isRegExp: types.isRegExp,
  isString: (value) => typeof value === "string",
  isSymbol: (value) => typeof value === "symbol",
  isUndefined: (value) => value === undefined,
  log: (...args) => console.log(...args),
  parseArgs,
  promisify,
  stripVTControlCharacters,
  styleText,
  TextDecoder,
  TextEncoder,
  toUSVString: (value) => `${value}`.toWellFormed(),
  types,
};
