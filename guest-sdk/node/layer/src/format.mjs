// Values as text, as Node shows them; never an exception, whatever a getter or a Proxy does.

import { formatWithOptions, inspect } from "./inspect.mjs";
import { INSPECT, defineHidden, indexOf } from "./intrinsics.mjs";

const UNSHOWABLE = "[a value that cannot be shown]";

export function show(value, options) {
  try {
    return inspect(value, options);
  } catch (error) {
    return unshowable(error);
  }
}

/** `console.log`'s arguments as one text. Plain ones, which most are, do not go through the formatter. */
export function format(args) {
  return isPlain(args) ? joined(args) : formatted(args);
}

function isPlain(args) {
  const [first] = args;
  if (typeof first === "string") {
    if (args.length === 1) return true;
    if (indexOf(first, "%") >= 0) return false;
  }
  for (let at = 0; at < args.length; at += 1) {
    const type = typeof args[at];
    if (type !== "string" && type !== "number" && type !== "boolean" && type !== "undefined") return false;
  }
  return true;
}

function joined(args) {
  let text = "";
  for (let at = 0; at < args.length; at += 1) {
    if (at > 0) text += " ";
    text += Object.is(args[at], -0) ? "-0" : args[at];
  }
  return text;
}

function formatted(args) {
  try {
    return formatWithOptions({}, ...args);
  } catch {
    // One of them is hostile: the others are worth showing.
    return args.map((value) => (typeof value === "string" ? value : show(value))).join(" ");
  }
}

function unshowable(error) {
  try {
    return `[a value that cannot be shown: ${error.message}]`;
  } catch {
    return UNSHOWABLE;
  }
}

/** Says how console shows the objects of `prototype`. */
export function defineInspect(prototype, showing) {
  defineHidden(prototype, INSPECT, showing);
}

/** Shows an object of private fields by its public getters, as Node does: `URL { href: … }`. */
export function defineInspectByGetters(type, keys) {
  defineInspect(type.prototype, function (depth, options, inspect) {
    const { name } = this.constructor;
    if (depth < 0) return `[${name}]`;
    const shown = {};
    for (const key of keys) shown[key] = this[key];
    return `${name} ${inspect(shown, options)}`;
  });
}
