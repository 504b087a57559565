// Intl.DateTimeFormat.

import { CALENDAR_NAMES } from "./calendars.mjs";
import { dataOf, root } from "./data.mjs";
import { patternOf, tokensOf } from "./date-fields.mjs";
import { describePattern, readFields, skeletonOf } from "./date-options.mjs";
import { partsOf } from "./date-parts.mjs";
import { rangeParts } from "./date-range.mjs";
import { Patterns } from "./date-skeleton.mjs";
import { canonicalLocaleList, isNumberingSystem, numberingOf, regionOf, resolveLocale } from "./locales.mjs";
import { textOf } from "./number-pattern.mjs";
import { booleanOption, callable, Internals, readMatcher, stringOption, toOptions, typeOption } from "./options.mjs";
import { zoneOf } from "./time-zones.mjs";

const TYPE = "DateTimeFormat";
const internals = new Internals(TYPE);
const STYLES = ["full", "long", "medium", "short"];
const CYCLES = ["h11", "h12", "h23", "h24"];
const LETTER_OF = { h11: "K", h12: "h", h23: "H", h24: "k" };
const CYCLE_OF = { K: "h11", h: "h12", H: "h23", k: "h24" };

const CALENDAR_ALIASES = { gregorian: "gregory", "ethiopic-amete-alem": "ethioaa", islamicc: "islamic-civil" };
const isCalendar = (name) => CALENDAR_NAMES.includes(name);

/** Everything that formatting needs. */
export function resolve(locales, given, required, defaults) {
  const requested = canonicalLocaleList(locales);
  const options = toOptions(given);
  readMatcher(options, TYPE);
  const asked = typeOption(options, "calendar");
  const nu = typeOption(options, "numberingSystem");
  const hour12 = booleanOption(options, "hour12");
  const hourCycle = stringOption(options, "hourCycle", CYCLES, undefined, TYPE);
  const keys = { ca: isCalendar, nu: isNumberingSystem, hc: (value) => CYCLES.includes(value) };
  const wanted = { ca: CALENDAR_ALIASES[asked] ?? asked, nu, hc: hour12 === undefined ? hourCycle : null };
  const resolved = resolveLocale(requested, keys, wanted);
  const { locale, data } = resolved;
  const region = regionOf(locale);
  const calendar = resolved.ca ?? root().calendars[region] ?? "gregory";
  const timeZone = options.timeZone;
  const zone = zoneOf(timeZone === undefined ? "UTC" : `${timeZone}`);
  const { fields, dateStyle, timeStyle } = readFields(options, required, defaults);
  const format = { locale, data, calendar, zone, system: resolved.nu ?? numberingOf(data), dateStyle, timeStyle };
  format.dates = datesOf(data, calendar);
  const usual = usualHour(locale, region);
  const cycle = hour12 === undefined ? (resolved.hc ?? CYCLE_OF[usual]) : cycleOf(hour12, region);
  const letter = LETTER_OF[cycle];
  if (fields !== undefined) {
    const skeleton = skeletonOf(fields, hour12 === undefined && resolved.hc === undefined ? usual : letter);
    format.skeleton = skeleton;
    format.pattern = withHours(patternsOf(format).best(skeleton), letter);
  } else format.pattern = stylePattern(format, letter);
  if (/[hHkK]/.test(bare(format.pattern))) format.cycle = cycle;
  return format;
}

/** Names and patterns; those of other calendars are what differs from the usual one. */
function datesOf(data, calendar) {
  const gregory = dataOf("dates-gregory", data);
  return calendar === "gregory" || calendar === "iso8601" ? gregory : { ...gregory, ...dataOf(`dates-${calendar}`, data) };
}

const generators = new Map();

function patternsOf({ data, calendar, dates }) {
  const key = `${data} ${calendar}`;
  if (!generators.has(key)) {
    const patterns = new Patterns(dates);
    const { systems } = dataOf("numbers", data);
    patterns.decimal = (systems[numberingOf(data)] ?? systems.latn).symbols.decimal;
    generators.set(key, patterns);
  }
  return generators.get(key);
}

/** The letter of hours that people of a region use. */
function usualHour(locale, region) {
  const { hours } = root();
  const language = locale.split("-", 1)[0];
  return hours[`${language}-${region}`] ?? hours[region] ?? hours["001"];
}

function cycleOf(hour12, region) {
  if (hour12) return region === "JP" ? "h11" : "h12";
  return "h23";
}

const bare = (pattern) => pattern.replace(/'[^']*'/g, "");

/** The pattern with hours of another letter. */
function withHours(pattern, letter) {
  return patternOf(tokensOf(pattern).map((token) => ("hHkK".includes(token.letter ?? "-") ? { ...token, letter } : token)));
}

/** As `dateStyle` and `timeStyle` say. Hours that are not the usual ones make it another pattern. */
function stylePattern(format, letter) {
  const { dates, dateStyle, timeStyle } = format;
  const date = dateStyle === undefined ? undefined : dates.date[STYLES.indexOf(dateStyle)];
  if (timeStyle === undefined) return date;
  const time = dates.time[STYLES.indexOf(timeStyle)];
  const both =
    date === undefined ? time : dates.atTime[STYLES.indexOf(dateStyle)].replace(/\{[01]\}/g, (place) => (place === "{0}" ? time : date));
  if (isHour(letter, time)) return both;
  const fields = tokensOf(both).filter((token) => token.letter !== undefined && !"abB".includes(token.letter));
  const skeleton = fields.map((token) => ("hHkK".includes(token.letter) ? letter : token.letter).repeat(token.length));
  return withHours(patternsOf(format).best(skeleton.join("")), letter);
}

const isHour = (letter, pattern) => tokensOf(pattern).some((token) => token.letter === letter);

/** The furthest from 1970 that there are dates of. */
const MS_MAX = 8.64e15;

function toMs(date) {
  const ms = date === undefined ? Date.now() : Number(date);
  if (!(Math.abs(ms) <= MS_MAX)) throw new RangeError("Invalid time value");
  return Math.trunc(ms) + 0;
}

/** The text of a format that `resolve` made. */
export function formatted(format, ms) {
  return plain(textOf(partsOf(format, format.pattern, ms)));
}

/** As in V8: programs that take these texts apart know nothing of narrow spaces. */
const plain = (text) => text.replaceAll("\u202f", " ");

class DateTimeFormat {
  #bound;

  constructor(locales, options) {
    internals.set(this, resolve(locales, options, "any", "date"));
  }

  get format() {
    const format = internals.of(this, "format");
    this.#bound ??= Object.defineProperty((date) => formatted(format, toMs(date)), "name", { value: "" });
    return this.#bound;
  }

  formatToParts(date) {
    const format = internals.of(this, "formatToParts");
    return partsOf(format, format.pattern, toMs(date));
  }

  formatRange(start, end) {
    return textOf(range(internals.of(this, "formatRange"), start, end));
  }

  formatRangeToParts(start, end) {
    return range(internals.of(this, "formatRangeToParts"), start, end);
  }

  resolvedOptions() {
    const { locale, calendar, system, zone, cycle, pattern, dateStyle, timeStyle } = internals.of(this, "resolvedOptions");
    const all = { locale, calendar, numberingSystem: system, timeZone: zone.name };
    if (cycle !== undefined) Object.assign(all, { hourCycle: cycle, hour12: cycle === "h11" || cycle === "h12" });
    if (dateStyle === undefined && timeStyle === undefined) return Object.assign(all, describePattern(tokensOf(pattern)));
    if (dateStyle !== undefined) all.dateStyle = dateStyle;
    if (timeStyle !== undefined) all.timeStyle = timeStyle;
    return all;
  }
}

function range(format, start, end) {
  if (start === undefined || end === undefined) throw new TypeError("startDate or endDate cannot be undefined");
  const withFields = (more) => ({
    ...format,
    pattern: withHours(patternsOf(format).best(more + skeletonOfPattern(format.pattern)), LETTER_OF[format.cycle]),
  });
  const dateTime = () => patternsOf(format).together(skeletonOfPattern(format.pattern));
  return rangeParts(format, toMs(start), toMs(end), { withFields, dateTime });
}

const skeletonOfPattern = (pattern) =>
  tokensOf(pattern)
    .map(({ letter, length }) => (letter === undefined || "abB".includes(letter) ? "" : letter.repeat(length)))
    .join("");

const Callable = callable(DateTimeFormat);
export { Callable as DateTimeFormat };
