// Errors of the host in the words of Node's sockets, since libraries that try again look at their codes.

import { coded } from "../errors.mjs";

/** What the host's messages end with, and Node's code for it. */
const CODES = [
  [/cannot connect: /, "ECONNREFUSED"],
  [/the name (could not be resolved|has no address)$/, "ENOTFOUND"],
  [/the connection (was closed before an answer came|broke)/, "ECONNRESET"],
  [/no TLS connection: /, "EPROTO"],
];

export function socketError({ code, message }) {
  if (code === "RESOURCE_DENIED") return coded(new Error(message), "EACCES");
  if (code === "TIMEOUT") return coded(new Error(message), "ETIMEDOUT");
  const known = CODES.find(([pattern]) => pattern.test(message));
  return coded(new Error(message), known?.[1] ?? code);
}

export function hangUp() {
  return coded(new Error("socket hang up"), "ECONNRESET");
}
