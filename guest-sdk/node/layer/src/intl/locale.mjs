// Intl.Locale.

import { native } from "../native.mjs";
import { canonicalLocale, isLocale, keywordsOf } from "./locales.mjs";
import { booleanOption, Internals, stringOption, toOptions, typeOption } from "./options.mjs";

const TYPE = "Locale";
const internals = new Internals(TYPE);
const KEYWORDS = { calendar: "ca", collation: "co", hourCycle: "hc", caseFirst: "kf", numeric: "kn", numberingSystem: "nu" };

const wrong = () => new RangeError("Incorrect locale information provided");

function part(options, name, pattern) {
  const value = stringOption(options, name);
  if (value !== undefined && !pattern.test(value)) throw wrong();
  return value;
}

/** Language, script and region of a tag, and what is behind them. */
function split(tag) {
  const [, language, script, region, rest] = /^([a-z]{2,8})(-[A-Za-z]{4}(?=-|$))?(-(?:[A-Za-z]{2}|\d{3})(?=-|$))?(.*)$/.exec(tag);
  return { language, script: script?.slice(1), region: region?.slice(1), rest };
}

/** The tag with its parts and keywords as the options say. */
function changed(tag, options) {
  const language = part(options, "language", /^([a-z]{2,3}|[a-z]{5,8})$/i);
  const script = part(options, "script", /^[a-z]{4}$/i);
  const region = part(options, "region", /^([a-z]{2}|\d{3})$/i);
  const its = split(tag);
  const base = [language ?? its.language, script ?? its.script, region ?? its.region].filter((piece) => piece !== undefined).join("-");
  const keywords = new Map(keywordsOf(tag));
  const given = {
    ca: typeOption(options, "calendar"),
    co: typeOption(options, "collation"),
    hc: stringOption(options, "hourCycle", ["h11", "h12", "h23", "h24"], undefined, TYPE),
    kf: stringOption(options, "caseFirst", ["upper", "lower", "false"], undefined, TYPE),
    kn: booleanOption(options, "numeric"),
    nu: typeOption(options, "numberingSystem"),
  };
  for (const key of Object.keys(given)) if (given[key] !== undefined) keywords.set(key, given[key] === true ? "" : String(given[key]));
  const extension = [...keywords].map(([key, value]) => (value === "" ? `-${key}` : `-${key}-${value}`)).join("");
  const rest = its.rest.replace(/-u(-[a-z\d]{2,8})+/, "");
  const [, variants, others] = /^((?:-[a-z\d]{4,8})*)(.*)$/.exec(rest);
  return canonicalLocale(`${base}${variants}${extension === "" ? "" : `-u${extension}`}${others}`);
}

export class Locale {
  constructor(tag, options) {
    if (typeof tag !== "string" && (typeof tag !== "object" || tag === null))
      throw new TypeError("First argument to Intl.Locale constructor can't be empty or missing");
    const canonical = canonicalLocale(`${tag}`);
    internals.set(this, options === undefined ? canonical : changed(canonical, toOptions(options)));
  }

  get [isLocale]() {
    return true;
  }

  toString() {
    return internals.of(this, "toString");
  }

  maximize() {
    return new Locale(native.localeMaximized(internals.of(this, "maximize")));
  }

  minimize() {
    return new Locale(native.localeMinimized(internals.of(this, "minimize")));
  }

  get baseName() {
    return internals.of(this, "baseName").replace(/-([a-wyz\d]|x|u)-.*$/, "");
  }

  get language() {
    return split(internals.of(this, "language")).language;
  }

  get script() {
    return split(internals.of(this, "script")).script;
  }

  get region() {
    return split(internals.of(this, "region")).region;
  }

  get numeric() {
    const value = keywordsOf(internals.of(this, "numeric")).get("kn");
    return value === "" || value === "true";
  }
}

for (const name of Object.keys(KEYWORDS).filter((keyword) => keyword !== "numeric")) {
  Object.defineProperty(Locale.prototype, name, {
    get() {
      return keywordsOf(this.toString()).get(KEYWORDS[name]);
    },
    enumerable: false,
    configurable: true,
  });
}
