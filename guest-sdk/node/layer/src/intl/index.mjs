// Intl, and the methods of other objects that stand on it. The classes are here, in the image that all start from; what they
// know of languages is read when something is formatted (`data.mjs`).

import { native } from "../native.mjs";
import { defineGlobal, defineHidden, defineProperty, toWellFormed } from "../intrinsics.mjs";
import { CALENDAR_NAMES } from "./calendars.mjs";
import { COLLATION_NAMES, Collator } from "./collator.mjs";
import { fileAt, root } from "./data.mjs";
import { DateTimeFormat, formatted, resolve } from "./date-time-format.mjs";
import { DisplayNames } from "./display-names.mjs";
import { ListFormat } from "./list-format.mjs";
import { Locale } from "./locale.mjs";
import { canonicalLocaleList, supportedLocales } from "./locales.mjs";
import { NumberFormat } from "./number-format.mjs";
import { readMatcher, toOptions } from "./options.mjs";
import { PluralRules } from "./plural-rules.mjs";
import { RelativeTimeFormat } from "./relative-time-format.mjs";
import { Segmenter } from "./segmenter.mjs";
import { zoneList } from "./time-zones.mjs";

const CLASSES = { Collator, DateTimeFormat, DisplayNames, ListFormat, Locale, NumberFormat, PluralRules, RelativeTimeFormat, Segmenter };

/** How many parameters a class needs. */
const LENGTHS = { DisplayNames: 2, Locale: 1 };

const SUPPORTED = {
  calendar: () => CALENDAR_NAMES,
  collation: () => COLLATION_NAMES,
  currency: () => Object.keys(fileAt("currencies/en")).filter((code) => /^[A-Z]{3}$/.test(code)),
  numberingSystem: () => Object.keys(root().digits),
  timeZone: zoneList,
  unit: () => root().units,
};

const functions = {
  getCanonicalLocales(locales) {
    return canonicalLocaleList(locales);
  },
  supportedValuesOf(key) {
    const name = `${key}`;
    if (!Object.hasOwn(SUPPORTED, name)) throw new RangeError(`Invalid key : ${name}`);
    return [...SUPPORTED[name]()].sort();
  },
};

/** What was made for the usual ways of asking, as programs ask again and again. */
class Recent {
  #made = new Map();
  #make;

  constructor(make) {
    this.#make = make;
  }

  get(locales, options) {
    const isPlain = options === undefined && (locales === undefined || typeof locales === "string");
    if (!isPlain) return this.#make(locales, options);
    if (!this.#made.has(locales)) {
      if (this.#made.size >= RECENT_MAX) this.#made.clear();
      this.#made.set(locales, this.#make(locales));
    }
    return this.#made.get(locales);
  }
}

const RECENT_MAX = 16;

const numbers = new Recent((locales, options) => new NumberFormat(locales, options).format);
const collators = new Recent((locales, options) => new Collator(locales, options).compare);
const dates = {
  toLocaleString: new Recent((locales, options) => resolve(locales, options, "any", "all")),
  toLocaleDateString: new Recent((locales, options) => resolve(locales, options, "date", "date")),
  toLocaleTimeString: new Recent((locales, options) => resolve(locales, options, "time", "time")),
};

const [numberValue, bigintValue, dateValue] = [Number, BigInt, Date].map((type) => Function.prototype.call.bind(type.prototype.valueOf));

function dateMethod(name) {
  return {
    [name](locales, options) {
      const ms = dateValue(this);
      return Number.isNaN(ms) ? "Invalid Date" : formatted(dates[name].get(locales, options), ms);
    },
  }[name];
}

/** The language of the first locale that is asked for, if letters have other cases in it. */
function caseLocale(locales) {
  const [locale] = canonicalLocaleList(locales);
  return /^(az|el|hy|lt|nl|tr)\b/.exec(locale ?? "")?.[0];
}

const { toUpperCase, toLowerCase } = String.prototype;

/** What English orders as its characters are numbered: names of headers and columns, mostly. Needs no data. */
const PLAIN = /^[a-z\d-]*$/;

const methods = [
  [
    Number.prototype,
    {
      toLocaleString(locales, options) {
        return numbers.get(locales, options)(numberValue(this));
      },
    },
  ],
  [
    BigInt.prototype,
    {
      toLocaleString(locales, options) {
        return numbers.get(locales, options)(bigintValue(this));
      },
    },
  ],
  [
    Date.prototype,
    {
      toLocaleString: dateMethod("toLocaleString"),
      toLocaleDateString: dateMethod("toLocaleDateString"),
      toLocaleTimeString: dateMethod("toLocaleTimeString"),
    },
  ],
  [
    String.prototype,
    {
      localeCompare(that, locales, options) {
        const [left, right] = [`${this}`, `${that}`];
        if (left === right && locales === undefined) return 0;
        if (locales === undefined && options === undefined && PLAIN.test(left) && PLAIN.test(right)) return left < right ? -1 : 1;
        return collators.get(locales, options)(left, right);
      },
      toLocaleUpperCase(locales) {
        const locale = caseLocale(locales);
        return locale === undefined ? toUpperCase.call(this) : native.upperCase(locale, toWellFormed(`${this}`));
      },
      toLocaleLowerCase(locales) {
        const locale = caseLocale(locales);
        return locale === undefined ? toLowerCase.call(this) : native.lowerCase(locale, toWellFormed(`${this}`));
      },
    },
  ],
  [Array.prototype, { toLocaleString: listMethod() }],
  [Object.getPrototypeOf(Uint8Array.prototype), { toLocaleString: listMethod() }],
];

function listMethod() {
  return {
    toLocaleString(locales, options) {
      return Array.prototype.map
        .call(this, (element) => (element === undefined || element === null ? "" : element.toLocaleString(locales, options)))
        .join(",");
    },
  }.toLocaleString;
}

/** The same of every class but Locale. */
const supportedLocalesOf = (type) =>
  ({
    supportedLocalesOf(locales, options) {
      readMatcher(toOptions(options), type);
      return supportedLocales(locales);
    },
  }).supportedLocalesOf;

export function installIntl() {
  const Intl = {};
  defineProperty(Intl, Symbol.toStringTag, { value: "Intl", configurable: true });
  for (const name in CLASSES) {
    const type = CLASSES[name];
    defineProperty(type, "name", { value: name, configurable: true });
    defineProperty(type, "length", { value: LENGTHS[name] ?? 0, configurable: true });
    defineProperty(type.prototype, Symbol.toStringTag, { value: `Intl.${name}`, configurable: true });
    if (type !== Locale) defineHidden(type, "supportedLocalesOf", supportedLocalesOf(name));
    defineHidden(Intl, name, type);
  }
  for (const name in functions) defineHidden(Intl, name, functions[name]);
  defineGlobal("Intl", Intl);
  for (const [prototype, own] of methods) for (const name in own) defineHidden(prototype, name, own[name]);
}
