// CLDR as its packages have it.

import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** Of cldr-core: `cldr("supplemental/plurals")`. */
export function cldr(path, name = "cldr-core") {
  return require(`${name}/${path}.json`);
}

/** What a package has of a locale, or undefined: some are not in all. */
export function mainOf(name, locale, file) {
  try {
    return require(`${name}/main/${locale}/${file}.json`).main[locale];
  } catch (error) {
    if (error.code === "MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}

export function supplemental(file) {
  return cldr(`supplemental/${file}`).supplemental;
}

/** The entries of an object that `take` maps to something. */
export function mapped(object, take) {
  return Object.fromEntries(
    Object.entries(object ?? {}).flatMap(([key, value]) => {
      const taken = take(key, value);
      return taken === undefined ? [] : [taken];
    }),
  );
}
