// Lists, and names of languages, regions and scripts.

import { mainOf, mapped } from "./cldr.mjs";

export function listsOf(locale) {
  const { listPatterns } = mainOf("cldr-misc-full", locale, "listPatterns");
  return mapped(listPatterns, (key, pattern) => [key.replace("listPattern-type-", ""), pattern]);
}

const names = (given, path = {}) =>
  mapped(given, (key, name) => (key.includes("-alt-") && !/-alt-(short|narrow)$/.test(key) ? undefined : [key, name]));

export function namesOf(locale) {
  const of = (file) => mainOf("cldr-localenames-full", locale, file)?.localeDisplayNames ?? {};
  return {
    pattern: of("localeDisplayNames").localeDisplayPattern.localePattern,
    separator: of("localeDisplayNames").localeDisplayPattern.localeSeparator,
    language: names(of("languages").languages),
    region: names(of("territories").territories),
    script: names(of("scripts").scripts),
    variant: names(of("variants").variants),
    calendar: names(of("localeDisplayNames").types?.calendar),
  };
}
