// The handler's second argument. It lies in the image with its fields still closed: many handlers never look, and reading
// the JSON would write a dozen more pages of memory in each of their calls.

import { INSPECT, defineProperty, max, parse } from "./intrinsics.mjs";
import { native } from "./native.mjs";

const FIELDS = ["executionId", "scriptId", "version", "trigger", "deadline", "apiKey"];

/** The fields as JSON, until the first of them is asked for. */
let closed;
let deadline = 0;

class Context {
  /** Milliseconds left. It needs no `this`, so that `const { remainingTime } = context` works. */
  remainingTime() {
    open();
    return max(0, deadline - native.unixTimeUs() / 1000);
  }

  // By the names that AWS Lambda has for them, on the prototype: whoever looks at a context sees what is mirra's.
  getRemainingTimeInMillis() {
    return this.remainingTime();
  }
  get awsRequestId() {
    return this.executionId;
  }
  get functionName() {
    return this.scriptId;
  }
  get functionVersion() {
    return this.version === undefined ? "$LATEST" : String(this.version);
  }

  [INSPECT]() {
    return { ...this };
  }
}

const context = new Context();

for (const field of FIELDS) {
  defineProperty(context, field, {
    get() {
      open();
      return context[field];
    },
    set(value) {
      open();
      context[field] = value;
    },
    enumerable: true,
    configurable: true,
  });
}

/** Turns the fields into plain ones. */
function open() {
  if (closed === undefined) return;
  const fields = parse(closed);
  closed = undefined;
  ({ deadline } = fields);
  for (const field of FIELDS) delete context[field];
  for (const field in fields) context[field] = fields[field];
}

/** An instance serves one call: there is one context. */
export function contextOf(json) {
  closed = json;
  return context;
}
