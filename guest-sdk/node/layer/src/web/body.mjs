// What requests and responses carry. Kept as it was given for as long as nobody asks for a stream: most bodies are read whole.

import { getMultipartBoundary, parseMultipart } from "@remix-run/multipart-parser";
import { FormDataEncoder } from "form-data-encoder";
import { Blob, File, FormData } from "formdata-node";

import { ReadableStream } from "./streams.mjs";

/** Between the classes here: `[TAKE](given)` takes a body in and answers the type that it has of itself; `[SHARE]()` answers one like it. */
export const TAKE = Symbol("take");
export const SHARE = Symbol("share");

const encoder = new TextEncoder();
const NO_BYTES = new Uint8Array(0);

/** `{ bytes }`, `{ stream }` or `{ blob }`, and the type that it has of itself. */
function extract(given) {
  if (typeof given === "string") return { bytes: encoder.encode(given), type: "text/plain;charset=UTF-8" };
  if (given instanceof URLSearchParams) {
    return { bytes: encoder.encode(given.toString()), type: "application/x-www-form-urlencoded;charset=UTF-8" };
  }
  if (given instanceof ArrayBuffer) return { bytes: new Uint8Array(given.slice(0)), type: null };
  // A copy: what becomes of the caller's bytes later is the caller's.
  if (ArrayBuffer.isView(given)) return { bytes: new Uint8Array(given.buffer, given.byteOffset, given.byteLength).slice(), type: null };
  if (given instanceof Blob) return { blob: given, type: given.type || null };
  if (given instanceof FormData) {
    const form = new FormDataEncoder(given);
    return { stream: ReadableStream.from(form.encode()), type: form.contentType };
  }
  if (given instanceof ReadableStream) {
    if (given.locked) throw new TypeError("The body is a stream that somebody reads already");
    return { stream: given, type: null };
  }
  if (typeof given?.[Symbol.asyncIterator] === "function") return { stream: ReadableStream.from(given), type: null };
  return { bytes: encoder.encode(String(given)), type: "text/plain;charset=UTF-8" };
}

/** One of many. */
export function joined(chunks) {
  if (chunks.length === 1) return chunks[0];
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/** All that a stream gives. */
async function drain(stream) {
  const chunks = [];
  for await (const chunk of stream) {
    const bytes = typeof chunk === "string" ? encoder.encode(chunk) : chunk;
    if (!ArrayBuffer.isView(bytes)) throw new TypeError("A stream that is a body gives Uint8Arrays");
    chunks.push(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }
  return joined(chunks);
}

/** Quotes and line ends in names are written so, by the standard. */
const unescaped = (name) => name.replaceAll("%22", '"').replaceAll("%0D", "\r").replaceAll("%0A", "\n");

/** They are bounded by what the body may have, and need no bounds of their own. */
function appendParts(form, bytes, type) {
  const options = { boundary: getMultipartBoundary(type) ?? "", maxFileSize: Infinity, maxParts: Infinity, maxTotalSize: Infinity };
  try {
    for (const { name, filename, mediaType, isFile, text, bytes: content } of parseMultipart(bytes, options)) {
      if (name === undefined) throw new Error("a part has no name");
      if (isFile) form.append(unescaped(name), new File([content], unescaped(filename ?? ""), { type: mediaType ?? "" }));
      else form.append(unescaped(name), text);
    }
  } catch (cause) {
    throw new TypeError(`Failed to parse body as FormData: ${cause.message}`, { cause });
  }
}

/** What Request and Response have in common. */
export class Body {
  /** As `extract` answers it; null: there is none. */
  #content = null;
  #stream = null;
  #isUsed = false;

  [TAKE](given) {
    if (given === null || given === undefined) return null;
    this.#content = extract(given);
    return this.#content.type;
  }

  get body() {
    if (this.#content === null) return null;
    const { bytes, blob, stream } = this.#content;
    this.#stream ??= stream ?? blob?.stream() ?? ReadableStream.from(bytes.length > 0 ? [bytes] : []);
    return this.#stream;
  }

  get bodyUsed() {
    return this.#isUsed || (this.#stream !== null && this.#stream.locked);
  }

  async bytes() {
    if (this.bodyUsed) throw new TypeError("Body is unusable: Body has already been read");
    if (this.#content === null) return NO_BYTES;
    this.#isUsed = true;
    const { bytes, blob } = this.#content;
    if (this.#stream === null && bytes !== undefined) return bytes;
    if (this.#stream === null && blob !== undefined) return new Uint8Array(await blob.arrayBuffer());
    return drain(this.body);
  }

  async arrayBuffer() {
    const bytes = await this.bytes();
    return bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer;
  }

  async text() {
    return new TextDecoder().decode(await this.bytes());
  }

  async json() {
    return JSON.parse(await this.text());
  }

  async blob() {
    return new Blob([await this.bytes()], { type: this.headers.get("content-type") ?? "" });
  }

  async formData() {
    const type = this.headers.get("content-type") ?? "";
    const isFields = /^application\/x-www-form-urlencoded\b/i.test(type);
    if (!isFields && !/^multipart\/form-data\b/i.test(type)) {
      throw new TypeError(`formData() reads multipart/form-data and application/x-www-form-urlencoded, and this is ${type || "of no type"}: use text() or bytes()`);
    }
    const form = new FormData();
    if (isFields) {
      for (const [name, value] of new URLSearchParams(await this.text())) form.append(name, value);
    } else {
      appendParts(form, await this.bytes(), type);
    }
    return form;
  }

  [SHARE]() {
    if (this.bodyUsed) throw new TypeError("Body is unusable: what has been read cannot be cloned");
    if (this.#content === null) return null;
    const { bytes, blob } = this.#content;
    if (this.#stream === null && (bytes ?? blob) !== undefined) return bytes ?? blob;
    const [mine, theirs] = this.body.tee();
    this.#stream = mine;
    this.#content = { stream: mine, type: this.#content.type };
    return theirs;
  }
}

export { Blob, File, FormData };
