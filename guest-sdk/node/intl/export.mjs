// Writes dist/: what Intl in the layer (`layer/src/intl`) reads of CLDR, small JSON files by topic and locale. A locale with
// a parent, such as de-CH, has only what differs from it.

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { datesOf, fieldsOf, zonesOf } from "./src/dates.mjs";
import { LOCALES, parentOf, root } from "./src/locales.mjs";
import { listsOf, namesOf } from "./src/names.mjs";
import { currenciesOf, numbersOf, unitsOf } from "./src/numbers.mjs";
import { currencyDigits, dayPeriods, metazones, plurals } from "./src/supplemental.mjs";

const DIST = join(import.meta.dirname, "dist");

/** By name of the folder: what a locale's file in it holds. */
const TOPICS = {
  currencies: currenciesOf,
  "dates-buddhist": (locale) => datesOf(locale, "buddhist"),
  "dates-gregory": (locale) => datesOf(locale, "gregory"),
  "dates-persian": (locale) => datesOf(locale, "persian"),
  fields: fieldsOf,
  lists: listsOf,
  names: namesOf,
  numbers: numbersOf,
  units: unitsOf,
  zones: zonesOf,
};

const SUPPLEMENTAL = { "currency-digits": currencyDigits, "day-periods": dayPeriods, metazones, plurals, root };

/** What of `value` is not in `parent`: arrays are taken whole, and null is what the parent has and it has not. */
function difference(value, parent) {
  if (typeof value !== "object" || typeof parent !== "object" || Array.isArray(value) || Array.isArray(parent)) {
    return JSON.stringify(value) === JSON.stringify(parent) ? undefined : value;
  }
  const own = {};
  for (const key of Object.keys({ ...parent, ...value })) {
    let its = value[key];
    if (its === undefined) its = parent[key] === undefined ? undefined : null;
    else if (parent[key] !== undefined) its = difference(its, parent[key]);
    if (its !== undefined) own[key] = its;
  }
  return Object.keys(own).length === 0 ? undefined : own;
}

function write(path, value) {
  const file = join(DIST, `${path}.json`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(value));
}

rmSync(DIST, { recursive: true, force: true });
for (const [topic, of] of Object.entries(TOPICS)) {
  for (const locale of LOCALES) {
    const parent = parentOf(locale);
    const own = parent === undefined ? of(locale) : difference(of(locale), of(parent));
    if (own !== undefined) write(`${topic}/${locale}`, own);
  }
}
for (const [name, of] of Object.entries(SUPPLEMENTAL)) write(name, of());
