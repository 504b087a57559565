import assert from "node:assert/strict";
import { test } from "node:test";
import { drainMicrotasks, makeRealm } from "./realm.mjs";

/** Runs code with `order` in reach until no timer is left; answers what it noted. */
async function noted(code) {
  const realm = makeRealm();
  realm.run(`const order = []; ${code}`);
  await realm.finishTimers();
  return [...realm.run("order")];
}

test("timers run by due time, then by creation, with their arguments", async () => {
  const order = await noted(`
    setTimeout((...args) => order.push(...args), 20, "c", "d");
    for (const name of ["a1", "a2", "a3"]) setTimeout(() => order.push(name), 10);
    setTimeout(() => order.push("b"), 15);
    setTimeout(() => order.push("first"));
    setImmediate(() => order.push("immediate"));
  `);
  assert.deepEqual(order, ["immediate", "first", "a1", "a2", "a3", "b", "c", "d"]);
});

test("many timers at many times keep their order", async () => {
  const order = await noted(`for (let i = 0; i < 2000; i += 1) setTimeout(() => order.push((i * 7919) % 1009), (i * 7919) % 1009 + 1);`);
  assert.equal(order.length, 2000);
  assert.deepEqual(order, order.toSorted((a, b) => a - b));
});

test("microtasks of a timer run before the next timer", async () => {
  const order = await noted(`
    setTimeout(() => { order.push(1); Promise.resolve().then(() => order.push(2)).then(() => order.push(3)); }, 5);
    setTimeout(() => order.push(4), 5);
  `);
  assert.deepEqual(order, [1, 2, 3, 4]);
});

test("cleared timers do not run: by object, by number, from a callback", async () => {
  const order = await noted(`
    clearTimeout(setTimeout(() => order.push("never"), 5));
    clearTimeout(+setTimeout(() => order.push("never"), 5));
    clearTimeout(String(+setTimeout(() => order.push("never"), 5)));
    clearImmediate(setImmediate(() => order.push("never")));
    const later = setTimeout(() => order.push("never"), 5);
    setTimeout(() => clearTimeout(later), 4);
    clearTimeout(undefined); clearTimeout({}); clearTimeout(99);
    let ticks = 0;
    const interval = setInterval(() => { order.push(ticks += 1); if (ticks === 3) clearInterval(interval); }, 10);
  `);
  assert.deepEqual(order, [1, 2, 3]);
});

test("refresh starts anew", async () => {
  const order = await noted(`
    const timer = setTimeout(() => order.push("refreshed"), 10);
    setTimeout(() => timer.refresh(), 5);
    setTimeout(() => order.push("between"), 12);
  `);
  assert.deepEqual(order, ["between", "refreshed"]);
});

test("a timer is never early, and the answer says how long to wait", () => {
  const realm = makeRealm();
  realm.us = 300;
  realm.run("globalThis.ran = false; setTimeout(() => { ran = true; }, 10)");
  assert.equal(realm.runTimers(), 10_700);
  realm.us = 10_999;
  assert.equal(realm.runTimers(), 1);
  assert.equal(realm.run("ran"), false);
  realm.us = 11_000;
  assert.equal(realm.runTimers(), -1);
  assert.equal(realm.run("ran"), true);
});

test("a timer of the top level comes due in the call", async () => {
  const realm = makeRealm();
  realm.us = 400_000;
  realm.run("globalThis.ran = false; setTimeout(() => { ran = true; }, 10)");
  realm.us = 404_000;
  realm.serve({ handler() {} });
  assert.equal(realm.runTimers(), 6_000);
});

test("an unref'd timer runs only as long as something else is awaited", () => {
  const realm = makeRealm();
  realm.isPreparing = false;
  realm.run("globalThis.ran = false; globalThis.timer = setTimeout(() => { ran = true; }, 10).unref()");
  assert.equal(realm.run("timer.hasRef()"), false);
  assert.equal(realm.runTimers(), -1);
  realm.run("mirra.memory.create()");
  assert.equal(realm.runTimers(), 10_000);
  realm.us = 10_000;
  realm.runTimers();
  assert.equal(realm.run("ran"), true);
});

test("ref undoes unref", () => {
  const realm = makeRealm();
  realm.run("setTimeout(() => {}, 10).unref().unref().ref()");
  assert.equal(realm.runTimers(), 10_000);
});

test("what a callback throws reaches the engine, and so does what a microtask throws", async () => {
  const realm = makeRealm();
  realm.run("setTimeout(() => { throw new Error('timer'); }, 0)");
  realm.us = 1000;
  assert.throws(() => realm.runTimers(), /timer/);
  assert.equal(realm.runTimers(), -1);
  realm.run("queueMicrotask(() => { throw new Error('microtask'); })");
  await drainMicrotasks();
  assert.throws(() => realm.runTimers(), /microtask/);
});

test("what is no function is refused", () => {
  assert.throws(() => makeRealm().run("setTimeout('code')"), { code: "ERR_INVALID_ARG_TYPE" });
});
