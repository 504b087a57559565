// Headers as node:http has them: what is set for a request, and what an answer makes of those it came with.

import { coded } from "../errors.mjs";

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FOREIGN_CHARACTER = /[^\t\x20-\x7e\x80-\xff]/;

export function validateHeaderName(name, label = "Header name") {
  if (typeof name !== "string" || !TOKEN.test(name)) {
    throw coded(new TypeError(`${label} must be a valid HTTP token ["${name}"]`), "ERR_INVALID_HTTP_TOKEN");
  }
}

export function validateHeaderValue(name, value) {
  if (value === undefined) throw coded(new TypeError(`Invalid value "undefined" for header "${name}"`), "ERR_HTTP_INVALID_HEADER_VALUE");
  if (FOREIGN_CHARACTER.test(value)) throw coded(new TypeError(`Invalid character in header content ["${name}"]`), "ERR_INVALID_CHAR");
}

/** What is set for a request: by name in lower case, each as `[name, value]`, the value as it was given. */
export class OutgoingHeaders {
  #entries = new Map();

  set(name, value) {
    validateHeaderName(name);
    for (const one of [value].flat()) validateHeaderValue(name, one);
    this.#entries.set(name.toLowerCase(), [name, value]);
  }

  /** An object, a Map, Headers, or names and values in turn. */
  setAll(headers) {
    if (!Array.isArray(headers)) {
      const pairs = typeof headers[Symbol.iterator] === "function" ? headers : Object.entries(headers);
      for (const [name, value] of pairs) this.set(name, value);
    } else if (Array.isArray(headers[0])) {
      for (const [name, value] of headers) this.append(name, value);
    } else {
      for (let at = 0; at < headers.length; at += 2) this.append(headers[at], headers[at + 1]);
    }
  }

  append(name, value) {
    const before = this.get(name);
    this.set(name, before === undefined ? value : [before, value].flat());
  }

  get(name) {
    return this.#entries.get(String(name).toLowerCase())?.[1];
  }

  has(name) {
    return this.#entries.has(String(name).toLowerCase());
  }

  delete(name) {
    this.#entries.delete(String(name).toLowerCase());
  }

  names() {
    return [...this.#entries.keys()];
  }

  rawNames() {
    return [...this.#entries.values()].map(([name]) => name);
  }

  toObject() {
    return Object.assign(Object.create(null), Object.fromEntries([...this.#entries].map(([key, [, value]]) => [key, value])));
  }

  /** One pair for each line. */
  lines() {
    return [...this.#entries.values()].flatMap(([name, value]) => [value].flat().map((one) => [name, String(one)]));
  }
}

/** Those that mean nothing twice: the first one counts. */
const ONCE = new Set(
  ("age authorization content-length content-type etag expires from host if-modified-since if-unmodified-since last-modified location " +
    "max-forwards proxy-authorization referer retry-after server user-agent").split(" "),
);

/** `headers` of an answer that came with these pairs. */
export function joinedHeaders(pairs) {
  const headers = {};
  for (const [name, value] of pairs) {
    const key = name.toLowerCase();
    if (key === "set-cookie") (headers[key] ??= []).push(value);
    else if (!Object.hasOwn(headers, key)) headers[key] = value;
    else if (!ONCE.has(key)) headers[key] += `${key === "cookie" ? "; " : ", "}${value}`;
  }
  return headers;
}

export function distinctHeaders(pairs) {
  const headers = Object.create(null);
  for (const [name, value] of pairs) (headers[name.toLowerCase()] ??= []).push(value);
  return headers;
}
