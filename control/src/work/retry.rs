//! What becomes of a run that has ended: decided here, and nowhere else.

use mirra_host_sdk::{ErrorCode, InvocationError, Json};
use serde::Deserialize;

/// How long after each failed try the next one begins.
pub const WAITS_MS: [i64; 4] = [60_000, 5 * 60_000, 15 * 60_000, 60 * 60_000];
/// Where there was no place for it, which is nobody's failure.
const NO_PLACE_MS: i64 = 1_000;

/// Tries after the first one.
pub const RETRIES_MAX: i64 = WAITS_MS.len() as i64;

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It was a success, or nothing would be better another time.
    Over,
    /// It is tried again after so many milliseconds. It was not tried at all, if it does not count.
    Again { wait_ms: i64, counts: bool },
    /// It has failed too often: the flow is paused.
    Pause,
}

/// `{success: false, reason}` is a failure; `{success: false, noOp: true, reason}` a success with nothing to do; anything else that
/// returns is a success.
pub fn failure_in(result: &Json) -> Option<InvocationError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Said {
        success: bool,
        #[serde(default)]
        no_op: bool,
        #[serde(default)]
        reason: Option<String>,
    }
    let said: Said = serde_json::from_str(result.get()).ok()?;
    let reason = said.reason.unwrap_or_else(|| "the handler answered {success: false} without a reason".to_owned());
    (!said.success && !said.no_op).then(|| InvocationError::new(ErrorCode::HandlerError, reason))
}

/// `attempt` counts from 0.
pub fn next(error: Option<ErrorCode>, attempt: i64) -> Next {
    match error {
        None => Next::Over,
        // The executor is full.
        Some(ErrorCode::RateLimited) => Next::Again { wait_ms: NO_PLACE_MS, counts: false },
        // What it runs is not there: no time will bring it back.
        Some(ErrorCode::NotFound) => Next::Pause,
        Some(_) => match usize::try_from(attempt).ok().and_then(|attempt| WAITS_MS.get(attempt)) {
            Some(wait_ms) => Next::Again { wait_ms: *wait_ms, counts: true },
            None => Next::Pause,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_retries_wait_longer_each_and_then_the_flow_is_paused() {
        let failed = |attempt| next(Some(ErrorCode::HandlerError), attempt);
        let waits: Vec<_> = (0..4).map(failed).collect();
        let expected = [60_000, 300_000, 900_000, 3_600_000].map(|wait_ms| Next::Again { wait_ms, counts: true });
        assert_eq!(waits, expected);
        assert_eq!((failed(4), failed(5), next(None, 4)), (Next::Pause, Next::Pause, Next::Over));
    }

    #[test]
    fn the_result_decides() {
        let failure =
            |text: &str| failure_in(&serde_json::value::RawValue::from_string(text.to_owned()).unwrap()).map(|error| error.message);
        for success in ["null", "1", "{}", r#"{"success":true}"#, r#"{"success":false,"noOp":true,"reason":"x"}"#, r#"{"success":0}"#] {
            assert_eq!(failure(success), None, "{success}");
        }
        assert_eq!(failure(r#"{"success":false,"reason":"no"}"#).as_deref(), Some("no"));
        assert!(failure(r#"{"success":false,"response":"x"}"#).is_some());
    }
}
