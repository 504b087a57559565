//! What asking a model costs.

use std::sync::Arc;

use mirra_host_sdk::{Budget, ErrorCode, ModelPrice, Usd};
use serde::Deserialize;

use crate::{ApiError, Means};

/// Fewer than any text has for each of its tokens, but for what is written to have many.
const BYTES_PER_TOKEN: u64 = 2;

/// More than a provider counts for an image of any size.
pub const IMAGE_TOKENS: u64 = 5_000;

/// As the provider counts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Usage {
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub cache_creation_input_tokens: Option<u64>,
    pub cache_read_input_tokens: Option<u64>,
    pub cache_creation: Option<CacheCreation>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct CacheCreation {
    pub ephemeral_1h_input_tokens: u64,
}

impl Usage {
    pub fn cache_creation(&self) -> u64 {
        self.cache_creation_input_tokens.unwrap_or_default()
    }

    pub fn cache_read(&self) -> u64 {
        self.cache_read_input_tokens.unwrap_or_default()
    }

    /// All that the provider counted.
    pub fn total(&self) -> u64 {
        [self.input_tokens, self.output_tokens, self.cache_creation(), self.cache_read()].into_iter().fold(0, u64::saturating_add)
    }

    pub fn add(&mut self, other: &Usage) {
        self.input_tokens = self.input_tokens.saturating_add(other.input_tokens);
        self.output_tokens = self.output_tokens.saturating_add(other.output_tokens);
        self.cache_creation_input_tokens = Some(self.cache_creation().saturating_add(other.cache_creation()));
        self.cache_read_input_tokens = Some(self.cache_read().saturating_add(other.cache_read()));
    }

    fn price(&self, price: &ModelPrice) -> Usd {
        const MILLION: u128 = 1_000_000;
        let input = price.input_usd_per_million_tokens;
        let hour = self.cache_creation.as_ref().map_or(0, |created| created.ephemeral_1h_input_tokens).min(self.cache_creation());
        let minutes = self.cache_creation() - hour;
        // What is written into a cache costs five quarters of other input, or twice as much if it is kept for an hour; read, a tenth.
        price.of(self.input_tokens, self.output_tokens)
            + input.scaled(u128::from(minutes) * 5, 4 * MILLION)
            + input.scaled(u128::from(hour) * 2, MILLION)
            + input.scaled(self.cache_read().into(), 10 * MILLION)
    }
}

/// What was charged for a request that is under way.
pub struct Charge {
    budget: Arc<dyn Budget>,
    price: ModelPrice,
    factor: u64,
    charged: Usd,
}

impl Charge {
    /// The most that a request can cost. `factor` multiplies it.
    pub fn new(
        means: &Means,
        model: &str,
        price: ModelPrice,
        input_tokens: u64,
        output_tokens: u64,
        factor: u64,
    ) -> Result<Charge, ApiError> {
        let charged = price.of(input_tokens, output_tokens).scaled(factor.into(), 1);
        means.charge(&format!("a request to {model}"), charged)?;
        Ok(Charge { budget: means.budget.clone(), price, factor, charged })
    }

    /// It was made, and used this.
    pub fn settle(self, usage: &Usage) {
        let used = usage.price(&self.price).scaled(self.factor.into(), 1);
        settle(&*self.budget, self.charged, used);
    }

    /// It has no answer. Where that took too long, the provider has worked on one, and is paid.
    pub fn failed(self, error: ApiError) -> ApiError {
        if error.code != ErrorCode::Timeout {
            self.budget.refund(self.charged);
        }
        error
    }
}

/// Gives back what was charged and not used.
pub fn settle(budget: &dyn Budget, charged: Usd, used: Usd) {
    budget.refund(charged.saturating_sub(used));
    // What was used is used, also where more was counted than anybody expects.
    budget.spend(used.saturating_sub(charged));
}

/// More tokens than so many bytes of text have.
pub fn tokens_at_most(bytes: usize) -> u64 {
    (bytes as u64).div_ceil(BYTES_PER_TOKEN)
}
