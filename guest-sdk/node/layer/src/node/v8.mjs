// The engine is not V8: what is asked of any engine is answered, the rest refused.

import process from "./process.mjs";
import { refuse } from "./internal/refused.mjs";

export default {
  cachedDataVersionTag: () => 0,
  getHeapStatistics() {
    const { heapTotal, heapUsed } = process.memoryUsage();
    return { total_heap_size: heapTotal, used_heap_size: heapUsed, heap_size_limit: 4 * 2 ** 30 };
  },
  setFlagsFromString() {},
  ...refuse("v8", "deserialize serialize Deserializer Serializer getHeapSnapshot writeHeapSnapshot", "the engine is QuickJS"),
};
