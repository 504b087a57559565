// The letters of date patterns (UTS 35): which field each is of, and in which form.

/** Fields in the order that CLDR's patterns are compared by. */
export const [
  ERA,
  YEAR,
  QUARTER,
  MONTH,
  WEEK_OF_YEAR,
  WEEK_OF_MONTH,
  WEEKDAY,
  DAY_OF_YEAR,
  DAY_OF_WEEK,
  DAY,
  DAY_PERIOD,
  HOUR,
  MINUTE,
  SECOND,
  FRACTION,
  ZONE,
] = Array(16).keys();

export const FIELDS = 16;

/** What has no numbers is below zero. */
const [NARROW, SHORT, LONG, NUMERIC, DELTA] = [-0x101, -0x103, -0x104, 0x100, 0x10];

/** By letter: rows of `[field, type, shortest length]`; a longer field is of the last row that it is not too short for. */
const text = (field, delta, letters) => letters.map(([type, length]) => [field, type - delta * DELTA, length]);
const NAMES = [
  [SHORT, 1],
  [LONG, 4],
  [NARROW, 5],
];
const OF_NUMBERS = [
  [SHORT, 3],
  [LONG, 4],
  [NARROW, 5],
];
const number = (field, delta = 0) => [field, NUMERIC + delta * DELTA, 1];

const ROWS = {
  G: text(ERA, 0, NAMES),
  y: [number(YEAR)],
  Y: [number(YEAR, 1)],
  u: [number(YEAR, 2)],
  r: [number(YEAR, 3)],
  U: text(YEAR, 0, NAMES),
  Q: [number(QUARTER), ...text(QUARTER, 0, OF_NUMBERS)],
  q: [number(QUARTER, 1), ...text(QUARTER, 1, OF_NUMBERS)],
  M: [number(MONTH), ...text(MONTH, 0, OF_NUMBERS)],
  L: [number(MONTH, 1), ...text(MONTH, 1, OF_NUMBERS)],
  w: [number(WEEK_OF_YEAR)],
  W: [number(WEEK_OF_MONTH)],
  E: text(WEEKDAY, 0, NAMES),
  c: [number(WEEKDAY, 2), ...text(WEEKDAY, 2, OF_NUMBERS)],
  e: [number(WEEKDAY, 1), ...text(WEEKDAY, 1, OF_NUMBERS)],
  d: [number(DAY)],
  D: [number(DAY_OF_YEAR)],
  F: [number(DAY_OF_WEEK)],
  a: text(DAY_PERIOD, 0, NAMES),
  b: text(DAY_PERIOD, 1, NAMES),
  B: text(DAY_PERIOD, 3, NAMES),
  H: [number(HOUR, 10)],
  k: [number(HOUR, 11)],
  h: [number(HOUR)],
  K: [number(HOUR, 1)],
  m: [number(MINUTE)],
  s: [number(SECOND)],
  S: [number(FRACTION)],
  v: [
    [ZONE, SHORT - 2 * DELTA, 1],
    [ZONE, LONG - 2 * DELTA, 4],
  ],
  z: [
    [ZONE, SHORT, 1],
    [ZONE, LONG, 4],
  ],
  O: [
    [ZONE, SHORT - DELTA, 1],
    [ZONE, LONG - DELTA, 4],
  ],
  Z: [
    [ZONE, NARROW - DELTA, 1],
    [ZONE, LONG - DELTA, 4],
  ],
};

/** The field, its type, and the shortest length of that; undefined for a letter that is none. */
export function rowOf(letter, length) {
  const rows = ROWS[letter];
  if (rows === undefined) return undefined;
  let found = rows[0];
  for (const row of rows) if (length >= row[2]) found = row;
  const [field, type, shortest] = found;
  return { field, type: type > 0 ? type + length : type, isNumeric: type > 0, shortest };
}

const patterns = new Map();

/** A pattern as `{ letter, length }` and `{ literal }`. */
export function tokensOf(pattern) {
  if (!patterns.has(pattern)) patterns.set(pattern, parse(pattern));
  return patterns.get(pattern);
}

function parse(pattern) {
  const tokens = [];
  const literal = (value) => (tokens.at(-1)?.literal === undefined ? tokens.push({ literal: value }) : (tokens.at(-1).literal += value));
  for (let at = 0; at < pattern.length;) {
    const character = pattern[at];
    if (character === "'") {
      if (pattern[at + 1] === "'") {
        literal("'");
        at += 2;
        continue;
      }
      const end = pattern.indexOf("'", at + 1);
      literal(pattern.slice(at + 1, end < 0 ? undefined : end));
      at = end < 0 ? pattern.length : end + 1;
    } else if (/[A-Za-z]/.test(character)) {
      let end = at + 1;
      while (pattern[end] === character) end++;
      tokens.push({ letter: character, length: end - at });
      at = end;
    } else {
      literal(character);
      at++;
    }
  }
  return tokens;
}

/** What `tokensOf` made, as a pattern again. */
export function patternOf(tokens) {
  return tokens.map(({ literal, letter, length }) => (literal === undefined ? letter.repeat(length) : quoted(literal))).join("");
}

const quoted = (text) => (/[A-Za-z']/.test(text) ? `'${text.replace(/'/g, "''")}'` : text);
