// The options of DateTimeFormat, and the skeleton that they ask for.

import { digits, stringOption } from "./options.mjs";

const TYPE = "DateTimeFormat";
const TEXTS = ["narrow", "short", "long"];
const NUMBERS = ["2-digit", "numeric"];
const DATE = ["weekday", "year", "month", "day"];
const TIME = ["dayPeriod", "hour", "minute", "second", "fractionalSecondDigits"];

const VALUES = {
  weekday: TEXTS,
  era: TEXTS,
  year: NUMBERS,
  month: [...NUMBERS, ...TEXTS],
  day: NUMBERS,
  dayPeriod: TEXTS,
  hour: NUMBERS,
  minute: NUMBERS,
  second: NUMBERS,
  fractionalSecondDigits: undefined,
  timeZoneName: ["short", "long", "shortOffset", "longOffset", "shortGeneric", "longGeneric"],
};

/** The fields, and styles; `required` and `defaults` are "date", "time", "any" and "all". */
export function readFields(options, required, defaults) {
  const fields = {};
  for (const name of Object.keys(VALUES)) {
    const value =
      name === "fractionalSecondDigits"
        ? digits(options[name], name, 1, 3, undefined)
        : stringOption(options, name, VALUES[name], undefined, TYPE);
    if (value !== undefined) fields[name] = value;
  }
  stringOption(options, "formatMatcher", ["basic", "best fit"], "best fit", TYPE);
  const styles = ["full", "long", "medium", "short"];
  const dateStyle = stringOption(options, "dateStyle", styles, undefined, TYPE);
  const timeStyle = stringOption(options, "timeStyle", styles, undefined, TYPE);
  if (dateStyle !== undefined || timeStyle !== undefined) {
    const [explicit] = Object.keys(fields);
    const given = dateStyle === undefined ? "timeStyle" : "dateStyle";
    if (explicit !== undefined) throw new TypeError(`Can't set option ${explicit} when ${given} is used`);
    if (required === "date" && timeStyle !== undefined) throw new TypeError("Invalid option : timeStyle");
    if (required === "time" && dateStyle !== undefined) throw new TypeError("Invalid option : dateStyle");
    return { dateStyle, timeStyle };
  }
  const has = (names) => names.some((name) => fields[name] !== undefined);
  const isEnough =
    (required === "date" || required === "any") && has(DATE) ? true : (required === "time" || required === "any") && has(TIME);
  if (!isEnough) {
    if (defaults !== "time") Object.assign(fields, { year: "numeric", month: "numeric", day: "numeric" });
    if (defaults !== "date") Object.assign(fields, { hour: "numeric", minute: "numeric", second: "numeric" });
  }
  return { fields };
}

const LETTERS = { narrow: 5, long: 4, short: 3, "2-digit": 2, numeric: 1 };
const ZONES = { short: "z", long: "zzzz", shortOffset: "O", longOffset: "OOOO", shortGeneric: "v", longGeneric: "vvvv" };

/** `hour` is the letter of hours. */
export function skeletonOf(fields, hour) {
  const letters = (letter, value) => (value === undefined ? "" : letter.repeat(LETTERS[value]));
  const part = fields.dayPeriod === undefined ? "" : "B".repeat({ narrow: 5, long: 4, short: 1 }[fields.dayPeriod]);
  return [
    letters("G", fields.era),
    letters("y", fields.year),
    letters("M", fields.month),
    letters("E", fields.weekday),
    letters("d", fields.day),
    part,
    letters(hour, fields.hour),
    letters("m", fields.minute),
    letters("s", fields.second),
    "S".repeat(fields.fractionalSecondDigits ?? 0),
    ZONES[fields.timeZoneName] ?? "",
  ].join("");
}

const NAME_OF_LENGTH = { 1: "numeric", 2: "2-digit", 3: "short", 4: "long", 5: "narrow" };
const ZONE_OF = Object.fromEntries(Object.entries(ZONES).map(([name, letters]) => [letters, name]));

/** What a pattern says of the fields: as `resolvedOptions` tells it. */
export function describePattern(tokens) {
  const of = {};
  for (const { letter, length } of tokens) {
    const name = NAME_OF_LENGTH[length];
    if (letter === "G") of.era = length <= 3 ? "short" : name;
    else if (letter === "y") of.year = name === "2-digit" ? name : "numeric";
    else if (letter === "M" || letter === "L") of.month = name;
    else if (letter === "E" || letter === "c") of.weekday = length <= 3 ? "short" : name;
    else if (letter === "d") of.day = name;
    else if (letter === "B") of.dayPeriod = length <= 3 ? "short" : name;
    else if ("hHkK".includes(letter ?? "-")) of.hour = name;
    else if (letter === "m") of.minute = name;
    else if (letter === "s") of.second = name;
    else if (letter === "S") of.fractionalSecondDigits = length;
    else if (letter === "z" || letter === "O" || letter === "v") of.timeZoneName = ZONE_OF[letter.repeat(length)] ?? "short";
  }
  const order = [
    "weekday",
    "era",
    "year",
    "month",
    "day",
    "dayPeriod",
    "hour",
    "minute",
    "second",
    "fractionalSecondDigits",
    "timeZoneName",
  ];
  return Object.fromEntries(order.filter((name) => of[name] !== undefined).map((name) => [name, of[name]]));
}
