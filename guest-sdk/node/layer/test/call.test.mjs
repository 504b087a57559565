import assert from "node:assert/strict";
import { test } from "node:test";
import { makeRealm } from "./realm.mjs";

test("the handler is found by name, as default, and in module.exports", () => {
  const result = (exports) => makeRealm().serve(exports);
  assert.equal(result({ handler: () => "named", default: () => "default" }), "named");
  assert.equal(result({ default: () => "default" }), "default");
  assert.equal(result({ default: { handler: () => "commonjs" } }), "commonjs");
});

test("a module without a handler is refused with what it exports", () => {
  const refusal = (exports) => {
    try {
      makeRealm().adopt(exports);
    } catch (error) {
      return error.message;
    }
  };
  assert.match(refusal({}), /it exports nothing$/);
  assert.match(refusal({ handler: 1, default: () => 1 }), /it exports handler \(number\), default \(function\)$/);
  assert.match(refusal({ default: { handle() {} } }), /it exports default \(an object with handle\)$/);
});

test("handlers get the event, the context and mirra", () => {
  const realm = makeRealm();
  const seen = realm.serve({ handler: (...args) => args }, '{"data":{"x":1}}');
  assert.deepEqual(seen[0], { data: { x: 1 } });
  assert.equal(seen[2], realm.run("mirra"));
});

test("the context has the fields that were given, and only those", () => {
  const context = makeRealm().serve({ handler: (event, context) => context }, "{}", { trigger: "cron" });
  assert.equal(context.trigger, "cron");
  assert.equal(context.apiKey, undefined);
  assert.equal(JSON.stringify(context), '{"executionId":"exec_1","deadline":1700000001000,"trigger":"cron"}');
});

test("the context can be written to before it was read", () => {
  const context = makeRealm().serve({ handler: (event, context) => context });
  context.version = "mine";
  assert.deepEqual({ ...context }, { executionId: "exec_1", deadline: 1_700_000_001_000, version: "mine" });
});

test("remainingTime counts down to zero, also destructured", () => {
  const realm = makeRealm();
  const { remainingTime } = realm.serve({ handler: (event, context) => context });
  assert.equal(remainingTime(), 1000);
  realm.us = 250_500;
  assert.equal(remainingTime(), 749.5);
  realm.us = 2_000_000;
  assert.equal(remainingTime(), 0);
});

test("a thenable becomes a promise of the realm, and nothing else is touched", async () => {
  const realm = makeRealm();
  const adopted = realm.serve({ handler: () => ({ then: (resolve) => resolve(7) }) });
  assert.ok(adopted instanceof realm.run("Promise"));
  assert.equal(await adopted, 7);
  const own = makeRealm();
  const promise = own.run("Promise.resolve(1)");
  assert.equal(own.serve({ handler: () => promise }), promise);
  for (const value of [null, undefined, 0, "text"]) assert.equal(makeRealm().serve({ handler: () => value }), value);
});

test("a handler of Lambda finds its context and its callback", async () => {
  const realm = makeRealm();
  const handler = realm.run(`(event, context, callback) => {
    setTimeout(() => callback(null, [context.awsRequestId, context.getRemainingTimeInMillis(), context.functionVersion, Object.keys(context)]), 10);
  }`);
  const answered = realm.serve({ handler });
  await realm.finishTimers();
  assert.deepEqual(JSON.parse(JSON.stringify(await answered)), ["exec_1", 990, "$LATEST", ["executionId", "deadline"]]);
  const failing = makeRealm();
  const failed = failing.serve({ handler: failing.run("(event, context, cb) => { cb(new RangeError('no')); }") });
  await assert.rejects(failed, { name: "RangeError" });
  const both = makeRealm();
  assert.equal(await both.serve({ handler: both.run("async (event, context, done) => 'promised'") }), "promised");
  const sdk = makeRealm();
  assert.equal(sdk.serve({ handler: sdk.run("(event, context, mirra) => typeof mirra.memory.search") }), "function");
});
