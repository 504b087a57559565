import assert from "node:assert/strict";
import { test } from "node:test";
import { makeRealm } from "./realm.mjs";

function logged(code) {
  const realm = makeRealm();
  realm.run(code);
  return realm.logs;
}

function line(code) {
  const [[, message]] = logged(`console.log(${code})`);
  return message;
}

test("methods have levels", () => {
  const logs = logged("for (const name of ['debug', 'log', 'info', 'warn', 'error']) console[name](name)");
  assert.deepEqual(logs, [["debug", "debug"], ["info", "log"], ["info", "info"], ["warn", "warn"], ["error", "error"]]);
});

test("values are shown as Node shows them", () => {
  assert.equal(line(""), "");
  assert.equal(line("'100%', 1, -0, true, undefined, null"), "100% 1 -0 true undefined null");
  assert.equal(line("'%'"), "%");
  assert.equal(line("1, 'a'"), "1 a");
  assert.equal(line("'%s is %d, %j %i %%', 'x', 4.2, { a: 1 }, 4.2, 'more'"), 'x is 4.2, {"a":1} 4 % more');
  assert.equal(line("{ a: [1, { b: { c: { d: 1 } } }] }"), "{ a: [ 1, { b: [Object] } ] }");
  assert.equal(line("new Map([[1, { a: 1 }]]), new Set(['x'])"), "Map(1) { 1 => { a: 1 } } Set(1) { 'x' }");
  assert.equal(line("new (class Foo { x = 1 })(), class Bar {}"), "Foo { x: 1 } [class Bar]");
  assert.match(line("new TypeError('bad')"), /^TypeError: bad\n    at handler\.js/);
  assert.match(line("'failed:', new Error('x', { cause: new Error('y') })"), /^failed: Error: x\n[^]*\[cause\]: Error: y\n/);
  assert.equal(line("new URL('http://a.b/?x=1').searchParams"), "URLSearchParams { 'x' => '1' }");
  assert.equal(line("new AbortController()"), "AbortController { signal: AbortSignal { aborted: false } }");
});

test("hostile values do not keep the line back", () => {
  const hostile = "new Proxy({}, { get() { throw new Error('no'); }, ownKeys() { throw new Error('no'); } })";
  assert.equal(line(`'before', ${hostile}, 'after'`), "before [a value that cannot be shown: no] after");
});

test("a long line is cut, and half a character is replaced", () => {
  const cut = line("'x'.repeat(70000)");
  assert.match(cut, /^x{65536}… \(4464 more characters\)$/);
  assert.equal(line("'\\ud800'"), "\ufffd");
});

test("groups indent", () => {
  assert.deepEqual(
    logged("console.group('a'); console.log('b\\nc'); console.groupEnd(); console.groupEnd(); console.log('d')").map(([, text]) => text),
    ["a", "  b\n  c", "d"],
  );
});

test("assert, count and trace", () => {
  assert.deepEqual(logged("console.assert(true, 'x'); console.assert(false); console.assert(0, 'is %d', 1)"), [
    ["error", "Assertion failed"],
    ["error", "Assertion failed: is 1"],
  ]);
  const counted = "console.count(); console.count('a'); console.count(); console.countReset(); console.count(); console.countReset('b')";
  assert.deepEqual(
    logged(counted).map(([, text]) => text),
    ["default: 1", "a: 1", "default: 2", "default: 1", "Count for 'b' does not exist"],
  );
  const [[level, trace]] = logged("function mine() { console.trace('here %s', 1); } mine()");
  assert.equal(level, "debug");
  assert.match(trace, /^Trace: here 1\n    at mine \(handler\.js:1/);
});

test("time is told by the call's clock", () => {
  const realm = makeRealm();
  realm.run("console.time('t')");
  realm.us = 1500;
  realm.run("console.timeLog('t', { a: 1 })");
  realm.us = 2_500_000;
  realm.run("console.timeEnd('t'); console.timeEnd('t')");
  assert.deepEqual(
    realm.logs.map(([, text]) => text),
    ["t: 1.5ms { a: 1 }", "t: 2.500s", "No such label 't' for console.timeEnd()"],
  );
});

test("tables are drawn", () => {
  const lines = (code) => logged(`console.table(${code})`)[0][1].split("\n");
  assert.deepEqual(lines("[{ a: 1, b: 'x' }, { a: 2, c: { d: 1 } }, 5]"), [
    "┌─────────┬───┬─────┬──────────┬────────┐",
    "│ (index) │ a │ b   │ c        │ Values │",
    "├─────────┼───┼─────┼──────────┼────────┤",
    "│ 0       │ 1 │ 'x' │          │        │",
    "│ 1       │ 2 │     │ { d: 1 } │        │",
    "│ 2       │   │     │          │ 5      │",
    "└─────────┴───┴─────┴──────────┴────────┘",
  ]);
  assert.equal(lines("new Map([['k', { v: 1 }]])")[3], "│ 0                 │ 'k' │ { v: 1 } │");
  assert.equal(lines("new Set([1])")[3], "│ 0                 │ 1      │");
  assert.equal(lines("[{ a: 1, b: 2 }], ['b']")[1], "│ (index) │ b │");
  assert.deepEqual(lines("'text'"), ["text"]);
});
