import { refuse } from "./internal/refused.mjs";

export default { isatty: () => false, ...refuse("tty", "ReadStream WriteStream", "a handler has no terminal") };
