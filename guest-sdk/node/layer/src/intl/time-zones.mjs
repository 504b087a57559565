// Zones of IANA: their names, and what their clocks show.

import { native } from "../native.mjs";
import { fileAt } from "./data.mjs";

const NAMES_OF_UTC = ["gmt", "gmt+0", "gmt-0", "gmt0", "greenwich", "uct", "universal", "utc", "zulu"].flatMap((name) => [
  name,
  `etc/${name}`,
]);

let byLowerCase;

/** Every name of a zone, in lower case, and the name that it goes by. */
function zoneNames() {
  if (byLowerCase === undefined) {
    const { zones, aliases } = fileAt("metazones");
    byLowerCase = new Map();
    for (const zone of Object.keys(zones)) byLowerCase.set(zone.toLowerCase(), zone);
    for (const alias of Object.keys(aliases)) byLowerCase.set(alias.toLowerCase(), aliases[alias]);
    for (const zone of Object.values(aliases)) byLowerCase.set(zone.toLowerCase(), zone);
    for (const utc of NAMES_OF_UTC) byLowerCase.set(utc, "UTC");
  }
  return byLowerCase;
}

const OFFSET = /^([+-])([01]\d|2[0-3])(?::?([0-5]\d))?$/;
const LONGEST = 64;
const NAME = /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/;

/** The zone of a name: `{ name, offsetAt(ms), isSummerAt(ms) }`. Offsets are in seconds. */
export function zoneOf(given) {
  if (given === "UTC") return UTC;
  const offset = OFFSET.exec(given);
  if (offset !== null) return fixed(offset);
  const zone = given.length > LONGEST || !NAME.test(given) ? undefined : (named(given) ?? named(zoneNames().get(given.toLowerCase())));
  if (zone === undefined) throw new RangeError(`Invalid time zone specified: ${given}`);
  return zone;
}

const UTC = { name: "UTC", offsetAt: () => 0, isSummerAt: () => false };

function fixed([, sign, hours, minutes = "00"]) {
  const seconds = (Number(hours) * 60 + Number(minutes)) * (sign === "-" ? -60 : 60);
  const name = seconds === 0 ? "+00:00" : `${sign}${hours}:${minutes}`;
  return { name, offsetAt: () => seconds, isSummerAt: () => false, isOffset: true };
}

const kept = new Map();

/** A zone by a name of IANA's, written as IANA does: the data are files of these names. Undefined if there is none. */
function named(name) {
  if (name === undefined || name === "UTC") return name && UTC;
  if (!kept.has(name)) {
    const zone = native.timeZone(name);
    kept.set(name, zone === undefined ? undefined : withClock(name, zone));
  }
  return kept.get(name);
}

const seconds = (ms) => Math.floor(ms / 1000);

function withClock(given, zone) {
  return {
    /** The one that CLDR calls it by; few ask, and it takes a list of all. */
    get name() {
      return zoneNames().get(given.toLowerCase()) ?? given;
    },
    offsetAt: (ms) => native.timeZoneOffset(zone, seconds(ms)),
    isSummerAt: (ms) => native.timeZoneIsSummer(zone, seconds(ms)),
  };
}

/** For `Intl.supportedValuesOf`. */
export function zoneList() {
  const { zones } = fileAt("metazones");
  return ["UTC", ...Object.keys(zones).filter((zone) => zone.includes("/") && !zone.startsWith("Etc/"))].sort();
}
