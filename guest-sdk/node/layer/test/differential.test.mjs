import { test } from "node:test";
import { same } from "./differential.mjs";

test("path", async () => {
  await same(
    "path",
    (path) => path === path.posix && path.sep + path.delimiter + path.win32.sep,
    (path) => [path.join("/a", "..", "./b/", "c"), path.resolve("/a/b", "../c"), path.normalize("a//b/../c/."), path.join()],
    (path) => [path.basename("/a/b.tar.gz", ".gz"), path.extname(".x.y"), path.dirname("/a"), path.isAbsolute("a")],
    (path) => [path.parse("/srv/u/file.txt"), path.format({ dir: "/x", name: "y", ext: "z" }), path.relative("/a/b/c", "/a/d")],
    (path) => [path.win32.join("C:\\a", "..", "b"), path.win32.parse("C:\\p\\d\\f.txt"), path.win32.relative("C:\\a", "D:\\b")],
    (path) => path.join(1),
    (path) => path.basename("a", 1),
  );
});

test("querystring", async () => {
  await same(
    "querystring",
    (qs) => qs.parse("a=1&b=2&a=3&c=%20x+y&d"),
    (qs) => qs.stringify({ a: [1, "ü"], b: true, c: "x y&z", d: 1n, e: null }),
    (qs) => [qs.escape("a b/ü"), qs.unescape("%41%zz"), qs.parse("a:1;b:2", ";", ":"), qs.stringify({ a: 1 }, ";", ":")],
  );
});

test("url", async () => {
  await same(
    "url",
    (url) => Object.entries(url.parse("http://user:pa%20ss@Host.com:8080/p/a/t/h?query=string&x=1#hash")).sort(),
    (url) => Object.entries(url.parse("/a?b=c", true)).sort(),
    (url) => [url.resolve("/one/two/three", "four"), url.resolve("http://example.com/one", "/two"), url.resolve("http://a.b/c/", "../d")],
    (url) => [url.format({ protocol: "https", host: "a.b", pathname: "/c", query: { d: 1 } }), url.format(new URL("http://a.b/c?d#e"))],
    (url) => [url.fileURLToPath("file:///a/b%20c"), url.pathToFileURL("/a b#?.txt").href],
    (url) => url.fileURLToPath("file:///a").length + url.urlToHttpOptions(new URL("http://u:p@a.b:81/c?d")).path,
  );
});

test("util: text", async () => {
  await same(
    "util",
    (util) => util.format("%s %d %i %f %j %o %O %%", "a", 1.5, 2.7, "3.1", { a: 1 }, [1], { b: { c: {} } }, "more"),
    (util) => util.inspect({ a: [1, 2, { b: new Map([[1, new Set([2])]]) }], s: Symbol("x"), d: new Date(0), r: /x/g, n: null, f() {} }),
    (util) => util.inspect("x".repeat(200), { maxStringLength: 10 }) + util.inspect([1, 2], { colors: true }),
    (util) => util.stripVTControlCharacters("\u001b[31mred\u001b[39m") + util.styleText(["bold", "red"], "y"),
    (util) => util.styleText("nope", "x").length,
    (util) => util.toUSVString("a\ud800"),
  );
});

test("util: functions", async () => {
  await same(
    "util",
    (util) => util.promisify((a, callback) => callback(null, a + 1))(1),
    (util) => util.promisify((callback) => callback(new TypeError("no")))(),
    (util) => util.promisify("x"),
    (util) => util.promisify(setTimeout)(1, "slept"),
    (util, require) => util.promisify(require("fs").exists)("/tmp"),
    (util) => util.promisify(Object.assign(() => {}, { [util.promisify.custom]: async () => "own" }))(),
    (util) => new Promise((resolve) => util.callbackify(async (a) => a * 2)(2, (...results) => resolve(results))),
    (util) => new Promise((resolve) => util.callbackify(() => Promise.reject(null))((error) => resolve([error.code, error.reason]))),
    (util) => {
      function A() {}
      function B() {}
      B.prototype.b = 1;
      util.inherits(A, B);
      return [new A().b, A.super_ === B, new A() instanceof B];
    },
    (util) => util.inherits(null, Object),
    (util) =>
      util.parseArgs({ args: ["-f", "--bar", "b", "x"], options: { f: { type: "boolean", short: "f" }, bar: { type: "string" } }, allowPositionals: true })
        .values,
    (util) => [util.isDeepStrictEqual({ a: [1, new Map([[1, 2]])] }, { a: [1, new Map([[1, 2]])] }), util.isDeepStrictEqual([1], ["1"])],
    (util) => [util.isDeepStrictEqual(new Set([{ a: 1 }]), new Set([{ a: 1 }])), util.isDeepStrictEqual(NaN, NaN), util.isDeepStrictEqual(0, -0)],
    (util) => [util.getSystemErrorName(-2), util.isArray([]), util.types.isPromise(Promise.resolve())],
  );
});

test("util.types", async () => {
  await same("util/types", (types) => {
    const values = {
      a: [], map: new Map(), set: new Set(), weak: new WeakMap(), weakSet: new WeakSet(), date: new Date(0), regexp: /x/, error: new RangeError(),
      promise: Promise.resolve(), bytes: new Uint8Array(1), view: new DataView(new ArrayBuffer(1)), buffer: new ArrayBuffer(1), number: Object(1),
      string: Object(""), symbol: Object(Symbol.iterator), big: Object(1n), boolean: Object(true), proxy: new Proxy({}, {}), f() {}, async g() {}, *h() {},
      generator: (function* () {})(), iterator: new Map().keys(), setIterator: new Set().keys(), like: { __proto__: Map.prototype }, plain: {}, text: "", nothing: null,
      args: (function () { return arguments; })(),
    };
    const told = {};
    for (const is of Object.keys(types).sort()) {
      if (!/^is(Event|External|KeyObject|CryptoKey)/.test(is)) told[is] = Object.keys(values).filter((name) => types[is](values[name])).join();
    }
    return told;
  });
});

test("events", async () => {
  await same(
    "events",
    (Emitter) => {
      const seen = [];
      const emitter = new Emitter();
      emitter.on("a", (...args) => seen.push(args)).prependListener("a", () => seen.push("first")).once("a", () => seen.push("once"));
      return [emitter.emit("a", 1, 2), emitter.emit("a"), emitter.emit("b"), emitter.listenerCount("a"), emitter.eventNames(), seen];
    },
    (Emitter) => new Emitter().emit("error", new RangeError("bad")),
    (Emitter) => {
      function Old() {
        Emitter.call(this);
      }
      Object.setPrototypeOf(Old.prototype, Emitter.prototype);
      const old = new Old();
      let seen = 0;
      old.on("x", (by) => (seen += by));
      old.emit("x", 2);
      return [seen, old instanceof Emitter.EventEmitter, Emitter.defaultMaxListeners, Emitter === Emitter.EventEmitter];
    },
    (Emitter) => {
      const emitter = new Emitter();
      const seen = [];
      emitter.on(Emitter.errorMonitor, (error) => seen.push(`monitor ${error.message}`));
      emitter.on("error", (error) => seen.push(error.message));
      emitter.emit("error", new Error("x"));
      return seen;
    },
    (Emitter) => {
      const emitter = new Emitter();
      queueMicrotask(() => emitter.emit("a", 1, 2));
      return Emitter.once(emitter, "a");
    },
    async (Emitter) => {
      const emitter = new Emitter();
      queueMicrotask(() => [1, 2, 3].forEach((n) => emitter.emit("n", n)));
      const seen = [];
      for await (const [n] of Emitter.on(emitter, "n")) {
        seen.push(n);
        if (n === 3) break;
      }
      return [seen, emitter.listenerCount("n"), emitter.listenerCount("error")];
    },
    (Emitter) => Emitter.once(new Emitter(), "a", { signal: AbortSignal.abort() }),
  );
});

test("buffer", async () => {
  await same(
    "buffer",
    ({ Buffer }) => ["hex", "base64", "base64url", "latin1", "ascii", "ucs2", "utf8", "binary"].map((encoding) => Buffer.from("Grüße €+/?>").toString(encoding)),
    ({ Buffer }) => [Buffer.from("aGk_", "base64url").toString("hex"), Buffer.from("_-8", "base64").toString("hex"), Buffer.from("zz", "hex").length],
    ({ Buffer }) => [Buffer.byteLength("€"), Buffer.byteLength("aGk", "base64url"), Buffer.isEncoding("BASE64URL"), Buffer.isBuffer(new Uint8Array(1))],
    ({ Buffer }) => Buffer.concat([Buffer.from([1, 2]), Buffer.alloc(2, "ab")]).toJSON(),
    ({ Buffer }) => [new Uint8Array([2, 3]), "c", 4].map((sought) => [Buffer.from([1, 2, 3, 4]).indexOf(sought), Buffer.from([2, 3, 2, 3]).lastIndexOf(sought)]),
    ({ Buffer }) => {
      const buffer = Buffer.alloc(24);
      buffer.writeUInt32BE(0xdeadbeef, 0);
      buffer.writeDoubleLE(1.5, 4);
      buffer.writeBigInt64BE(-5n, 12);
      buffer.writeInt16LE(-2, 20);
      return [buffer.toString("hex"), buffer.readUInt32BE(0), buffer.readDoubleLE(4), buffer.readBigInt64BE(12), buffer.readInt16LE(20)];
    },
    ({ Buffer }) => [Buffer.from("abcabc").indexOf("c", 3), Buffer.from("abc").includes("bc"), Buffer.compare(Buffer.from("a"), Buffer.from("b"))],
    ({ Buffer }) => [Buffer.from("abc").subarray(1).toString(), Buffer.from("abc").slice(-2).toString(), Buffer.from("abc").equals(Buffer.from("abc"))],
    ({ Buffer }) => [Buffer.from([0xff, 0xfe, 0x41]).toString(), Buffer.from("a\ud800b").toString("hex"), Buffer.from("héllo").toString("utf8", 1, 3)],
    ({ Buffer }) => [Buffer.from("x").write("y"), Buffer.alloc(4).fill("aGk", "base64").toString("hex"), Buffer.from("abcd").swap16().toString()],
    ({ isUtf8, isAscii, Buffer }) => [isUtf8(Buffer.from([0xff])), isUtf8(Buffer.from("é")), isAscii(Buffer.from("a"))],
  );
});

test("string_decoder and punycode", async () => {
  await same("string_decoder", ({ StringDecoder }) => {
    const decoder = new StringDecoder("utf8");
    return [decoder.write(Uint8Array.of(0xe2, 0x82)), decoder.write(Uint8Array.of(0xac, 0x41, 0xc3)), decoder.end()];
  });
  await same("punycode", (punycode) => [punycode.toASCII("mañana.com"), punycode.toUnicode("xn--maana-pta.com"), punycode.ucs2.decode("a😀")]);
});

test("assert", async () => {
  await same(
    "assert",
    (assert) => assert.equal(1, 1),
    (assert) => assert.equal(1, 2),
    (assert) => assert.strictEqual(1, 2),
    (assert) => assert.strictEqual("a", "a", "never"),
    (assert) => assert.ok(0, "own words"),
    (assert) => assert.throws(() => { throw new TypeError("bad"); }, TypeError),
    (assert) => assert.throws(() => {}),
    (assert) => assert.rejects(Promise.reject(new Error("x")), { message: "x" }),
    (assert) => assert.rejects(Promise.resolve(1)),
    (assert) => assert.match("abc", /x/),
    (assert) => assert.fail("boom"),
    (assert) => assert.ifError(null),
    (assert) => [assert.strict.equal === assert.strictEqual, assert.strict.strict === assert.strict, typeof assert],
    (assert) => assert.notDeepStrictEqual({ a: 1 }, { a: 1 }, "same"),
  );
});

test("timers/promises and stream", async () => {
  await same("stream", ({ Readable, Transform, pipeline }) => {
    const upper = new Transform({ transform: (chunk, encoding, done) => done(null, chunk.toString().toUpperCase()) });
    return new Promise((resolve, reject) => {
      const seen = [];
      upper.on("data", (chunk) => seen.push(chunk.toString()));
      pipeline(Readable.from(["a", "b"]), upper, (error) => (error ? reject(error) : resolve(seen)));
    });
  });
  await same(
    "stream",
    async ({ Readable }) => Readable.from([1, 2, 3]).map((n) => n * 2).toArray(),
    async (Stream, require) => require("stream/consumers").json(Stream.Readable.from(['{"a":', "1}"])),
    async ({ Readable, Writable }, require) => {
      const seen = [];
      const sink = new Writable({ objectMode: true, write: (chunk, encoding, done) => (seen.push(chunk), done()) });
      await require("stream/promises").pipeline(Readable.from([1, 2]), async function* (source) { for await (const n of source) yield n + 1; }, sink);
      return seen;
    },
    (Stream) => [Stream.Stream === Stream, new Stream.PassThrough() instanceof Stream, typeof Stream.promises.pipeline],
  );
});
