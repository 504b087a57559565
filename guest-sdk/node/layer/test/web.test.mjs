import assert from "node:assert/strict";
import { test } from "node:test";
import { makeRealm } from "./realm.mjs";

/** The value of an expression in a realm that serves a call. */
function value(code, realm = makeRealm()) {
  realm.isPreparing = false;
  return JSON.parse(realm.run(`JSON.stringify(${code})`) ?? "null");
}

test("every random number is the host's", () => {
  const realm = makeRealm();
  realm.randoms = [0, 2 ** 51, 2 ** 52 - 1];
  assert.deepEqual(value("[Math.random(), Math.random(), Math.random() < 1]", realm), [0, 0.5, true]);
});

test("crypto fills arrays and makes UUIDs, within its quota", () => {
  const realm = makeRealm();
  realm.randoms = [0, 0, 0, 2 ** 52 - 1, 2 ** 52 - 1, 2 ** 52 - 1];
  assert.deepEqual(value("[crypto.randomUUID(), crypto.randomUUID()]", realm), [
    "00000000-0000-4000-8000-000000000000",
    "ffffffff-ffff-4fff-bfff-ffffffffffff",
  ]);
  assert.deepEqual(value("[...crypto.getRandomValues(new Uint8Array(4).subarray(1, 3))]"), [7, 7]);
  assert.throws(() => value("crypto.getRandomValues(new Uint8Array(65537))"), { name: "QuotaExceededError" });
  assert.throws(() => value("crypto.getRandomValues(new Float64Array(1))"), { name: "TypeMismatchError" });
});

test("crypto refuses to work while a handler is prepared", () => {
  const { run } = makeRealm();
  assert.throws(() => run("crypto.randomUUID()"), /move it into the handler/);
  assert.throws(() => run("crypto.getRandomValues(new Uint8Array(1))"), /move it into the handler/);
});

test("performance counts from the beginning of the call", () => {
  const realm = makeRealm();
  realm.us = 77_000;
  const prepared = realm.run("performance.timeOrigin");
  assert.equal(prepared, 1_700_000_000_000);
  realm.us = 1500;
  assert.equal(value("performance.now()", realm), 1.5);
});

test("text is decoded across chunks", () => {
  const chunks = (label, bytes, size) => `(() => {
    const decoder = new TextDecoder("${label}"), bytes = [${bytes.join()}];
    let text = "";
    for (let at = 0; at < bytes.length; at += ${size}) {
      text += decoder.decode(new Uint8Array(bytes.slice(at, at + ${size})), { stream: true });
    }
    return text + decoder.decode();
  })()`;
  const text = "aä€😀z";
  for (const size of [1, 2, 3, 4, 5]) {
    assert.equal(value(chunks("utf-8", [...Buffer.from(`\ufeff${text}`)], size)), text);
    assert.equal(value(chunks("utf-16le", [...Buffer.from(`\ufeff${text}`, "utf16le")], size)), text);
    assert.equal(value(chunks("utf-8", [0x61, 0xe2, 0x82], size)), "a\ufffd");
    assert.equal(value(chunks("utf-16le", [0x61, 0, 0x3d, 0xd8, 0x62], size)), "a\ufffd\ufffd");
  }
});

test("text decoders know their labels and their options", () => {
  assert.equal(value("new TextDecoder('Latin1').encoding"), "windows-1252");
  assert.equal(value("new TextDecoder('ascii').decode(new Uint8Array([0x80, 0xe4, 0x41]))"), "€äA");
  assert.equal(value("new TextDecoder('utf8', { ignoreBOM: true }).decode(new Uint8Array([0xef, 0xbb, 0xbf, 0x61]))"), "\ufeffa");
  assert.throws(() => value("new TextDecoder('klingon')"), { code: "ERR_ENCODING_NOT_SUPPORTED" });
  assert.throws(() => value("new TextDecoder('utf-8', { fatal: true }).decode(new Uint8Array([255]))"), { code: "ERR_ENCODING_INVALID_ENCODED_DATA" });
});

test("text is encoded, also into what is too small", () => {
  assert.deepEqual(value("[...new TextEncoder().encode('€\\ud800')]"), [0xe2, 0x82, 0xac, 0xef, 0xbf, 0xbd]);
  const into = (text, size) => value(`(() => { const { read, written } = new TextEncoder().encodeInto("${text}", new Uint8Array(${size})); return [read, written]; })()`);
  assert.deepEqual(into("aä€😀", 20), [5, 10]);
  assert.deepEqual(into("aä€😀", 9), [3, 6]);
  assert.deepEqual(into("aä€😀", 5), [2, 3]);
  assert.deepEqual(into("😀", 3), [0, 0]);
  assert.deepEqual(into("", 3), [0, 0]);
});

test("events reach their listeners in order, once, and not after removal", () => {
  const seen = value(`(() => {
    const target = new EventTarget(), seen = [], { signal } = globalThis.controller = new AbortController();
    const twice = () => seen.push("twice");
    target.addEventListener("x", twice); target.addEventListener("x", twice); target.addEventListener("x", twice, true);
    target.addEventListener("x", () => seen.push("once"), { once: true });
    target.addEventListener("x", { handleEvent(event) { seen.push(event.type, event.detail, event.target === target); } });
    target.addEventListener("x", () => seen.push("signal"), { signal });
    target.addEventListener("x", (event) => { event.preventDefault(); event.stopImmediatePropagation(); });
    target.addEventListener("x", () => seen.push("never"));
    seen.push(target.dispatchEvent(new CustomEvent("x", { detail: 7, cancelable: true })));
    controller.abort(); target.removeEventListener("x", twice);
    seen.push(target.dispatchEvent(new Event("x")));
    return seen;
  })()`);
  assert.deepEqual(seen, ["twice", "twice", "once", "x", 7, true, "signal", false, "twice", "x", null, true, true].with(10, null));
});

test("an error in a listener fails the call and not the dispatch", () => {
  const realm = makeRealm();
  realm.run("const t = new EventTarget(); t.addEventListener('x', () => { throw new Error('listener'); }); t.dispatchEvent(new Event('x'))");
  assert.throws(() => realm.runTimers(), /listener/);
});

test("signals abort, with reasons, together", () => {
  assert.equal(value("AbortSignal.abort().reason.name"), "AbortError");
  assert.throws(() => value("AbortSignal.abort(new Error('why')).throwIfAborted()"), /why/);
  assert.throws(() => value("new AbortSignal()"), /Illegal constructor/);
  const seen = value(`(() => {
    const a = new AbortController(), any = AbortSignal.any([a.signal, new AbortController().signal]), all = AbortSignal.any([any]), seen = [];
    a.signal.onabort = (event) => seen.push(event.type, any.aborted);
    any.addEventListener("abort", () => seen.push("any"));
    all.addEventListener("abort", () => seen.push("all", all.reason));
    a.abort("why"); a.abort("again");
    return seen;
  })()`);
  assert.deepEqual(seen, ["abort", true, "any", "all", "why"]);
});

test("a timeout aborts while something else is awaited", () => {
  const realm = makeRealm();
  realm.isPreparing = false;
  realm.run("globalThis.signal = AbortSignal.timeout(10)");
  assert.equal(realm.runTimers(), -1);
  realm.run("mirra.ai.chat()");
  realm.us = realm.runTimers();
  realm.runTimers();
  assert.equal(realm.run("signal.reason.name"), "TimeoutError");
});

test("classes keep their names in the bundle", () => {
  const names = ["AbortController", "AbortSignal", "CustomEvent", "Event", "EventTarget", "TextDecoder", "TextEncoder", "URL", "URLSearchParams"];
  assert.deepEqual(value(`[${names}].map((type) => type.name)`), names);
});

test("URLs and clones work, and packages leave no trace", () => {
  assert.deepEqual(value("(({ href, host, search }) => [href, host, search])(new URL('../b?q=ä#h', 'https://u:p@EXAMPLE.com:443/x/y/'))"), [
    "https://u:p@example.com/x/b?q=%C3%A4#h",
    "example.com",
    "?q=%C3%A4",
  ]);
  assert.equal(value("[...structuredClone(new Map([[1, new Set(['x'])]])).get(1)][0]"), "x");
  assert.throws(() => value("structuredClone(() => 1)"), { name: "DataCloneError" });
  assert.equal(value("Object.keys(globalThis).filter((key) => key.includes('core-js')).length"), 0);
  assert.equal(value("'Atomics' in globalThis"), false);
  assert.match(value("Function.prototype.toString.call(Function.prototype.toString)"), /native code/);
});

test("messages are cloned and arrive in a turn of their own", async () => {
  const realm = makeRealm();
  const done = realm.run(`(async () => {
    const { port1, port2 } = new MessageChannel();
    const got = [];
    const original = { a: [1] };
    port1.postMessage("early");
    const all = new Promise((resolve) => {
      port2.onmessage = ({ data }) => {
        got.push(data);
        if (data === "last") resolve();
      };
    });
    port1.postMessage(original);
    original.a.push(2);
    port2.postMessage("back");
    port1.once("message", (data) => got.push(data));
    got.push("now");
    port1.postMessage("last");
    await all;
    port1.close();
    port2.postMessage("to nobody");
    let refused;
    try { port1.postMessage(() => {}); } catch (error) { refused = error.name; }
    return JSON.stringify([got, refused, Object.prototype.toString.call(port1)]);
  })()`);
  await realm.finishTimers();
  assert.deepEqual(JSON.parse(await done), [["now", "early", { a: [1] }, "back", "last"], "DataCloneError", "[object MessagePort]"]);
});
