import { refuse } from "./internal/refused.mjs";

export default refuse("dgram", "createSocket Socket", "a handler has no sockets; use fetch for HTTP");
