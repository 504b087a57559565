// Years, months and days of instants, by the calendar that a locale or its user counts in.

const DAY_MS = 86_400_000;

/** What is shown of a moment: `ms` are those since 1970 with the zone's offset in them. */
export function fieldsOf(ms, calendar) {
  const date = new Date(ms);
  const fields = {
    weekday: date.getUTCDay(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    ms: date.getUTCMilliseconds(),
  };
  return Object.assign(fields, CALENDARS[calendar](date));
}

function gregory(date) {
  const year = date.getUTCFullYear();
  const isBefore = year <= 0;
  return { era: isBefore ? 0 : 1, year: isBefore ? 1 - year : year, month: date.getUTCMonth(), day: date.getUTCDate() };
}

const CALENDARS = {
  gregory,
  iso8601: gregory,
  buddhist: (date) => ({ era: 0, year: date.getUTCFullYear() + 543, month: date.getUTCMonth(), day: date.getUTCDate() }),
  persian,
};

export const CALENDAR_NAMES = Object.keys(CALENDARS);

/** The first day of the first Persian year, in days since 1970. */
const PERSIAN_EPOCH = Date.UTC(622, 2, 21) / DAY_MS;

/** Leap years by the cycle of 33, which is right from 1178 to 1633. */
const leapsBefore = (year) => Math.floor((8 * year + 21) / 33);

function persian(date) {
  const days = Math.floor(date.getTime() / DAY_MS) - PERSIAN_EPOCH;
  const year = 1 + Math.floor((33 * days + 3) / 12053);
  const ofYear = days - (365 * (year - 1) + leapsBefore(year));
  const month = ofYear < 216 ? Math.floor(ofYear / 31) : Math.floor((ofYear - 6) / 30);
  const monthStart = month <= 6 ? 31 * month : 30 * month + 6;
  return { era: 0, year, month, day: ofYear - monthStart + 1 };
}
