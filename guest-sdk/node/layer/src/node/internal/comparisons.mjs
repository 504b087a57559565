// Apart from assert, so that util.isDeepStrictEqual does not need the whole of it.

export { isDeepEqual, isDeepStrictEqual } from "assert/build/internal/util/comparisons.js";
