// Modules that packages import and that cannot work here: what is used of them says so by name.

import { coded } from "./errors.mjs";

/** A member that can be extended, as packages do while they are loaded, but neither called nor constructed. */
function refusing(path, instead) {
  const refused = function () {
    throw coded(new Error(`${path} is not available to handlers: ${instead}`), "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM");
  };
  Object.defineProperty(refused, "name", { value: path.slice(path.lastIndexOf(".") + 1), configurable: true });
  return refused;
}

/** The named functions and classes of `module`, which all refuse; `instead` says what to do. */
export function refuse(module, names, instead) {
  return Object.fromEntries(names.split(" ").map((name) => [name, refusing(`${module}.${name}`, instead)]));
}
