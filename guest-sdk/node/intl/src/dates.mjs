// Names, patterns, relative times and names of time zones.

import { mainOf, mapped } from "./cldr.mjs";

const PACKAGES = { buddhist: "cldr-cal-buddhist-full", persian: "cldr-cal-persian-full" };

const STYLES = ["full", "long", "medium", "short"];

const patternOf = (pattern) => (typeof pattern === "string" ? pattern : pattern._value);
const patterns = (formats) => STYLES.map((style) => patternOf(formats[style]));

/** Names in order: of months from January, of days from Sunday. */
const inOrder = (names) => mapped(names, (width, by) => [width, Object.values(by)]);

const eras = ({ eraAbbr, eraNames, eraNarrow }) =>
  mapped({ abbreviated: eraAbbr, wide: eraNames, narrow: eraNarrow }, (width, names) => [
    width,
    Object.entries(names)
      .filter(([key]) => !key.includes("alt"))
      .map(([, name]) => name),
  ]);

/** Where a calendar is the usual one, and has patterns of its own. */
const OWN_PATTERNS = { buddhist: "th", persian: "fa" };

/** Calendars of their own packages are older, and have no patterns of some locales: what CLDR has for calendars in general. */
export function datesOf(locale, calendar) {
  const calendars = (file) => Object.values(mainOf("cldr-dates-full", locale, file).dates.calendars)[0];
  const gregorian = calendars("ca-gregorian");
  if (calendar === "gregory") return calendarOf(gregorian, gregorian);
  const own = mainOf(PACKAGES[calendar], locale, `ca-${calendar}`)?.dates.calendars[calendar];
  const english = mainOf(PACKAGES[calendar], "en", `ca-${calendar}`).dates.calendars[calendar];
  const names = own ?? english;
  const generic = calendars("ca-generic");
  const months = calendar === "persian" ? names.months : gregorian.months;
  const hasPatterns = own !== undefined && OWN_PATTERNS[calendar] === locale;
  const formats = hasPatterns
    ? { ...generic, dateFormats: own.dateFormats, dateTimeFormats: { ...generic.dateTimeFormats, ...own.dateTimeFormats } }
    : generic;
  // The rest is as in the calendar of the world.
  const { eras, date, available, interval, ...same } = calendarOf({ ...formats, eras: names.eras, months }, gregorian);
  const all = { eras, date, available, interval };
  return calendar === "persian" ? { months: same.months, ...all } : all;
}

function calendarOf(data, gregorian) {
  const { availableFormats, appendItems, intervalFormats } = data.dateTimeFormats;
  return {
    months: mapped(data.months, (form, names) => [form, inOrder(names)]),
    days: mapped(gregorian.days, (form, names) => [form, inOrder(names)]),
    quarters: mapped(gregorian.quarters, (form, names) => [form, inOrder(names)]),
    dayPeriods: mapped(gregorian.dayPeriods, (form, widths) => [
      form,
      mapped(widths, (width, names) => [width, mapped(names, (key, name) => (key.includes("-alt-") ? undefined : [key, name]))]),
    ]),
    eras: eras(data.eras),
    date: patterns(data.dateFormats),
    time: patterns(gregorian.timeFormats),
    atTime: patterns(data["dateTimeFormats-atTime"].standard),
    available: mapped(availableFormats, (skeleton, pattern) => (/-/.test(skeleton) ? undefined : [skeleton, patternOf(pattern)])),
    append: appendItems,
    interval: intervalFormats,
  };
}

const UNITS = /^(year|quarter|month|week|day|hour|minute|second)(-short|-narrow)?$/;
const FIELD_NAMES = /^(era|year|quarter|month|week|weekday|day|dayperiod|hour|minute|second|zone)(-short|-narrow)?$/;

/** What is said of time before and after now, and the names of its fields. */
export function fieldsOf(locale) {
  const { fields } = mainOf("cldr-dates-full", locale, "dateFields").dates;
  return {
    relative: mapped(fields, (name, field) => {
      if (!UNITS.test(name)) return undefined;
      const counts = (patterns) => mapped(patterns, (key, pattern) => [key.replace("relativeTimePattern-count-", ""), pattern]);
      const words = mapped(field, (key, word) =>
        key.startsWith("relative-type-") ? [key.slice("relative-type-".length), word] : undefined,
      );
      return [name, { words, future: counts(field["relativeTime-type-future"]), past: counts(field["relativeTime-type-past"]) }];
    }),
    names: mapped(fields, (name, field) => (FIELD_NAMES.test(name) ? [name, field.displayName] : undefined)),
  };
}

/** Names of zones: cities by IANA's names, what a group of zones is called by the group's. */
export function zonesOf(locale) {
  const { zone, metazone, ...formats } = mainOf("cldr-dates-full", locale, "timeZoneNames").dates.timeZoneNames;
  const cities = {};
  const own = {};
  const gather = (path, node) => {
    if (node._type !== "zone" && node.exemplarCity === undefined && node.long === undefined && node.short === undefined) {
      for (const [name, child] of Object.entries(node))
        if (typeof child === "object") gather(path === "" ? name : `${path}/${name}`, child);
      return;
    }
    if (node.exemplarCity !== undefined) cities[path] = node.exemplarCity;
    if (node.long !== undefined || node.short !== undefined) own[path] = { long: node.long, short: node.short };
  };
  gather("", zone ?? {});
  return {
    hour: formats.hourFormat,
    gmt: formats.gmtFormat,
    region: formats.regionFormat,
    fallback: formats.fallbackFormat,
    cities,
    own,
    metazones: mapped(metazone, (name, names) => [name, { long: names.long, short: names.short }]),
  };
}
