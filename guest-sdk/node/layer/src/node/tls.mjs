import { refuse } from "./internal/refused.mjs";

export default { DEFAULT_MAX_VERSION: "TLSv1.3", DEFAULT_MIN_VERSION: "TLSv1.2", rootCertificates: [], ...refuse("tls", "connect createSecureContext createServer checkServerIdentity getCiphers SecureContext Server TLSSocket", "a handler has no sockets; use fetch for HTTPS") };
