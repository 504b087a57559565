import { refuse } from "./internal/refused.mjs";

export default refuse("repl", "start REPLServer", "a handler has no terminal");
