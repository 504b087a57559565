import assert from "node:assert/strict";
import { test } from "node:test";

import { drainMicrotasks, makeRealm } from "./realm.mjs";

/** A realm whose operations are answered by `serve(request)`, in order; `seen` is what was asked for. */
function makeNet(serve) {
  const realm = makeRealm();
  const seen = [];
  realm.serve({ handler: () => null });
  let done = 0;
  realm.answerAll = async () => {
    for (;;) {
      for (let turn = 0; turn < 10 && done === realm.started.length; turn += 1) await drainMicrotasks();
      if (done === realm.started.length) return;
      const [name, json] = realm.started[done++];
      assert.equal(name, "http.request");
      const request = JSON.parse(json);
      if (request.body !== undefined) request.body = Buffer.from(request.body, "base64").toString();
      seen.push(request);
      const { error, status = 200, headers = [], body = "" } = serve(request);
      if (error) realm.settle(done, false, ...error);
      else realm.settle(done, true, JSON.stringify({ status, reason: "", headers, body: Buffer.from(body).toString("base64"), url: request.url }));
    }
  };
  /** What `code`, the body of an async function, comes to, as JSON. */
  realm.evaluate = async (code) => {
    const outcome = realm.run(`(async () => { ${code} })().then((value) => ({ value }), (error) => ({ error: [error.name, error.message] }))`);
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
