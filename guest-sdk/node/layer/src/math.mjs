import { defineHidden } from "./intrinsics.mjs";
import { native } from "./native.mjs";

/** The engine's own generator is seeded once and copied with the image. This one keeps no state: each number is the host's,
 * which measures as fast as a generator written here. */
function random() {
  return native.random52() / 2 ** 52;
}

export function installMath() {
  defineHidden(Math, "random", random);
}
