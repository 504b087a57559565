//! What asking a model costs.

use std::sync::Arc;

use mirra_host_sdk::{Budget, ErrorCode, ModelPrice, Usd};
use serde::Deserialize;

use super::provider::Failure;
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

/// What the tokens of a model cost. `factor` multiplies it.
#[derive(Clone, Copy, Debug)]
pub struct TokenPrice {
    pub model: ModelPrice,
    pub factor: u64,
}

impl TokenPrice {
    pub fn of(&self, usage: &Usage) -> Usd {
        usage.price(&self.model).scaled(self.factor.into(), 1)
    }

    pub fn at_most(&self, input_tokens: u64, output_tokens: u64) -> Usd {
        self.model.of(input_tokens, output_tokens).scaled(self.factor.into(), 1)
    }
}

/// What was charged for a request, of which the provider may bill a part. The rest is given back when this is dropped, whatever became of
/// the request: also where nobody waits for its answer any more.
pub struct Charge {
    budget: Arc<dyn Budget>,
    charged: Usd,
    owed: Usd,
}

impl Charge {
    /// The most that a request can cost. Nothing of it is owed yet.
    ///
    /// # Errors
    /// `COST_LIMIT`: the budget does not hold it. `what` is told.
    pub fn new(means: &Means, what: &str, at_most: Usd) -> Result<Charge, ApiError> {
        means.charge(what, at_most)?;
        Ok(Charge { budget: means.budget.clone(), charged: at_most, owed: Usd::ZERO })
    }

    /// As far as it is known by now, the provider may bill this.
    pub fn owe(&mut self, amount: Usd) {
        self.owed = amount;
    }

    /// There was no answer to it. Nothing is billed then, but for what took too long: the provider may have worked on that.
    pub fn unanswered(mut self, failure: Failure) -> Failure {
        if failure.error.code != ErrorCode::Timeout {
            self.owe(Usd::ZERO);
        }
        failure
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.budget.refund(self.charged.saturating_sub(self.owed));
        // What was used is used, also where more was counted than anybody expects.
        self.budget.spend(self.owed.saturating_sub(self.charged));
    }
}

/// More tokens than so many bytes of text have.
pub fn tokens_at_most(bytes: usize) -> u64 {
    (bytes as u64).div_ceil(BYTES_PER_TOKEN)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// What is left of it.
    #[derive(Debug)]
    struct Purse(Mutex<Usd>);

    impl Budget for Purse {
        fn left(&self) -> Usd {
            *self.0.lock().unwrap()
        }

        fn charge(&self, price: Usd) -> bool {
            let mut left = self.0.lock().unwrap();
            let holds = *left >= price;
            *left = left.saturating_sub(if holds { price } else { Usd::ZERO });
            holds
        }

        fn spend(&self, amount: Usd) {
            let mut left = self.0.lock().unwrap();
            *left = left.saturating_sub(amount);
        }

        fn refund(&self, amount: Usd) {
            let mut left = self.0.lock().unwrap();
            *left = *left + amount;
        }
    }

    // From outside, what a handler has dropped shows nowhere: its call is over by then.
    #[test]
    fn what_is_dropped_costs_what_the_provider_may_bill() {
        let dollars = |dollars: u64| Usd::from_picodollars(dollars * 1_000_000_000_000);
        let purse = Arc::new(Purse(Mutex::new(dollars(10))));
        let means = Means { budget: purse.clone(), ..Means::default() };
        let charge = || Charge::new(&means, "a request", dollars(6)).unwrap();
        let never_sent = charge();
        assert_eq!((purse.left(), Charge::new(&means, "another", dollars(6)).is_err()), (dollars(4), true));
        drop(never_sent);
        assert_eq!(purse.left(), dollars(10));
        let mut under_way = charge();
        under_way.owe(dollars(1));
        drop(under_way);
        assert_eq!(purse.left(), dollars(9));
        let mut beyond = charge();
        beyond.owe(dollars(7));
        drop(beyond);
        assert_eq!(purse.left(), dollars(2));
        let failed = |code| Failure::from(ApiError::new(code, "no answer"));
        for (code, left) in [(ErrorCode::InternalError, 2), (ErrorCode::Timeout, 1)] {
            let mut refused = Charge::new(&means, "a request", dollars(1)).unwrap();
            refused.owe(dollars(1));
            drop(refused.unanswered(failed(code)));
            assert_eq!(purse.left(), dollars(left), "{code}");
        }
    }
}
