import { Readable } from "stream";

import { socketError } from "./errors.mjs";
import { distinctHeaders, joinedHeaders } from "./headers.mjs";

/** An answer. Its body is read when somebody wants it, as it is from a socket. */
export class IncomingMessage extends Readable {
  #exchange = null;
  #pairs = [];
  #headers;
  #distinct;

  constructor(socket) {
    super({ autoDestroy: true, emitClose: true });
    Object.assign(this, {
      socket, connection: socket, req: null, aborted: false, complete: false, method: null, url: "",
      httpVersion: "1.1", httpVersionMajor: 1, httpVersionMinor: 1,
      statusCode: null, statusMessage: null, trailers: {}, trailersDistinct: {}, rawTrailers: [],
    });
  }

  /** Of what the host answered; only requests make these. */
  static of(request, exchange, { status, reason, headers, body }) {
    const message = new IncomingMessage(request.socket);
    message.#exchange = exchange;
    message.#pairs = headers;
    message.req = request;
    message.statusCode = status;
    message.statusMessage = reason;
    if (body.length > 0) message.push(Buffer.from(body.buffer, body.byteOffset, body.byteLength));
    if (exchange.isOver) message.#end();
    return message;
  }

  #end() {
    this.complete = true;
    this.push(null);
  }

  get headers() {
    return (this.#headers ??= joinedHeaders(this.#pairs));
  }
  set headers(headers) {
    this.#headers = headers;
  }

  get headersDistinct() {
    return (this.#distinct ??= distinctHeaders(this.#pairs));
  }

  get rawHeaders() {
    return this.#pairs.flat();
  }

  async _read() {
    if (this.#exchange === null || this.complete) return;
    try {
      const part = await this.#exchange.next();
      this.req.heardOf();
      if (part === null) this.#end();
      // Nothing came that could be given: the reader has to be asked to ask again.
      else if (part.length === 0) this._read();
      else this.push(Buffer.from(part.buffer, part.byteOffset, part.byteLength));
    } catch (error) {
      this.destroy(socketError(error));
    }
  }

  _destroy(error, callback) {
    if (!this.complete && !this.readableEnded) {
      this.aborted = true;
      this.#exchange?.cancel();
      this.emit("aborted");
    }
    callback(error);
  }

  setTimeout(ms, listener) {
    this.req?.setTimeout(ms, listener);
    return this;
  }
}
