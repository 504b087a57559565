import assert from "node:assert/strict";
import { test } from "node:test";

import { drainMicrotasks, makeRealm } from "./realm.mjs";

const base64 = (body) => Buffer.from(body).toString("base64");

/** A realm whose operations are answered by `serve(request)`, in order; `seen` is what was asked for. Of an answer with `parts`, each
 * comes when it was asked for. */
function makeNet(serve) {
  const realm = makeRealm();
  const seen = [];
  const rests = new Map();
  realm.serve({ handler: () => null });
  let done = 0;

  function begin(id) {
    const [name, json] = realm.started[id - 1];
    assert.equal(name, "http.request");
    const request = JSON.parse(json);
    if (request.body !== undefined) request.body = Buffer.from(request.body, "base64").toString();
    seen.push(request);
    const { error, status = 200, headers = [], body = "", parts = [] } = serve(request);
    rests.set(id, [...parts]);
    if (error) realm.settle(id, true, false, ...error);
    else realm.settle(id, parts.length === 0, true, JSON.stringify({ status, reason: "", headers, body: base64(body), url: request.url }));
  }

  function go(id) {
    if (realm.cancelled.includes(id)) return;
    const rest = rests.get(id);
    const part = rest.shift();
    if (part.error) realm.settle(id, true, false, ...part.error);
    else realm.settle(id, rest.length === 0, true, JSON.stringify({ body: base64(part) }));
  }

  realm.answerAll = async () => {
    for (;;) {
      const isQuiet = () => done === realm.started.length && realm.asked.length === 0;
      for (let turn = 0; turn < 10 && isQuiet(); turn += 1) await drainMicrotasks();
      if (isQuiet()) return;
      if (done < realm.started.length) begin((done += 1));
      else go(realm.asked.shift());
    }
  };
  /** What `code`, the body of an async function, comes to, as JSON. */
  realm.evaluate = async (code) => {
    const outcome = realm.run(`(async (builtin) => { ${code} })`)(realm.builtin).then((value) => ({ value }), (error) => ({ error: [error.name, error.message] }));
    await realm.answerAll();
    return JSON.parse(JSON.stringify(await outcome));
  };
  return Object.assign(realm, { seen });
}

test("a response is read in every way", async () => {
  const net = makeNet(() => ({ headers: [["content-type", "application/json"], ["Set-Cookie", "a=1"], ["set-cookie", "b=2"]], body: '{"é":1}' }));
  const { value } = await net.evaluate(`
    const url = "https://example.com/x";
    const ways = [(r) => r.text(), (r) => r.json(), async (r) => [...await r.bytes()].length, async (r) => (await r.arrayBuffer()).byteLength,
      async (r) => (await r.blob()).type, async (r) => (await r.clone().text()) === (await r.text()),
      async (r) => { let length = 0; for await (const chunk of r.body) length += chunk.length; return length; }];
    const read = await Promise.all(ways.map(async (way) => way(await fetch(url))));
    const response = await fetch(new URL(url));
    const { status, ok, headers, redirected, type, bodyUsed } = response;
    await response.text();
    const again = await response.text().catch((error) => error.name);
    return { read, status, ok, cookies: headers.getSetCookie(), kind: headers.get("Content-Type"), redirected, type, bodyUsed, used: response.bodyUsed, again };
  `);
  assert.deepEqual(value, {
    read: ['{"é":1}', { é: 1 }, 8, 8, "application/json", true, 8],
    status: 200, ok: true, cookies: ["a=1", "b=2"], kind: "application/json", redirected: false, type: "basic",
    bodyUsed: false, used: true, again: "TypeError",
  });
});

test("a request carries what it is given", async () => {
  const net = makeNet(() => ({}));
  await net.evaluate(`
    const url = "https://example.com/";
    await fetch(url, { method: "post", body: "text", headers: { "X-A": "1" } });
    await fetch(url, { method: "PUT", body: new URLSearchParams({ a: "1 2" }) });
    await fetch(url, { method: "POST", body: JSON.stringify({}), headers: new Headers({ "content-type": "application/json" }) });
    await fetch(new Request(url, { method: "POST", body: new TextEncoder().encode("bytes") }));
    await fetch(url, { method: "POST", body: new Blob(["bl", "ob"], { type: "text/x" }) });
    await fetch(url, { method: "POST", body: ReadableStream.from(["str", "eam"].map((text) => new TextEncoder().encode(text))), duplex: "half" });
    const form = new FormData();
    form.append("name", "Ada");
    form.append("file", new File(["content"], "a.txt", { type: "text/plain" }));
    await fetch(url, { method: "POST", body: form });
  `);
  const kinds = net.seen.map(({ method, headers, body }) => [method, new Map(headers).get("content-type"), body]);
  assert.deepEqual(kinds.slice(0, 6), [
    ["POST", "text/plain;charset=UTF-8", "text"],
    ["PUT", "application/x-www-form-urlencoded;charset=UTF-8", "a=1+2"],
    ["POST", "application/json", "{}"],
    ["POST", undefined, "bytes"],
    ["POST", "text/x", "blob"],
    ["POST", undefined, "stream"],
  ]);
  assert.equal(new Map(net.seen[0].headers).get("x-a"), "1");
  const [, type, body] = kinds[6];
  const boundary = type.match(/^multipart\/form-data; boundary=(.+)$/)[1];
  assert.equal(body.split(`--${boundary}`).length, 4);
  assert.match(body, /name="name"\r\n\r\nAda\r\n/);
  assert.match(body, /name="file"; filename="a.txt"\r\nContent-Type: text\/plain\r\n/i);
});

test("redirects are followed as the standard says", async () => {
  const answers = {
    "https://a.test/post": { status: 302, headers: [["location", "/got"]] },
    "https://a.test/got": { body: "got" },
    "https://a.test/away": { status: 307, headers: [["Location", "https://b.test/there"]] },
    "https://b.test/there": { body: "there" },
    "https://a.test/loop": { status: 301, headers: [["location", "/loop"]] },
    "https://a.test/file": { status: 301, headers: [["location", "file:///etc/passwd"]] },
  };
  const net = makeNet(({ url }) => answers[url]);
  const { value } = await net.evaluate(`
    const failing = async (url, init) => fetch(url, init).then(() => "", (error) => error.message);
    const posted = await fetch("https://a.test/post", { method: "POST", body: "x" });
    const away = await fetch("https://a.test/away", { method: "POST", body: "kept", headers: { authorization: "secret", cookie: "c", accept: "a/b" } });
    const manual = await fetch("https://a.test/away", { redirect: "manual" });
    return [await posted.text(), posted.url, posted.redirected, await away.text(), manual.status, manual.headers.get("location"),
      await failing("https://a.test/loop"), await failing("https://a.test/file"), await failing("https://a.test/away", { redirect: "error" })];
  `);
  assert.deepEqual(value, [
    "got", "https://a.test/got", true, "there", 307, "https://b.test/there",
    "fetch failed: redirect count exceeded", "fetch failed: a redirect leads to file:", "fetch failed: unexpected redirect",
  ]);
  const [post, got, away, there] = net.seen;
  assert.deepEqual([post.method, got.method, got.body, away.body, there.method, there.body], ["POST", "GET", undefined, "kept", "POST", "kept"]);
  assert.deepEqual(there.headers.map(([name]) => name).filter((name) => ["authorization", "cookie", "accept"].includes(name)), ["accept"]);
  assert.ok(!got.headers.some(([name]) => name.startsWith("content-")));
});

test("failures say why, and aborting is heard at once", async () => {
  const net = makeNet(() => ({ error: ["RESOURCE_DENIED", "example.com is not allowed: --allow-net"] }));
  assert.deepEqual((await net.evaluate('await fetch("https://example.com/");')).error,
    ["TypeError", "fetch failed: example.com is not allowed: --allow-net"]);
  for (const [code, name, message] of [
    ['fetch("nonsense")', "TypeError", /Failed to parse URL from nonsense/],
    ['fetch("https://a.test", { method: "GET", body: "x" })', "TypeError", /cannot have body/],
    ['fetch("https://a.test", { method: "a b" })', "TypeError", /not a valid HTTP method/],
    ['fetch("https://a.test", { signal: AbortSignal.abort() })', "AbortError", /aborted/],
    ['{ const c = new AbortController(); const p = fetch("https://a.test", { signal: c.signal }); c.abort(new RangeError("mine")); await p; }', "RangeError", /mine/],
  ]) {
    const { error } = await net.evaluate(`await ${code.startsWith("{") ? `(async () => ${code})()` : code};`);
    assert.equal(error[0], name, code);
    assert.match(error[1], message);
  }
});

test("nothing is fetched while the handler is prepared", async () => {
  const realm = makeRealm();
  const error = await realm.run('fetch("https://a.test/").catch((error) => error.message)');
  assert.match(error, /while the handler was prepared/);
});

test("a body is read as it comes", async () => {
  const net = makeNet(({ url }) => ({
    "https://a.test/parts": { body: "a", parts: ["b", "", "c"] },
    "https://a.test/late": { parts: ["late"] },
    "https://a.test/breaks": { body: "a", parts: ["b", { error: ["HANDLER_ERROR", "a.test: the connection broke within the answer"] }] },
  })[url]);
  const { value } = await net.evaluate(`
    const read = async (path) => (await fetch("https://a.test" + path)).text().catch((error) => error.message);
    const chunks = [];
    for await (const chunk of (await fetch("https://a.test/parts")).body) chunks.push(new TextDecoder().decode(chunk));
    return [chunks, await read("/parts"), await read("/late"), await read("/breaks")];
  `);
  assert.deepEqual(value, [["a", "b", "c"], "abc", "late", "terminated: a.test: the connection broke within the answer"]);
  assert.deepEqual(net.cancelled, []);
});

test("what nobody reads any more is cancelled", async () => {
  const net = makeNet(() => ({ body: "a", parts: ["b", "c", "d"] }));
  const { value } = await net.evaluate(`
    for await (const chunk of (await fetch("https://a.test/1")).body) break;
    const controller = new AbortController();
    const response = await fetch("https://a.test/2", { signal: controller.signal });
    controller.abort();
    return response.text().catch((error) => error.name);
  `);
  assert.equal(value, "AbortError");
  assert.deepEqual(net.cancelled, [1, 2]);
});

test("node:http makes requests, and reads what comes", async () => {
  const net = makeNet(({ url, method }) =>
    url.endsWith("/denied") ? { error: ["RESOURCE_DENIED", "no"] } : { status: 201, headers: [["x-a", "1"], ["x-a", "2"], ["set-cookie", "a"]], body: method, parts: [" and more"] });
  const { value } = await net.evaluate(`
    const [http, https] = ['http', 'https'].map(builtin);
    const read = (request) => new Promise((resolve, reject) => {
      request.on("error", reject).on("response", (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk) => (text += chunk)).on("end", () => resolve([response.statusCode, response.headers, text]));
      });
    });
    const got = await read(http.get("http://a.test:8080/x?y=1", { headers: { "X-B": ["1", "2"] } }));
    const post = https.request({ hostname: "b.test", path: "/p", method: "post", auth: "user:word" });
    const posting = read(post);
    post.write("bo");
    post.end("dy");
    const posted = await posting;
    const denied = await read(http.get("http://a.test/denied")).catch((error) => error.code);
    const closed = await new Promise((resolve) => http.get("http://a.test/closed").on("response", (r) => r.resume()).on("close", () => resolve("closed")));
    return [got, posted, denied, closed];
  `);
  const headers = { "x-a": "1, 2", "set-cookie": ["a"] };
  assert.deepEqual(value, [[201, headers, "GET and more"], [201, headers, "POST and more"], "EACCES", "closed"]);
  const [get, post] = net.seen;
  assert.deepEqual(get, { method: "GET", url: "http://a.test:8080/x?y=1", headers: [["X-B", "1"], ["X-B", "2"], ["Host", "a.test:8080"]] });
  assert.deepEqual(post, { method: "POST", url: "https://b.test/p", headers: [["Host", "b.test"], ["Authorization", "Basic dXNlcjp3b3Jk"]], body: "body" });
});

test("forms that were sent are read again", async () => {
  const net = makeNet(() => ({}));
  const { value } = await net.evaluate(`
    const form = new FormData();
    form.append("name", "Ada é");
    form.append("file", new File(["con\\r\\ntent"], "a \\"b.txt", { type: "text/x" }));
    form.append("name", "again");
    const read = async (body, headers) => {
      const form = await new Response(body, { headers }).formData();
      return Promise.all([...form].map(async ([name, value]) => [name, typeof value === "string" ? value : [value.name, value.type, await value.text()]]));
    };
    const broken = (body, type) => read(body, { "content-type": type }).catch(({ name, message }) => [name, message]);
    return [
      await read(form),
      await read(new URLSearchParams({ a: "1 2" })),
      await broken("--X\\r\\nnothing", "multipart/form-data; boundary=X"),
      await broken("x", "multipart/form-data"),
      (await broken("x", "text/plain"))[0],
    ];
  `);
  const [whole, fields, unfinished, boundless, other] = value;
  assert.deepEqual(whole, [["name", "Ada é"], ["name", "again"], ["file", ['a "b.txt', "text/x", "con\r\ntent"]]]);
  assert.deepEqual(fields, [["a", "1 2"]]);
  for (const [name, message] of [unfinished, boundless]) {
    assert.equal(name, "TypeError");
    assert.match(message, /^Failed to parse body as FormData: /);
  }
  assert.equal(other, "TypeError");
});

test("streams turn text into bytes and back", async () => {
  const net = makeNet(() => ({}));
  const { value } = await net.evaluate(`
    const chunks = ["a\\ud83d", "\\ude00é", "b"];
    let text = "";
    for await (const chunk of ReadableStream.from(chunks).pipeThrough(new TextEncoderStream()).pipeThrough(new TextDecoderStream())) text += chunk;
    return text;
  `);
  assert.equal(value, "a😀éb");
});
