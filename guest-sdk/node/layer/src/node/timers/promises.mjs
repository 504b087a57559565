import { abortError } from "../internal/errors.mjs";

/** A promise that `begin(resolve)` has a timer resolve; the timer goes when the signal aborts. */
function timer(begin, { signal, ref = true } = {}) {
  if (signal?.aborted) return Promise.reject(abortError(signal));
  return new Promise((resolve, reject) => {
    const abort = () => {
      timer.close();
      reject(abortError(signal));
    };
    const timer = begin(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    });
    if (!ref) timer.unref();
    signal?.addEventListener("abort", abort, { once: true });
  });
}

async function setTimeout(delay, value, options) {
  await timer((resolve) => globalThis.setTimeout(resolve, delay), options);
  return value;
}

async function setImmediate(value, options) {
  await timer((resolve) => globalThis.setImmediate(resolve), options);
  return value;
}

async function* setInterval(delay, value, options) {
  for (;;) yield setTimeout(delay, value, options);
}

const scheduler = { wait: (delay, options) => setTimeout(delay, undefined, options), yield: () => setImmediate() };

export default { setTimeout, setImmediate, setInterval, scheduler };
