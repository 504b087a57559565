import { refuse } from "./internal/refused.mjs";

export default { constants: {}, ...refuse("http2", "connect createServer createSecureServer getDefaultSettings Http2ServerRequest Http2ServerResponse", "use fetch for HTTP") };
