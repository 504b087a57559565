/** What `new URL` throws. Not a class of its own: to everybody it is a TypeError. */
export function InvalidUrl() {
  return Object.assign(new TypeError("Invalid URL"), { code: "ERR_INVALID_URL" });
}
