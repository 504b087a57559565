// Errors as Node words them.

import { inspect } from "../../inspect.mjs";

/** Gives an error Node's code, which its stack shows too. */
export function coded(error, code) {
  error.code = code;
  return error;
}

export function invalidType(name, expected, actual) {
  return coded(new TypeError(`The "${name}" argument must be ${expected}. Received ${received(actual)}`), "ERR_INVALID_ARG_TYPE");
}

function received(value) {
  if (value === null || value === undefined) return `${value}`;
  if (typeof value === "function") return `function ${value.name}`;
  if (typeof value === "object") {
    const name = value.constructor?.name;
    return name ? `an instance of ${name}` : inspect(value, { depth: -1 });
  }
  const shown = inspect(value, { colors: false });
  return `type ${typeof value} (${shown.length > 28 ? `${shown.slice(0, 25)}...` : shown})`;
}

/** One that throws unless a value is of the type. */
const validator = (type) => (value, name) => {
  if (typeof value !== type || value === null) throw invalidType(name, `of type ${type}`, value);
};

export const validateFunction = validator("function");
export const validateObject = validator("object");
export const validateString = validator("string");

export function abortError(signal) {
  return Object.assign(new Error("The operation was aborted", { cause: signal?.reason }), { name: "AbortError", code: "ABORT_ERR" });
}
