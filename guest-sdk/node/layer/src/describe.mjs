// What was thrown, told to the engine in words. It may be anything and do anything: nothing it does may keep the report back.

import { framesOf, withoutLayer } from "./errors.mjs";
import { ErrorPrototype, getPrototypeOf, indexOf, isError, slice, toWellFormed } from "./intrinsics.mjs";
import { show } from "./format.mjs";

const NAME_CHARS_MAX = 256;
const MESSAGE_CHARS_MAX = 8 * 1024;
/** Of the whole stack, with those of causes. */
const STACK_CHARS_MAX = 24 * 1024;
/** Errors in one report, whether causes or gathered. */
const ERRORS_MAX = 16;

const PROTOTYPES_MAX = 64;

const SHOWN = { depth: 4, breakLength: 120, maxStringLength: 1024 };

/** `[name, message, stack]`; the name of what is no error is empty. */
export function describe(thrown) {
  try {
    if (!isErrorLike(thrown)) return ["", clean(textOf(thrown), MESSAGE_CHARS_MAX), ""];
    const stack = clean(stackOf(thrown), STACK_CHARS_MAX);
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
    let up = value;
    // A Proxy can make up a chain that never ends.
    for (let steps = 0; up !== null && steps < PROTOTYPES_MAX; steps += 1) {
      up = getPrototypeOf(up);
      if (up === ErrorPrototype) return true;
    }
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

/** Frames, then those of what caused the error and of what it gathers. */
function stackOf(error) {
  const told = [];
  let stack = "";

  function tell(label, value) {
    if (!isErrorLike(value)) {
      stack += `${label}: ${clean(textOf(value), MESSAGE_CHARS_MAX)}\n`;
      return;
    }
    const message = clean(messageOf(value), MESSAGE_CHARS_MAX);
    stack += `${label}: ${nameOf(value)}${message && ": "}${message}\n`;
    tellFrames(value);
  }

  function tellFrames(error) {
    for (let at = 0; at < told.length; at += 1) if (told[at] === error) return;
    told[told.length] = error;
    stack += ownFrames(error);
    const errors = read(error, "errors");
    const count = typeof errors === "object" ? read(errors, "length") : 0;
    const isList = typeof count === "number";
    for (let at = 0; isList && at < count && hasRoom(); at += 1) tell(`Error ${at + 1} of ${count}`, read(errors, at));
    const cause = read(error, "cause");
    if (cause !== undefined && hasRoom()) tell("Caused by", cause);
  }

  const hasRoom = () => told.length < ERRORS_MAX && stack.length < STACK_CHARS_MAX;

  tellFrames(error);
  return stack;
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
