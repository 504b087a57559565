// fetch over the host's operation `http.request`: the host decides where a request may go, and all else is done here.

import { Headers } from "headers-polyfill";

import { defineClasses, defineGlobal } from "../intrinsics.mjs";
import { Exchange } from "./http-operation.mjs";
import { Blob, Body, File, FormData, SHARE, TAKE } from "./body.mjs";
import { incoming } from "./incoming.mjs";

const REDIRECTS_MAX = 20;
const REDIRECTS = [301, 302, 303, 307, 308];
const WITHOUT_BODY = [101, 103, 204, 205, 304];
/** Not given to another origin. */
const SECRETS = ["authorization", "proxy-authorization", "cookie", "host"];
const METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH"];
const FORBIDDEN_METHODS = ["CONNECT", "TRACE", "TRACK"];

/** Makes responses that nobody but a server can have made. */
const OF = Symbol("of");

function methodOf(given) {
  const method = String(given);
  const upper = method.toUpperCase();
  if (!/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(method)) throw new TypeError(`'${method}' is not a valid HTTP method.`);
  if (FORBIDDEN_METHODS.includes(upper)) throw new TypeError(`'${method}' HTTP method is unsupported.`);
  return METHODS.includes(upper) ? upper : method;
}

function urlOf(given) {
  let url;
  try {
    url = new URL(String(given));
  } catch {
    throw new TypeError(`Failed to parse URL from ${given}`);
  }
  if (url.username !== "" || url.password !== "") throw new TypeError("A URL for fetch holds no user and no password");
  return url.href;
}

class Request extends Body {
  #url;
  #method;
  #headers;
  #init;

  constructor(input, init = {}) {
    super();
    const from = input instanceof Request ? input : null;
    this.#url = from === null ? urlOf(input) : from.url;
    this.#method = init.method === undefined ? (from?.method ?? "GET") : methodOf(init.method);
    this.#headers = new Headers(init.headers ?? from?.headers);
    const { redirect = "follow", signal = null, cache = "default", credentials = "same-origin", mode = "cors" } =
      from === null ? init : { ...from.#init, ...init };
    if (!["follow", "manual", "error"].includes(redirect)) throw new TypeError(`Request: ${redirect} is no kind of redirect`);
    this.#init = { redirect, signal, cache, credentials, mode };
    const body = init.body ?? null;
    if (body !== null && ["GET", "HEAD"].includes(this.#method)) {
      throw new TypeError("Request with GET/HEAD method cannot have body.");
    }
    const type = this[TAKE](body ?? (from === null || init.body === null ? null : from[SHARE]()));
    if (type !== null && !this.#headers.has("content-type")) this.#headers.set("content-type", type);
  }

  get url() {
    return this.#url;
  }
  get method() {
    return this.#method;
  }
  get headers() {
    return this.#headers;
  }
  get redirect() {
    return this.#init.redirect;
  }
  /** As Node has it: there is always one. */
  get signal() {
    return (this.#init.signal ??= new AbortController().signal);
  }
  get cache() {
    return this.#init.cache;
  }
  get credentials() {
    return this.#init.credentials;
  }
  get mode() {
    return this.#init.mode;
  }
  get duplex() {
    return "half";
  }

  clone() {
    return new Request(this);
  }
}

class Response extends Body {
  #status;
  #statusText;
  #headers;
  #url = "";
  #type = "default";
  #isRedirected = false;

  constructor(body = null, { status = 200, statusText = "", headers } = {}) {
    super();
    const isStatus = Number.isInteger(status) && status >= 200 && status <= 599;
    if (!isStatus) throw new RangeError(`init["status"] must be in the range of 200 to 599, inclusive.`);
    if (body !== null && WITHOUT_BODY.includes(status)) throw new TypeError(`Response with status ${status} has no body`);
    this.#status = status;
    this.#statusText = String(statusText);
    this.#headers = new Headers(headers);
    const type = this[TAKE](body);
    if (type !== null && !this.#headers.has("content-type")) this.#headers.set("content-type", type);
  }

  static error() {
    const response = new Response();
    response.#type = "error";
    response.#status = 0;
    return response;
  }

  static json(data, init = {}) {
    const headers = new Headers(init.headers);
    if (!headers.has("content-type")) headers.set("content-type", "application/json");
    return new Response(JSON.stringify(data), { ...init, headers });
  }

  static redirect(url, status = 302) {
    if (!REDIRECTS.includes(status)) throw new RangeError(`Invalid status code ${status}`);
    return new Response(null, { status, headers: { location: new URL(String(url)).href } });
  }

  /** What a server answered. */
  static [OF]({ status, reason, headers }, body, url, isRedirected) {
    const response = new Response(null, { status: Math.max(status, 200), statusText: reason });
    response.#status = status;
    for (const [name, value] of headers) response.#headers.append(name, value);
    response[TAKE](body);
    response.#url = url;
    response.#type = "basic";
    response.#isRedirected = isRedirected;
    return response;
  }

  get status() {
    return this.#status;
  }
  get ok() {
    return this.#status >= 200 && this.#status <= 299;
  }
  get statusText() {
    return this.#statusText;
  }
  get headers() {
    return this.#headers;
  }
  get url() {
    return this.#url;
  }
  get type() {
    return this.#type;
  }
  get redirected() {
    return this.#isRedirected;
  }

  clone() {
    const copy = new Response(this[SHARE](), { status: Math.max(this.#status, 200), statusText: this.#statusText, headers: this.#headers });
    copy.#status = this.#status;
    copy.#url = this.#url;
    copy.#type = this.#type;
    copy.#isRedirected = this.#isRedirected;
    return copy;
  }
}

/** Rejects when the signal aborts. Nothing keeps listening afterwards. */
async function unlessAborted(signal, promise) {
  let stop;
  const aborted = new Promise((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Where an answer leads, and with what; null if it leads nowhere. */
function redirected(hop, answer) {
  const location = REDIRECTS.includes(answer.status) && answer.headers.find(([name]) => name.toLowerCase() === "location")?.[1];
  if (!location) return null;
  const url = new URL(location, hop.url);
  if (url.protocol !== "http:" && url.protocol !== "https:") throw new Error(`a redirect leads to ${url.protocol}`);
  const isPost = hop.method === "POST" && (answer.status === 301 || answer.status === 302);
  const becomesGet = isPost || (answer.status === 303 && hop.method !== "GET" && hop.method !== "HEAD");
  const isElsewhere = url.origin !== new URL(hop.url).origin;
  const headers = hop.headers.filter(([name]) => {
    const isOfBody = becomesGet && name.startsWith("content-");
    return !isOfBody && !(isElsewhere && SECRETS.includes(name));
  });
  return { url: url.href, method: becomesGet ? "GET" : hop.method, headers, body: becomesGet ? undefined : hop.body };
}

async function follow(request, body, current) {
  let hop = { url: request.url, method: request.method, headers: [...request.headers], body };
  for (let hops = 0; ; hops += 1) {
    const exchange = (current.exchange = new Exchange(hop));
    const answer = await exchange.answer;
    const next = request.redirect === "manual" ? null : redirected(hop, answer);
    if (next === null) {
      const content = WITHOUT_BODY.includes(answer.status) ? null : incoming(exchange, answer, request.signal);
      return Response[OF](answer, content, hop.url, hops > 0);
    }
    exchange.cancel();
    if (request.redirect === "error") throw new Error("unexpected redirect");
    if (hops >= REDIRECTS_MAX) throw new Error("redirect count exceeded");
    hop = next;
  }
}

export async function fetch(input, init) {
  const request = new Request(input, init);
  request.signal.throwIfAborted();
  if (!request.headers.has("accept")) request.headers.set("accept", "*/*");
  if (!request.headers.has("accept-encoding")) request.headers.set("accept-encoding", "gzip, deflate, br");
  if (!request.headers.has("user-agent")) request.headers.set("user-agent", "node");
  // Made now, since the caller is on the stack only now.
  const failure = new TypeError("fetch failed");
  const current = { exchange: null };
  const sent = (async () => {
    const body = request.body === null ? undefined : await request.bytes();
    try {
      return await follow(request, body, current);
    } catch (cause) {
      failure.message = `fetch failed: ${cause.message}`;
      failure.cause = cause;
      throw failure;
    }
  })();
  // Whoever aborts does not hear of what came after.
  sent.catch(() => {});
  return unlessAborted(request.signal, sent).catch((error) => {
    // The connection is closed, too.
    if (request.signal.aborted) current.exchange?.cancel();
    throw error;
  });
}

export function installFetch() {
  defineClasses({ Request, Response });
  // The classes are told by their packages what they are.
  for (const [name, value] of Object.entries({ Blob, File, FormData, Headers, fetch })) defineGlobal(name, value);
}
