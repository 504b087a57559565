// Rounding, against Node's: every mode, many places and increments.

import assert from "node:assert/strict";
import { test } from "node:test";
import { decimalOf, rounded, shifted, written } from "../src/intl/decimal.mjs";

const MODES = ["ceil", "floor", "expand", "trunc", "halfCeil", "halfFloor", "halfExpand", "halfTrunc", "halfEven"];
const VALUES = [
  "0",
  "0.5",
  "1.5",
  "2.5",
  "-0.5",
  "-2.5",
  "0.005",
  "0.0049",
  "9.995",
  "99.5",
  "-99.95",
  "1234.5678",
  "1e21",
  "1e-7",
  "123456789012345678901234567890.5",
];

function text(value) {
  const [integer, fraction] = written(value, 1, 0);
  return (value.negative ? "-" : "") + integer + (fraction === "" ? "" : `.${fraction}`);
}

test("numbers are rounded as Node rounds them", () => {
  for (const value of VALUES) {
    for (const roundingMode of MODES) {
      for (const places of [0, 1, 2, 5]) {
        const format = new Intl.NumberFormat("en", { maximumFractionDigits: places, roundingMode, useGrouping: false });
        assert.equal(text(rounded(decimalOf(value), places, roundingMode)), format.format(value), `${value} ${roundingMode} ${places}`);
      }
    }
  }
});

test("numbers are rounded to multiples as Node rounds them", () => {
  for (const value of ["0.1", "12.5", "37.5", "-62.5", "62.49", "1000"]) {
    for (const roundingIncrement of [5, 25, 500]) {
      const options = { roundingIncrement, minimumFractionDigits: 1, maximumFractionDigits: 1, trailingZeroDisplay: "stripIfInteger" };
      const format = new Intl.NumberFormat("en", { ...options, useGrouping: false });
      assert.equal(
        text(rounded(decimalOf(value), 1, "halfExpand", roundingIncrement)),
        format.format(value),
        `${value} ${roundingIncrement}`,
      );
    }
  }
});

test("what would be written out without end is infinite, or nothing", () => {
  assert.equal(decimalOf("1e1000000000").special, "infinity");
  assert.equal(decimalOf("-1e1000000000").negative, true);
  assert.equal(decimalOf("1e-1000000000").digits, "");
  assert.equal(decimalOf("not a number").special, "nan");
  assert.equal(text(shifted(decimalOf("12.5"), 2)), "1250");
});
