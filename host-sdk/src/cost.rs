use std::{fmt, iter::Sum, ops::Add, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

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

    fn from_str(text: &str) -> Result<Self, UsdError> {
        let parse = || -> Option<Usd> {
            let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
            let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
            if whole.is_empty() || fraction.len() > DECIMALS || !is_digits(whole) || !is_digits(fraction) {
                return None;
            }
            let whole: u64 = whole.parse().ok()?;
            let fraction: u64 = format!("{fraction:0<DECIMALS$}").parse().ok()?;
            Some(Usd { picodollars: whole.checked_mul(PICODOLLARS)?.checked_add(fraction)? })
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
#[serde(default, deny_unknown_fields)]
pub struct PriceTable {
    /// For every call.
    pub call_usd: Usd,
    /// For a gigabyte of the memory limit held for a second of wall time.
    pub memory_gb_second_usd: Usd,
    /// For a billion units of fuel, which is about two seconds of CPU time.
    pub fuel_billion_usd: Usd,
}

impl Default for PriceTable {
    /// In the range of what the large providers ask.
    fn default() -> Self {
        PriceTable {
            call_usd: Usd::from_picodollars(200_000),
            memory_gb_second_usd: Usd::from_picodollars(16_666_700),
            fuel_billion_usd: Usd::from_picodollars(40_000_000),
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
