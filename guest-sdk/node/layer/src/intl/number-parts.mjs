// Formats a number: rounds it, and puts signs, currency, unit and power around its digits.

import { dataOf } from "./data.mjs";
import { isZero, shifted, written } from "./decimal.mjs";
import { inDigits } from "./locales.mjs";
import { round } from "./number-digits.mjs";
import { filled, joined, parsePattern, textOf, worded } from "./number-pattern.mjs";
import { categoryOf } from "./plurals.mjs";

/** The parts of a decimal. `format` is what the constructor resolved. */
export function partsOf(format, given) {
  return joined(piecesOf(format, given));
}

export function formatted(format, given) {
  return textOf(piecesOf(format, given));
}

/** As above, but that literals and marks of direction are as they came. */
function piecesOf(format, given) {
  const value = format.style === "percent" ? shifted(given, 2) : given;
  const notation = NOTATIONS[format.notation](format, value);
  const { rounded, pattern, exponent = [] } = notation;
  const digits = [...(notation.isWord ? [] : digitsOf(format, rounded)), ...exponent];
  const affixed = affix(format, pattern, signOf(format, rounded.value), digits);
  if (format.style === "currency" && format.currencyDisplay === "name") return currencyNamed(format, affixed, rounded);
  return format.style === "unit" ? united(format, affixed, rounded) : affixed;
}

/** How the number itself is written: its rounded value, a pattern, and a power of ten behind it. */
const NOTATIONS = {
  standard: (format, value) => ({ rounded: round(value, format.digits), pattern: format.pattern }),
  scientific: (format, value) => powered(format, value, 1),
  engineering: (format, value) => powered(format, value, 3),
  compact,
};

function powered(format, value, step) {
  const power = (its) => (its.special !== undefined || isZero(its) ? 0 : Math.floor((its.point - 1) / step) * step);
  let exponent = power(value);
  let rounded = round(shifted(value, -exponent), format.digits);
  // 9.99 may have become 10.
  const again = power(shifted(rounded.value, exponent));
  if (again !== exponent) {
    exponent = again;
    rounded = round(shifted(value, -exponent), format.digits);
  }
  if (value.special !== undefined) return { rounded, pattern: format.pattern };
  const { exponential, minusSign } = format.symbols;
  const parts = [{ type: "exponentSeparator", value: exponential }];
  if (exponent < 0) parts.push({ type: "exponentMinusSign", value: minusSign });
  parts.push({ type: "exponentInteger", value: inDigits(String(Math.abs(exponent)), format.system) });
  return { rounded, pattern: format.pattern, exponent: parts };
}

/** Thousands, millions: a pattern for each power of ten, with as many zeros as it leaves digits. */
function compact(format, value) {
  const patterns = format.compactPatterns;
  const powerMax = Math.max(...Object.keys(patterns).map(Number));
  const scaleOf = (its) => {
    const power = its.special !== undefined || isZero(its) ? 0 : Math.min(its.point - 1, powerMax);
    const of = patterns[power];
    if (of === undefined) return { shift: 0 };
    const { zeros } = parsePattern(of.other);
    // A pattern of a bare zero says that the number is written as it is.
    return /^0+$/.test(of.other) ? { shift: 0 } : { shift: power - zeros + 1, of };
  };
  let scale = scaleOf(value);
  let rounded = round(shifted(value, -scale.shift), format.digits);
  const again = scaleOf(shifted(rounded.value, scale.shift));
  if (again.shift !== scale.shift || again.of !== scale.of) {
    scale = again;
    rounded = round(shifted(value, -scale.shift), format.digits);
  }
  if (scale.of === undefined) return { rounded, pattern: format.pattern };
  const isOne = rounded.value.digits === "1" && rounded.value.point === 1;
  const category = categoryOf(format.rules(), rounded.value, 1, rounded.fractionMin);
  const pattern = (isOne ? scale.of[1] : undefined) ?? scale.of[category] ?? scale.of.other;
  // In French and Italian, a thousand is a word without a number.
  return { rounded, pattern, isWord: !pattern.includes("0") };
}

function digitsOf(format, { value, fractionMin }) {
  const { symbols } = format;
  if (value.special === "nan") return [{ type: "nan", value: symbols.nan }];
  if (value.special === "infinity") return [{ type: "infinity", value: symbols.infinity }];
  const [integer, fraction] = written(value, format.digits.integerMin, fractionMin);
  const parts = grouped(format, integer).flatMap((group, at) => {
    const part = { type: "integer", value: inDigits(group, format.system) };
    return at === 0 ? [part] : [{ type: "group", value: symbols.group }, part];
  });
  if (fraction !== "")
    parts.push({ type: "decimal", value: symbols.decimal }, { type: "fraction", value: inDigits(fraction, format.system) });
  return parts;
}

function grouped(format, integer) {
  const { primary, secondary } = format.grouping;
  if (format.useGrouping === false || primary === 0) return [integer];
  const least = format.useGrouping === "min2" ? 2 : format.useGrouping === "always" ? 1 : format.groupingMin;
  if (integer.length < primary + least) return [integer];
  const groups = [];
  let end = integer.length;
  for (let size = primary; end > 0; end -= size, size = secondary) {
    if (groups.length > 0) size = secondary;
    groups.unshift(integer.slice(Math.max(0, end - size), end));
  }
  return groups;
}

/** "-", "+" or nothing. */
function signOf({ signDisplay }, value) {
  const zero = value.special === undefined && isZero(value);
  const isZeroLike = zero || value.special === "nan";
  switch (signDisplay) {
    case "never":
      return "";
    case "always":
      return value.negative ? "-" : "+";
    case "exceptZero":
      return isZeroLike ? "" : value.negative ? "-" : "+";
    case "negative":
      return value.negative && !isZeroLike ? "-" : "";
    default:
      return value.negative ? "-" : "";
  }
}

/** What the pattern has around the number, with the sign. */
function affix(format, pattern, sign, number) {
  const parsed = parsePattern(pattern);
  let { prefix, suffix } = parsed;
  if (sign !== "" && parsed.negative !== undefined && (sign === "-" || hasMinus(parsed.negative))) ({ prefix, suffix } = parsed.negative);
  else if (sign !== "") prefix = [{ type: "minusSign", value: "" }, ...prefix];
  const parts = [...prefix, null, ...suffix].flatMap((token) => {
    if (token === null) return number;
    switch (token.type) {
      case "minusSign":
        return [
          sign === "+" ? { type: "plusSign", value: format.symbols.plusSign } : { type: "minusSign", value: format.symbols.minusSign },
        ];
      case "percentSign":
        return [{ type: format.style === "unit" ? "unit" : "percentSign", value: format.symbols.percentSign }];
      case "currency":
        return [{ type: "currency", value: format.currencySymbol ?? "" }];
      default:
        return format.notation === "compact" && /\p{L}/u.test(token.value) ? worded(token.value, "compact") : [token];
    }
  });
  return format.style === "currency" ? spaced(parts, format) : parts;
}

const hasMinus = ({ prefix, suffix }) => [...prefix, ...suffix].some(({ type }) => type === "minusSign");

const DIGITS = ["integer", "fraction"];

/** Between digits and the letters of a currency there is a space: USD 5. */
function spaced(parts, { spacing }) {
  return parts.flatMap((part, at) => {
    const next = parts[at + 1];
    if (next === undefined) return [part];
    const isBefore = part.type === "currency" && next.type === "integer" && /[^\p{S}\p{Z}]$/u.test(part.value);
    const isAfter = next.type === "currency" && DIGITS.includes(part.type) && /^[^\p{S}\p{Z}]/u.test(next.value);
    return isBefore || isAfter ? [part, { type: "literal", value: spacing ?? "\u00a0" }] : [part];
  });
}

const pluralOf = (format, { value, fractionMin }) => categoryOf(format.rules(), value, format.digits.integerMin, fractionMin);

/** 5.00 US dollars. */
function currencyNamed(format, number, rounded) {
  const category = pluralOf(format, rounded);
  const { names, name } = dataOf("currencies", format.data)[format.currency] ?? {};
  const called = names?.[category] ?? names?.other ?? name ?? format.currency;
  const pattern = format.currencyNames[category] ?? format.currencyNames.other;
  return pattern.split(/(\{[01]\})/).flatMap((piece) => {
    if (piece === "{0}") return number;
    return [piece === "{1}" ? { type: "currency", value: called } : { type: "literal", value: piece }];
  });
}

/** 5 km/h. */
function united(format, number, rounded) {
  const { of, per } = dataOf("units", format.data)[format.unitDisplay];
  if (format.unit === "percent" && format.unitDisplay !== "long") return number;
  const category = pluralOf(format, rounded);
  const patternOf = (unit) => of[unit][category] ?? of[unit].other;
  const parts = (pattern) => filled(pattern, number, "unit");
  if (of[format.unit] !== undefined) return parts(patternOf(format.unit));
  const [unit, by] = format.unit.split("-per-");
  const pattern = patternOf(unit);
  if (of[by].per !== undefined) return parts(of[by].per.replace("{0}", pattern));
  const name = (of[by].one ?? of[by].other).replace("{0}", "").trim();
  return parts(per.replace("{0}", pattern).replace("{1}", name));
}
