/** node-inspect-extracted copies the namespaces of the language when it is evaluated, and the engine has no Atomics: one
 * stands in for it until then. */
const isMissing = globalThis.Atomics === undefined;
if (isMissing) globalThis.Atomics = {};

export function removeStandIn() {
  if (isMissing) delete globalThis.Atomics;
}
