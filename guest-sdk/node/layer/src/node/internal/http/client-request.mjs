import { Writable } from "stream";

import { Exchange } from "../../../web/http-operation.mjs";
import { abortError, coded, invalidType } from "../errors.mjs";
import { ClientSocket } from "./agent.mjs";
import { hangUp, socketError } from "./errors.mjs";
import { OutgoingHeaders } from "./headers.mjs";
import { IncomingMessage } from "./incoming-message.mjs";

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const UNESCAPED = /[^\x21-\xff]/;

/** What a URL says, as options. */
export function optionsOf(url) {
  const { protocol, hostname, port, pathname, search, username, password, hash, href } = url;
  const options = { protocol, hostname: hostname.replace(/^\[|\]$/g, ""), hash, search, pathname, path: `${pathname}${search}`, href };
  if (port !== "") options.port = Number(port);
  if (username || password) options.auth = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return options;
}

/** `(url[, options][, callback])` or `(options[, callback])`, as options and a callback. */
function argumentsOf(input, options, callback) {
  if (typeof input === "string") input = new URL(input);
  if (!(input instanceof URL)) return [{ ...input }, options];
  const given = optionsOf(input);
  return typeof options === "function" ? [given, options] : [{ ...given, ...options }, callback];
}

/** A request. The host sends it when all of it is written. */
export class ClientRequest extends Writable {
  #headers = new OutgoingHeaders();
  #chunks = [];
  #exchange = null;
  #timer;
  #timeoutMs = 0;
  #usualPort;

  /** `scheme` is that of the module, `http:` or `https:`. */
  constructor(scheme, ...given) {
    // Its end is the answer's.
    super({ autoDestroy: false, emitClose: false, decodeStrings: true });
    const [options, callback] = argumentsOf(...given);
    const protocol = options.protocol ?? options.agent?.protocol ?? scheme;
    if (protocol !== scheme) {
      throw coded(new TypeError(`Protocol "${protocol}" not supported. Expected "${scheme}"`), "ERR_INVALID_PROTOCOL");
    }
    if (options.socketPath) throw coded(new Error("A handler has no sockets: socketPath cannot be used"), "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM");
    this.#usualPort = scheme === "https:" ? 443 : 80;
    this.#describe(options, protocol);
    this.#addHeaders(options);
    this.res = null;
    this.aborted = false;
    this.reusedSocket = false;
    this.maxHeadersCount = null;
    this.socket = this.connection = new ClientSocket(this, scheme === "https:");
    if (typeof callback === "function") this.once("response", callback);
    if (options.timeout) this.setTimeout(options.timeout);
    if (options.signal) this.#obey(options.signal);
    process.nextTick(() => this.#announce());
  }

  #describe({ method = "GET", path = "/", host, hostname, port, defaultPort, agent }, protocol) {
    if (typeof method !== "string") throw invalidType("options.method", "of type string", method);
    if (!TOKEN.test(method)) throw coded(new TypeError(`Method must be a valid HTTP token ["${method}"]`), "ERR_INVALID_HTTP_TOKEN");
    if (UNESCAPED.test(path)) throw coded(new TypeError("Request path contains unescaped characters"), "ERR_UNESCAPED_CHARACTERS");
    this.method = method.toUpperCase();
    this.path = String(path) || "/";
    this.protocol = protocol;
    this.host = hostname || host || "localhost";
    this.port = Number(port || defaultPort || this.#usualPort);
    this.agent = agent;
  }

  #addHeaders({ headers, auth, setHost = true }) {
    if (headers) this.#headers.setAll(headers);
    if (setHost && !this.#headers.has("host")) this.#headers.set("Host", this.#hostHeader());
    if (auth && !this.#headers.has("authorization")) this.#headers.set("Authorization", `Basic ${Buffer.from(auth).toString("base64")}`);
  }

  #hostHeader() {
    const host = this.host.includes(":") ? `[${this.host}]` : this.host;
    return this.port === this.#usualPort ? host : `${host}:${this.port}`;
  }

  #obey(signal) {
    const stop = () => this.destroy(abortError(signal));
    if (signal.aborted) {
      process.nextTick(stop);
      return;
    }
    signal.addEventListener("abort", stop, { once: true });
    this.once("close", () => signal.removeEventListener("abort", stop));
  }

  #announce() {
    if (this.destroyed) return;
    this.emit("socket", this.socket);
    // The host sends a request whole, and waits for nobody's permission.
    if (/^100-continue$/i.test(this.#headers.get("expect"))) this.emit("continue");
  }

  _write(chunk, encoding, callback) {
    this.#chunks.push(chunk);
    callback();
  }

  _final(callback) {
    callback();
    this.#send();
  }

  async #send() {
    try {
      const body = Buffer.concat(this.#chunks);
      this.#chunks = [];
      const url = `${this.protocol}//${this.#hostHeader()}${this.path}`;
      this.#exchange = new Exchange({ method: this.method, url, headers: this.#headers.lines(), body });
      const answer = await this.#exchange.answer;
      if (this.destroyed) return;
      this.heardOf();
      this.#answered(answer);
    } catch (error) {
      this.destroy(socketError(error));
    }
  }

  #answered(answer) {
    const message = IncomingMessage.of(this, this.#exchange, answer);
    this.res = message;
    message.once("close", () => this.#close());
    // Nobody wants it, so nobody would read it.
    if (!this.emit("response", message)) message.resume();
  }

  #close() {
    clearTimeout(this.#timer);
    this.destroyed = true;
    this.emit("close");
  }

  _destroy(error, callback) {
    clearTimeout(this.#timer);
    this.#exchange?.cancel();
    const isAnswered = this.res !== null;
    if (isAnswered) this.res.destroy(error ?? (this.res.complete ? undefined : coded(new Error("aborted"), "ECONNRESET")));
    callback(isAnswered ? null : (error ?? hangUp()));
    // With an answer, this closes when that does.
    if (!isAnswered) process.nextTick(() => this.emit("close"));
  }

  abort() {
    if (this.aborted) return;
    this.aborted = true;
    process.nextTick(() => this.emit("abort"));
    this.destroy();
  }

  /** Something came. */
  heardOf() {
    if (this.#timer !== undefined) this.setTimeout(this.#timeoutMs);
  }

  /** Only tells that nothing came for so long, as in Node: whoever is told decides. */
  setTimeout(ms, listener) {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timeoutMs = this.timeout = ms;
    if (listener) this.once("timeout", listener);
    if (ms > 0) {
      this.#timer = setTimeout(() => {
        this.socket.emit("timeout");
        this.emit("timeout");
      }, ms);
    }
    return this;
  }

  setHeader(name, value) {
    if (this.#exchange !== null) throw coded(new Error("Cannot set headers after they are sent to the client"), "ERR_HTTP_HEADERS_SENT");
    this.#headers.set(name, value);
    return this;
  }
  setHeaders(headers) {
    for (const [name, value] of headers) this.setHeader(name, value);
    return this;
  }
  appendHeader(name, value) {
    this.#headers.append(name, value);
    return this;
  }
  getHeader(name) {
    return this.#headers.get(name);
  }
  hasHeader(name) {
    return this.#headers.has(name);
  }
  removeHeader(name) {
    this.#headers.delete(name);
  }
  getHeaders() {
    return this.#headers.toObject();
  }
  getHeaderNames() {
    return this.#headers.names();
  }
  getRawHeaderNames() {
    return this.#headers.rawNames();
  }

  get headersSent() {
    return this.#exchange !== null;
  }
  get finished() {
    return this.writableEnded;
  }

  // What a connection is told is the host's affair.
  flushHeaders() {}
  setNoDelay() {}
  setSocketKeepAlive() {}
}
