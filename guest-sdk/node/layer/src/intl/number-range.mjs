// Ranges of numbers: 3–5 km, $3.00 – $5.00, ~$3.

import { partsOf } from "./number-parts.mjs";
import { textOf } from "./number-pattern.mjs";

const NUMERIC = new Set([
  "integer",
  "group",
  "decimal",
  "fraction",
  "exponentSeparator",
  "exponentMinusSign",
  "exponentInteger",
  "nan",
  "infinity",
]);
const from = (source) => (part) => ({ ...part, source });

/** What stands before the number, the number, and what stands behind it. */
function pieces(parts) {
  const first = parts.findIndex(({ type }) => NUMERIC.has(type));
  const last = parts.findLastIndex(({ type }) => NUMERIC.has(type));
  return [parts.slice(0, first), parts.slice(first, last + 1), parts.slice(last + 1)];
}

/** What both sides have, if it is worth it: a single sign stands on both. */
const isShared = (left, right) => textOf(left) === textOf(right) && Array.from(textOf(left)).length > 1;

export function rangeParts(format, start, end) {
  const [left, right] = [partsOf(format, start), partsOf(format, end)];
  if (textOf(left) === textOf(right)) {
    const sign = { type: "approximatelySign", value: format.symbols.approximatelySign };
    return [sign, ...left].map(from("shared"));
  }
  const [prefix, number, suffix] = pieces(left);
  const [otherPrefix, otherNumber, otherSuffix] = pieces(right);
  const [before, after] = [isShared(prefix, otherPrefix), isShared(suffix, otherSuffix)];
  const ours = [...(before ? [] : prefix), ...number, ...(after ? [] : suffix)];
  const theirs = [...(before ? [] : otherPrefix), ...otherNumber, ...(after ? [] : otherSuffix)];
  const isBare = ours.length === number.length && theirs.length === otherNumber.length;
  const separator = format.range.replace("{0}", "").replace("{1}", "");
  return [
    ...(before ? prefix.map(from("shared")) : []),
    ...ours.map(from("startRange")),
    { type: "literal", value: isBare ? separator : ` ${separator.trim()} `, source: "shared" },
    ...theirs.map(from("endRange")),
    ...(after ? suffix.map(from("shared")) : []),
  ];
}
