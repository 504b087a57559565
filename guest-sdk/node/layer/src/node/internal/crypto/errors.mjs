// Errors as Node makes them: a class, a code and a message.

export function coded(Type, code, message) {
  const error = new Type(message);
  error.code = code;
  return error;
}

/** What Node says after "Received". */
function received(value) {
  if (value === null || value === undefined) return `Received ${value}`;
  if (typeof value === "function") return `Received function ${value.name}`;
  if (typeof value === "object") {
    const name = value.constructor?.name;
    return name ? `Received an instance of ${name}` : "Received an object";
  }
  const shown = typeof value === "string" ? `'${value.length > 28 ? `${value.slice(0, 25)}...` : value}'` : `${String(value)}`;
  return `Received type ${typeof value} (${shown})`;
}

export function invalidType(name, expected, value) {
  return coded(TypeError, "ERR_INVALID_ARG_TYPE", `The "${name}" ${kindOf(name)} must be ${expected}. ${received(value)}`);
}

function kindOf(name) {
  return name.includes(".") ? "property" : "argument";
}

export function invalidValue(name, value) {
  const shown = typeof value === "string" ? `'${value}'` : String(value);
  return coded(TypeError, "ERR_INVALID_ARG_VALUE", `The ${kindOf(name)} '${name}' is invalid. Received ${shown}`);
}

export function outOfRange(name, range, value) {
  return coded(RangeError, "ERR_OUT_OF_RANGE", `The value of "${name}" is out of range. It must be ${range}. Received ${String(value)}`);
}

/** What Node has and this does not. */
export function unsupported(what) {
  return coded(Error, "ERR_CRYPTO_UNSUPPORTED_OPERATION", `mirra has no ${what}`);
}

export function checkFunction(name, value) {
  if (typeof value !== "function") throw invalidType(name, "of type function", value);
}

export function checkInteger(name, value, least, most) {
  if (typeof value !== "number") throw invalidType(name, "of type number", value);
  if (!Number.isInteger(value)) throw outOfRange(name, "an integer", value);
  if (value < least || value > most) throw outOfRange(name, `>= ${least} && <= ${most}`, value);
}

export function checkString(name, value) {
  if (typeof value !== "string") throw invalidType(name, "of type string", value);
}
