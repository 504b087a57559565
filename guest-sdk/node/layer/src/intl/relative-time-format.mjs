// Intl.RelativeTimeFormat.

import { dataOf } from "./data.mjs";
import { canonicalLocaleList, isNumberingSystem, numberingOf, resolveLocale } from "./locales.mjs";
import { NumberFormat } from "./number-format.mjs";
import { textOf } from "./number-pattern.mjs";
import { Internals, readMatcher, stringOption, toOptions, typeOption } from "./options.mjs";
import { PluralRules } from "./plural-rules.mjs";

const TYPE = "RelativeTimeFormat";
const internals = new Internals(TYPE);
const UNITS = ["second", "minute", "hour", "day", "week", "month", "quarter", "year"];

export class RelativeTimeFormat {
  constructor(locales, given) {
    const requested = canonicalLocaleList(locales);
    const options = toOptions(given);
    readMatcher(options, TYPE);
    const nu = typeOption(options, "numberingSystem");
    const { locale, data, nu: system = numberingOf(data) } = resolveLocale(requested, { nu: isNumberingSystem }, { nu });
    const style = stringOption(options, "style", ["long", "short", "narrow"], "long", TYPE);
    const numeric = stringOption(options, "numeric", ["always", "auto"], "always", TYPE);
    const numbers = new NumberFormat(locale, { numberingSystem: system });
    internals.set(this, { locale, data, style, numeric, system, numbers, rules: new PluralRules(locale) });
  }

  format(value, unit) {
    return textOf(partsOf(internals.of(this, "format"), Number(value), `${unit}`, `Intl.${TYPE}.prototype.format()`));
  }

  formatToParts(value, unit) {
    return partsOf(internals.of(this, "formatToParts"), Number(value), `${unit}`, `Intl.${TYPE}.prototype.formatToParts()`);
  }

  resolvedOptions() {
    const { locale, style, numeric, system } = internals.of(this, "resolvedOptions");
    return { locale, style, numeric, numberingSystem: system };
  }
}

function partsOf({ data, style, numeric, numbers, rules }, value, given, method) {
  const unit = given.replace(/s$/, "");
  if (!UNITS.includes(unit)) throw new RangeError(`Invalid unit argument for ${method} '${given}'`);
  if (!Number.isFinite(value)) throw new RangeError("Invalid time value");
  const { words, future, past } = dataOf("fields", data).relative[style === "long" ? unit : `${unit}-${style}`];
  const isPast = value < 0 || Object.is(value, -0);
  // Minus nothing is nothing, in the past.
  const word = words[Object.is(value, -0) ? "0" : String(value)];
  if (numeric === "auto" && word !== undefined) return [{ type: "literal", value: word }];
  const patterns = isPast ? past : future;
  const amount = Math.abs(value);
  const pattern = patterns[rules.select(amount)] ?? patterns.other;
  const at = pattern.indexOf("{0}");
  if (at < 0) return [{ type: "literal", value: pattern }];
  const literal = (text) => (text === "" ? [] : [{ type: "literal", value: text }]);
  const number = numbers.formatToParts(amount).map((part) => ({ ...part, unit }));
  return [...literal(pattern.slice(0, at)), ...number, ...literal(pattern.slice(at + 3))];
}
