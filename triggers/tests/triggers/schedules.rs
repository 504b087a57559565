//! Cron expressions, next to an implementation that tries every minute.

use std::time::{Duration, Instant};

use mirra_triggers::Schedule;
use proptest::{collection::vec, prelude::*, string::string_regex};

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// 2025-12-06T14:11:29.385Z, a Saturday.
const NOW: i64 = 1_765_030_289_385;

fn error(expression: &str) -> String {
    Schedule::parse(expression).unwrap_err().to_string()
}

/// The ticks after a time.
fn ticks(expression: &str, after: i64, count: usize) -> Vec<String> {
    let schedule = Schedule::parse(expression).unwrap();
    let next = |after: &i64| schedule.next_after(*after);
    std::iter::successors(next(&after), next).take(count).map(text).collect()
}

fn text(unix_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(unix_ms).unwrap().to_string()
}

#[test]
fn the_documents_patterns() {
    let next = |expression| ticks(expression, NOW, 1).remove(0);
    assert_eq!(next("* * * * *"), "2025-12-06T14:12:00Z");
    assert_eq!(next("0 * * * *"), "2025-12-06T15:00:00Z");
    assert_eq!(next("0 0 * * *"), "2025-12-07T00:00:00Z");
    assert_eq!(next("30 9 * * *"), "2025-12-07T09:30:00Z");
    assert_eq!(next("0 9 * * 1"), "2025-12-08T09:00:00Z");
    assert_eq!(next("0 18 * * 1-5"), "2025-12-08T18:00:00Z");
    assert_eq!(next("*/15 * * * *"), "2025-12-06T14:15:00Z");
    assert_eq!(next("0 0 1 * *"), "2026-01-01T00:00:00Z");
    assert_eq!(next("0 0 28-31 * *"), "2025-12-28T00:00:00Z");
    assert_eq!(next("0 0 1 1,4,7,10 *"), "2026-01-01T00:00:00Z");
    assert_eq!(next("0 9,17 * * *"), "2025-12-06T17:00:00Z");
    assert_eq!(next("0 9-17 * * *"), "2025-12-06T15:00:00Z");
    assert_eq!(next("13 0 * * *"), "2025-12-07T00:13:00Z");
}

#[test]
fn what_is_no_schedule() {
    assert_eq!(error("0 9 * *"), "Invalid cron expression: Expected 5 fields, got 4");
    assert_eq!(error(""), "Invalid cron expression: Expected 5 fields, got 0");
    assert_eq!(error("0 0 9 * * *"), "Invalid cron expression: Expected 5 fields, got 6");
    assert_eq!(error("@daily"), "Invalid cron expression: Expected 5 fields, got 1");
    assert_eq!(error("0 25 * * *"), "Invalid cron expression: Value 25 is out of range for hour (0-23)");
    assert_eq!(error("60 * * * *"), "Invalid cron expression: Value 60 is out of range for minute (0-59)");
    assert_eq!(error("0 0 0 * *"), "Invalid cron expression: Value 0 is out of range for day of month (1-31)");
    assert_eq!(error("0 0 * 13 *"), "Invalid cron expression: Value 13 is out of range for month (1-12)");
    assert_eq!(error("0 0 * * 7"), "Invalid cron expression: Value 7 is out of range for day of week (0-6)");
    assert_eq!(error("0 0 * * 99999999999"), "Invalid cron expression: Value 99999999999 is out of range for day of week (0-6)");
    assert_eq!(error("*/0 * * * *"), "Invalid cron expression: Invalid step value 0 for minute (1-60)");
    assert_eq!(error("*/61 * * * *"), "Invalid cron expression: Invalid step value 61 for minute (1-60)");
    assert_eq!(error("30-10 * * * *"), "Invalid cron expression: Range 30-10 of minute runs backwards");
    assert_eq!(error("0 x * * *"), "Invalid cron expression: Malformed hour \"x\"");
    for never in ["0 0 31 2 *", "0 0 30,31 2 *", "0 0 31 2,4,6,9,11 *", "0 0 31 4 */2", "* * 30-31/1 2 *"] {
        assert_eq!(error(never), "Invalid cron expression: It never fires, as no such date exists", "{never}");
    }
    let long = format!("{}0 * * * *", "0,".repeat(500));
    assert_eq!(error(&long), "Invalid cron expression: More than 1000 characters");
    assert!(Schedule::parse(&format!("{}0 * * * *", "0,".repeat(495))).is_ok());
}

#[test]
fn what_the_documents_do_not_describe_is_malformed() {
    for expression in [
        "* * L * *",
        "* * 15W * *",
        "* * * * 5#2",
        "* * * * 5L",
        "* * ? * *",
        "* * * JAN *",
        "* * * * MON",
        "* * * * +1",
        "5/15 * * * *",
        "/15 * * * *",
        "*/ * * * *",
        "*/5/5 * * * *",
        "1- * * * *",
        "-1 * * * *",
        "1-2-3 * * * *",
        ", * * * *",
        "1,,2 * * * *",
        "+1 * * * *",
        "** * * * *",
        "1-* * * * *",
        "١ * * * *",
    ] {
        assert!(error(expression).starts_with("Invalid cron expression: Malformed "), "{expression}: {}", error(expression));
    }
}

#[test]
fn days_of_the_month_or_of_the_week() {
    // The 13th, and every Friday.
    assert_eq!(ticks("0 0 13 * 5", NOW, 3), ["2025-12-12T00:00:00Z", "2025-12-13T00:00:00Z", "2025-12-19T00:00:00Z"]);
    // Every second day that is a Monday.
    assert_eq!(ticks("0 0 */2 * 1", NOW, 3), ["2025-12-15T00:00:00Z", "2025-12-29T00:00:00Z", "2026-01-05T00:00:00Z"]);
    assert_eq!(ticks("0 0 31 2 1", NOW, 2), ["2026-02-02T00:00:00Z", "2026-02-09T00:00:00Z"]);
}

#[test]
fn a_tick_is_after_and_until() {
    let hourly = Schedule::parse("0 * * * *").unwrap();
    let hour = hourly.next_after(NOW).unwrap();
    assert_eq!(hourly.next_after(hour), Some(hour + 60 * MINUTE_MS));
    assert_eq!(hourly.next_after(hour - 1), Some(hour));
    assert_eq!(hourly.latest_within(hour - 1, hour), Some(hour));
    assert_eq!(hourly.latest_within(hour, hour + 60 * MINUTE_MS - 1), None);
    assert_eq!(hourly.latest_within(hour - 1, hour - 1), None);
    assert_eq!(hourly.latest_within(0, NOW), Some(hour - 60 * MINUTE_MS));
    assert_eq!(hourly.expression(), "0 * * * *");
    assert_eq!(Schedule::parse(" 0  *\t* * * ").unwrap(), hourly);
}

#[test]
fn rare_ticks_and_all_times_are_cheap() {
    let started = Instant::now();
    for expression in ["0 0 29 2 *", "0 0 29 2 */7", "0 0 29-31/1 2,4 *", "59 23 31 12 *", "* * * * *"] {
        let schedule = Schedule::parse(expression).unwrap();
        assert!(schedule.next_after(NOW).is_some());
        assert!(schedule.latest_within(i64::MIN, NOW).is_some());
        for unix_ms in [i64::MIN, i64::MAX, 0, -1, 95_617_584_000_000, 253_402_300_799_999, -62_135_596_800_000, -377_705_023_201_000] {
            schedule.next_after(unix_ms);
            schedule.latest_within(i64::MIN, unix_ms);
        }
    }
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
}

/// A field as texts and as the values it stands for.
fn any_field(min: u32, max: u32) -> impl Strategy<Value = (String, Vec<u32>, bool)> {
    let part = prop_oneof![
        3 => (min..=max).prop_map(|value| (value.to_string(), vec![value])),
        2 => (min..=max, min..=max).prop_map(|(a, b)| (format!("{}-{}", a.min(b), a.max(b)), (a.min(b)..=a.max(b)).collect())),
        1 => (min..=max, min..=max, 1..=max - min).prop_map(|(a, b, step)| {
            (format!("{}-{}/{step}", a.min(b), a.max(b)), (a.min(b)..=a.max(b)).step_by(step as usize).collect())
        }),
        1 => (1..=max - min).prop_map(move |step| (format!("*/{step}"), (min..=max).step_by(step as usize).collect())),
    ];
    let parts = vec(part, 1..4).prop_map(|parts: Vec<(String, Vec<u32>)>| {
        let text = parts.iter().map(|(text, _)| &**text).collect::<Vec<_>>().join(",");
        let is_star = text.starts_with('*');
        (text, parts.into_iter().flat_map(|(_, values)| values).collect(), is_star)
    });
    prop_oneof![2 => Just(("*".to_owned(), (min..=max).collect(), true)), 3 => parts]
}

/// Whether a minute is due, by the manual of cron and a calendar counted in days.
fn is_due(fields: &[(String, Vec<u32>, bool)], unix_ms: i64) -> bool {
    let (days, minute) = (unix_ms.div_euclid(DAY_MS), unix_ms.rem_euclid(DAY_MS) / MINUTE_MS);
    let (mut year, mut rest) = (1970, days);
    let length = |year: i64| if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) { 366 } else { 365 };
    while rest >= length(year) {
        rest -= length(year);
        year += 1;
    }
    let mut month = 1;
    let month_length = |month: u32| match month {
        2 => length(year) - 337,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    while rest >= month_length(month) {
        rest -= month_length(month);
        month += 1;
    }
    let has = |field: usize, value: u32| fields[field].1.contains(&value);
    let (date, weekday) = (has(2, rest as u32 + 1), has(4, (days + 4).rem_euclid(7) as u32));
    let day = if fields[2].2 || fields[4].2 { date && weekday } else { date || weekday };
    has(0, (minute % 60) as u32) && has(1, (minute / 60) as u32) && day && has(3, month)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn ticks_are_the_minutes_that_are_due(
        fields in [any_field(0, 59), any_field(0, 23), any_field(1, 31), any_field(1, 12), any_field(0, 6)],
        from in 0..4_102_444_800_000_i64,
    ) {
        let expression = fields.iter().map(|(text, ..)| &**text).collect::<Vec<_>>().join(" ");
        let Ok(schedule) = Schedule::parse(&expression) else {
            prop_assert_eq!(error(&expression), "Invalid cron expression: It never fires, as no such date exists");
            return Ok(());
        };
        let minutes = 40 * 24 * 60;
        let first = from.div_euclid(MINUTE_MS) + 1;
        let due: Vec<i64> = (first..first + minutes).map(|minute| minute * MINUTE_MS).filter(|minute| is_due(&fields, *minute)).collect();
        let until = (first + minutes) * MINUTE_MS - 1;
        prop_assert_eq!(schedule.next_after(from).filter(|tick| *tick <= until), due.first().copied());
        prop_assert_eq!(schedule.latest_within(from, until), due.last().copied());
        if let [.., before, last] = &*due {
            prop_assert_eq!(schedule.next_after(*before), Some(*last));
            prop_assert_eq!(schedule.latest_within(from, last - 1), Some(*before));
        }
    }

    #[test]
    fn no_text_panics(text in prop_oneof![any::<String>(), string_regex("[0-9*/,LW#? -]{0,30}").unwrap()], unix_ms in any::<i64>()) {
        if let Ok(schedule) = Schedule::parse(&text) {
            schedule.next_after(unix_ms);
            schedule.latest_within(i64::MIN, unix_ms);
        }
    }
}
