// Zones of IANA: their names, and what their clocks show.

import { native } from "../native.mjs";
import { fileAt } from "./data.mjs";

let byLowerCase;

/** Every name of a zone, in lower case, and the name that it goes by. */
function zoneNames() {
  if (byLowerCase === undefined) {
    const { zones, aliases } = fileAt("metazones");
    byLowerCase = new Map();
    for (const zone of Object.keys(zones)) byLowerCase.set(zone.toLowerCase(), zone);
    for (const alias of Object.keys(aliases)) byLowerCase.set(alias.toLowerCase(), aliases[alias]);
    for (const zone of Object.values(aliases)) byLowerCase.set(zone.toLowerCase(), zone);
    for (const utc of [
      "utc",
      "etc/utc",
      "gmt",
      "etc/gmt",
      "etc/uct",
      "etc/zulu",
      "etc/universal",
      "uct",
      "zulu",
      "universal",
      "etc/greenwich",
      "etc/gmt0",
      "etc/gmt+0",
      "etc/gmt-0",
      "gmt0",
      "greenwich",
    ])
      byLowerCase.set(utc, "UTC");
  }
  return byLowerCase;
}

const OFFSET = /^([+-])([01]\d|2[0-3])(?::?([0-5]\d))?$/;
const LONGEST = 64;

/** The zone of a name: `{ name, offsetAt(ms), isSummerAt(ms) }`. Offsets are in seconds. */
export function zoneOf(given) {
  const invalid = () => new RangeError(`Invalid time zone specified: ${given}`);
  const offset = OFFSET.exec(given);
  if (offset !== null) return fixed(offset);
  const name = given.length > LONGEST ? undefined : zoneNames().get(given.toLowerCase());
  if (name === undefined) throw invalid();
  return name === "UTC" ? UTC : named(name, invalid);
}

const UTC = { name: "UTC", offsetAt: () => 0, isSummerAt: () => false };

function fixed([, sign, hours, minutes = "00"]) {
  const seconds = (Number(hours) * 60 + Number(minutes)) * (sign === "-" ? -60 : 60);
  const name = seconds === 0 ? "+00:00" : `${sign}${hours}:${minutes}`;
  return { name, offsetAt: () => seconds, isSummerAt: () => false, isOffset: true };
}

const kept = new Map();

function named(name, invalid) {
  if (!kept.has(name)) {
    const zone = native.timeZone(name);
    if (zone === undefined) throw invalid();
    const seconds = (ms) => Math.floor(ms / 1000);
    kept.set(name, {
      name,
      offsetAt: (ms) => native.timeZoneOffset(zone, seconds(ms)),
      isSummerAt: (ms) => native.timeZoneIsSummer(zone, seconds(ms)),
    });
  }
  return kept.get(name);
}

/** For `Intl.supportedValuesOf`. */
export function zoneList() {
  const { zones } = fileAt("metazones");
  return ["UTC", ...Object.keys(zones).filter((zone) => zone.includes("/") && !zone.startsWith("Etc/"))].sort();
}
