// One HTTP request as the host's operation `http.request`: what fetch and node:http stand on.

import { start } from "../operations.mjs";

const REFUSAL = "an HTTP request was made while the handler was prepared, where nothing can be reached; move it into the handler";

/**
 * Sends `{ method, url, headers: [[name, value]], body?: Uint8Array, timeoutMs? }`. The answer is
 * `{ status, reason, headers: [[name, value]], body: Uint8Array }`; each character of a header's value stands for a byte.
 */
export async function send({ method, url, headers, body, timeoutMs }) {
  const content = body === undefined || body.length === 0 ? undefined : body.toBase64();
  const { status, reason, headers: fields, body: base64 } = await start("http.request", { method, url, headers, body: content, timeoutMs }, REFUSAL);
  return { status, reason: reason ?? "", headers: fields, body: Uint8Array.fromBase64(base64) };
}
