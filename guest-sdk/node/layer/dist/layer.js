(native) => {
  let handler; const pending = new Map();
  const mirra = {};
  globalThis.console = { log: (...a) => native.log(1, a.map((x) => typeof x === 'string' ? x : JSON.stringify(x)).join(' ')) };
  return {
    adopt(ns) { const f = ns.handler ?? ns.default; if (typeof f !== 'function') throw new TypeError('no handler'); handler = f; },
    call: (event, context) => handler(event, JSON.parse(context), mirra),
    settle(id, ok, value, message) { const p = pending.get(id); pending.delete(id); ok ? p[0](JSON.parse(value)) : p[1](new Error(message)); },
    runTimers: () => -1,
    isWaiting: () => pending.size > 0,
    describe: (e) => e instanceof Error ? [String(e.name), String(e.message), String(e.stack)] : ['', String(e), ''],
  };
}
