//! What an account spends on a day (UTC), and that it is no more than the operator allows.

use std::sync::Arc;

use mirra_host_sdk::{Budget, ErrorCode, Usd};

use crate::{
    ApiError, Control,
    means::Purse,
    store::Store,
    time::{self, DAY_MS},
};

/// What is left to an account today. What is spent of it is kept when the last who may spend it goes.
#[derive(Debug)]
pub struct DayPurse {
    purse: Purse,
    begun_with: Usd,
    day: i64,
    account_id: String,
    store: Kept,
}

struct Kept(Arc<Store>);

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

/// Where the operator says nothing of it.
const UNLIMITED: Usd = Usd::from_picodollars(u64::MAX);

/// # Errors
/// Nothing is left.
pub async fn of_today(control: &Control, account_id: &str) -> Result<Arc<DayPurse>, ApiError> {
    let store = control.opened().await?.store.clone();
    let day = control.now() / DAY_MS;
    let begun_with = match control.config().limits.cost_usd_per_user_per_day {
        None => UNLIMITED,
        Some(max) => {
            let left = max.saturating_sub(store.used_on(account_id, day).await?.cost());
            if left == Usd::ZERO {
                let message = format!("this account has spent the {max} USD that it may in a day");
                let retry_after = Some(time::until_tomorrow(control.now()));
                return Err(ApiError { retry_after, ..ApiError::new(ErrorCode::CostLimit, message) });
            }
            left
        }
    };
    Ok(Arc::new(DayPurse { purse: Purse::new(begun_with), begun_with, day, account_id: account_id.to_owned(), store: Kept(store) }))
}

impl Budget for DayPurse {
    fn left(&self) -> Usd {
        self.purse.left()
    }

    fn charge(&self, price: Usd) -> bool {
        self.purse.charge(price)
    }

    fn spend(&self, amount: Usd) {
        self.purse.spend(amount);
    }

    fn refund(&self, amount: Usd) {
        self.purse.refund(amount);
    }
}

impl Drop for DayPurse {
    fn drop(&mut self) {
        let spent = self.begun_with.saturating_sub(self.purse.left());
        if spent == Usd::ZERO {
            return;
        }
        let (store, account_id, day) = (self.store.0.clone(), std::mem::take(&mut self.account_id), self.day);
        // Outside of a runtime nobody asks models.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = store.add_cost(&account_id, day, spent).await {
                    tracing::error!(account = account_id, %spent, "what an account has spent could not be kept: {error}");
                }
            });
        }
    }
}
