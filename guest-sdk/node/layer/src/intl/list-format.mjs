// Intl.ListFormat.

import { dataOf } from "./data.mjs";
import { canonicalLocaleList, resolveLocale } from "./locales.mjs";
import { getOptionsObject, Internals, readMatcher, stringOption } from "./options.mjs";
import { textOf } from "./number-pattern.mjs";

const TYPE = "ListFormat";
const internals = new Internals(TYPE);
const NAMES = { conjunction: "standard", disjunction: "or", unit: "unit" };

/** Spanish and Hebrew write "and" and "or" by what follows. */
const BY_WHAT_FOLLOWS = {
  es: [
    [" y ", " e ", /^(i|hi(?![ae]))/i],
    [" o ", " u ", /^(o|ho|8|11(?!\d{2,})(?:\D|$))/i],
  ],
  he: [[" ו{1}", " ו-{1}", /^[^\u0590-\u05ff]/]],
};

export class ListFormat {
  constructor(locales, given) {
    const requested = canonicalLocaleList(locales);
    const options = getOptionsObject(given);
    readMatcher(options, TYPE);
    const { locale, data } = resolveLocale(requested);
    const type = stringOption(options, "type", ["conjunction", "disjunction", "unit"], "conjunction", TYPE);
    const style = stringOption(options, "style", ["long", "short", "narrow"], "long", TYPE);
    const name = style === "long" ? NAMES[type] : `${NAMES[type]}-${style}`;
    internals.set(this, { locale, type, style, patterns: dataOf("lists", data)[name], words: BY_WHAT_FOLLOWS[data.split("-", 1)[0]] ?? [] });
  }

  format(list) {
    return textOf(partsOf(internals.of(this, "format"), strings(list)));
  }

  formatToParts(list) {
    return partsOf(internals.of(this, "formatToParts"), strings(list));
  }

  resolvedOptions() {
    const { locale, type, style } = internals.of(this, "resolvedOptions");
    return { locale, type, style };
  }
}

function strings(list) {
  if (list === undefined) return [];
  const all = [];
  for (const element of list) {
    if (typeof element !== "string") throw new TypeError(`Iterable yielded ${String(element)} which is not a string`);
    all.push(element);
  }
  return all;
}

function partsOf({ patterns, words }, list) {
  const element = (value) => ({ type: "element", value });
  if (list.length === 0) return [];
  if (list.length === 1) return [element(list[0])];
  const last = list.at(-1);
  const end = wordFor(words, list.length === 2 ? patterns[2] : patterns.end, last);
  const [beforeTwo, between, after] = end.split(/\{[01]\}/);
  const parts = [];
  if (list.length === 2) push(parts, beforeTwo, element(list[0]));
  else {
    const [first, second, rest] = patterns.start.split(/\{[01]\}/);
    const middle = patterns.middle.split(/\{[01]\}/)[1];
    push(parts, first, element(list[0]));
    for (let at = 1; at < list.length - 1; at++) push(parts, at === 1 ? second : middle, element(list[at]));
    if (rest !== "") parts.push({ type: "literal", value: rest });
  }
  push(parts, between, element(last));
  if (after !== "") parts.push({ type: "literal", value: after });
  return parts;
}

function push(parts, literal, part) {
  if (literal !== "") parts.push({ type: "literal", value: literal });
  parts.push(part);
}

function wordFor(words, pattern, next) {
  const rule = words.find(([usual, , follows]) => pattern.includes(usual) && follows.test(next));
  return rule === undefined ? pattern : pattern.replace(rule[0], rule[1]);
}
