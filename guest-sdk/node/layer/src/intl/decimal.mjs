// Numbers as decimals: `digits` without zeros at either end, and where the point is among them. 12.5 is `{ digits: "125",
// point: 2 }`, 0.05 is `{ digits: "5", point: -1 }`, and zero has no digits.

/** Beyond this a text is infinite, or zero: it would be written out. */
const POINT_MAX = 10_000;

const decimal = (negative, digits, point) => ({ negative, digits, point });

/** Of a number, a BigInt, or the text of a number. NaN and Infinity have `special` instead of digits. */
export function decimalOf(value) {
  if (typeof value === "bigint") return parsed(value.toString());
  if (typeof value === "string") {
    const text = value.trim();
    if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return parsed(text);
    return decimalOf(Number(text));
  }
  if (Number.isNaN(value)) return { negative: false, special: "nan" };
  if (!Number.isFinite(value)) return { negative: value < 0, special: "infinity" };
  return parsed(Object.is(value, -0) ? "-0" : String(value));
}

function parsed(text) {
  const [, sign, whole, fraction = "", exponent = "0"] = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i.exec(text);
  const all = whole + fraction;
  const zeros = /^0*/.exec(all)[0].length;
  const digits = withoutTrailingZeros(all.slice(zeros));
  const negative = sign === "-";
  if (digits === "") return decimal(negative, "", 0);
  const point = whole.length - zeros + Number(exponent);
  if (point > POINT_MAX) return { negative, special: "infinity" };
  return point < -POINT_MAX ? decimal(negative, "", 0) : decimal(negative, digits, point);
}

function withoutTrailingZeros(digits) {
  let end = digits.length;
  while (end > 0 && digits[end - 1] === "0") end--;
  return digits.slice(0, end);
}

export const isZero = ({ digits }) => digits === "";

/** The value times a power of ten. */
export function shifted(value, power) {
  return value.special !== undefined || isZero(value) ? value : decimal(value.negative, value.digits, value.point + power);
}

/** The value without what is behind so many places after the point (before it, if that is negative). */
export function rounded(value, places, mode = "halfExpand", increment = 1) {
  if (value.special !== undefined || isZero(value)) return value;
  if (increment !== 1) return roundedTo(value, places, mode, increment);
  const { negative, digits, point } = value;
  const keep = point + places;
  if (keep >= digits.length) return value;
  const kept = keep > 0 ? digits.slice(0, keep) : "";
  const half = keep < 0 ? -1 : compareToHalf(digits.slice(Math.max(keep, 0)));
  const isOdd = kept !== "" && Number(kept.at(-1)) % 2 === 1;
  return isUp(mode, negative, half, isOdd)
    ? plusOne(negative, kept, places, point)
    : decimal(negative, withoutTrailingZeros(kept), kept === "" ? 0 : point);
}

/** What is cut off against half of a unit: -1, 0 or 1. It is never nothing. */
function compareToHalf(rest) {
  if (rest[0] !== "5") return rest[0] < "5" ? -1 : 1;
  return rest.length === 1 ? 0 : 1;
}

function isUp(mode, negative, half, isOdd) {
  switch (mode) {
    case "ceil":
      return !negative;
    case "floor":
      return negative;
    case "expand":
      return true;
    case "trunc":
      return false;
    case "halfCeil":
      return half > 0 || (half === 0 && !negative);
    case "halfFloor":
      return half > 0 || (half === 0 && negative);
    case "halfTrunc":
      return half > 0;
    case "halfEven":
      return half > 0 || (half === 0 && isOdd);
    default:
      return half >= 0;
  }
}

/** What was kept and one in its last place. */
function plusOne(negative, kept, places, point) {
  if (kept === "") return decimal(negative, "1", 1 - places);
  const sum = (BigInt(kept) + 1n).toString();
  return decimal(negative, withoutTrailingZeros(sum), point + sum.length - kept.length);
}

/** To multiples of an increment in the last place. */
function roundedTo({ negative, digits, point }, places, mode, increment) {
  const scale = Math.max(digits.length - point, places);
  const value = BigInt(digits) * 10n ** BigInt(scale - (digits.length - point));
  const step = BigInt(increment) * 10n ** BigInt(scale - places);
  const rest = value % step;
  let count = value / step;
  if (rest !== 0n) {
    const twice = rest * 2n;
    const half = twice < step ? -1 : twice === step ? 0 : 1;
    if (isUp(mode, negative, half, count % 2n === 1n)) count += 1n;
  }
  const result = (count * step).toString();
  return count === 0n ? decimal(negative, "", 0) : decimal(negative, withoutTrailingZeros(result), result.length - scale);
}

/** Its digits before the point and after it, with as many zeros as are asked for. */
export function written({ digits, point }, integerMin, fractionMin) {
  const integer = point > 0 ? digits.slice(0, point).padEnd(point, "0") : "";
  const fraction = point >= digits.length ? "" : digits.slice(Math.max(point, 0)).padStart(digits.length - point, "0");
  return [integer.padStart(integerMin, "0"), fraction.padEnd(fractionMin, "0")];
}
