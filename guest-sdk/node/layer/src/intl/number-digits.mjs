// How many digits a number is written with: the part of the options that NumberFormat and PluralRules share.

import { decimalOf, isZero, rounded } from "./decimal.mjs";
import { digits, numberOption, stringOption } from "./options.mjs";

const INCREMENTS = [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 2500, 5000];
const MODES = ["ceil", "floor", "expand", "trunc", "halfCeil", "halfFloor", "halfExpand", "halfTrunc", "halfEven"];

/** Reads the options in the order of the standard. `defaults` are the least and the most digits of a fraction. */
export function readDigits(options, [fractionMin, fractionMax], isCompact, type) {
  const integerMin = numberOption(options, "minimumIntegerDigits", 1, 21, 1);
  const { minimumFractionDigits, maximumFractionDigits, minimumSignificantDigits, maximumSignificantDigits } = options;
  const increment = numberOption(options, "roundingIncrement", 1, 5000, 1);
  if (!INCREMENTS.includes(increment)) throw new RangeError("roundingIncrement value is out of range.");
  const mode = stringOption(options, "roundingMode", MODES, "halfExpand", type);
  const priority = stringOption(options, "roundingPriority", ["auto", "morePrecision", "lessPrecision"], "auto", type);
  const zeros = stringOption(options, "trailingZeroDisplay", ["auto", "stripIfInteger"], "auto", type);
  const most = increment === 1 ? fractionMax : fractionMin;
  const hasSignificant = minimumSignificantDigits !== undefined || maximumSignificantDigits !== undefined;
  const hasFraction = minimumFractionDigits !== undefined || maximumFractionDigits !== undefined;
  const needsSignificant = priority !== "auto" || hasSignificant;
  const needsFraction = priority !== "auto" || !(hasSignificant || (!hasFraction && isCompact));
  const resolved = { integerMin, increment, mode, priority, zeros, rounding: "fraction" };
  if (needsSignificant) {
    resolved.significantMin = hasSignificant ? digits(minimumSignificantDigits, "minimumSignificantDigits", 1, 21, 1) : 1;
    resolved.significantMax = hasSignificant
      ? digits(maximumSignificantDigits, "maximumSignificantDigits", resolved.significantMin, 21, 21)
      : 21;
  }
  if (needsFraction) {
    let least = digits(minimumFractionDigits, "minimumFractionDigits", 0, 100, undefined);
    let limit = digits(maximumFractionDigits, "maximumFractionDigits", 0, 100, undefined);
    if (!hasFraction) [least, limit] = [fractionMin, most];
    else if (least === undefined) least = Math.min(fractionMin, limit);
    else if (limit === undefined) limit = Math.max(most, least);
    else if (least > limit) throw new RangeError("maximumFractionDigits value is out of range.");
    Object.assign(resolved, { fractionMin: least, fractionMax: limit });
  }
  if (!needsSignificant && !needsFraction) {
    Object.assign(resolved, { fractionMin: 0, fractionMax: 0, significantMin: 1, significantMax: 2, rounding: "morePrecision" });
  } else if (priority !== "auto") resolved.rounding = priority;
  else if (hasSignificant) resolved.rounding = "significant";
  if (increment !== 1) {
    if (resolved.rounding !== "fraction") throw new TypeError("roundingIncrement value is invalid.");
    if (resolved.fractionMin !== resolved.fractionMax) throw new RangeError("roundingIncrement value is out of range.");
  }
  return resolved;
}

/** A decimal rounded, and the least digits of its fraction. */
export function round(value, digits) {
  const { mode, increment, rounding, significantMin, significantMax, fractionMin, fractionMax, zeros } = digits;
  if (value.special !== undefined) return { value, fractionMin: 0 };
  const byFraction = () => ({ value: rounded(value, fractionMax, mode, increment), fractionMin, places: fractionMax });
  const bySignificance = () => {
    const places = significantMax - (isZero(value) ? 1 : value.point);
    const result = rounded(value, places, mode);
    const integers = isZero(result) ? 1 : result.point;
    return { value: result, fractionMin: Math.max(0, significantMin - integers), places };
  };
  let result;
  if (rounding === "fraction") result = byFraction();
  else if (rounding === "significant") result = bySignificance();
  else {
    const [fraction, significant] = [byFraction(), bySignificance()];
    const isSignificantFiner = significant.places > fraction.places;
    result = isSignificantFiner === (rounding === "morePrecision") ? significant : fraction;
  }
  const isWhole = isZero(result.value) || result.value.digits.length <= result.value.point;
  return zeros === "stripIfInteger" && isWhole ? { ...result, fractionMin: 0 } : result;
}

/** As `resolvedOptions` tells them. */
export function describeDigits(digits) {
  const { integerMin, fractionMin, fractionMax, significantMin, significantMax, rounding } = digits;
  const described = { minimumIntegerDigits: integerMin };
  if (rounding !== "fraction")
    Object.assign(described, { minimumSignificantDigits: significantMin, maximumSignificantDigits: significantMax });
  if (rounding !== "significant") Object.assign(described, { minimumFractionDigits: fractionMin, maximumFractionDigits: fractionMax });
  return described;
}

export function describeRounding({ increment, mode, priority, rounding, zeros }) {
  return {
    roundingMode: mode,
    roundingIncrement: increment,
    trailingZeroDisplay: zeros,
    roundingPriority: priority === "auto" && rounding === "morePrecision" ? "morePrecision" : priority,
  };
}

/** What may be formatted: a number, a BigInt, or the text of a number, which keeps all its digits. */
export function toDecimal(given) {
  const value = typeof given === "object" && given !== null ? primitive(given) : given;
  if (typeof value === "bigint" || typeof value === "string") return decimalOf(value === "" ? 0 : value);
  return decimalOf(Number(value));
}

function primitive(object) {
  const convert = object[Symbol.toPrimitive];
  if (typeof convert === "function") return convert.call(object, "number");
  const value = object.valueOf?.();
  return typeof value === "object" || value === undefined ? `${object}` : value;
}
