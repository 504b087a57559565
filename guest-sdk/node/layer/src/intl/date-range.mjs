// Ranges of time: 3 – 5 May.

import { tokensOf } from "./date-fields.mjs";
import { fieldsAt, partsOf } from "./date-parts.mjs";
import { textOf } from "./number-pattern.mjs";

const from = (source) => (part) => ({ ...part, source });

export function rangeParts(format, start, end) {
  const [left, right] = [partsOf(format, format.pattern, start), partsOf(format, format.pattern, end)];
  if (textOf(left) === textOf(right)) return left.map(from("shared"));
  const [before, between, after] = format.dates.interval.intervalFormatFallback.split(/\{[01]\}/);
  const literal = (value) => (value === "" ? [] : [{ type: "literal", value, source: "shared" }]);
  return [...literal(before), ...left.map(from("startRange")), ...literal(between), ...right.map(from("endRange")), ...literal(after)];
}

export { fieldsAt, tokensOf };
