//! What models cost.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::Usd;

const MILLION: u128 = 1_000_000;

/// What a model costs for a million tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ModelPrice {
    pub input_usd_per_million_tokens: Usd,
    pub output_usd_per_million_tokens: Usd,
}

impl ModelPrice {
    const fn new(input_microdollars: u64, output_microdollars: u64) -> ModelPrice {
        const MICRODOLLAR: u64 = 1_000_000;
        ModelPrice {
            input_usd_per_million_tokens: Usd::from_picodollars(input_microdollars * MICRODOLLAR),
            output_usd_per_million_tokens: Usd::from_picodollars(output_microdollars * MICRODOLLAR),
        }
    }

    pub fn of(&self, input_tokens: u64, output_tokens: u64) -> Usd {
        self.input_usd_per_million_tokens.scaled(input_tokens.into(), MILLION)
            + self.output_usd_per_million_tokens.scaled(output_tokens.into(), MILLION)
    }
}

/// Models by name. A name without its date stands for every version of the model: `claude-sonnet-4` for `claude-sonnet-4-20250514`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ModelPrices(BTreeMap<String, ModelPrice>);

impl ModelPrices {
    /// A model that is not among them costs what the dearest does.
    pub fn of(&self, model: &str) -> ModelPrice {
        let is_version = |rest: &str| {
            let date = rest.strip_prefix('-').unwrap_or_default();
            date == "latest" || (date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit()))
        };
        let named = self.0.get(model);
        let dated = || self.0.iter().find(|(name, _)| model.strip_prefix(name.as_str()).is_some_and(is_version)).map(|(_, price)| price);
        named.or_else(dated).copied().unwrap_or_else(|| self.dearest())
    }

    fn dearest(&self) -> ModelPrice {
        let most = |part: fn(&ModelPrice) -> Usd| self.0.values().map(part).max().unwrap_or_default();
        ModelPrice {
            input_usd_per_million_tokens: most(|price| price.input_usd_per_million_tokens),
            output_usd_per_million_tokens: most(|price| price.output_usd_per_million_tokens),
        }
    }
}

impl Default for ModelPrices {
    /// What Anthropic asks.
    fn default() -> ModelPrices {
        const PRICES: [(&str, u64, u64); 15] = [
            ("claude-3-haiku", 250_000, 1_250_000),
            ("claude-3-5-haiku", 800_000, 4_000_000),
            ("claude-haiku-4-5", 1_000_000, 5_000_000),
            ("claude-3-5-sonnet", 3_000_000, 15_000_000),
            ("claude-3-7-sonnet", 3_000_000, 15_000_000),
            ("claude-sonnet-4", 3_000_000, 15_000_000),
            ("claude-sonnet-4-0", 3_000_000, 15_000_000),
            ("claude-sonnet-4-5", 3_000_000, 15_000_000),
            ("claude-sonnet-4-6", 3_000_000, 15_000_000),
            ("claude-3-opus", 15_000_000, 75_000_000),
            ("claude-opus-4", 15_000_000, 75_000_000),
            ("claude-opus-4-0", 15_000_000, 75_000_000),
            ("claude-opus-4-1", 15_000_000, 75_000_000),
            ("claude-opus-4-5", 5_000_000, 25_000_000),
            ("claude-opus-4-6", 5_000_000, 25_000_000),
        ];
        ModelPrices(PRICES.map(|(model, input, output)| (model.to_owned(), ModelPrice::new(input, output))).into())
    }
}

/// Over the default ones, so that a file need not name them all.
impl<'de> Deserialize<'de> for ModelPrices {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut prices = ModelPrices::default();
        prices.0.extend(BTreeMap::<String, ModelPrice>::deserialize(deserializer)?);
        Ok(prices)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_costs_what_its_model_does_and_a_stranger_the_most() {
        let prices: ModelPrices =
            serde_json::from_str(r#"{"mine": {"inputUsdPerMillionTokens": 0.5, "outputUsdPerMillionTokens": 80}}"#).unwrap();
        let of = |model| prices.of(model).of(1_000_000, 0).to_string();
        assert_eq!(
            [of("claude-sonnet-4-20250514"), of("claude-opus-4-5"), of("claude-3-5-haiku-latest"), of("mine")],
            ["3", "5", "0.8", "0.5"]
        );
        assert_eq!(prices.of("claude-next").of(1, 1).to_string(), "0.000095");
        assert_eq!(prices.of("claude-sonnet-4-next"), prices.of("another"));
    }
}
