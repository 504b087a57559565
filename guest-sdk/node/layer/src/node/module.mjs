import { builtin, builtinNames } from "../builtins.mjs";
import { coded } from "./internal/errors.mjs";
import { HOME } from "./internal/fs-own.mjs";
import { refuse } from "./internal/refused.mjs";

const plainName = (name) => name.replace(/^node:/, "");
const isBuiltin = (name) => builtin(plainName(name)) !== undefined;

/** The bundler has taken in what is imported by name; what is required by a name made up at run time can be a built-in, or data. */
function createRequire(base) {
  const nameOf = (name) => {
    if (isBuiltin(name)) return name;
    const { dirname, resolve } = builtin("path");
    const isPath = /^(\/|\.\.?\/)/.test(name);
    const file = isPath && resolve(dirname(folderOf(base)), name);
    if (file && [file, `${file}.json`].some((path) => path.endsWith(".json") && builtin("fs").existsSync(path))) {
      return file.endsWith(".json") ? file : `${file}.json`;
    }
    const message = `Cannot find module '${name}': a handler is one module, into which only what it imports by name is bundled`;
    throw coded(new Error(message), "MODULE_NOT_FOUND");
  };
  function require(name) {
    const found = nameOf(`${name}`);
    if (isBuiltin(found)) return builtin(plainName(found));
    return (require.cache[found] ??= { exports: JSON.parse(builtin("fs").readFileSync(found, "utf8")) }).exports;
  }
  require.resolve = nameOf;
  require.cache = {};
  return require;
}

/** The file or folder that a `require` was made for; that of a bundle does not know its own. */
function folderOf(base = `${HOME}/`) {
  const text = base instanceof URL || `${base}`.startsWith("file:") ? builtin("url").fileURLToPath(base) : `${base}`;
  return text.endsWith("/") ? `${text}index.js` : text;
}

export default Object.assign(function Module() {}, {
  builtinModules: builtinNames(),
  createRequire,
  isBuiltin,
  syncBuiltinESMExports() {},
  ...refuse("module", "register findSourceMap", "the handler is bundled before it runs"),
});
