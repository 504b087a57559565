// Writes a moment by a pattern.

import { fieldsOf } from "./calendars.mjs";
import { tokensOf } from "./date-fields.mjs";
import { fileAt } from "./data.mjs";
import { inDigits } from "./locales.mjs";
import { genericName, offsetName, specificName } from "./zone-names.mjs";

const WIDTHS = { 3: "abbreviated", 4: "wide", 5: "narrow", 6: "short" };
const widthOf = (length) => WIDTHS[Math.max(3, length)];

const name = (names, form, width, index) =>
  (names[form]?.[width] ?? names[form]?.abbreviated ?? names.format[width] ?? names.format.abbreviated)[index];

const digits = (number, length) => (length === 2 ? String(number % 100).padStart(2, "0") : String(number).padStart(length, "0"));
const padded = (number, length) => String(number).padStart(length, "0");

/** By letter: the type of the part, and what is written of the fields. */
const LETTERS = {
  G: ["era", ({ dates }, { era }, length) => dates.eras[length === 4 ? "wide" : length === 5 ? "narrow" : "abbreviated"][era]],
  y: ["year", (_, { year }, length) => digits(year, length)],
  r: ["relatedYear", (_, { year }, length) => digits(year, length)],
  M: [
    "month",
    ({ dates }, { month }, length) => (length > 2 ? name(dates.months, "format", widthOf(length), month) : padded(month + 1, length)),
  ],
  L: [
    "month",
    ({ dates }, { month }, length) => (length > 2 ? name(dates.months, "stand-alone", widthOf(length), month) : padded(month + 1, length)),
  ],
  E: ["weekday", ({ dates }, { weekday }, length) => name(dates.days, "format", widthOf(length), weekday)],
  c: ["weekday", ({ dates }, { weekday }, length) => name(dates.days, "stand-alone", widthOf(length), weekday)],
  Q: [
    "quarter",
    ({ dates }, { month }, length) =>
      length > 2 ? name(dates.quarters, "format", widthOf(length), Math.floor(month / 3)) : padded(Math.floor(month / 3) + 1, length),
  ],
  d: ["day", (_, { day }, length) => padded(day, length)],
  a: ["dayPeriod", ({ dates }, { hour }, length) => halfOfDay(dates, hour, length)],
  b: ["dayPeriod", ({ dates }, { hour }, length) => halfOfDay(dates, hour, length)],
  B: ["dayPeriod", partOfDay],
  H: ["hour", (_, { hour }, length) => padded(hour, length)],
  k: ["hour", (_, { hour }, length) => padded(hour === 0 ? 24 : hour, length)],
  h: ["hour", (_, { hour }, length) => padded(hour % 12 === 0 ? 12 : hour % 12, length)],
  K: ["hour", (_, { hour }, length) => padded(hour % 12, length)],
  m: ["minute", (_, { minute }, length) => padded(minute, length)],
  s: ["second", (_, { second }, length) => padded(second, length)],
  S: ["fractionalSecond", (_, { ms }, length) => padded(ms, 3).slice(0, length).padEnd(length, "0")],
  z: ["timeZoneName", (format, { at }, length) => specificName(format, format.zone, at, length === 4)],
  O: ["timeZoneName", (format, { at }, length) => offsetName(format, format.zone.offsetAt(at), length === 4)],
  v: ["timeZoneName", (format, { at }, length) => genericName(format, format.zone, at, length === 4)],
};
LETTERS.Z = LETTERS.O;
LETTERS.e = LETTERS.c;
LETTERS.q = LETTERS.Q;
LETTERS.Y = LETTERS.y;
LETTERS.u = LETTERS.y;

function halfOfDay(dates, hour, length) {
  const names = dates.dayPeriods.format;
  return names[length === 5 ? "narrow" : length === 4 ? "wide" : "abbreviated"][hour < 12 ? "am" : "pm"];
}

/** In the morning, at noon: as the language divides the day. */
function partOfDay({ dates, data, pattern }, { hour, minute: exactly }, length) {
  // Noon is the whole hour where minutes are not shown.
  const minute = tokensOf(pattern).some(({ letter }) => letter === "m") ? exactly : 0;
  const names = dates.dayPeriods.format[length === 5 ? "narrow" : length === 4 ? "wide" : "abbreviated"];
  const periods = fileAt("day-periods")[data] ?? fileAt("day-periods")[data.split("-", 1)[0]] ?? [];
  const now = hour * 60 + minute;
  const holds = ([period, from, before]) => {
    if (names[period] === undefined) return false;
    if (before === undefined) return now === from;
    return from < before ? now >= from && now < before : now >= from || now < before;
  };
  // Midnight is none: it would leave open of which day.
  const points = periods.filter(([period, , before]) => before === undefined && period === "noon");
  const found = points.find(holds) ?? periods.filter(([, , before]) => before !== undefined).find(holds);
  return found === undefined ? halfOfDay({ dayPeriods: { format: dates.dayPeriods.format } }, hour, length) : names[found[0]];
}

const WITH_WORDS = new Set(["era", "dayPeriod", "timeZoneName"]);

/** The parts of a moment, in milliseconds since 1970. `format` has `dates`, `calendar`, `zone`, `system` and `data`. */
export function partsOf(format, pattern, ms) {
  const fields = fieldsAt(format, ms);
  const parts = [];
  for (const { literal, letter, length } of tokensOf(pattern)) {
    if (literal !== undefined) {
      if (parts.at(-1)?.type === "literal") parts.at(-1).value += literal;
      else parts.push({ type: "literal", value: literal });
      continue;
    }
    // Weeks are in patterns of CLDR, and nobody can ask for them.
    if (LETTERS[letter] === undefined) continue;
    const [type, write] = LETTERS[letter];
    const value = write(format, fields, length);
    if (value !== "") parts.push({ type, value: WITH_WORDS.has(type) ? value : inDigits(value, format.system) });
  }
  return parts;
}

export function fieldsAt({ zone, calendar }, ms) {
  return Object.assign(fieldsOf(ms + zone.offsetAt(ms) * 1000, calendar), { at: ms });
}
