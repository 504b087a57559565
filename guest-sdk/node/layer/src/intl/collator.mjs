// Intl.Collator.

import { native } from "../native.mjs";
import { toWellFormed } from "../intrinsics.mjs";
import { canonicalLocaleList, resolveLocale } from "./locales.mjs";
import { booleanOption, callable, Internals, readMatcher, stringOption, toOptions, typeOption } from "./options.mjs";

const TYPE = "Collator";
const internals = new Internals(TYPE);
const CASES = ["upper", "lower", "false"];
const BOOLEANS = ["true", "false"];

/** Orders that a locale may be asked for besides its own. */
const COLLATIONS = new Set("compat dict emoji eor phonebk pinyin searchjl stroke trad unihan zhuyin".split(" "));
const BY_LANGUAGE = {
  ar: ["compat"],
  bn: ["trad"],
  de: ["phonebk"],
  es: ["trad"],
  fi: ["trad"],
  ja: ["unihan"],
  kn: ["trad"],
  ko: ["searchjl", "unihan"],
  si: ["dict"],
  sv: ["trad"],
  vi: ["trad"],
  zh: ["pinyin", "stroke", "unihan", "zhuyin"],
};

const isCollation = (name, data) =>
  name === "emoji" || name === "eor" || (COLLATIONS.has(name) && (BY_LANGUAGE[data.split("-", 1)[0]] ?? []).includes(name));

export const COLLATION_NAMES = [...COLLATIONS].sort();

/** Everything that comparing needs. */
function resolve(locales, given) {
  const requested = canonicalLocaleList(locales);
  const options = toOptions(given);
  const usage = stringOption(options, "usage", ["sort", "search"], "sort", TYPE);
  readMatcher(options, TYPE);
  const co = typeOption(options, "collation");
  const numeric = booleanOption(options, "numeric");
  const caseFirst = stringOption(options, "caseFirst", CASES, undefined, TYPE);
  const keys = { co: isCollation, kf: (value) => CASES.includes(value), kn: (value) => BOOLEANS.includes(value) };
  const resolved = resolveLocale(requested, keys, { co, kn: numeric === undefined ? undefined : String(numeric), kf: caseFirst });
  const { locale, data } = resolved;
  const sensitivity = stringOption(options, "sensitivity", ["base", "accent", "case", "variant"], "variant", TYPE);
  // Thai is written without spaces: its punctuation does not count.
  const ignorePunctuation = booleanOption(options, "ignorePunctuation") ?? data.split("-", 1)[0] === "th";
  const isNumeric = resolved.kn === "true";
  // ICU4X orders Danish capitals first by itself, as everybody does.
  const first = resolved.kf ?? (data.startsWith("da") ? "upper" : "false");
  const collation = resolved.co ?? "default";
  const asked = collation === "default" ? data : `${data}-u-co-${collation}`;
  return {
    options: { locale, usage, sensitivity, ignorePunctuation, collation, numeric: isNumeric, caseFirst: first },
    collator: native.collator(asked, sensitivity, ignorePunctuation, isNumeric, first),
  };
}

const compare = (collator, left, right) => (left === right ? 0 : native.collatorCompare(collator, toWellFormed(left), toWellFormed(right)));

class Collator {
  #bound;

  constructor(locales, options) {
    internals.set(this, resolve(locales, options));
  }

  get compare() {
    const { collator } = internals.of(this, "compare");
    this.#bound ??= Object.defineProperty((left, right) => compare(collator, `${left}`, `${right}`), "name", { value: "" });
    return this.#bound;
  }

  resolvedOptions() {
    return { ...internals.of(this, "resolvedOptions").options };
  }
}

const Callable = callable(Collator);
export { Callable as Collator };
