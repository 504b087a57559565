import promises from "./dns/promises.mjs";
import { NAMES, WHY } from "./internal/dns.mjs";
import { refuse } from "./internal/refused.mjs";

export default { getServers: () => [], promises, setDefaultResultOrder() {}, ...refuse("dns", NAMES, WHY) };
