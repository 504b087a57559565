// A fresh realm with the built layer in it and a native side that tests hold in their hands: time stands until it is moved.

import { readFileSync } from "node:fs";
import { types } from "node:util";
import vm from "node:vm";
import { nativeOperations } from "./native-operations.mjs";

const DIST = new URL("../dist/", import.meta.url);
const LAYER = readFileSync(new URL("layer.js", DIST), "utf8");
/** What a handler can import. */
export const BUILTINS = readFileSync(new URL("builtins.txt", DIST), "utf8").trim().split("\n");
const LEVELS = ["debug", "info", "warn", "error"];

/** `operations` stand in for some of the engine's. */
export function makeRealm(layer = LAYER, operations = {}) {
  const realm = { us: 0, isPreparing: true, logs: [], started: [], asked: [], cancelled: [], randoms: [] };
  const native = {
    log: (level, message) => realm.logs.push([LEVELS[level], message]),
    start: (name, json) => realm.started.push([name, json]),
    nextPart: (id) => realm.asked.push(id),
    cancel: (id) => realm.cancelled.push(id),
    elapsedUs: () => realm.us,
    unixTimeUs: () => 1_700_000_000_000_000 + realm.us,
    isPreparing: () => realm.isPreparing,
    random52: () => realm.randoms.shift(),
    randomFill: (buffer, offset, length) => new Uint8Array(buffer, offset, length).fill(7),
    utf8Encode: (text) => new TextEncoder().encode(text).buffer,
    utf8Decode(buffer, offset, length, fatal) {
      try {
        return new TextDecoder("utf-8", { fatal, ignoreBOM: true }).decode(new Uint8Array(buffer, offset, length));
      } catch {
        return undefined;
      }
    },
    // That they go with promises is the engine's doing: a fixture tries it.
    asyncContext: () => realm.asyncContext,
    enterAsyncContext: (context) => (realm.asyncContext = context),
    isProxy: types.isProxy,
    memoryBytes: () => 1_000_000,
    fileFind: () => undefined,
    fileRead: () => new ArrayBuffer(0),
    fileNames: () => [],
    ...nativeOperations,
    ...operations,
  };
  // A bare context of V8, but for what the engine has more and less.
  const context = vm.createContext({ DOMException, atob, btoa });
  vm.runInContext("delete globalThis.Atomics", context);
  vm.runInContext(`(${addBase64})()`, context);
  const hooks = vm.runInContext(layer, context, { filename: "mirra:layer" })(native);
  realm.run = (code) => vm.runInContext(code, context, { filename: "handler.js" });

  /** Adopts a module of these exports and begins the call. */
  realm.serve = (exports, event = "{}", fields = {}) => {
    hooks.adopt(exports);
    realm.isPreparing = false;
    realm.us = 0;
    return hooks.call(JSON.parse(event), JSON.stringify({ executionId: "exec_1", deadline: 1_700_000_001_000, ...fields }));
  };

  /** The engine's loop without operations: runs what is due and moves the time until nothing is left. */
  realm.finishTimers = async () => {
    for (;;) {
      const us = hooks.runTimers();
      await drainMicrotasks();
      if (us < 0) return;
      realm.us += us;
    }
  };

  return Object.assign(realm, hooks);
}

/** What the engine's Uint8Array has and this Node's may not have. */
function addBase64() {
  const digits = (byte) => byte.toString(16).padStart(2, "0");
  Uint8Array.prototype.toHex ??= function toHex() {
    return Array.from(this, digits).join("");
  };
  Uint8Array.prototype.toBase64 ??= function toBase64({ alphabet, omitPadding } = {}) {
    let text = btoa(Array.from(this, (byte) => String.fromCharCode(byte)).join(""));
    if (alphabet === "base64url") text = text.replaceAll("+", "-").replaceAll("/", "_");
    return omitPadding ? text.replaceAll("=", "") : text;
  };
  Uint8Array.fromBase64 ??= function fromBase64(text, { alphabet } = {}) {
    const standard = alphabet === "base64url" ? text.replaceAll("-", "+").replaceAll("_", "/") : text;
    return Uint8Array.from(atob(standard), (character) => character.charCodeAt(0));
  };
}

export function drainMicrotasks() {
  return new Promise((resolve) => setImmediate(resolve));
}
