import { refuse } from "./internal/refused.mjs";

export default { console, url() {}, ...refuse("inspector", "close open waitForDebugger Session", "the engine has no debugger") };
