// Ranges of numbers: 3–5 km, $3.00 – $5.00, ~$3.

import { partsOf } from "./number-parts.mjs";
import { textOf } from "./number-pattern.mjs";

const NUMERIC = new Set(["integer", "group", "decimal", "fraction", "exponentSeparator", "exponentMinusSign", "exponentInteger", "nan", "infinity"]);
const from = (source) => (part) => ({ ...part, source });

/** What stands before the number, the number, and what stands behind it. */
function pieces(parts) {
  const first = parts.findIndex(({ type }) => NUMERIC.has(type));
  const last = parts.findLastIndex(({ type }) => NUMERIC.has(type));
  return [parts.slice(0, first), parts.slice(first, last + 1), parts.slice(last + 1)];
}

export function rangeParts(format, start, end) {
  const [left, right] = [partsOf(format, start), partsOf(format, end)];
  if (textOf(left) === textOf(right)) {
    const [before, after] = format.approximately.split("{0}");
    const sign = { type: "approximatelySign", value: `${before}${after}`.trim() };
    return [from("shared")(sign), ...left.map(from("shared"))];
  }
  const [prefix, number, suffix] = pieces(left);
  const [otherPrefix, otherNumber, otherSuffix] = pieces(right);
  const separator = format.range.replace("{0}", "").replace("{1}", "");
  const isUnitShared = format.style !== "currency" || true;
  const same = (a, b) => textOf(a) === textOf(b);
  const hasSign = [...prefix, ...otherPrefix].some(({ type }) => type === "minusSign" || type === "plusSign");
  const isCollapsed = isUnitShared && !hasSign && same(prefix, otherPrefix) && same(suffix, otherSuffix);
  if (isCollapsed && (prefix.length > 0 || suffix.length > 0 || true)) {
    const hasSpace = format.style === "currency" && prefix.length > 0;
    return [
      ...prefix.map(from("shared")),
      ...number.map(from("startRange")),
      { type: "literal", value: hasSpace ? separator : separator, source: "shared" },
      ...otherNumber.map(from("endRange")),
      ...suffix.map(from("shared")),
    ];
  }
  return [...left.map(from("startRange")), { type: "literal", value: ` ${separator.trim()} `, source: "shared" }, ...right.map(from("endRange"))];
}
