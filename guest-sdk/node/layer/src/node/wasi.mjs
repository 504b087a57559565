import { refuse } from "./internal/refused.mjs";

export default refuse("wasi", "WASI", "the engine has no WebAssembly");
