// Reading options as ECMA-402 says, with V8's words where they are wrong.

export function toOptions(options) {
  if (options === undefined) return { __proto__: null };
  if (options === null) throw new TypeError("Cannot convert undefined or null to object");
  return Object(options);
}

/** Newer constructors take objects only. */
export function getOptionsObject(options) {
  if (options === undefined) return { __proto__: null };
  if (options === null || (typeof options !== "object" && typeof options !== "function"))
    throw new TypeError("Incorrect options: they must be an object");
  return options;
}

/** A string, one of `values` if they are given. */
export function stringOption(options, name, values, fallback, type) {
  const given = options[name];
  if (given === undefined) return fallback;
  const value = `${given}`;
  if (values !== undefined && !values.includes(value)) {
    throw new RangeError(`Value ${value} out of range for Intl.${type} options property ${name}`);
  }
  return value;
}

export function booleanOption(options, name) {
  const value = options[name];
  return value === undefined ? undefined : Boolean(value);
}

export function numberOption(options, name, minimum, maximum, fallback) {
  return digits(options[name], name, minimum, maximum, fallback);
}

export function digits(value, name, minimum, maximum, fallback) {
  if (value === undefined) return fallback;
  const number = Number(value);
  if (!(number >= minimum && number <= maximum)) throw new RangeError(`${name} value is out of range.`);
  return Math.floor(number);
}

/** Names of types in Unicode locale identifiers: `islamic-civil`. */
const TYPE = /^[a-z\d]{3,8}(-[a-z\d]{3,8})*$/i;

export function typeOption(options, name) {
  const value = stringOption(options, name);
  if (value === undefined) return undefined;
  if (!TYPE.test(value)) throw new RangeError(`Invalid ${name} : ${value}`);
  return value.toLowerCase();
}

const BOTH = ["lookup", "best fit"];

/** Both mean the same here; a wrong one is an error all the same. */
export function readMatcher(options, type) {
  stringOption(options, "localeMatcher", BOTH, "best fit", type);
}

/** What a class keeps of its objects, and by what it knows them: a method may be called on anything. */
export class Internals {
  #type;
  #kept = new WeakMap();

  constructor(type) {
    this.#type = type;
  }

  set(object, value) {
    this.#kept.set(object, value);
  }

  of(receiver, method) {
    const kept = this.#kept.get(receiver);
    if (kept === undefined) {
      const shown = Object.prototype.toString.call(receiver);
      throw new TypeError(`Method Intl.${this.#type}.prototype.${method} called on incompatible receiver ${shown}`);
    }
    return kept;
  }
}

/** The class, but callable without `new`, as the oldest ones are. */
export function callable(Class) {
  const { name } = Class;
  function Callable(...parameters) {
    return Reflect.construct(Class, parameters, new.target ?? Callable);
  }
  Object.defineProperty(Callable, "name", { value: name, configurable: true });
  Object.defineProperty(Callable, "length", { value: 0, configurable: true });
  Object.defineProperty(Callable, "prototype", { value: Class.prototype, writable: false });
  for (const key of Object.getOwnPropertyNames(Class)) {
    if (!["length", "name", "prototype"].includes(key)) Object.defineProperty(Callable, key, Object.getOwnPropertyDescriptor(Class, key));
  }
  Object.defineProperty(Class.prototype, "constructor", { value: Callable, writable: true, configurable: true });
  return Callable;
}
