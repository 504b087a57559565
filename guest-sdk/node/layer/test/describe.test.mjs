import assert from "node:assert/strict";
import { test } from "node:test";
import { makeRealm } from "./realm.mjs";

function describe(code) {
  const realm = makeRealm();
  return [...realm.describe(realm.run(`(${code})`))];
}

test("an error: its name, message and frames", () => {
  const [name, message, stack] = describe("new TypeError('bad\\n    at first glance')");
  assert.deepEqual([name, message], ["TypeError", "bad\n    at first glance"]);
  assert.match(stack, /^    at handler\.js:1:2\n/);
  assert.doesNotMatch(stack, /glance/);
});

test("a class that gave itself no name goes by that of the class", () => {
  assert.equal(describe("new (class ValidationError extends Error {})('x')")[0], "ValidationError");
  assert.equal(describe("new (class extends TypeError {})('x')")[0], "TypeError");
});

test("causes and gathered errors follow", () => {
  const stack = describe("new Error('a', { cause: new RangeError('b', { cause: { code: 7 } }) })")[2];
  assert.match(stack, /^    at [^]*\nCaused by: RangeError: b\n    at [^]*\nCaused by: \{ code: 7 \}\n$/);
  const gathered = describe("new AggregateError([new Error('one'), 'two'], 'both')")[2];
  assert.match(gathered, /\nError 1 of 2: Error: one\n    at [^]*\nError 2 of 2: two\n$/);
});

test("circles and floods end", () => {
  const [, , circle] = describe("(() => { const e = new Error('x'); e.cause = e; return e; })()");
  assert.ok(circle.length <= 25_000);
  const parts = describe("(() => { let e = new Error('x'.repeat(1e6)); e.errors = Array(1e6).fill(e); return e; })()");
  assert.ok(parts.join("").length < 34_000);
});

test("what is no error", () => {
  assert.deepEqual(describe("'text'"), ["", "text", ""]);
  assert.deepEqual(describe("undefined"), ["", "undefined", ""]);
  assert.deepEqual(describe("Symbol('s')"), ["", "Symbol(s)", ""]);
  assert.deepEqual(describe("10n"), ["", "10n", ""]);
  assert.deepEqual(describe("{ code: 1, why: ['x'] }"), ["", "{ code: 1, why: [ 'x' ] }", ""]);
  assert.equal(describe("'\\ud800'")[1], "\ufffd");
});

test("hostile things are described too", () => {
  const hostile = [
    "(() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; })()",
    "new Proxy({}, new Proxy({}, { get() { throw 1; } }))",
    "new Proxy(new Error('x'), { get() { throw 1; }, getPrototypeOf() { throw 1; } })",
    "Object.create(Error.prototype, Object.fromEntries(['name', 'message', 'stack', 'cause', 'errors', 'constructor'].map((k) => [k, { get() { throw k; } }])))",
    "Object.assign(new Error('x'), { name: {}, message: Symbol(), stack: 7, cause: null, errors: { length: Infinity } })",
    "{ get [Symbol.toStringTag]() { throw 1; }, toString() { throw 2; }, toJSON() { throw 3; }, [Symbol.for('nodejs.util.inspect.custom')]() { throw 4; } }",
    "Object.create(null)",
    "() => 1",
  ];
  for (const code of hostile) {
    const described = describe(code);
    assert.equal(described.length, 3, code);
    for (const part of described) assert.equal(typeof part, "string", code);
  }
});
