// Intl.PluralRules.

import { canonicalLocaleList, resolveLocale, supportedLocales } from "./locales.mjs";
import { describeDigits, readDigits, round, toDecimal } from "./number-digits.mjs";
import { incompatible, readMatcher, stringOption, toOptions } from "./options.mjs";
import { categoryOf, rangeCategory, rulesOf } from "./plurals.mjs";

const TYPE = "PluralRules";
const ORDER = ["few", "many", "one", "two", "zero", "other"];

export class PluralRules {
  #rules;

  constructor(locales, given) {
    const requested = canonicalLocaleList(locales);
    const options = toOptions(given);
    readMatcher(options, TYPE);
    const type = stringOption(options, "type", ["cardinal", "ordinal"], "cardinal", TYPE);
    const digits = readDigits(options, [0, 3], false, TYPE);
    const { locale, data } = resolveLocale(requested);
    this.#rules = { locale, data, type, digits, all: rulesOf(type, data) };
  }

  static supportedLocalesOf(locales, options) {
    readMatcher(toOptions(options), TYPE);
    return supportedLocales(locales);
  }

  static #of(receiver, method) {
    if (typeof receiver !== "object" || receiver === null || !(#rules in receiver))
      throw incompatible(`${TYPE}.prototype.${method}`, receiver);
    return receiver.#rules;
  }

  select(value) {
    return select(PluralRules.#of(this, "select"), Number(value));
  }

  selectRange(start, end) {
    const rules = PluralRules.#of(this, "selectRange");
    if (start === undefined || end === undefined) throw new TypeError("Invalid argument: a range has a start and an end");
    if (Number.isNaN(Number(start)) || Number.isNaN(Number(end))) throw new RangeError("Invalid argument: NaN is in no range");
    return rangeCategory(rules.data, select(rules, Number(start)), select(rules, Number(end)));
  }

  resolvedOptions() {
    const { locale, type, digits, all } = PluralRules.#of(this, "resolvedOptions");
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
