import { refuse } from "./internal/refused.mjs";

const PART = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const V4 = new RegExp(`^(?:${PART}\\.){3}${PART}$`);

/** The URL parser knows what an address of version 6 is; a zone after it is none of its business. */
function isIPv6(text) {
  return text.includes(":") && URL.canParse(`http://[${text.replace(/%[\w.-]+$/, "")}]/`);
}

function isIP(input) {
  const text = `${input}`;
  return V4.test(text) ? 4 : isIPv6(text) ? 6 : 0;
}

export default {
  // These only look at text.
  isIP,
  isIPv4: (text) => isIP(text) === 4,
  isIPv6: (text) => isIP(text) === 6,
  ...refuse(
    "net",
    "connect createConnection createServer BlockList Server Socket SocketAddress Stream",
    "a handler has no sockets; use fetch for HTTP",
  ),
};
