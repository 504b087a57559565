// Locales: what is asked for, and what of it there is.

import { native } from "../native.mjs";
import { root } from "./data.mjs";

const DEFAULT_LOCALE = "en-US";

/** What is canonical as it stands, by far the most that is asked for; and what can be no old name for something else. */
const PLAIN = /^(?!(?:iw|in|ji|jw|mo|sh|tl|no|aa|bh|cmn)\b)[a-z]{2}(-[A-Z]{2})?$/;

/** The locale in its canonical form, or a RangeError. */
export function canonicalLocale(tag) {
  if (PLAIN.test(tag)) return tag;
  const canonical = tag.length > TAG_LENGTH_MAX ? undefined : native.localeCanonical(tag);
  if (canonical === undefined) throw new RangeError(`Incorrect locale information provided`);
  return canonical;
}

/** Longer than any that means something. */
const TAG_LENGTH_MAX = 255;

export const isLocale = Symbol("isLocale");

/** What is given as locales, as a list of canonical ones. */
export function canonicalLocaleList(locales) {
  if (locales === undefined) return [];
  if (typeof locales === "string") return [canonicalLocale(locales)];
  if (locales === null) throw new TypeError("Cannot convert undefined or null to object");
  if (locales?.[isLocale]) return [locales.toString()];
  const list = Object(locales);
  const seen = new Set();
  const length = Math.min(Math.max(Math.trunc(Number(list.length)) || 0, 0), Number.MAX_SAFE_INTEGER);
  for (let at = 0; at < length; at++) {
    if (!(at in list)) continue;
    const locale = list[at];
    if (typeof locale !== "string" && (typeof locale !== "object" || locale === null))
      throw new TypeError("Incorrect locale information provided");
    seen.add(canonicalLocale(`${locale}`));
  }
  return [...seen];
}

let available;

/** Every locale that is supported, and the one whose files it has. */
function localeFiles() {
  if (available === undefined) {
    const { locales, aliases } = root();
    available = new Map(locales.map((locale) => [locale, locale]));
    for (const alias of Object.keys(aliases)) available.set(alias, aliases[alias]);
  }
  return available;
}

/** Without its extensions. */
const bare = (locale) => locale.replace(/-([a-wyz\d]|x)-.*$/, "");

/** The longest beginning of a locale that is supported. */
function bestAvailable(locale) {
  const files = localeFiles();
  for (let candidate = bare(locale); candidate !== "";) {
    if (files.has(candidate)) return candidate;
    const at = candidate.lastIndexOf("-");
    candidate = at < 0 ? "" : candidate.slice(0, at);
  }
  return undefined;
}

/** The keywords of a locale's extension `u`: `Map { "nu" => "arab" }`. */
export function keywordsOf(locale) {
  const extension = /-u(-[a-z\d]{2,8})+/.exec(locale)?.[0];
  const keywords = new Map();
  if (extension === undefined) return keywords;
  let key;
  for (const part of extension.slice(3).split("-")) {
    if (part.length === 2) {
      key = keywords.has(part) ? undefined : part;
      if (key !== undefined) keywords.set(key, "");
    } else if (key !== undefined) {
      keywords.set(key, keywords.get(key) === "" ? part : `${keywords.get(key)}-${part}`);
    }
  }
  return keywords;
}

/**
 * The locale that is used: `locale` as `resolvedOptions` names it, `data`, the one with files, and the keywords that count.
 * `keys` says of each keyword which values are right; an option that is given and right goes first.
 */
export function resolveLocale(requested, keys = {}, options = {}) {
  let [found, asked] = [DEFAULT_LOCALE, DEFAULT_LOCALE];
  for (const locale of requested) {
    const best = bestAvailable(locale);
    if (best === undefined) continue;
    [found, asked] = [best, locale];
    break;
  }
  const data = localeFiles().get(found);
  const keywords = keywordsOf(asked);
  const resolved = { locale: found, data };
  let extension = "";
  for (const key of Object.keys(keys).sort()) {
    let given = keywords.get(key);
    if (given === "" && key.startsWith("k")) given = "true";
    const isRight = given !== undefined && keys[key](given, data);
    const option = options[key];
    const isOptionRight = option !== undefined && option !== null && keys[key](option, data);
    if (isRight && (!isOptionRight || option === given) && option !== null) {
      extension += given === "true" ? `-${key}` : `-${key}-${given}`;
    }
    resolved[key] = isOptionRight ? option : isRight && option !== null ? given : undefined;
  }
  if (extension !== "") resolved.locale += `-u${extension}`;
  return resolved;
}

export function supportedLocales(locales) {
  return canonicalLocaleList(locales).filter((locale) => bestAvailable(locale) !== undefined);
}

/** The region that a locale is of, or stands for. */
export function regionOf(locale) {
  const { regions } = root();
  const explicit = /-([A-Z]{2}|\d{3})\b/.exec(bare(locale))?.[1];
  return explicit ?? regions[localeFiles().get(bare(locale)) ?? locale] ?? regions[locale.split("-", 1)[0]] ?? "001";
}

/** Digits of a numbering system, as an array; undefined if there is no such system, or it has none. */
function digitsOf(system) {
  const { digits } = root();
  return Object.hasOwn(digits, system) ? Array.from(digits[system]) : undefined;
}

/** What is asked of the keyword `nu`. */
export const isNumberingSystem = (system) => system === "latn" || digitsOf(system) !== undefined;

/** The system that numbers of a locale are written in if nothing else is asked for. */
export function numberingOf(data) {
  const { numbering } = root();
  return numbering[data] ?? "latn";
}

/** `text` of Western digits in those of a system. */
export function inDigits(text, system) {
  if (system === "latn") return text;
  const digits = digitsOf(system);
  return text.replace(/\d/g, (digit) => digits[digit]);
}
