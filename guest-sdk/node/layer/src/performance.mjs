import { defineGlobal } from "./intrinsics.mjs";
import { native } from "./native.mjs";

/** When this call began. Read once, so that it does not waver; never while preparing, or it would be in the image. */
let timeOrigin;

class Performance {
  /** Milliseconds since this call began. */
  now() {
    return native.elapsedUs() / 1000;
  }

  get timeOrigin() {
    if (timeOrigin !== undefined) return timeOrigin;
    const origin = (native.unixTimeUs() - native.elapsedUs()) / 1000;
    if (!native.isPreparing()) timeOrigin = origin;
    return origin;
  }

  toJSON() {
    return { timeOrigin: this.timeOrigin };
  }
}

export function installPerformance() {
  defineGlobal("performance", new Performance());
}
