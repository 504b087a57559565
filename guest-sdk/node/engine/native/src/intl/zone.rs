//! Time zones of IANA.

use jiff::{Timestamp, tz::TimeZone};
use rquickjs::{Class, Ctx, Object};

use super::data;
use crate::define;

pub struct Zone(TimeZone);

pub fn install(native: &Object<'_>) -> rquickjs::Result<()> {
    define(native, "timeZone", make)?;
    define(native, "timeZoneOffset", |zone: Class<'_, Zone>, second: f64| zone.borrow().0.to_offset(at(second)).seconds())?;
    define(native, "timeZoneIsSummer", |zone: Class<'_, Zone>, second: f64| zone.borrow().0.to_offset_info(at(second)).dst().is_dst())
}

/// The zone of a name; undefined if there is none.
fn make<'js>(cx: Ctx<'js>, name: String) -> rquickjs::Result<Option<Class<'js, Zone>>> {
    let Some(bytes) = data::file(&format!("tz/{name}")) else { return Ok(None) };
    let Ok(zone) = TimeZone::tzif(&name, &bytes) else { return Ok(None) };
    Class::instance(cx, Zone(zone)).map(Some)
}

/// Dates of JavaScript go further than jiff's; zones change no more at either end.
fn at(second: f64) -> Timestamp {
    Timestamp::from_second(second as i64).unwrap_or(if second < 0.0 { Timestamp::MIN } else { Timestamp::MAX })
}
