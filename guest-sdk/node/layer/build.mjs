// Bundles src/ into dist/layer.js: one script whose value is the function `boot` and which leaves no other trace. What handlers
// can import of it, the files of src/node/, is listed in dist/builtins.txt.

import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const ROOT = import.meta.dirname;
const NODE = join(ROOT, "src/node");

/** Node's modules that there are: `fs/promises`. */
const builtins = readdirSync(NODE, { recursive: true })
  .filter((file) => file.endsWith(".mjs") && !file.startsWith("internal/"))
  .map((file) => file.slice(0, -".mjs".length))
  .sort();

const fileOf = (builtin) => JSON.stringify(join(NODE, `${builtin}.mjs`));

/** For each a function that evaluates it, by name: what src/builtins.mjs installs. */
const TABLE = "virtual:node";

/** In place of packages that bring what the language has, or more than is asked of them. */
const INSTEAD = {
  [TABLE]: `module.exports = { __proto__: null, ${builtins.map((name) => `${JSON.stringify(name)}: () => require(${fileOf(name)}).default`).join()} };`,
  "abort-controller": "module.exports = { AbortController, AbortSignal };",
  "call-bind/callBound": "module.exports = () => Function.prototype.call.bind(RegExp.prototype.test);",
  "is-nan": "module.exports = Number.isNaN;",
  "object-is": "module.exports = Object.is;",
  "object-is/polyfill": "module.exports = () => Object.is;",
  "object.assign/polyfill": "module.exports = () => Object.assign;",
  "safe-buffer": "module.exports = require('node:buffer');",
  "util, for its types": "module.exports = { types: require('node:util/types') };",
};

/** Has packages find the layer's modules where they import Node's. */
const node = {
  name: "node",
  setup({ onResolve, onLoad }) {
    // util itself needs what this file of assert exports.
    onResolve({ filter: /^util\/$/ }, ({ importer }) =>
      importer.endsWith("/comparisons.js") ? { path: "util, for its types", namespace: "instead" } : undefined,
    );
    // The errors of path-unified's own have no code.
    onResolve({ filter: /^\.\/validators\.js$/ }, () => ({ path: join(NODE, "internal/errors.mjs") }));
    // `process/` is a package in Node's stead.
    onResolve({ filter: /^(node:)?[a-z_]+(\/[a-z]*)?$/ }, ({ path }) => {
      const name = path.replace(/^node:/, "").replace(/\/$/, "");
      return builtins.includes(name) ? { path: name, namespace: "node" } : undefined;
    });
    onResolve({ filter: /./ }, ({ path }) => (Object.hasOwn(INSTEAD, path) ? { path, namespace: "instead" } : undefined));
    // `require` answers the module itself, no namespace around it.
    onLoad({ filter: /./, namespace: "node" }, ({ path }) => ({
      contents: `module.exports = require(${fileOf(path)}).default;`,
      resolveDir: ROOT,
    }));
    onLoad({ filter: /./, namespace: "instead" }, ({ path }) => ({ contents: INSTEAD[path], resolveDir: ROOT }));
  },
};

/** core-js tells what is wrong with a URL; Node tells that it is invalid, with a code that libraries look for. */
const urls = {
  name: "urls",
  setup({ onLoad }) {
    onLoad({ filter: /core-js\/modules\/web\.url\.constructor\.js$/ }, ({ path }) => {
      const line = "var TypeError = globalThis.TypeError;";
      const source = readFileSync(path, "utf8");
      if (!source.includes(line)) throw new Error("core-js makes its errors elsewhere now");
      return { contents: source.replace(line, `var TypeError = require(${JSON.stringify(join(ROOT, "src/invalid-url.mjs"))}).InvalidUrl;`) };
    });
  },
};

const { metafile } = await build({
  absWorkingDir: ROOT,
  entryPoints: ["src/index.mjs"],
  outfile: "dist/layer.js",
  bundle: true,
  format: "iife",
  globalName: "layer",
  banner: { js: '(() => {"use strict";' },
  footer: { js: "return layer.boot; })()" },
  platform: "neutral",
  mainFields: ["main"],
  target: "es2023",
  define: { global: "globalThis" },
  plugins: [node, urls],
  // Names stay: they are what stack traces show.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: "none",
  metafile: true,
});

writeFileSync(join(ROOT, "dist/builtins.txt"), builtins.map((name) => `${name}\n`).join(""));

const [{ bytes, inputs }] = Object.values(metafile.outputs);
console.log(`dist/layer.js: ${kB(bytes)}, ${builtins.length} of Node's modules`);
if (process.argv.includes("--sizes")) {
  const sizes = new Map();
  for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
    const part = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? path;
    sizes.set(part, (sizes.get(part) ?? 0) + bytesInOutput);
  }
  for (const [part, size] of [...sizes].sort((a, b) => b[1] - a[1])) console.log(`  ${part}: ${kB(size)}`);
}

function kB(bytes) {
  return `${(bytes / 1000).toFixed(1)} kB`;
}
