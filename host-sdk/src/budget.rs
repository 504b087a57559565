use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use crate::Usd;

/// What a call may still spend. Operations share it with the call that asked for them: what one takes, no other has.
///
/// Whatever costs is paid for before it is done. Where the price is known only afterwards (tokens of a model), the most that it can be
/// is charged first and the rest given back.
pub trait Budget: Send + Sync + fmt::Debug {
    fn left(&self) -> Usd;

    /// Takes a price out of it. False: it does not hold that much, and nothing is taken.
    #[must_use]
    fn charge(&self, price: Usd) -> bool;

    /// Takes what was used beyond what was charged, whether or not it holds that much: nothing more can be charged then.
    fn spend(&self, amount: Usd);

    /// Gives back what was charged and not used.
    fn refund(&self, amount: Usd);
}

/// The budget of those who pay for themselves: without an end, and it knows what was spent.
#[derive(Debug, Default)]
pub struct Spending(AtomicU64);

impl Spending {
    pub fn spent(&self) -> Usd {
        Usd::from_picodollars(self.0.load(Relaxed))
    }
}

impl Budget for Spending {
    fn left(&self) -> Usd {
        Usd::from_picodollars(u64::MAX)
    }

    fn charge(&self, price: Usd) -> bool {
        self.spend(price);
        true
    }

    fn spend(&self, amount: Usd) {
        let _ = self.0.fetch_update(Relaxed, Relaxed, |spent| Some(spent.saturating_add(amount.picodollars())));
    }

    fn refund(&self, amount: Usd) {
        let _ = self.0.fetch_update(Relaxed, Relaxed, |spent| Some(spent.saturating_sub(amount.picodollars())));
    }
}
