use std::fmt;

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

/// The budget of those who pay for themselves: it has no end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unlimited;

impl Budget for Unlimited {
    fn left(&self) -> Usd {
        Usd::from_picodollars(u64::MAX)
    }

    fn charge(&self, _price: Usd) -> bool {
        true
    }

    fn spend(&self, _amount: Usd) {}

    fn refund(&self, _amount: Usd) {}
}
