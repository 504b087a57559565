// Private copies of what the hooks of the engine need, taken before any handler's code runs: a handler that replaces
// `JSON.parse` or `Promise.prototype.then` harms itself, and what it did is still reported right.

/** `uncurry(method)(self, ...args)` is `self.method(...args)`. */
const uncurry = Function.prototype.bind.bind(Function.prototype.call);

export const { apply } = Reflect;
export const { defineProperty, getOwnPropertyDescriptor, getPrototypeOf } = Object;
export const { parse, stringify } = JSON;
export const { max, min, ceil, floor, trunc } = Math;

export const PromiseConstructor = Promise;
export const then = uncurry(Promise.prototype.then);

export const indexOf = uncurry(String.prototype.indexOf);
export const slice = uncurry(String.prototype.slice);
export const toWellFormed = uncurry(String.prototype.toWellFormed);

export const ErrorPrototype = Error.prototype;
export const errorToString = uncurry(Error.prototype.toString);
/** Tells errors of every realm and class from what only looks like one. */
export const isError = Error.isError ?? ((value) => value instanceof Error);

export const functionToString = Function.prototype.toString;

/** How `console` and `util.inspect` ask an object to show itself. */
export const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/** Defines a property as the language's own are: replaceable, and not seen by `for…in`. */
export function defineHidden(object, key, value) {
  defineProperty(object, key, { value, writable: true, enumerable: false, configurable: true });
}

/** A function is known by that name: in the bundle it may have another one. */
export function defineGlobal(name, value) {
  if (typeof value === "function" && value.name !== name) defineProperty(value, "name", { value: name, configurable: true });
  defineHidden(globalThis, name, value);
}

/** Defines classes as globals, by the names that they have here: those in the bundle may be others. */
export function defineClasses(classes) {
  for (const name in classes) {
    const type = classes[name];
    defineProperty(type.prototype, Symbol.toStringTag, { value: name, configurable: true });
    defineGlobal(name, type);
  }
}
