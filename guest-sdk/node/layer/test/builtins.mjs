// The layer with Node's modules `crypto` and `zlib` where tests find them, and a handler would import them from:
// `globalThis[Symbol.for("mirra.builtins")]`. `node builtins.mjs OUT` writes it, to be built into an engine.

import { writeFileSync } from "node:fs";
import { build } from "esbuild";

const ENTRY = `
  import "before";
  import { boot as bootLayer } from "./src/index.mjs";
  import crypto from "./src/node/crypto/index.mjs";
  import { Codec } from "./src/node/zlib/codec.mjs";
  import zlib from "./src/node/zlib/index.mjs";
  import { Buffer } from "buffer";
  import * as stream from "readable-stream";
  export function boot(native) {
    const hooks = bootLayer(native);
    globalThis[Symbol.for("mirra.builtins")] = { crypto, zlib, Codec, Buffer, stream };
    return hooks;
  }`;

/** What readable-stream looks for when it is evaluated, which is before the layer has installed anything. */
const STANDS_IN = {
  before: `globalThis.process = { nextTick: (work, ...rest) => queueMicrotask(() => work(...rest)), env: {}, version: "", versions: {} };`,
  "abort-controller": `export class AbortController {} export class AbortSignal {}`,
};

const standsIn = {
  name: "stands-in",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(before|abort-controller)$/ }, ({ path }) => ({ path, namespace: "stands-in" }));
    onLoad({ filter: /.*/, namespace: "stands-in" }, ({ path }) => ({ contents: STANDS_IN[path] }));
  },
};

const { outputFiles } = await build({
  absWorkingDir: new URL("..", import.meta.url).pathname,
  stdin: { contents: ENTRY, resolveDir: new URL("..", import.meta.url).pathname },
  plugins: [standsIn],
  bundle: true,
  write: false,
  format: "iife",
  globalName: "layer",
  banner: { js: "(() => {" },
  footer: { js: "return layer.boot; })()" },
  platform: "browser",
  target: "es2023",
  logLevel: "error",
});

export const LAYER_WITH_BUILTINS = outputFiles[0].text;

if (process.argv[1] === import.meta.filename && process.argv[2] !== undefined) writeFileSync(process.argv[2], LAYER_WITH_BUILTINS);
