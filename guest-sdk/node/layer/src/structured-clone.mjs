import "core-js/web/structured-clone";
import { defineHidden, functionToString } from "./intrinsics.mjs";

/** core-js has installed structuredClone, and URL before; what else it did to the global object is undone. */
export function installClone() {
  delete globalThis["__core-js_shared__"];
  defineHidden(Function.prototype, "toString", functionToString);
}
