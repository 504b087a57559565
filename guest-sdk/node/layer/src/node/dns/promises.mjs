import { NAMES, WHY } from "../internal/dns.mjs";
import { refuse } from "../internal/refused.mjs";

export default { getServers: () => [], setDefaultResultOrder() {}, ...refuse("dns.promises", NAMES, WHY) };
