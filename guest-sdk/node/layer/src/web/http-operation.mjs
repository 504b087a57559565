// One HTTP request as the host's operation `http.request`: what fetch and node:http stand on.

import { Operation } from "../operations.mjs";

const REFUSAL = "an HTTP request was made while the handler was prepared, where nothing can be reached; move it into the handler";

/** A request under way, and its answer. */
export class Exchange {
  #operation;
  /** The next part of the body, which was asked for already: an answer that is short need not be read for its connection to be free. */
  #upcoming = null;
  /** `{ status, reason, headers: [[name, value]], body: Uint8Array }`: the head of the answer, and what there was of its body by then. Each
   * character of a header's value stands for a byte. */
  answer;

  /** Sends it. `timeoutMs`: how long the head of the answer may take, and then each part of its body. */
  constructor({ method, url, headers, body, timeoutMs }) {
    const content = body === undefined || body.length === 0 ? undefined : body.toBase64();
    this.#operation = new Operation("http.request", { method, url, headers, body: content, timeoutMs }, REFUSAL);
    this.answer = this.#begun();
  }

  async #begun() {
    const { status, reason = "", headers, body } = await this.#operation.first;
    this.#ask();
    return { status, reason, headers, body: Uint8Array.fromBase64(body) };
  }

  #ask() {
    if (this.#operation.isOver) {
      this.#upcoming = null;
      return;
    }
    this.#upcoming = this.#operation.next();
    // Heard of when it is asked for.
    this.#upcoming.catch(() => {});
  }

  /** Whether all of the body is there. */
  get isOver() {
    return this.#upcoming === null;
  }

  /** More of the body, or null at its end. */
  async next() {
    if (this.#upcoming === null) return null;
    const { body } = await this.#upcoming;
    this.#ask();
    return Uint8Array.fromBase64(body);
  }

  cancel() {
    this.#operation.cancel();
    this.#upcoming = null;
  }
}
