// What zones are called: EST, Eastern Standard Time, GMT+1.

import { dataOf, fileAt } from "./data.mjs";
import { inDigits } from "./locales.mjs";

/** GMT-8 if short, and GMT-08:00 if long. */
export function offsetName({ data, system }, seconds, isLong) {
  const { gmt, hour } = dataOf("zones", data);
  const [positive, negative] = hour.split(";");
  const amount = Math.abs(seconds);
  const [hours, minutes, rest] = [Math.floor(amount / 3600), Math.floor(amount / 60) % 60, amount % 60];
  const two = (number) => String(number).padStart(2, "0");
  let text = (seconds < 0 ? negative : positive).replace(/H+/, isLong ? two(hours) : String(hours));
  const separator = /H+(.*?)m+/.exec(positive)[1];
  if (isLong || minutes !== 0 || rest !== 0) text = text.replace(/m+/, two(minutes) + (rest === 0 ? "" : `${separator}${two(rest)}`));
  else text = text.slice(0, text.indexOf(`${separator}mm`));
  return gmt.replace("{0}", inDigits(text, system));
}

function metazoneAt(name, ms) {
  const seconds = ms / 1000;
  const of = fileAt("metazones").zones[name];
  // Of what was before 1970 CLDR knows nothing.
  return of?.find(([, from, to]) => seconds >= (from ?? 0) && (to === null || seconds < to))?.[0];
}

/** EST, or Eastern Standard Time; GMT-5 where the locale has no name. */
export function specificName(format, zone, ms, isLong) {
  const width = isLong ? "long" : "short";
  const { own, metazones } = dataOf("zones", format.data);
  const form = zone.isSummerAt(ms) ? "daylight" : "standard";
  if (zone.isOffset) return offsetName(format, zone.offsetAt(ms), isLong);
  const its = own[zone.name === "UTC" ? "Etc/UTC" : zone.name]?.[width]?.[form];
  if (its !== undefined) return its;
  const metazone = zone.name === "UTC" ? "GMT" : metazoneAt(zone.name, ms);
  return metazones[metazone]?.[width]?.[form] ?? offsetName(format, zone.offsetAt(ms), isLong);
}

const HALF_A_YEAR_MS = 184 * 86_400_000;

/** ET, or Eastern Time; of zones that the locale has no name for, the country or the city. */
export function genericName(format, zone, ms, isLong) {
  const width = isLong ? "long" : "short";
  const names = dataOf("zones", format.data);
  if (zone.isOffset) return offsetName(format, zone.offsetAt(ms), isLong);
  if (zone.name === "UTC") return offsetName(format, 0, isLong);
  const metazone = metazoneAt(zone.name, ms);
  const of = names.metazones[metazone]?.[width];
  if (of !== undefined) {
    const changes = [-HALF_A_YEAR_MS, HALF_A_YEAR_MS].some((by) => zone.isSummerAt(ms + by) !== zone.isSummerAt(ms)) || zone.isSummerAt(ms);
    const name = changes ? of.generic : (of.standard ?? of.generic);
    if (name !== undefined) return name;
  }
  return names.region.replace("{0}", place(format, zone, names));
}

/** The country of a zone if it has but one, else the city. */
function place({ data }, zone, { cities }) {
  const { regions } = fileAt("metazones");
  const region = regions[zone.name];
  const isOnly = region !== undefined && Object.values(regions).filter((other) => other === region).length === 1;
  const country = isOnly ? dataOf("names", data).region[region] : undefined;
  return country ?? cities[zone.name] ?? zone.name.split("/").at(-1).replace(/_/g, " ");
}
