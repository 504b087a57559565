// Rules of plural forms, as CLDR writes them: `i % 10 = 2..4 and i % 100 != 12..14`.

import { fileAt } from "./data.mjs";
import { isZero, written } from "./decimal.mjs";

const kept = new Map();

/** The categories of a language and their rules, as functions of the operands: all but `other`, which is what is left. */
export function rulesOf(kind, data) {
  const all = fileAt("plurals")[kind];
  const name = ruleName(all, data);
  const key = `${kind} ${name}`;
  if (!kept.has(key)) {
    const rules = all[name] ?? {};
    kept.set(
      key,
      Object.keys(rules)
        .filter((category) => category !== "other")
        .map((category) => [category, parsed(rules[category])]),
    );
  }
  return kept.get(key);
}

/** pt-PT has rules of its own. */
const ruleName = (all, data) => (Object.hasOwn(all, data) ? data : data.split("-", 1)[0]);

/** A condition as alternatives of relations that hold together. */
function parsed(rule) {
  return rule.split(" or ").map((alternative) => alternative.split(" and ").map(relation));
}

function relation(text) {
  const [, operand, modulus, sign, list] = /^([nivwftec])(?: % (\d+))? (!?=) (.+)$/.exec(text);
  const ranges = list.split(",").map((range) => range.split("..").map(Number));
  return { operand, modulus: modulus === undefined ? undefined : Number(modulus), isEqual: sign === "=", ranges };
}

function holds({ operand, modulus, isEqual, ranges }, operands) {
  const value = modulus === undefined ? operands[operand] : operands[operand] % modulus;
  return (
    ranges.some(([from, to = from]) => (from === to ? value === from : value >= from && value <= to && Number.isInteger(value))) === isEqual
  );
}

/** The category of a decimal that is written with so many digits at least. */
export function categoryOf(rules, value, integerMin = 1, fractionMin = 0) {
  if (rules.length === 0 || value.special !== undefined) return "other";
  const operands = operandsOf(value, integerMin, fractionMin);
  const found = rules.find(([, alternatives]) => alternatives.some((relations) => relations.every((its) => holds(its, operands))));
  return found === undefined ? "other" : found[0];
}

/** Fifteen digits decide everything that rules ask. */
const lastOf = (digits) => Number(digits.slice(-15));

function operandsOf(value, integerMin, fractionMin) {
  const [integer, fraction] = isZero(value) ? ["0", "0".repeat(fractionMin)] : written(value, integerMin, fractionMin);
  const bare = fraction.replace(/0+$/, "");
  const i = integer.length > 15 ? lastOf(integer) + 1e15 : lastOf(integer);
  return {
    n: bare === "" ? i : i + Number(`0.${bare}`),
    i,
    v: fraction.length,
    w: bare.length,
    f: lastOf(fraction),
    t: lastOf(bare),
    e: 0,
    c: 0,
  };
}

/** The category of a range from one to another. */
export function rangeCategory(data, start, end) {
  const { ranges } = fileAt("plurals");
  return ranges[ruleName(ranges, data)]?.[`${start}-${end}`] ?? "other";
}
