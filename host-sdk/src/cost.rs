use std::{fmt, iter::Sum, ops::Add, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

use crate::ModelPrices;

/// US dollars, exact to a millionth of a millionth. Money is never a float: sums of many small prices must come out right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Usd {
    picodollars: u64,
}

const PICODOLLARS: u64 = 1_000_000_000_000;
const DECIMALS: usize = 12;

impl Usd {
    pub const ZERO: Usd = Usd { picodollars: 0 };

    pub const fn from_picodollars(picodollars: u64) -> Self {
        Usd { picodollars }
    }

    pub const fn picodollars(self) -> u64 {
        self.picodollars
    }

    pub fn saturating_sub(self, other: Usd) -> Usd {
        Usd { picodollars: self.picodollars.saturating_sub(other.picodollars) }
    }

    /// `self * count / unit`, rounded up: a started unit is paid.
    pub fn scaled(self, count: u128, unit: u128) -> Usd {
        let exact = (self.picodollars as u128).saturating_mul(count).div_ceil(unit.max(1));
        Usd { picodollars: u64::try_from(exact).unwrap_or(u64::MAX) }
    }
}

impl Add for Usd {
    type Output = Usd;

    /// Saturates at 18 million dollars: a budget is refused long before.
    fn add(self, other: Usd) -> Usd {
        Usd { picodollars: self.picodollars.saturating_add(other.picodollars) }
    }
}

impl Sum for Usd {
    fn sum<I: Iterator<Item = Usd>>(amounts: I) -> Usd {
        amounts.fold(Usd::ZERO, Add::add)
    }
}

/// The shortest decimal form: `0.000000215`.
impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.picodollars / PICODOLLARS, self.picodollars % PICODOLLARS);
        if fraction == 0 {
            return write!(f, "{whole}");
        }
        let digits = format!("{fraction:0DECIMALS$}");
        write!(f, "{whole}.{}", digits.trim_end_matches('0'))
    }
}

/// A text that is no amount.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("'{0}' is no amount in US dollars: write it as 0.25, with at most 12 decimals and without a sign")]
pub struct UsdError(String);

impl FromStr for Usd {
    type Err = UsdError;

    /// Decimal digits, with an exponent where a program wrote them: JSON of `0.000002` is `2e-6` in some languages.
    fn from_str(text: &str) -> Result<Self, UsdError> {
        let parse = || -> Option<Usd> {
            let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
            let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
            let digits = format!("{whole}{fraction}");
            if whole.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            let digits: u128 = digits.parse().ok()?;
            let power = exponent.parse::<i32>().ok()?.checked_add(DECIMALS as i32)?.checked_sub(fraction.len() as i32)?;
            let scale = 10_u128.checked_pow(power.unsigned_abs())?;
            let picodollars = match power {
                0.. => digits.checked_mul(scale)?,
                _ => digits.is_multiple_of(scale).then_some(digits / scale)?,
            };
            Some(Usd { picodollars: u64::try_from(picodollars).ok()? })
        };
        parse().ok_or_else(|| UsdError(text.to_owned()))
    }
}

/// A JSON number, since that is what clients of the API expect; its digits are the exact ones.
impl Serialize for Usd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number = serde_json::value::RawValue::from_string(self.to_string()).map_err(serde::ser::Error::custom)?;
        number.serialize(serializer)
    }
}

/// From a JSON number or string, by its digits.
impl<'de> Deserialize<'de> for Usd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <Box<serde_json::value::RawValue>>::deserialize(deserializer)?;
        raw.get().trim_matches('"').parse().map_err(de::Error::custom)
    }
}

/// What running costs. Configuration: every field has a default, and a file may replace any.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct PriceTable {
    /// For every call.
    pub call_usd: Usd,
    /// For a gigabyte of the memory limit held for a second of wall time.
    pub memory_gb_second_usd: Usd,
    /// For a billion units of fuel, which is about two seconds of CPU time.
    pub fuel_billion_usd: Usd,
    /// For every HTTP request that a handler makes, answered or not.
    pub http_request_usd: Usd,
    /// For every use of `mirra.memory`.
    pub memory_operation_usd: Usd,
    /// For every tick of a flow's schedule.
    pub flow_tick_usd: Usd,
    /// For the tokens of models, by name.
    pub ai_models: ModelPrices,
    /// For a minute of audio that is transcribed.
    pub transcription_minute_usd: Usd,
}

impl Default for PriceTable {
    /// In the range of what the large providers ask.
    fn default() -> Self {
        PriceTable {
            call_usd: Usd::from_picodollars(200_000),
            memory_gb_second_usd: Usd::from_picodollars(16_666_700),
            fuel_billion_usd: Usd::from_picodollars(40_000_000),
            http_request_usd: Usd::from_picodollars(100_000),
            memory_operation_usd: Usd::from_picodollars(100_000),
            flow_tick_usd: Usd::from_picodollars(100_000_000),
            ai_models: ModelPrices::default(),
            transcription_minute_usd: Usd::from_picodollars(6_000_000_000),
        }
    }
}

impl PriceTable {
    /// What a call has cost by now, without its host operations.
    pub fn running(&self, fuel: u64, memory_bytes: u64, wall_us: u64) -> Usd {
        const GB: u128 = 1024 * 1024 * 1024;
        self.call_usd
            + self.fuel_billion_usd.scaled(fuel as u128, 1_000_000_000)
            + self.memory_gb_second_usd.scaled(memory_bytes as u128 * wall_us as u128, GB * 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_exactly_however_they_are_written() {
        let picodollars = |text: &str| text.parse::<Usd>().map(Usd::picodollars).ok();
        assert_eq!(picodollars("1"), Some(1_000_000_000_000));
        assert_eq!(picodollars("0.25"), Some(250_000_000_000));
        assert_eq!(picodollars("0.000000000001"), Some(1));
        assert_eq!(picodollars("2e-6"), Some(2_000_000));
        assert_eq!(picodollars("1.50E+1"), Some(15_000_000_000_000));
        for no_amount in ["", ".5", "-1", "+1", "1e-13", "0.0000000000001", "1e99", "1e99999999999", "0x10", "1 ", "NaN"] {
            assert_eq!(picodollars(no_amount), None, "{no_amount}");
        }
    }
}
