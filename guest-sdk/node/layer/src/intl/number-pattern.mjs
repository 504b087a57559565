// CLDR's patterns of numbers: `#,##0.00 ¤;(#,##0.00 ¤)`.

const kept = new Map();

const NUMBER = /[#0@][#0@,.]*(E\+?0+)?/;

/** What is in front and behind of a positive number and, if it says so, of a negative one; and how digits are grouped. */
export function parsePattern(pattern) {
  if (!kept.has(pattern)) kept.set(pattern, parse(pattern));
  return kept.get(pattern);
}

function parse(pattern) {
  const [positive, negative] = split(pattern);
  const { prefix, number, suffix } = around(positive);
  const [integer] = number.split(".");
  const groups = integer.split(",");
  const primary = groups.length > 1 ? groups.at(-1).length : 0;
  const secondary = groups.length > 2 ? groups.at(-2).length : primary;
  const parsed = { prefix, suffix, primary, secondary, zeros: integer.replace(/[^0]/g, "").length };
  if (negative !== undefined) parsed.negative = around(negative);
  return parsed;
}

function split(pattern) {
  let isQuoted = false;
  for (let at = 0; at < pattern.length; at++) {
    if (pattern[at] === "'") isQuoted = !isQuoted;
    if (pattern[at] === ";" && !isQuoted) return [pattern.slice(0, at), pattern.slice(at + 1)];
  }
  return [pattern];
}

function around(pattern) {
  const bare = pattern.replace(/'[^']*'/g, (quoted) => "\0".repeat(quoted.length));
  const match = NUMBER.exec(bare);
  if (match === null) return { prefix: tokens(pattern), number: "", suffix: [] };
  const end = match.index + match[0].length;
  return { prefix: tokens(pattern.slice(0, match.index)), number: match[0], suffix: tokens(pattern.slice(end)) };
}

const SPECIAL = { "¤": "currency", "%": "percentSign", "-": "minusSign", "+": "plusSign" };

/** The text as `{ type, value }`; signs and currencies have no value yet. */
function tokens(text) {
  const found = [];
  const literal = (value) => (found.at(-1)?.type === "literal" ? (found.at(-1).value += value) : found.push({ type: "literal", value }));
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === "'") {
      const end = text.indexOf("'", at + 1);
      literal(end === at + 1 ? "'" : text.slice(at + 1, end < 0 ? undefined : end));
      at = end < 0 ? text.length : end;
    } else if (SPECIAL[character] !== undefined) {
      if (found.at(-1)?.type !== SPECIAL[character]) found.push({ type: SPECIAL[character], value: "" });
    } else literal(character);
  }
  return found;
}

/** The parts of `{0} km`, with what stands for the number in its place, and the words as `type`. */
export function filled(pattern, number, type) {
  const at = pattern.indexOf("{0}");
  if (at < 0) return [...worded(pattern, type)];
  return [...worded(pattern.slice(0, at), type), ...number, ...worded(pattern.slice(at + 3), type)];
}

/** Spaces around words are none of them. */
export function worded(text, type) {
  const [, before, word, after] = /^([\s\u200e\u200f\u061c]*)(.*?)([\s\u200e\u200f\u061c]*)$/su.exec(text);
  if (word === "") return text === "" ? [] : [{ type: "literal", value: text }];
  return [
    { type: "literal", value: before },
    { type, value: word },
    { type: "literal", value: after },
  ].filter((part) => part.value !== "");
}

/** Neighbouring literals as one; marks of direction around signs and words are literals, too. */
export function joined(parts) {
  const all = [];
  const add = (type, value) => {
    if (value === "") return;
    if (type === "literal" && all.at(-1)?.type === "literal") all[all.length - 1] = { type, value: all.at(-1).value + value };
    else all.push({ type, value });
  };
  for (const { type, value } of parts) {
    const [, before, word, after] = /^([\u200e\u200f\u061c]*)(.*?)([\u200e\u200f\u061c]*)$/su.exec(value);
    add("literal", before);
    add(type, word);
    add("literal", after);
  }
  return all;
}

export function textOf(parts) {
  let text = "";
  for (const { value } of parts) text += value;
  return text;
}
