import assert from "node:assert/strict";
import { test } from "node:test";
import { makeRealm } from "./realm.mjs";

function calling() {
  const realm = makeRealm();
  realm.isPreparing = false;
  return realm;
}

test("every call names its operation", () => {
  const realm = calling();
  realm.run(`
    mirra.memory.create({ type: "note" });
    mirra.telegram.sendMessage();
    mirra.resources.call({ method: "x" });
    mirra.resources.gmail.send({ to: "a" });
    mirra.resources.twilio.call({ to: "b" });
  `);
  assert.deepEqual(realm.started, [
    ["memory.create", '{"type":"note"}'],
    ["telegram.sendMessage", "{}"],
    ["resources.call", '{"method":"x"}'],
    ["resources.gmail.send", '{"to":"a"}'],
    ["resources.twilio.call", '{"to":"b"}'],
  ]);
});

test("results arrive in any order", async () => {
  const realm = calling();
  assert.equal(realm.isWaiting(), false);
  const [first, second] = realm.run("[mirra.memory.create(), mirra.ai.chat()]");
  assert.equal(realm.isWaiting(), true);
  realm.settle(2, true, true, '{"text":"hi"}');
  realm.settle(1, true, true, "null");
  assert.equal(realm.isWaiting(), false);
  assert.equal(await first, null);
  assert.deepEqual({ ...(await second) }, { text: "hi" });
});

test("a failure says what and where", async () => {
  const realm = calling();
  const promise = realm.run("function mine() {\n  return mirra.memory.create({});\n}\nmine()");
  realm.settle(1, true, false, "RESOURCE_DENIED", "not allowed");
  const error = await promise.catch((error) => error);
  assert.equal(error.name, "MirraError");
  assert.equal(error.code, "RESOURCE_DENIED");
  assert.equal(error.message, "not allowed");
  assert.deepEqual(Object.keys(error), ["code"]);
  const [name, message, stack] = realm.describe(error);
  assert.deepEqual([name, message], ["MirraError", "not allowed"]);
  assert.match(stack, /^ +at mine \(handler\.js:2:/);
});

test("what JSON cannot carry is a rejection", async () => {
  const realm = calling();
  await assert.rejects(realm.run("mirra.memory.create({ n: 1n })"), /BigInt/);
  await assert.rejects(realm.run("mirra.memory.create(() => 1)"), /mirra\.memory\.create\(\) takes an object, not a function/);
  assert.equal(realm.isWaiting(), false);
});

test("nothing can be reached while a handler is prepared", async () => {
  const realm = makeRealm();
  await assert.rejects(realm.run("mirra.memory.create({})"), { code: "RESOURCE_DENIED", message: /move the call into the handler/ });
  assert.deepEqual(realm.started, []);
});

test("members are always the same, and are no thenables", () => {
  const { run } = makeRealm();
  for (const path of ["mirra", "mirra.memory", "mirra.memory.create", "mirra.resources.gmail", "mirra.resources.gmail.send"]) {
    assert.equal(run(`${path} === ${path} && ${path}.then === undefined && ${path}.toJSON === undefined`), true, path);
    assert.doesNotThrow(() => run(`String(${path}); JSON.stringify({ it: ${path} });`), path);
  }
});

test("mirra prints", () => {
  const realm = makeRealm();
  realm.run("console.log(mirra, mirra.memory, mirra.memory.create, mirra.resources.gmail)");
  assert.deepEqual(realm.logs, [["info", "[mirra] [mirra.memory] [Function: memory.create] [Function: resources.gmail]"]]);
});

test("a handler that breaks the globals still gets its results", async () => {
  const realm = calling();
  const promise = realm.run("mirra.memory.create()");
  realm.run("JSON.parse = Map.prototype.get = Promise.prototype.then = Array.prototype.push = () => { throw new Error('broken'); }");
  realm.settle(1, true, true, "5");
  assert.equal(realm.run("globalThis.Promise = undefined"), undefined);
  assert.equal(realm.isWaiting(), false);
  void promise;
});
