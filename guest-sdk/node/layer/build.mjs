// Bundles src/ into dist/layer.js: one script whose value is the function `boot` and which leaves no other trace.
import { build } from "esbuild";

const { metafile } = await build({
  absWorkingDir: import.meta.dirname,
  entryPoints: ["src/index.mjs"],
  outfile: "dist/layer.js",
  bundle: true,
  format: "iife",
  globalName: "layer",
  banner: { js: "(() => {" },
  footer: { js: "return layer.boot; })()" },
  platform: "neutral",
  target: "es2023",
  // Names stay: they are what stack traces show.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: "none",
  metafile: true,
});

const [{ bytes }] = Object.values(metafile.outputs);
console.log(`dist/layer.js: ${(bytes / 1000).toFixed(0)} kB`);
