// Intl.NumberFormat.

import { dataOf, fileAt, root } from "./data.mjs";
import { canonicalLocaleList, isNumberingSystem, numberingOf, resolveLocale } from "./locales.mjs";
import { describeDigits, describeRounding, readDigits, toDecimal } from "./number-digits.mjs";
import { formatted, partsOf } from "./number-parts.mjs";
import { parsePattern, textOf } from "./number-pattern.mjs";
import { rangeParts } from "./number-range.mjs";
import { callable, Internals, readMatcher, stringOption, toOptions, typeOption } from "./options.mjs";
import { rulesOf } from "./plurals.mjs";

const TYPE = "NumberFormat";
const internals = new Internals(TYPE);

function isUnit(name) {
  const parts = name.split("-per-");
  return parts.length <= 2 && parts.every((part) => root().units.includes(part));
}

/** Everything that formatting needs. */
function resolve(locales, given) {
  const requested = canonicalLocaleList(locales);
  const options = toOptions(given);
  readMatcher(options, TYPE);
  const nu = typeOption(options, "numberingSystem");
  const { locale, data, nu: system = numberingOf(data) } = resolveLocale(requested, { nu: isNumberingSystem }, { nu });
  const format = { locale, data, system, rules: () => rulesOf("cardinal", data) };
  readStyle(format, options);
  const notation = stringOption(options, "notation", ["standard", "scientific", "engineering", "compact"], "standard", TYPE);
  format.notation = notation;
  format.digits = readDigits(options, fractionDefaults(format), notation === "compact", TYPE);
  const compactDisplay = stringOption(options, "compactDisplay", ["short", "long"], "short", TYPE);
  if (notation === "compact") format.compactDisplay = compactDisplay;
  format.useGrouping = readGrouping(options, notation);
  format.signDisplay = stringOption(options, "signDisplay", ["auto", "never", "always", "exceptZero", "negative"], "auto", TYPE);
  takePatterns(format);
  return format;
}

function readStyle(format, options) {
  format.style = stringOption(options, "style", ["decimal", "percent", "currency", "unit"], "decimal", TYPE);
  const currency = stringOption(options, "currency");
  if (currency === undefined) {
    if (format.style === "currency") throw new TypeError("Currency code is required with currency style.");
  } else if (!/^[a-z]{3}$/i.test(currency)) throw new RangeError(`Invalid currency code : ${currency}`);
  const currencyDisplay = stringOption(options, "currencyDisplay", ["code", "symbol", "narrowSymbol", "name"], "symbol", TYPE);
  const currencySign = stringOption(options, "currencySign", ["standard", "accounting"], "standard", TYPE);
  const unit = stringOption(options, "unit");
  if (unit === undefined) {
    if (format.style === "unit") throw new TypeError(`Required parameter "unit" cannot be undefined in Intl.NumberFormat()`);
  } else if (!isUnit(unit)) throw new RangeError(`Invalid unit argument for Intl.NumberFormat() '${unit}'`);
  const unitDisplay = stringOption(options, "unitDisplay", ["short", "narrow", "long"], "short", TYPE);
  if (format.style === "currency") Object.assign(format, { currency: currency.toUpperCase(), currencyDisplay, currencySign });
  if (format.style === "unit") Object.assign(format, { unit, unitDisplay });
}

function fractionDefaults({ style, currency, notation }) {
  if (style === "currency" && notation === "standard") {
    const digits = fileAt("currency-digits")[currency] ?? 2;
    return [digits, digits];
  }
  return [0, style === "percent" ? 0 : 3];
}

function readGrouping(options, notation) {
  const fallback = notation === "compact" ? "min2" : "auto";
  const { useGrouping } = options;
  if (useGrouping === undefined) return fallback;
  if (useGrouping === true) return "always";
  if (useGrouping === false || useGrouping === null || useGrouping === 0 || useGrouping === "") return false;
  const value = `${useGrouping}`;
  if (value === "true" || value === "false") return fallback;
  return stringOption({ useGrouping: value }, "useGrouping", ["min2", "auto", "always"], fallback, TYPE);
}

/** Of the locale, what this style and notation need. */
function takePatterns(format) {
  const { systems, groupingMin } = dataOf("numbers", format.data);
  const of = systems[format.system] ?? { ...systems.latn, ...root().systems[format.system] };
  const isCurrency = format.style === "currency" && format.currencyDisplay !== "name";
  const symbols = format.style === "currency" ? { ...of.symbols, ...of.currencySymbols } : of.symbols;
  const isPercent = format.style === "percent" || (format.unit === "percent" && format.unitDisplay !== "long");
  const pattern = isCurrency ? of[format.currencySign === "accounting" ? "accounting" : "currency"] : isPercent ? of.percent : of.decimal;
  Object.assign(format, {
    symbols,
    pattern,
    groupingMin,
    grouping: parsePattern(pattern),
    spacing: of.spacing,
    currencyNames: of.currencyNames,
    range: of.range,
    approximately: of.approximately,
  });
  if (format.style === "currency") format.currencySymbol = currencySymbol(format);
  if (format.notation === "compact") {
    const patterns = isCurrency ? of.shortCurrency : of[format.compactDisplay];
    format.compactPatterns = format.style === "percent" ? {} : patterns;
  }
}

function currencySymbol({ currency, currencyDisplay, data }) {
  if (currencyDisplay === "code") return currency;
  const { symbol = currency, narrow = symbol } = dataOf("currencies", data)[currency] ?? {};
  return currencyDisplay === "narrowSymbol" ? narrow : symbol;
}

class NumberFormat {
  #bound;

  constructor(locales, options) {
    internals.set(this, resolve(locales, options));
  }

  get format() {
    const format = internals.of(this, "format");
    this.#bound ??= Object.defineProperty((value) => formatted(format, toDecimal(value)), "name", { value: "" });
    return this.#bound;
  }

  formatToParts(value) {
    return partsOf(internals.of(this, "formatToParts"), toDecimal(value));
  }

  formatRange(start, end) {
    return textOf(rangeParts(internals.of(this, "formatRange"), ...range(start, end)));
  }

  formatRangeToParts(start, end) {
    return rangeParts(internals.of(this, "formatRangeToParts"), ...range(start, end));
  }

  resolvedOptions() {
    const format = internals.of(this, "resolvedOptions");
    const { locale, system, style, currency, currencyDisplay, currencySign, unit, unitDisplay, notation, compactDisplay } = format;
    const all = {
      locale,
      numberingSystem: system,
      style,
      currency,
      currencyDisplay,
      currencySign,
      unit,
      unitDisplay,
      ...describeDigits(format.digits),
      useGrouping: format.useGrouping,
      notation,
      compactDisplay,
      signDisplay: format.signDisplay,
      ...describeRounding(format.digits),
    };
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  }
}

function range(start, end) {
  if (start === undefined || end === undefined) throw new TypeError("Invalid argument: a range has a start and an end");
  const values = [toDecimal(start), toDecimal(end)];
  if (values.some(({ special }) => special === "nan")) throw new RangeError("Invalid argument: NaN is in no range");
  return values;
}

const Callable = callable(NumberFormat);
export { Callable as NumberFormat };
