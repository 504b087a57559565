// The connections are the host's, which keeps and shares them itself. What is here holds the options that libraries set and look at.

import EventEmitter from "events";

export class Agent extends EventEmitter {
  requests = {};
  sockets = {};
  freeSockets = {};

  constructor(options = {}) {
    super();
    this.options = { ...options, noDelay: true, path: null };
    this.defaultPort = 80;
    this.protocol = "http:";
    this.keepAlive = options.keepAlive ?? false;
    this.keepAliveMsecs = options.keepAliveMsecs ?? 1000;
    this.maxSockets = options.maxSockets ?? Infinity;
    this.maxFreeSockets = options.maxFreeSockets ?? 256;
    this.maxTotalSockets = options.maxTotalSockets ?? Infinity;
    this.scheduling = options.scheduling ?? "lifo";
  }

  getName({ host = "localhost", port = "", localAddress = "" } = {}) {
    return `${host}:${port}:${localAddress}`;
  }

  destroy() {}
}

/** What a request shows of its connection. */
export class ClientSocket extends EventEmitter {
  connecting = false;
  destroyed = false;
  readable = true;
  writable = true;
  bytesRead = 0;
  bytesWritten = 0;
  #request;

  constructor(request, isEncrypted) {
    super();
    this.#request = request;
    if (isEncrypted) {
      this.encrypted = true;
      this.authorized = true;
    }
  }

  setTimeout(ms, listener) {
    this.#request.setTimeout(ms, listener);
    return this;
  }
  setKeepAlive() {
    return this;
  }
  setNoDelay() {
    return this;
  }
  ref() {
    return this;
  }
  unref() {
    return this;
  }
  address() {
    return {};
  }

  destroy(error) {
    this.destroyed = true;
    this.#request.destroy(error);
    return this;
  }
}
