import { removeStandIn } from "./atomics.mjs";

export { format, formatWithOptions, inspect, stripVTControlCharacters } from "node-inspect-extracted";

removeStandIn();
