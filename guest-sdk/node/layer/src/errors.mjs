// Stacks as programs written for V8 expect them: "Name: message" above the frames, and no frames of this layer.

import { defineInspect } from "./format.mjs";
import {
  ErrorPrototype, apply, defineHidden, defineProperty, errorToString, getOwnPropertyDescriptor, indexOf, slice,
} from "./intrinsics.mjs";

const FRAME = "    at ";
const LAYER = "(mirra:layer";

/** The engine's own accessor: frames only. */
const engineStack = getOwnPropertyDescriptor(ErrorPrototype, "stack");

/** The frames of the handler's code; all of them if there are none. */
export function withoutLayer(frames) {
  if (indexOf(frames, LAYER) < 0) return frames;
  let kept = "";
  for (let from = 0; from < frames.length; ) {
    const end = indexOf(frames, "\n", from);
    const next = end < 0 ? frames.length : end + 1;
    const line = slice(frames, from, next);
    if (indexOf(line, LAYER) < 0) kept += line;
    from = next;
  }
  return indexOf(kept, FRAME) < 0 ? frames : kept;
}

/** The engine's frames of a genuine error, whatever was done to its `stack`; undefined for anything else. */
export function framesOf(error) {
  const frames = engineStack?.get && apply(engineStack.get, error, []);
  return typeof frames === "string" ? withoutLayer(frames) : undefined;
}

/** A stack with its title, unless a `prepareStackTrace` made it or it is empty. */
function titled(error, stack) {
  if (typeof stack !== "string" || indexOf(stack, FRAME) !== 0) return stack;
  const frames = withoutLayer(stack);
  const end = frames[frames.length - 1] === "\n" ? frames.length - 1 : frames.length;
  return `${title(error)}\n${slice(frames, 0, end)}`;
}

function title(error) {
  try {
    return errorToString(error);
  } catch {
    return "Error";
  }
}

export function installErrors() {
  // An engine whose errors own their stack (V8) writes the title itself.
  if (engineStack?.get === undefined) return;
  defineProperty(ErrorPrototype, "stack", {
    ...engineStack,
    get() {
      return titled(this, apply(engineStack.get, this, []));
    },
    // The engine's refuses what is no string, and makes the stack visible to JSON and `for…in`.
    set(value) {
      defineHidden(this, "stack", value);
    },
  });

  const { captureStackTrace: capture } = Error;
  function captureStackTrace(target, upTo = captureStackTrace) {
    capture(target, upTo);
    const own = getOwnPropertyDescriptor(target, "stack");
    if (own?.writable) target.stack = titled(target, own.value);
  }
  defineHidden(Error, "captureStackTrace", captureStackTrace);

  // Its objects own a stack of bare frames.
  defineInspect(DOMException.prototype, function () {
    return `DOMException [${this.name}]${titled(this, this.stack).slice(this.name.length)}`;
  });
}
