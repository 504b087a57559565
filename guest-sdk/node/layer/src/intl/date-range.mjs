// Ranges of time: 3 – 5 May. CLDR has patterns for sets of fields, by the largest field that differs.

import { patternOf, tokensOf } from "./date-fields.mjs";
import { fieldsAt, partsOf } from "./date-parts.mjs";

const DATE = "GyYuQqMLwWEecdDF";
const DIFFERENT_FIELD = 0x1000;
const TEXT_OR_NUMBER = 0x100;

const sourced = (source) => (part) => ({ ...part, source });
const isDate = (letter) => DATE.includes(letter);

/** The largest field in which two moments differ, as the letter that CLDR knows it by; undefined if they look the same. */
function largestDifference(format, start, end) {
  const [a, b] = [fieldsAt(format, start), fieldsAt(format, end)];
  if (a.era !== b.era) return "G";
  if (a.year !== b.year) return "y";
  if (a.month !== b.month) return "M";
  if (a.day !== b.day) return "d";
  if (a.hour < 12 !== b.hour < 12) return "a";
  if (a.hour !== b.hour) return "h";
  if (a.minute !== b.minute) return "m";
  if (a.second !== b.second) return "s";
  return a.ms === b.ms ? undefined : "S";
}

/** How long each field is, by its letter. Names that stand alone (L, c) are fields of their own, of which there are no ranges. */
function counts(tokens) {
  const found = {};
  for (const { letter, length } of tokens) {
    if (letter === undefined || "abB".includes(letter)) continue;
    const name = { z: "v", O: "v", K: "h", k: "H" }[letter] ?? letter;
    // Of short names of weekdays there is but one length.
    found[name] = letter === "E" && length <= 3 ? 1 : length;
  }
  return found;
}

const isNumeric = (letter, length) => letter !== "M" || length <= 2;

/** The set of fields nearest to those that are wanted; undefined if none has just them. */
function nearest(intervals, wanted) {
  let best;
  for (const key of Object.keys(intervals)) {
    if (key === "intervalFormatFallback" || /[bB]/.test(key)) continue;
    const its = counts(tokensOf(key));
    let distance = 0;
    for (const letter of new Set([...Object.keys(its), ...Object.keys(wanted)])) {
      const [mine, other] = [wanted[letter] ?? 0, its[letter] ?? 0];
      if (mine === other) continue;
      if (mine === 0 || other === 0) distance += DIFFERENT_FIELD;
      else if (isNumeric(letter, mine) !== isNumeric(letter, other)) distance += TEXT_OR_NUMBER;
      else distance += Math.abs(mine - other);
    }
    if (distance < DIFFERENT_FIELD && (best === undefined || distance < best.distance)) best = { key, its, distance };
  }
  return best;
}

/** The pattern for a range of these fields, with them as long as they are wanted. */
function intervalOf({ dates }, skeleton, difference) {
  const wanted = counts(skeleton);
  const best = nearest(dates.interval, wanted);
  if (best === undefined) return undefined;
  const by = dates.interval[best.key];
  const pattern = by[difference] ?? (difference === "h" ? (by.H ?? by.a) : difference === "a" ? (by.H ?? by.h) : undefined);
  if (pattern === undefined) return undefined;
  return tokensOf(pattern).map((token) => {
    const name = { L: "M", c: "E", e: "E" }[token.letter] ?? token.letter;
    const isLonger = token.letter !== undefined && token.length === best.its[name] && wanted[name] > token.length;
    return isLonger ? { ...token, length: wanted[name] } : token;
  });
}

/** The tokens up to where a field comes a second time, and the rest. */
function split(tokens) {
  const seen = new Set();
  for (let at = 0; at < tokens.length; at++) {
    const { letter } = tokens[at];
    if (letter === undefined) continue;
    const name = { L: "M", c: "E" }[letter] ?? letter;
    if (seen.has(name)) return [tokens.slice(0, at), tokens.slice(at)];
    seen.add(name);
  }
  return [tokens, []];
}

/** What is on both sides belongs to one of them, the rest to both. */
function partsOfInterval(format, tokens, start, end) {
  const [first, second] = split(tokens);
  const write = (its, ms) => partsOf(format, patternOf(its), ms);
  const [left, right] = [write(first, start), write(second, end)];
  const types = (parts) => new Set(parts.map(({ type }) => type));
  const [onLeft, onRight] = [types(left), types(right)];
  const of = (source, others) => (part) => ({ ...part, source: part.type !== "literal" && others.has(part.type) ? source : "shared" });
  const all = [...left.map(of("startRange", onRight)), ...right.map(of("endRange", onLeft))];
  return sided(all);
}

/** What is between two fields of a side is of that side, too. */
function sided(all) {
  for (const source of ["startRange", "endRange"]) {
    const from = all.findIndex((part) => part.source === source);
    const to = all.findLastIndex((part) => part.source === source);
    for (let at = Math.max(from, 0); at < to; at++) all[at].source = source;
  }
  return joined(all);
}

function joined(parts) {
  const all = [];
  for (const part of parts) {
    const last = all.at(-1);
    if (part.type === "literal" && last?.type === "literal" && last.source === part.source) last.value += part.value;
    else all.push({ ...part });
  }
  return all;
}

/** Both in full. */
function fallback({ dates }, left, right) {
  const [before, between, after] = dates.interval.intervalFormatFallback.split(/\{[01]\}/);
  const literal = (value) => (value === "" ? [] : [{ type: "literal", value, source: "shared" }]);
  const of = (source) => (part) => ({ ...part, source: part.type === "literal" ? "shared" : source });
  return sided([...literal(before), ...left.map(of("startRange")), ...literal(between), ...right.map(of("endRange")), ...literal(after)]);
}

/** `withFields` answers the format that shows other fields as well; `dateTime` puts a date and a time together. */
export function rangeParts(format, start, end, { withFields, dateTime }) {
  const difference = largestDifference(format, start, end);
  const tokens = tokensOf(format.pattern);
  const single = () => partsOf(format, format.pattern, start).map(sourced("shared"));
  const fields = tokens.filter(({ letter }) => letter !== undefined);
  const [date, time] = [fields.filter(({ letter }) => isDate(letter)), fields.filter(({ letter }) => !isDate(letter))];
  const isSameDay = difference === undefined || "ahmsS".includes(difference);
  const shows = (letters) => fields.some(({ letter }) => letters.includes(letter));
  if (difference === undefined || (isSameDay && time.length === 0)) return single();
  if (difference === "s" && !shows("s")) return single();
  if (difference === "S" && !shows("S")) return single();
  const both = (its) => fallback(its, partsOf(its, its.pattern, start), partsOf(its, its.pattern, end));
  if (!isSameDay && date.length === 0) return both(withFields("yMd"));
  if (difference === "y" && !shows("yG")) return both(withFields("y"));
  if (date.length > 0 && time.length > 0) {
    const interval = isSameDay ? intervalOf(format, time, difference) : undefined;
    if (interval === undefined) return both(format);
    return joined(
      dateTime()
        .split(/(\{[01]\})/)
        .flatMap((piece) => {
          if (piece === "{1}") return partsOf(format, patternOf(withoutTime(tokens)), start).map(sourced("shared"));
          return piece === "{0}" ? partsOfInterval(format, interval, start, end) : [{ type: "literal", value: piece, source: "shared" }];
        })
        .filter(({ value }) => value !== ""),
    );
  }
  const interval = intervalOf(format, fields, difference);
  if (interval !== undefined) return partsOfInterval(format, interval, start, end);
  const [left, right] = [partsOf(format, format.pattern, start), partsOf(format, format.pattern, end)];
  return left.every(({ value }, at) => value === right[at]?.value) ? single() : both(format);
}

/** The date of a pattern: from its first field to its last. */
function withoutTime(tokens) {
  const from = tokens.findIndex(({ letter }) => letter !== undefined && isDate(letter));
  const to = tokens.findLastIndex(({ letter }) => letter !== undefined && isDate(letter));
  return tokens.slice(from, to + 1);
}
