import { refuse } from "./internal/refused.mjs";

export default refuse("vm", "compileFunction createContext createScript isContext runInContext runInNewContext runInThisContext Script SourceTextModule SyntheticModule", "a handler has one context; use a function");
