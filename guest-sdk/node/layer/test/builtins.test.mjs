import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { makeRealm } from "./realm.mjs";

const require = createRequire(import.meta.url);
const listed = readFileSync(new URL("../dist/builtins.txt", import.meta.url), "utf8").trim().split("\n");

/** What an author is told when calling something. */
function refusal(call) {
  try {
    call();
  } catch (error) {
    return `${error.code}: ${error.message}`;
  }
}

test("every module that is listed is there, with one identity", () => {
  const { builtin } = makeRealm();
  for (const name of listed) {
    const module = builtin(name);
    assert.ok(module !== undefined && module === builtin(name), name);
    assert.equal(typeof module, typeof require(`node:${name}`), name);
  }
  assert.deepEqual([...builtin("module").builtinModules].sort(), listed);
  assert.equal(builtin("nope"), undefined);
  assert.equal(builtin("constructor"), undefined);
});

test("modules belong together as Node's do", () => {
  const { builtin, run } = makeRealm();
  assert.equal(run("Buffer"), builtin("buffer").Buffer);
  assert.equal(run("process"), builtin("process"));
  assert.equal(run("console"), builtin("console"));
  for (const name of ["assert/strict", "fs/promises", "path/posix", "path/win32", "stream/promises", "timers/promises", "util/types"]) {
    const [parent, member] = name.split("/");
    assert.equal(builtin(parent)[member], builtin(name), name);
  }
  assert.ok(new (builtin("stream").Readable)() instanceof builtin("events"));
});

test("classes have their names, though the bundle may call them otherwise", () => {
  const { builtin } = makeRealm();
  const members = [["buffer", "Buffer"], ["events", "EventEmitter"], ["assert", "AssertionError"], ["stream", "Readable"], ["fs", "Stats"]];
  for (const [module, name] of members) assert.equal(builtin(module)[name].name, name);
});

test("what cannot work says so when it is used, and can be extended", () => {
  const { builtin, run } = makeRealm();
  const refused = refusal(() => builtin("net").connect(80));
  assert.equal(refused, "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM: net.connect is not available to handlers: a handler has no sockets; use fetch for HTTP");
  const Connection = run("(net) => class extends net.Socket {}")(builtin("net"));
  assert.match(refusal(() => new Connection()), /net\.Socket is not available/);
  assert.match(refusal(() => builtin("child_process").execSync("ls")), /cannot start programs/);
  assert.match(refusal(() => builtin("module").createRequire("/")("left-pad")), /^MODULE_NOT_FOUND: Cannot find module 'left-pad'/);
});

test("the process is one for the time of a call", async () => {
  const realm = makeRealm();
  const process = realm.builtin("process");
  realm.us = 1_500_250;
  assert.deepEqual([...process.hrtime()], [1, 500_250_000]);
  assert.deepEqual([...process.hrtime([0, 600_000_000])], [0, 900_250_000]);
  assert.equal(process.hrtime.bigint(), 1_500_250_000n);
  process.stdout.write("out\n");
  process.stderr.write("err");
  process.emitWarning("old", "DeprecationWarning", "DEP1");
  assert.deepEqual(realm.logs, [["info", "out"], ["error", "err"], ["warn", "[DEP1] DeprecationWarning: old"]]);
  const codes = [];
  process.on("exit", (code) => codes.push(code));
  assert.match(refusal(() => process.exit(3)), /^ERR_PROCESS_EXIT: process\.exit\(3\) ends the call/);
  assert.deepEqual(codes, [3]);
  await assert.rejects(realm.finishTimers(), { code: "ERR_PROCESS_EXIT" });
});

test("stores go with callbacks of timers and with what is bound", async () => {
  const realm = makeRealm();
  const [seen, disable] = realm.run(`({ AsyncLocalStorage, AsyncResource }) => {
    const storage = new AsyncLocalStorage();
    const seen = [];
    const note = (name) => seen.push([name, storage.getStore()]);
    storage.run(1, () => {
      setTimeout(() => note("timeout"), 1);
      setImmediate(() => note("immediate"));
      note("run");
      storage.run(2, () => note("inner"));
      storage.exit(() => note("exit"));
    });
    note("outside");
    const [resource, snapshot] = storage.run(3, () => [new AsyncResource("x"), AsyncLocalStorage.snapshot()]);
    resource.runInAsyncScope(() => note("resource"));
    snapshot(() => note("snapshot"));
    try { storage.run(4, () => { throw 1; }); } catch { note("caught"); }
    storage.enterWith(5);
    note("entered");
    return [seen, () => { storage.disable(); note("disabled"); }];
  }`)(realm.builtin("async_hooks"));
  await realm.finishTimers();
  disable();
  assert.deepEqual(JSON.parse(JSON.stringify(seen)), [
    ["run", 1], ["inner", 2], ["exit", null], ["outside", null], ["resource", 3], ["snapshot", 3], ["caught", null], ["entered", 5],
    ["immediate", 1], ["timeout", 1], ["disabled", null],
  ]);
});

test("channels tell their subscribers, and tracing follows promises", async () => {
  const { builtin } = makeRealm();
  const { channel, tracingChannel } = builtin("diagnostics_channel");
  const seen = [];
  const subscriber = (message, name) => seen.push([name, message]);
  channel("a").subscribe(subscriber);
  channel("a").publish(1);
  assert.equal(channel("a").unsubscribe(subscriber), true);
  channel("a").publish(2);
  const tracing = tracingChannel("t");
  tracing.subscribe({ start: () => seen.push("start"), end: () => seen.push("end"), asyncEnd: ({ result }) => seen.push(result) });
  assert.equal(await tracing.tracePromise(async (n) => n * 2, {}, undefined, 2), 4);
  assert.deepEqual(seen, [["a", 1], "start", "end", 4]);
});
