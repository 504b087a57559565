//! When a flow runs by the clock.

use croner::{Cron, CronPattern, parser::CronParser};
use jiff::{Timestamp, Zoned, tz::TimeZone};

const MINUTE_MS: i64 = 60_000;
/// More than a list of all values in all fields.
const CHARACTERS_MAX: usize = 1_000;

/// A cron expression of five fields: minute, hour, day of month, month, day of week. All of it is in UTC.
///
/// Exactly what the documents describe is accepted: numbers, `*`, lists with `,`, ranges with `-`, and steps with `/` after `*` or a
/// range. Names (`MON`, `JAN`), nicknames (`@daily`), 7 for Sunday, seconds, years, and `L`, `W`, `#`, `?` are refused.
///
/// If days of the month and days of the week are both given, a day is due that is one *or* the other. A field that begins with `*`
/// only narrows the other down, as in every cron since Vixie's: `0 0 */2 * 1` is every second day *if* it is a Monday.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Schedule {
    cron: Cron,
}

/// Why an expression is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    #[error("Invalid cron expression: Expected 5 fields, got {0}")]
    Fields(usize),
    #[error("Invalid cron expression: More than {CHARACTERS_MAX} characters")]
    Long,
    #[error("Invalid cron expression: Value {value} is out of range for {field} ({min}-{max})")]
    Range { field: &'static str, value: String, min: u32, max: u32 },
    #[error("Invalid cron expression: Range {range} of {field} runs backwards")]
    Backwards { field: &'static str, range: String },
    #[error("Invalid cron expression: Invalid step value {step} for {field} (1-{max})")]
    Step { field: &'static str, step: String, max: u32 },
    #[error("Invalid cron expression: Malformed {field} {text:?}")]
    Malformed { field: &'static str, text: String },
    #[error("Invalid cron expression: It never fires, as no such date exists")]
    Never,
}

struct Field {
    name: &'static str,
    min: u32,
    max: u32,
}

const FIELDS: [Field; 5] = [
    Field { name: "minute", min: 0, max: 59 },
    Field { name: "hour", min: 0, max: 23 },
    Field { name: "day of month", min: 1, max: 31 },
    Field { name: "month", min: 1, max: 12 },
    Field { name: "day of week", min: 0, max: 6 },
];

/// The days that a month has at most, from January.
const DAYS: [u16; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

impl Schedule {
    pub fn parse(expression: &str) -> Result<Schedule, ScheduleError> {
        if expression.chars().nth(CHARACTERS_MAX).is_some() {
            return Err(ScheduleError::Long);
        }
        let texts: Vec<&str> = expression.split_ascii_whitespace().collect();
        let &[_, _, day_of_month, _, day_of_week] = &*texts else { return Err(ScheduleError::Fields(texts.len())) };
        for (field, text) in FIELDS.iter().zip(&texts) {
            field.check(text)?;
        }
        let both_days = day_of_month.starts_with('*') || day_of_week.starts_with('*');
        let parser = CronParser::builder().dom_and_dow(both_days).build();
        // Each field has been checked, so this fails only if croner knows less than it did.
        let malformed = |_| ScheduleError::Malformed { field: "expression", text: expression.to_owned() };
        let cron = parser.parse(&texts.join(" ")).map_err(malformed)?;
        if both_days && !has_date(&cron.pattern) {
            return Err(ScheduleError::Never);
        }
        Ok(Schedule { cron })
    }

    /// The expression, its fields one space apart.
    pub fn expression(&self) -> &str {
        self.cron.as_str()
    }

    /// The first tick after a time, both in Unix milliseconds. None after the year 5000.
    pub fn next_after(&self, unix_ms: i64) -> Option<i64> {
        let minute = zoned(unix_ms.div_euclid(MINUTE_MS).checked_add(1)?)?;
        self.cron.find_next_occurrence(&minute, true).ok().map(|tick| tick.timestamp().as_millisecond())
    }

    /// The newest tick that is after one time and not after another, all in Unix milliseconds.
    pub fn latest_within(&self, after_unix_ms: i64, until_unix_ms: i64) -> Option<i64> {
        let minute = zoned(until_unix_ms.div_euclid(MINUTE_MS))?;
        let tick = self.cron.find_previous_occurrence(&minute, true).ok()?.timestamp().as_millisecond();
        (tick > after_unix_ms).then_some(tick)
    }
}

fn zoned(unix_minute: i64) -> Option<Zoned> {
    let time = Timestamp::from_millisecond(unix_minute.checked_mul(MINUTE_MS)?).ok()?;
    Some(time.to_zoned(TimeZone::UTC))
}

/// Whether one of the months has one of the days. In 400 years each date falls on each day of the week.
fn has_date(pattern: &CronPattern) -> bool {
    let first = pattern.days.values().first().copied().unwrap_or_default();
    let longest = |month: u16| DAYS.get(usize::from(month).wrapping_sub(1)).copied().unwrap_or_default();
    pattern.months.values().into_iter().any(|month| first <= longest(month))
}

impl Field {
    fn check(&self, text: &str) -> Result<(), ScheduleError> {
        text.split(',').try_for_each(|part| match part.split_once('/') {
            Some((values, step)) => {
                let is_range = values == "*" || values.contains('-');
                self.check_values(values, part)?;
                self.check_step(step, part)?;
                // From where to where `5/15` steps is not documented.
                if is_range { Ok(()) } else { Err(self.malformed(part)) }
            }
            None => self.check_values(part, part),
        })
    }

    fn check_values(&self, values: &str, part: &str) -> Result<(), ScheduleError> {
        if values == "*" {
            return Ok(());
        }
        let Some((first, last)) = values.split_once('-') else { return self.number(values, part).map(drop) };
        let (first, last) = (self.number(first, part)?, self.number(last, part)?);
        if first > last {
            return Err(ScheduleError::Backwards { field: self.name, range: values.to_owned() });
        }
        Ok(())
    }

    fn check_step(&self, step: &str, part: &str) -> Result<(), ScheduleError> {
        let max = self.max - self.min + 1;
        if !is_digits(step) {
            return Err(self.malformed(part));
        }
        match step.parse() {
            Ok(number) if (1..=max).contains(&number) => Ok(()),
            _ => Err(ScheduleError::Step { field: self.name, step: step.to_owned(), max }),
        }
    }

    fn number(&self, text: &str, part: &str) -> Result<u32, ScheduleError> {
        if !is_digits(text) {
            return Err(self.malformed(part));
        }
        let out_of_range = || ScheduleError::Range { field: self.name, value: text.to_owned(), min: self.min, max: self.max };
        text.parse().ok().filter(|number| (self.min..=self.max).contains(number)).ok_or_else(out_of_range)
    }

    fn malformed(&self, text: &str) -> ScheduleError {
        ScheduleError::Malformed { field: self.name, text: text.to_owned() }
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
