// Which locales there are, and what goes by region.

import { cldr, mainOf, mapped, supplemental } from "./cldr.mjs";
import { UNITS, numbersOf } from "./numbers.mjs";

const { effectiveCoverageLevels: LEVELS } = cldr("coverageLevels");

const { full } = cldr("availableLocales").availableLocales;

/** All that CLDR covers as well as a system's user interface would need, and Norwegian by both of its names. */
export const LOCALES = full.filter((locale) => locale !== "und" && LEVELS[locale] === "modern");

/** Of what a locale's files are the difference to: its language's, where there is that. */
export function parentOf(locale) {
  const language = locale.split("-", 1)[0];
  return language !== locale && LOCALES.includes(language) ? language : undefined;
}

/** Those that CLDR has no files of since they are what the shorter one means: en-US is en. Script left out where that says enough. */
function aliases() {
  const found = {};
  const { likelySubtags } = supplemental("likelySubtags");
  for (const whole of cldr("defaultContent").defaultContent) {
    const parts = whole.split("-");
    const data = parts.slice(0, -1).join("-");
    if (LOCALES.includes(data)) found[whole] = data;
  }
  for (const locale of [...LOCALES, ...Object.keys(found)]) {
    const [language, script, region] = locale.split("-");
    if (region === undefined || script.length !== 4) continue;
    const short = `${language}-${region}`;
    const means = likelySubtags[short] ?? `${language}-${(likelySubtags[language] ?? "").split("-")[1]}-${region}`;
    if (means === locale && !LOCALES.includes(short)) found[short] = found[locale] ?? locale;
  }
  // Through to what there are files of.
  return mapped(found, (from, to) => [from, found[to] ?? to]);
}

/** The region that a locale without one stands for. */
function regions() {
  const { likelySubtags } = supplemental("likelySubtags");
  return mapped(Object.fromEntries(LOCALES.map((locale) => [locale, likelySubtags[locale]])), (locale, likely) => {
    if (locale.split("-").some((part, at) => at > 0 && /^([A-Z]{2}|\d{3})$/.test(part))) return undefined;
    const region = (likely ?? likelySubtags[locale.split("-")[0]] ?? "").split("-")[2];
    return region === undefined ? undefined : [locale, region];
  });
}

function numbering() {
  const of = (locale) => mainOf("cldr-numbers-full", locale, "numbers").numbers.defaultNumberingSystem;
  return mapped(Object.fromEntries(LOCALES.map((locale) => [locale, of(locale)])), (locale, system) =>
    system === "latn" ? undefined : [locale, system],
  );
}

const { timeData } = supplemental("timeData");

const CALENDARS = ["buddhist", "persian"];

export function root() {
  const { calendarPreferenceData } = supplemental("calendarPreferenceData");
  const { numberingSystems } = supplemental("numberingSystems");
  return {
    locales: LOCALES,
    aliases: aliases(),
    regions: regions(),
    /** By region, or by locale where that says otherwise: the letter of the hour. */
    hours: mapped(timeData, (region, { _preferred }) => [region.replace("_", "-"), _preferred]),
    /** Of locales that do not write with Western digits. */
    numbering: numbering(),
    units: UNITS,
    calendars: mapped(calendarPreferenceData, (region, [first]) => (CALENDARS.includes(first) ? [region, first] : undefined)),
    /** What systems are written with in locales that do not say so. */
    systems: { arab: { symbols: numbersOf("ar").systems.arab.symbols }, arabext: { symbols: numbersOf("fa").systems.arabext.symbols } },
    digits: mapped(numberingSystems, (name, { _type, _digits }) => (_type === "numeric" ? [name, _digits] : undefined)),
  };
}
