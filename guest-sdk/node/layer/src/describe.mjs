// What was thrown, told to the engine in words. It may be anything and do anything: nothing it does may keep the report back.

import { framesOf, withoutLayer } from "./errors.mjs";
import { ErrorPrototype, getPrototypeOf, indexOf, isError, slice, toWellFormed } from "./intrinsics.mjs";
import { show } from "./format.mjs";

const NAME_CHARS_MAX = 256;
const MESSAGE_CHARS_MAX = 8 * 1024;
/** Of the whole stack, with those of causes. */
const STACK_CHARS_MAX = 24 * 1024;
const CAUSES_MAX = 8;
const AGGREGATED_MAX = 8;

const SHOWN = { depth: 4, breakLength: 120, maxStringLength: 1024 };

/** `[name, message, stack]`; the name of what is no error is empty. */
export function describe(thrown) {
  try {
    if (!isErrorLike(thrown)) return ["", clean(textOf(thrown), MESSAGE_CHARS_MAX), ""];
    const stack = clean(stackOf(thrown, 0), STACK_CHARS_MAX);
    return [clean(nameOf(thrown), NAME_CHARS_MAX), clean(messageOf(thrown), MESSAGE_CHARS_MAX), stack];
  } catch {
    return ["Error", "an error that could not be described", ""];
  }
}

function read(object, key) {
  try {
    return object[key];
  } catch {
    return undefined;
  }
}

function isErrorLike(value) {
  if (typeof value !== "object" || value === null) return false;
  try {
    if (isError(value)) return true;
    for (let up = getPrototypeOf(value); up !== null; up = getPrototypeOf(up)) if (up === ErrorPrototype) return true;
  } catch {
    // A revoked Proxy has no prototype to tell.
  }
  return false;
}

/** The name; of a class that gave itself none, the class. */
function nameOf(error) {
  const name = read(error, "name");
  if (typeof name === "string" && name !== "" && name !== "Error") return name;
  const className = read(read(error, "constructor") ?? error, "name");
  return typeof className === "string" && className !== "" && className !== "Object" ? className : "Error";
}

function messageOf(error) {
  const message = read(error, "message");
  return typeof message === "string" ? message : message === undefined ? "" : textOf(message);
}

function textOf(value) {
  return typeof value === "string" ? value : show(value, SHOWN);
}

/** Frames, then those of what caused it and of what it gathers. */
function stackOf(error, depth) {
  let stack = ownFrames(error);
  if (depth >= CAUSES_MAX || stack.length > STACK_CHARS_MAX) return stack;
  const errors = read(error, "errors");
  const count = typeof errors === "object" && errors !== null ? read(errors, "length") : 0;
  for (let at = 0; at < count && at < AGGREGATED_MAX; at += 1) stack += part(`Error ${at + 1} of ${count}`, read(errors, at), depth);
  const cause = read(error, "cause");
  if (cause !== undefined) stack += part("Caused by", cause, depth);
  return stack;
}

function part(label, value, depth) {
  if (!isErrorLike(value)) return `${label}: ${clean(textOf(value), MESSAGE_CHARS_MAX)}\n`;
  const message = clean(messageOf(value), MESSAGE_CHARS_MAX);
  return `${label}: ${nameOf(value)}${message && ": "}${message}\n${stackOf(value, depth + 1)}`;
}

/** The frames as lines, each with its end, without the title that V8's form of a stack has. */
function ownFrames(error) {
  const stack = read(error, "stack");
  if (typeof stack !== "string") return framesOf(error) ?? "";
  const message = messageOf(error);
  const titleEnd = message === "" ? 0 : indexOf(stack, message) + message.length;
  const start = indexOf(stack, "    at ", titleEnd < message.length ? 0 : titleEnd);
  if (start < 0) return "";
  const frames = withoutLayer(slice(stack, start));
  return frames[frames.length - 1] === "\n" ? frames : `${frames}\n`;
}

/** Text that the engine can take: not too long, and no half of a surrogate pair. */
function clean(text, charsMax) {
  return toWellFormed(text.length > charsMax ? `${slice(text, 0, charsMax)}…` : text);
}
