// The module of unenv, which is Node's own, without its warning on every first use of the old functions.

import url from "unenv/node/url";

const { Url } = url;

function parse(text, parsesQuery, slashesDenoteHost) {
  if (text instanceof Url) return text;
  const parsed = new Url();
  parsed.parse(text, parsesQuery, slashesDenoteHost);
  return parsed;
}

function resolveObject(from, to) {
  return from ? parse(from, false, true).resolveObject(parse(to, false, true)) : to;
}

export default {
  ...url,
  format: (value, options) => url.format(typeof value === "string" ? parse(value) : value, options),
  parse,
  resolve: (from, to) => resolveObject(parse(from, false, true), to).format(),
  resolveObject,
};
