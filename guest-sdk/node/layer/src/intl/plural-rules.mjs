// Intl.PluralRules.

import { canonicalLocaleList, resolveLocale } from "./locales.mjs";
import { describeDigits, readDigits, round, toDecimal } from "./number-digits.mjs";
import { Internals, readMatcher, stringOption, toOptions } from "./options.mjs";
import { categoryOf, rangeCategory, rulesOf } from "./plurals.mjs";

const TYPE = "PluralRules";
const internals = new Internals(TYPE);
const ORDER = ["few", "many", "one", "two", "zero", "other"];

export class PluralRules {
  constructor(locales, given) {
    const requested = canonicalLocaleList(locales);
    const options = toOptions(given);
    readMatcher(options, TYPE);
    const type = stringOption(options, "type", ["cardinal", "ordinal"], "cardinal", TYPE);
    const digits = readDigits(options, [0, 3], false, TYPE);
    const { locale, data } = resolveLocale(requested);
    internals.set(this, { locale, data, type, digits, all: rulesOf(type, data) });
  }

  select(value) {
    return select(internals.of(this, "select"), Number(value));
  }

  selectRange(start, end) {
    const rules = internals.of(this, "selectRange");
    if (start === undefined || end === undefined) throw new TypeError("Invalid argument: a range has a start and an end");
    if (Number.isNaN(Number(start)) || Number.isNaN(Number(end))) throw new RangeError("Invalid argument: NaN is in no range");
    return rangeCategory(rules.data, select(rules, Number(start)), select(rules, Number(end)));
  }

  resolvedOptions() {
    const { locale, type, digits, all } = internals.of(this, "resolvedOptions");
    const names = all.map(([category]) => category);
    return {
      locale,
      type,
      ...describeDigits(digits),
      pluralCategories: ORDER.filter((category) => category === "other" || names.includes(category)),
    };
  }
}

function select({ digits, all }, number) {
  const { value, fractionMin } = round(toDecimal(Math.abs(number)), digits);
  return categoryOf(all, value, digits.integerMin, fractionMin);
}
