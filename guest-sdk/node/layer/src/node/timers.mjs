import promises from "./timers/promises.mjs";

const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate } = globalThis;

// `util.promisify(setTimeout)`: its callback does not come last.
for (const timer of [setTimeout, setImmediate]) {
  Object.defineProperty(timer, Symbol.for("nodejs.util.promisify.custom"), { value: promises[timer.name], configurable: true });
}

export default { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate, promises };
