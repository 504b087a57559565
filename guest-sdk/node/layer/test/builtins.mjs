// The layer with some of Node's modules where tests find them: `globalThis[Symbol.for("mirra.builtins")]`.

import { readFileSync } from "node:fs";

const LAYER = readFileSync(new URL("../dist/layer.js", import.meta.url), "utf8");

export const LAYER_WITH_BUILTINS = `((boot) => (native) => {
  const hooks = boot(native);
  const [crypto, zlib, stream] = ["crypto", "zlib", "stream"].map(hooks.builtin);
  globalThis[Symbol.for("mirra.builtins")] = { crypto, zlib, stream, Buffer };
  return hooks;
})(${LAYER})`;
