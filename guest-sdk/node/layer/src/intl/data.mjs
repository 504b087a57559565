// What Intl knows of languages: JSON files of CLDR (`guest-sdk/node/intl`), which the engine shows as the folder `intl`. They
// are read when something needs them, and kept.

import { native } from "../native.mjs";
import { parse } from "../intrinsics.mjs";

const kept = new Map();

/** The file at a path of that folder as bytes; undefined if there is none. */
function bytesAt(path) {
  const file = native.fileFind(`intl/${path}`);
  return file === undefined || file.isFolder ? undefined : native.fileRead(file.id, 0, file.size);
}

/** A JSON file, `path` being without its extension. */
export function fileAt(path) {
  if (!kept.has(path)) {
    const bytes = bytesAt(`${path}.json`);
    kept.set(path, bytes === undefined ? undefined : parse(native.utf8Decode(bytes, 0, bytes.byteLength, false)));
  }
  return kept.get(path);
}

/** What goes by language and region everywhere. */
export function root() {
  const found = fileAt("root");
  if (found === undefined) throw new Error("the data of Intl is not with this handler: build it with a mirra that has Intl");
  return found;
}

/** What there is on a topic in a locale: what the locale's own file says, in front of its language's. */
export function dataOf(topic, locale) {
  const key = `${topic} ${locale}`;
  if (!kept.has(key)) {
    const language = locale.split("-", 1)[0];
    const own = fileAt(`${topic}/${locale}`);
    kept.set(key, language === locale ? own : merged(fileAt(`${topic}/${language}`), own));
  }
  return kept.get(key);
}

/** Arrays are taken whole; null is what `base` has and there shall not be. */
function merged(base, own) {
  if (own === undefined) return base;
  if (typeof base !== "object" || typeof own !== "object" || base === null || own === null || Array.isArray(own)) return own;
  const all = { ...base };
  for (const key of Object.keys(own)) {
    if (own[key] === null) delete all[key];
    else all[key] = merged(base[key], own[key]);
  }
  return all;
}
