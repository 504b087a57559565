// Patterns of numbers, currencies and units.

import { mainOf, mapped } from "./cldr.mjs";

const SYMBOLS = ["decimal", "group", "plusSign", "minusSign", "percentSign", "exponential", "infinity", "nan", "approximatelySign"];

/** `1000-count-one` by number and count. */
function compact(formats) {
  const found = {};
  for (const [key, pattern] of Object.entries(formats ?? {})) {
    const match = /^(10+)-count-(\w+)$/.exec(key);
    if (match) (found[match[1].length - 1] ??= {})[match[2]] = pattern;
  }
  return found;
}

export function numbersOf(locale) {
  const { numbers } = mainOf("cldr-numbers-full", locale, "numbers");
  const systems = Object.keys(numbers).flatMap((key) => /^symbols-numberSystem-(.+)$/.exec(key)?.[1] ?? []);
  return {
    system: numbers.defaultNumberingSystem,
    groupingMin: Number(numbers.minimumGroupingDigits),
    systems: Object.fromEntries(systems.map((system) => [system, systemOf(numbers, system)])),
  };
}

function systemOf(numbers, system) {
  const of = (name) => numbers[`${name}-numberSystem-${system}`];
  const symbols = of("symbols");
  const decimal = of("decimalFormats");
  const currency = of("currencyFormats");
  return {
    symbols: mapped(Object.fromEntries(SYMBOLS.map((name) => [name, symbols[name]])), (name, symbol) =>
      symbol === undefined ? undefined : [name, symbol],
    ),
    currencySymbols: mapped({ decimal: symbols.currencyDecimal, group: symbols.currencyGroup }, (name, symbol) =>
      symbol === undefined ? undefined : [name, symbol],
    ),
    decimal: decimal.standard,
    percent: of("percentFormats").standard,
    currency: currency.standard,
    accounting: currency.accounting,
    spacing: currency.currencySpacing?.beforeCurrency.insertBetween,
    currencyNames: mapped(currency, (key, pattern) =>
      key.startsWith("unitPattern-count-") ? [key.slice("unitPattern-count-".length), pattern] : undefined,
    ),
    short: compact(decimal.short.decimalFormat),
    long: compact(decimal.long.decimalFormat),
    shortCurrency: compact((currency.short ?? numbers["currencyFormats-numberSystem-latn"].short)?.standard),
    range: of("miscPatterns").range,
    approximately: of("miscPatterns").approximately,
  };
}

/** By code: symbol, narrow symbol, and names by count. What is the code itself is left out. */
export function currenciesOf(locale) {
  const { currencies } = mainOf("cldr-numbers-full", locale, "currencies").numbers;
  return mapped(currencies, (code, currency) => {
    const found = { name: currency.displayName };
    if (currency.symbol !== undefined && currency.symbol !== code) found.symbol = currency.symbol;
    if (currency["symbol-alt-narrow"] !== undefined) found.narrow = currency["symbol-alt-narrow"];
    for (const [key, name] of Object.entries(currency)) {
      const count = /^displayName-count-(\w+)$/.exec(key)?.[1];
      if (count !== undefined) (found.names ??= {})[count] = name;
    }
    return [code, found];
  });
}

/** The units that ECMA-402 knows. */
export const UNITS = (
  "acre bit byte celsius centimeter day degree fahrenheit fluid-ounce foot gallon gigabit gigabyte gram hectare hour inch " +
  "kilobit kilobyte kilogram kilometer liter megabit megabyte meter microsecond mile mile-scandinavian milliliter " +
  "millimeter millisecond minute month nanosecond ounce percent petabyte pound second stone terabit terabyte week yard year"
).split(" ");

/** Combinations that have words of their own. */
const COMBINED = ["kilometer-per-hour", "meter-per-second", "mile-per-hour", "liter-per-kilometer", "mile-per-gallon"];

export function unitsOf(locale) {
  const { units } = mainOf("cldr-units-full", locale, "units");
  return Object.fromEntries(
    ["long", "short", "narrow"].map((width) => {
      const of = {};
      for (const [key, unit] of Object.entries(units[width])) {
        const name = key.slice(key.indexOf("-") + 1);
        if (!UNITS.includes(name) && !COMBINED.includes(name)) continue;
        of[name] = mapped(unit, (part, pattern) =>
          /^unitPattern-count-\w+$/.test(part)
            ? [part.slice("unitPattern-count-".length), pattern]
            : part === "perUnitPattern"
              ? ["per", pattern]
              : undefined,
        );
        // Times per unit are by the bare name where there is no pattern.
        of[name].name = unit.displayName;
      }
      return [width, { per: units[width].per.compoundUnitPattern, of }];
    }),
  );
}
