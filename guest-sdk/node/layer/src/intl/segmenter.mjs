// Intl.Segmenter.

import { native } from "../native.mjs";
import { toWellFormed } from "../intrinsics.mjs";
import { canonicalLocaleList, resolveLocale } from "./locales.mjs";
import { getOptionsObject, Internals, readMatcher, stringOption } from "./options.mjs";

const TYPE = "Segmenter";
const internals = new Internals(TYPE);

const kept = new Map();

function nativeSegmenter(granularity) {
  if (!kept.has(granularity)) kept.set(granularity, native.segmenter(granularity));
  return kept.get(granularity);
}

export class Segmenter {
  constructor(locales, given) {
    const requested = canonicalLocaleList(locales);
    const options = getOptionsObject(given);
    readMatcher(options, TYPE);
    const granularity = stringOption(options, "granularity", ["grapheme", "word", "sentence"], "grapheme", TYPE);
    internals.set(this, { locale: resolveLocale(requested).locale, granularity });
  }

  segment(input) {
    const { granularity } = internals.of(this, "segment");
    return new Segments(`${input}`, granularity);
  }

  resolvedOptions() {
    return { ...internals.of(this, "resolvedOptions") };
  }
}

class Segments {
  #input;
  #granularity;
  #ends;

  constructor(input, granularity) {
    this.#input = input;
    this.#granularity = granularity;
  }

  /** Where segments end, doubled, and one more for what is like a word. */
  get #breaks() {
    this.#ends ??= native.segmenterBreaks(nativeSegmenter(this.#granularity), toWellFormed(this.#input));
    return this.#ends;
  }

  #segment(at) {
    const index = at === 0 ? 0 : this.#breaks[at - 1] >> 1;
    const end = this.#breaks[at] >> 1;
    const segment = { segment: this.#input.slice(index, end), index, input: this.#input };
    if (this.#granularity === "word") segment.isWordLike = (this.#breaks[at] & 1) === 1;
    return segment;
  }

  containing(index) {
    const place = Math.trunc(Number(index)) || 0;
    if (place < 0 || place >= this.#input.length) return undefined;
    return this.#segment(this.#breaks.findIndex((end) => end >> 1 > place));
  }

  *[Symbol.iterator]() {
    for (let at = 0; at < this.#breaks.length; at++) yield this.#segment(at);
  }
}
