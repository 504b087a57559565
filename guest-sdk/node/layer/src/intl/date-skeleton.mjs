// From the fields that are asked for to a pattern of the locale: what ICU calls its date-time pattern generator (UTS 35,
// "Matching Skeletons"). CLDR has patterns for the common sets of fields; the nearest is taken, and what it lacks is added.

import {
  DAY_PERIOD,
  ERA,
  FIELDS,
  FRACTION,
  HOUR,
  MINUTE,
  MONTH,
  SECOND,
  WEEKDAY,
  YEAR,
  patternOf,
  rowOf,
  tokensOf,
} from "./date-fields.mjs";

const EXTRA_FIELD = 0x10000;
const MISSING_FIELD = 0x1000;

/** What is known without any locale: each field by itself. */
const CANONICAL = ["G", "y", "Q", "M", "w", "W", "E", "d", "D", "F", "a", "H", "m", "s", "S", "v"];

const APPEND = [
  "Era",
  "Year",
  "Quarter",
  "Month",
  "Week",
  "Week",
  "Day-Of-Week",
  "Day",
  "Day-Of-Week",
  "Day",
  "Hour",
  "Hour",
  "Minute",
  "Second",
  "Second",
  "Timezone",
];

/** The fields of a skeleton or a pattern: the type of each (0: it is not there), its letter and its length. */
function skeletonOf(tokens) {
  const types = Array(FIELDS).fill(0);
  const letters = Array(FIELDS).fill("");
  const lengths = Array(FIELDS).fill(0);
  const bases = Array(FIELDS).fill("");
  const put = (letter, length) => {
    const row = rowOf(letter, length);
    if (row === undefined) return;
    const { field, type, shortest } = row;
    [types[field], letters[field], lengths[field], bases[field]] = [type, letter, length, letter.repeat(shortest)];
  };
  for (const { letter, length } of tokens) if (letter !== undefined) put(letter, length);
  // Hours up to twelve have a part of the day, others have none.
  if (types[HOUR] !== 0) {
    if (letters[HOUR] === "h" || letters[HOUR] === "K") {
      if (types[DAY_PERIOD] === 0) put("a", 1);
    } else [types[DAY_PERIOD], letters[DAY_PERIOD], lengths[DAY_PERIOD], bases[DAY_PERIOD]] = [0, "", 0, ""];
  }
  if (types[FRACTION] !== 0 && types[SECOND] === 0 && types[MINUTE] !== 0) put("s", 1);
  return { types, letters, lengths, base: bases.join(""), exactly: `${letters} ${lengths}` };
}

export class Patterns {
  /** Entries `{ skeleton, pattern, isSpecified }` in ICU's order: by the first letter of the base, then as they were added. */
  #entries = [];
  #dates;

  /** `dates` is the file of a locale and calendar. */
  constructor(dates) {
    this.#dates = dates;
    for (const item of CANONICAL) this.#add(item);
    for (const style of dates.date) this.#add(style);
    for (const style of dates.time) this.#add(style);
    // In the order in which ICU has them: it decides between patterns that are as near.
    for (const skeleton of Object.keys(dates.available).sort()) this.#add(dates.available[skeleton], skeleton);
    const order = (base) => base.charCodeAt(0);
    this.#entries = this.#entries
      .map((entry, at) => [entry, at])
      .sort(([a, i], [b, j]) => order(a.skeleton.base) - order(b.skeleton.base) || i - j)
      .map(([entry]) => entry);
  }

  #add(pattern, specified) {
    const skeleton = skeletonOf(tokensOf(specified ?? pattern));
    if (specified === undefined && this.#entries.some((entry) => entry.skeleton.base === skeleton.base)) return;
    const same = this.#entries.find((entry) => entry.skeleton.exactly === skeleton.exactly);
    if (same === undefined) this.#entries.push({ skeleton, pattern: tokensOf(pattern), isSpecified: specified !== undefined });
    else if (!same.isSpecified) Object.assign(same, { pattern: tokensOf(pattern), isSpecified: specified !== undefined });
  }

  /** The best pattern for a skeleton. */
  best(skeleton) {
    const wanted = skeletonOf(tokensOf(skeleton));
    const all = this.#nearest(wanted, () => true);
    if (all.missing.length === 0 && !all.hasExtra) return patternOf(this.#adjusted(all, wanted));
    const date = this.#appending(wanted, (field) => field < DAY_PERIOD);
    const time = this.#appending(wanted, (field) => field >= DAY_PERIOD);
    if (date === undefined || time === undefined) return patternOf(date ?? time ?? []);
    const style = this.#dates.atTime[styleOf(wanted)];
    return style.replace(/\{[01]\}/g, (place) => patternOf(place === "{0}" ? time : date));
  }

  /** How a date and a time stand together, for a skeleton of both. */
  together(skeleton) {
    return this.#dates.atTime[styleOf(skeletonOf(tokensOf(skeleton)))];
  }

  /** The entry nearest to those of the wanted fields that `isAsked`, and which of them it has not. */
  #nearest(wanted, isAsked) {
    let best;
    for (const entry of this.#entries) {
      const { types } = entry.skeleton;
      let distance = 0;
      let hasExtra = false;
      let lacking = 0;
      const missing = [];
      for (let field = 0; field < FIELDS; field++) {
        const mine = isAsked(field) ? wanted.types[field] : 0;
        if (mine === types[field]) continue;
        if (mine === 0) {
          distance += EXTRA_FIELD;
          hasExtra = true;
        } else if (types[field] === 0) {
          distance += MISSING_FIELD;
          lacking += 2 ** field;
          missing.push(field);
        } else distance += Math.abs(mine - types[field]);
      }
      // Of two that are as near, the one that lacks the smaller field.
      const isNearer = best === undefined || distance < best.distance || (distance === best.distance && best.lacking < lacking);
      if (isNearer) best = { entry, distance, missing, lacking, hasExtra };
      if (distance === 0) break;
    }
    return best;
  }

  /** A pattern of those fields, put together where there is none of all; undefined if none of them is wanted. */
  #appending(wanted, isAsked) {
    if (!wanted.types.some((type, field) => type !== 0 && isAsked(field))) return undefined;
    let nearest = this.#nearest(wanted, isAsked);
    let tokens = this.#adjusted(nearest, wanted);
    while (nearest.missing.length > 0) {
      let { missing } = nearest;
      if (missing.includes(FRACTION) && missing.length === 1 && wanted.types[SECOND] !== 0) return this.#withFraction(tokens, wanted);
      if (missing.includes(FRACTION) && wanted.types[SECOND] !== 0 && !missing.includes(SECOND)) {
        tokens = this.#withFraction(tokens, wanted);
        missing = missing.filter((field) => field !== FRACTION);
      }
      const asked = missing;
      nearest = this.#nearest(wanted, (field) => asked.includes(field));
      const found = asked.filter((field) => !nearest.missing.includes(field));
      if (found.length === 0) break;
      const format = this.#dates.append[APPEND[found.at(-1)]];
      const added = this.#adjusted(nearest, wanted);
      tokens = tokensOf(format.replace(/\{(\d)\}/g, (_, place) => [patternOf(tokens), patternOf(added), "''"][place]));
    }
    return tokens;
  }

  #withFraction(tokens, { lengths }) {
    return tokens.flatMap((token) =>
      token.letter === "s" ? [token, { literal: this.decimal ?? "." }, { letter: "S", length: lengths[FRACTION] }] : [token],
    );
  }

  /** The pattern with its fields as long as they are wanted, where CLDR does not say otherwise. */
  #adjusted({ entry }, wanted) {
    return entry.pattern.map((token) => {
      if (token.letter === undefined) return token;
      const row = rowOf(token.letter, token.length);
      if (row === undefined || wanted.types[row.field] === 0) return token;
      const { field, isNumeric } = row;
      const asked = wanted.letters[field];
      const askedLength = asked === "E" && wanted.lengths[field] < 3 ? 3 : wanted.lengths[field];
      let length = askedLength;
      if (field === MINUTE || field === SECOND) length = token.length;
      else if (entry.isSpecified && asked !== "c" && asked !== "e") {
        const isSame = entry.skeleton.lengths[field] === askedLength;
        if (isSame || isNumeric !== wanted.types[field] > 0) length = token.length;
      }
      const keepsLetter = field === HOUR || field === MONTH || field === WEEKDAY || (field === YEAR && asked !== "Y");
      return { letter: keepsLetter ? token.letter : asked, length };
    });
  }
}

/** Which of the formats of date and time together: by how long the month is. */
function styleOf({ types, lengths }) {
  if (types[MONTH] === 0) return SHORT;
  if (lengths[MONTH] === 4) return types[WEEKDAY] === 0 ? LONG : FULL;
  return lengths[MONTH] === 3 ? MEDIUM : SHORT;
}

const [FULL, LONG, MEDIUM, SHORT] = [0, 1, 2, 3];
