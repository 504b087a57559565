// A Transform that becomes one when it is used as one: most hashes never are, and to make a stream takes longer than to hash.

import { Transform } from "stream";

export function LazyTransform(options) {
  this._options = options;
}
Object.setPrototypeOf(LazyTransform.prototype, Transform.prototype);
Object.setPrototypeOf(LazyTransform, Transform);

for (const name of ["_readableState", "_writableState", "_events", "_eventsCount"]) {
  Object.defineProperty(LazyTransform.prototype, name, {
    configurable: true,
    get() {
      become(this);
      return this[name];
    },
    set(value) {
      Object.defineProperty(this, name, { value, writable: true, enumerable: true, configurable: true });
    },
  });
}

function become(lazy) {
  // Making a stream asks for these before it sets them.
  for (const name of ["_readableState", "_writableState", "_events", "_eventsCount"]) lazy[name] = undefined;
  Transform.call(lazy, lazy._options);
  lazy._writableState.decodeStrings = false;
}
