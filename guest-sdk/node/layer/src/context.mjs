// The handler's second argument.

import { max, parse, setPrototypeOf } from "./intrinsics.mjs";
import { native } from "./native.mjs";

/** When the call will be stopped, in Unix milliseconds. An instance serves one call, so there is one. */
let deadline = 0;

class Context {
  /** Milliseconds left. It needs no `this`, so that `const { remainingTime } = context` works. */
  remainingTime() {
    return max(0, deadline - native.unixTimeUs() / 1000);
  }
}

const { prototype } = Context;

export function createContext(json) {
  const context = parse(json);
  deadline = context.deadline;
  return setPrototypeOf(context, prototype);
}
