import { builtin, builtinNames } from "../builtins.mjs";
import { coded } from "./internal/errors.mjs";
import { refuse } from "./internal/refused.mjs";

const plainName = (name) => name.replace(/^node:/, "");
const isBuiltin = (name) => builtin(plainName(name)) !== undefined;

/** The bundler has taken in what is imported by name; what is required by a name made up at run time can only be a built-in. */
function createRequire() {
  function require(name) {
    if (isBuiltin(name)) return builtin(plainName(name));
    const message = `Cannot find module '${name}': a handler is one module, into which only what it imports by name is bundled`;
    throw coded(new Error(message), "MODULE_NOT_FOUND");
  }
  require.resolve = (name) => (isBuiltin(name) ? name : require(name));
  require.cache = {};
  return require;
}

export default Object.assign(function Module() {}, {
  builtinModules: builtinNames(),
  createRequire,
  isBuiltin,
  syncBuiltinESMExports() {},
  ...refuse("module", "register findSourceMap", "the handler is bundled before it runs"),
});
