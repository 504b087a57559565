// What goes by language, currency or zone, whatever the locale.

import { cldr, mapped, supplemental } from "./cldr.mjs";

const RULE = /^pluralRule-count-(\w+)$/;
const RANGE = /^pluralRange-start-(\w+)-end-(\w+)$/;

const rules = (of) =>
  mapped(of, (language, counts) => [language, mapped(counts, (key, rule) => [RULE.exec(key)[1], rule.split("@", 1)[0].trim()])]);

/** Rules by language, without their examples. */
export function plurals() {
  const ranges = mapped(supplemental("pluralRanges").plurals, (language, of) => [
    language,
    mapped(of, (key, count) => [RANGE.exec(key).slice(1).join("-"), count]),
  ]);
  return {
    cardinal: rules(supplemental("plurals")["plurals-type-cardinal"]),
    ordinal: rules(supplemental("ordinals")["plurals-type-ordinal"]),
    ranges,
  };
}

export function currencyDigits() {
  return mapped(supplemental("currencyData").currencyData.fractions, (code, { _digits }) => [code, Number(_digits)]);
}

const minutes = (time) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));

/** By language: the parts of a day as `[name, from, before]`, in minutes; points in time have no `before`. */
export function dayPeriods() {
  return mapped(supplemental("dayPeriods").dayPeriodRuleSet, (language, periods) => [
    language,
    Object.entries(periods).map(([name, { _at, _from, _before }]) =>
      _at === undefined ? [name, minutes(_from), minutes(_before)] : [name, minutes(_at)],
    ),
  ]);
}

/** The metazones of each zone over time, in seconds since 1970; zones by the names that IANA prefers, and what CLDR calls those. */
export function metazones() {
  const { metazoneInfo } = supplemental("metaZones").metaZones;
  const zones = {};
  const seconds = (time) => (time === undefined ? undefined : Date.parse(`${time.replace(" ", "T")}Z`) / 1000);
  const gather = (path, node) => {
    if (Array.isArray(node)) {
      zones[path] = node.map(({ usesMetazone }) => [
        usesMetazone._mzone,
        seconds(usesMetazone._from) ?? null,
        seconds(usesMetazone._to) ?? null,
      ]);
      return;
    }
    for (const [name, child] of Object.entries(node)) gather(path === "" ? name : `${path}/${name}`, child);
  };
  gather("", metazoneInfo.timezone);
  const aliases = {};
  const regions = {};
  for (const [code, { _alias }] of Object.entries(cldr("bcp47/timezone", "cldr-bcp47").keyword.u.tz)) {
    if (typeof _alias !== "string") continue;
    const [canonical, ...others] = _alias.split(" ");
    for (const other of others) aliases[other] = canonical;
    if (zones[canonical] === undefined) aliases[canonical] = canonical;
    if (/^[a-z]{5}$/.test(code)) regions[canonical] = code.slice(0, 2).toUpperCase();
  }
  return { zones, aliases, regions };
}
