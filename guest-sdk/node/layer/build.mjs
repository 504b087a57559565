// Bundles src/ into dist/layer.js, one script whose value is the function `boot` and which leaves no other trace, and
// src/node/ into dist/node/, one function for each of Node's modules, which the engine evaluates when it is first imported.

import { readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { build } from "esbuild";

const ROOT = import.meta.dirname;
const SOURCE = join(ROOT, "src");
const NODE = join(SOURCE, "node");
/** What begins the name of a module that only modules of the layer see. */
const INTERNAL = "internal/";

const OPTIONS = {
  absWorkingDir: ROOT,
  bundle: true,
  platform: "neutral",
  mainFields: ["main"],
  target: "es2023",
  // Names stay: they are what stack traces show.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: "none",
};

/** What old packages require to have what the language has. */
const LANGUAGE = {
  "abort-controller": "module.exports = { AbortController, AbortSignal };",
  "call-bind/callBound": "module.exports = () => Function.prototype.call.bind(RegExp.prototype.test);",
  "is-nan": "module.exports = Number.isNaN;",
  "object-is": "module.exports = Object.is;",
  "object-is/polyfill": "module.exports = () => Object.is;",
  "object.assign/polyfill": "module.exports = () => Object.assign;",
  "safe-buffer": "module.exports = require('node:buffer');",
};

/** The modules in src/node, by their names: `fs/promises`. */
const modules = readdirSync(NODE, { recursive: true })
  .filter((file) => file.endsWith(".mjs"))
  .map((file) => file.slice(0, -".mjs".length))
  .sort();

/** Makes each import of another module, or of a file of the layer itself, a `require` of the registry (src/builtins.mjs). */
const registry = {
  name: "registry",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.\.?\// }, ({ path, importer }) => {
      const file = resolve(dirname(importer), path);
      if (!importer.startsWith(NODE)) return undefined;
      const name = relative(NODE, file).replace(/\.mjs$/, "");
      return { external: true, path: name.startsWith("../") ? `layer:${name.slice(3)}` : name };
    });
    // What assert brings and util.isDeepStrictEqual needs.
    onResolve({ filter: /^\.\/internal\/util\/comparisons$/ }, () => ({ external: true, path: "internal/comparisons" }));
    // The package's own throw errors without a code.
    onResolve({ filter: /^\.\/validators\.js$/ }, () => ({ external: true, path: "internal/errors" }));
    // Packages say `process/` where they mean a package in Node's stead.
    onResolve({ filter: /^(node:)?[a-z_]+(\/[a-z]*)?$/ }, ({ path }) => {
      const name = path.replace(/^node:/, "").replace(/\/$/, "");
      return modules.includes(name) && !name.startsWith(INTERNAL) ? { external: true, path: name } : undefined;
    });
    onResolve({ filter: /./ }, ({ path }) => (Object.hasOwn(LANGUAGE, path) ? { path, namespace: "language" } : undefined));
    onLoad({ filter: /./, namespace: "language" }, ({ path }) => ({ contents: LANGUAGE[path], resolveDir: ROOT }));
  },
};

rmSync(join(ROOT, "dist"), { recursive: true, force: true });

await build({
  ...OPTIONS,
  entryPoints: ["src/index.mjs"],
  outfile: "dist/layer.js",
  format: "iife",
  globalName: "layer",
  banner: { js: "(() => {" },
  footer: { js: "return layer.boot; })()" },
});

await build({
  ...OPTIONS,
  entryPoints: modules.map((name) => ({ in: join(NODE, `${name}.mjs`), out: name })),
  outdir: "dist/node",
  format: "cjs",
  banner: { js: "(function (require, module) {" },
  footer: { js: "})" },
  plugins: [registry],
});

// What a handler can import.
const importable = modules.filter((name) => !name.startsWith(INTERNAL));
writeFileSync(join(ROOT, "dist/builtins.txt"), importable.map((name) => `${name}\n`).join(""));

const sizeOf = (file) => statSync(join(ROOT, "dist", file)).size;
const bytes = modules.reduce((sum, name) => sum + sizeOf(`node/${name}.js`), 0);
console.log(`dist/layer.js: ${kB(sizeOf("layer.js"))}; ${modules.length} modules in dist/node: ${kB(bytes)}`);
if (process.argv.includes("--sizes")) for (const name of modules) console.log(`  ${name}: ${kB(sizeOf(`node/${name}.js`))}`);

function kB(bytes) {
  return `${(bytes / 1000).toFixed(1)} kB`;
}
