//! What an operation may use of the world, besides what belongs to its caller.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use mirra_host_sdk::{AllowList, Budget, ErrorCode, Operation, Unlimited, Usd};
use tokio::time::Instant;

use crate::ApiError;

/// How long a request to the API may take, where no handler's own time is shorter: an agent works for minutes.
const TIME_MAX: Duration = Duration::from_secs(600);

/// The most that a flow's run may take.
const FLOW_TIME_MAX: Duration = Duration::from_secs(300);

/// What a handler may besides what its account may.
#[derive(Clone, Debug)]
pub struct Handler {
    pub allowed_hosts: Option<Arc<AllowList>>,
}

#[derive(Clone, Debug)]
pub struct Means {
    pub budget: Arc<dyn Budget>,
    /// By then it must have ended.
    pub deadline: Instant,
    /// The installed resources that may be used, by id or name: those that are in each of the lists.
    pub allowed_resources: Vec<Arc<[String]>>,
    /// How many handlers have called one another up to whoever asks.
    pub depth: u32,
    /// Of a handler that asks: the hosts that it wants to reach, where it says so. None: it is no handler that asks.
    pub handler: Option<Handler>,
    /// Of a flow, which has a budget of its own.
    pub is_flow: bool,
}

impl Default for Means {
    /// Of somebody who asks for themselves.
    fn default() -> Means {
        Means {
            budget: Arc::new(Unlimited),
            deadline: Instant::now() + TIME_MAX,
            allowed_resources: Vec::new(),
            depth: 0,
            handler: None,
            is_flow: false,
        }
    }
}

impl Means {
    /// Of a flow, which spends what it may of its own.
    pub fn of_flow(purse: Arc<Purse>) -> Means {
        Means { is_flow: true, budget: purse, deadline: Instant::now() + FLOW_TIME_MAX, ..Means::default() }
    }
}

/// A budget of its own.
#[derive(Debug)]
pub struct Purse {
    picodollars: AtomicU64,
}

impl Purse {
    pub fn new(amount: Usd) -> Purse {
        Purse { picodollars: amount.picodollars().into() }
    }

    fn change(&self, change: impl Fn(u64) -> Option<u64>) -> bool {
        self.picodollars.fetch_update(Relaxed, Relaxed, change).is_ok()
    }
}

impl Budget for Purse {
    fn left(&self) -> Usd {
        Usd::from_picodollars(self.picodollars.load(Relaxed))
    }

    fn charge(&self, price: Usd) -> bool {
        self.change(|left| left.checked_sub(price.picodollars()))
    }

    fn spend(&self, amount: Usd) {
        self.change(|left| Some(left.saturating_sub(amount.picodollars())));
    }

    fn refund(&self, amount: Usd) {
        self.change(|left| Some(left.saturating_add(amount.picodollars())));
    }
}

impl From<&Operation> for Means {
    fn from(operation: &Operation) -> Means {
        Means {
            budget: operation.budget.clone(),
            deadline: Instant::now() + operation.time_left,
            allowed_resources: operation.allowed_resources.clone(),
            depth: operation.depth,
            handler: Some(Handler { allowed_hosts: operation.allowed_hosts.clone() }),
            is_flow: false,
        }
    }
}

impl Means {
    /// Whoever asks pays for themselves: neither a handler nor a flow does.
    pub fn is_of_nobody(&self) -> bool {
        self.handler.is_none() && !self.is_flow
    }

    pub fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Pays before it is done; `what` is told where the budget does not hold the price.
    pub fn charge(&self, what: &str, price: Usd) -> Result<(), ApiError> {
        if self.budget.charge(price) {
            return Ok(());
        }
        let left = self.budget.left();
        let message = format!("{what} costs up to {price} USD, and {left} USD of the call's budget are left");
        Err(ApiError::new(ErrorCode::CostLimit, message))
    }
}
