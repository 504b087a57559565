//! Resources that are handlers of this server: calling one calls the handler, with what it was called with as the event.

use mirra_host_sdk::{BoxFuture, Budget, ErrorCode, Json, Usd};

use super::definition::Definition;
use crate::{Answer, ApiError, operations::Scene, store::InstalledRow};

/// Handlers that call one another.
const DEPTH_MAX: u32 = 3;

/// A call's own limit, where whoever asks has no budget.
const BUDGET_MAX: Usd = Usd::from_picodollars(1_000_000_000_000);

/// The handlers of this server, as far as resources may call them.
pub trait Handlers: Send + Sync {
    /// Calls one in the name of an account, within this time and budget. What it answered, and what it has cost in any case.
    fn call(&self, call: HandlerCall) -> BoxFuture<'_, (Result<Json, ApiError>, Usd)>;
}

/// One call of a handler.
pub struct HandlerCall {
    pub name: String,
    pub user_id: String,
    pub event: Json,
    pub time_left: std::time::Duration,
    pub budget: Usd,
    /// How many handlers have called one another up to it.
    pub depth: u32,
}

/// A resource may name methods; where it names none, any will do.
pub fn check(definition: &Definition, label: &str, method: &str) -> Result<(), ApiError> {
    let named = &definition.terms.endpoint.methods;
    if named.is_empty() || named.iter().any(|known| known.name == method) {
        return Ok(());
    }
    let names: Vec<&str> = named.iter().map(|known| &*known.name).collect();
    Err(ApiError::new(ErrorCode::NotFound, format!("there is no {label}: there are {}", names.join(", "))))
}

/// The handler runs in the name of whoever has made the resource: it sees that account's data, and never that of whoever calls it.
pub async fn call(scene: &Scene<'_>, definition: &Definition, row: &InstalledRow, params: &Json) -> Result<Answer, ApiError> {
    let name = handler_name(&definition.terms.endpoint.base_url);
    let depth = scene.means.depth + 1;
    if depth > DEPTH_MAX {
        // Each holds a place of its handler while it waits for the next one.
        let message = format!("{name}: handlers have called one another {DEPTH_MAX} times already, and may not go on");
        return Err(ApiError::new(ErrorCode::ResourceDenied, message));
    }
    let handlers = scene.control.handlers().ok_or_else(|| {
        ApiError::new(ErrorCode::NotFound, "there are no handlers here: resources of the type script are called on a server (mirra serve)")
    })?;
    // Most of what is left, until it is known what it was: nothing else may spend it meanwhile, and whoever calls goes on afterwards.
    let budget = scene.means.budget.left().scaled(9, 10).min(BUDGET_MAX);
    scene.means.charge(&row.installation.slug, budget)?;
    let mut unused = Unused { budget: &*scene.means.budget, amount: budget };
    let user_id = row.resource_owner_id.clone();
    let call = HandlerCall { name, user_id, event: params.clone(), time_left: scene.means.time_left(), budget, depth };
    let (answer, cost) = handlers.call(call).await;
    unused.amount = budget.saturating_sub(cost);
    Ok(Answer { data: answer?, page: None, more: None })
}

/// Given back when the call is over, however that came about.
struct Unused<'a> {
    budget: &'a dyn Budget,
    amount: Usd,
}

impl Drop for Unused<'_> {
    fn drop(&mut self) {
        self.budget.refund(self.amount);
    }
}

/// The last part of its address: `https://api.example.com/scripts/resize` is the handler `resize`.
fn handler_name(base_url: &str) -> String {
    let name = base_url.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    percent_encoding::percent_decode_str(name).decode_utf8_lossy().into_owned()
}
