// Intl.DisplayNames.

import { dataOf } from "./data.mjs";
import { canonicalLocale, canonicalLocaleList, resolveLocale } from "./locales.mjs";
import { Internals, readMatcher, stringOption, toOptions } from "./options.mjs";

const TYPE = "DisplayNames";
const internals = new Internals(TYPE);

const FIELDS = {
  era: "era",
  year: "year",
  quarter: "quarter",
  month: "month",
  weekOfYear: "week",
  weekday: "weekday",
  day: "day",
  dayPeriod: "dayperiod",
  hour: "hour",
  minute: "minute",
  second: "second",
  timeZoneName: "zone",
};

const invalid = (code) => new RangeError(`Invalid argument to Intl.DisplayNames.prototype.of: ${code}`);

function checked(code, pattern, change) {
  if (!pattern.test(code)) throw invalid(code);
  return change(code);
}

const capitalised = (text) => text[0].toUpperCase() + text.slice(1).toLowerCase();

/** By type: the code in its usual form, and its name in a locale. */
const TYPES = {
  language: {
    canonical(code) {
      if (!/^[a-z]{2,3}(-[a-z]{4})?(-([a-z]{2}|\d{3}))?(-([a-z\d]{5,8}|\d[a-z\d]{3}))*$/i.test(code)) throw invalid(code);
      return canonicalLocale(code);
    },
    name: languageName,
  },
  region: {
    canonical: (code) => checked(code, /^([a-z]{2}|\d{3})$/i, (given) => given.toUpperCase()),
    name: ({ names, style }, code) => styled(names.region, code, style),
  },
  script: {
    canonical: (code) => checked(code, /^[a-z]{4}$/i, capitalised),
    name: ({ names, style }, code) => styled(names.script, code, style),
  },
  currency: {
    canonical: (code) => checked(code, /^[a-z]{3}$/i, (given) => given.toUpperCase()),
    name: ({ data }, code) => dataOf("currencies", data)[code]?.name,
  },
  calendar: {
    canonical: (code) => checked(code, /^[a-z\d]{3,8}(-[a-z\d]{3,8})*$/i, (given) => given.toLowerCase()),
    name: ({ names }, code) => names.calendar[code === "gregory" ? "gregorian" : code],
  },
  dateTimeField: {
    canonical(code) {
      if (!Object.hasOwn(FIELDS, code)) throw invalid(code);
      return code;
    },
    name({ data, style }, code) {
      const field = FIELDS[code];
      const all = dataOf("fields", data).names;
      return all[style === "long" ? field : `${field}-${style}`] ?? all[field];
    },
  },
};

const styled = (names, code, style) =>
  style === "long"
    ? names[code]
    : (names[`${code}-alt-${style === "narrow" ? "narrow" : "short"}`] ?? names[`${code}-alt-short`] ?? names[code]);

/** German (Austria), or Austrian German where the language has such a name. */
function languageName({ names, style, languageDisplay }, code) {
  const { language, script, region, variant, pattern, separator } = names;
  const parts = code.split("-");
  const taken = languageDisplay === "dialect" && language[code] !== undefined ? parts.length : 1;
  const base = styled(language, parts.slice(0, taken).join("-"), style);
  if (base === undefined) return undefined;
  const rest = parts.slice(taken).map((part) => {
    if (/^[A-Z][a-z]{3}$/.test(part)) return script[`${part}-alt-stand-alone`] ?? styled(script, part, style) ?? part;
    if (/^([A-Z]{2}|\d{3})$/.test(part)) return styled(region, part, style) ?? part;
    return variant[part.toUpperCase()] ?? part;
  });
  if (rest.length === 0) return base;
  const inside = rest.reduce((all, part) => separator.replace("{0}", () => all).replace("{1}", () => part));
  return pattern.replace("{0}", () => base).replace("{1}", () => inside.replace(/\(/g, "[").replace(/\)/g, "]"));
}

export class DisplayNames {
  constructor(locales, given) {
    const requested = canonicalLocaleList(locales);
    if (given === undefined) throw new TypeError("Cannot convert undefined or null to object");
    const options = toOptions(given);
    readMatcher(options, TYPE);
    const style = stringOption(options, "style", ["narrow", "short", "long"], "long", TYPE);
    const type = stringOption(options, "type", Object.keys(TYPES), undefined, TYPE);
    if (type === undefined) throw new TypeError(`Required option "type" must not be undefined`);
    const fallback = stringOption(options, "fallback", ["code", "none"], "code", TYPE);
    const languageDisplay = stringOption(options, "languageDisplay", ["dialect", "standard"], "dialect", TYPE);
    const { locale, data } = resolveLocale(requested);
    internals.set(this, { locale, data, style, type, fallback, languageDisplay });
  }

  of(given) {
    const its = internals.of(this, "of");
    const { canonical, name } = TYPES[its.type];
    const code = canonical(`${given}`);
    return name({ ...its, names: dataOf("names", its.data) }, code) ?? (its.fallback === "code" ? code : undefined);
  }

  resolvedOptions() {
    const { locale, style, type, fallback, languageDisplay } = internals.of(this, "resolvedOptions");
    return type === "language" ? { locale, style, type, fallback, languageDisplay } : { locale, style, type, fallback };
  }
}
