//! Resources that are handlers of this server: calling one calls the handler, with what it was called with as the event.

use mirra_host_sdk::{BoxFuture, ErrorCode, Json, Usd};

use super::definition::Definition;
use crate::{Answer, ApiError, operations::Scene, store::InstalledRow};

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
}

/// The handler runs in the name of whoever has made the resource: it sees that account's data, and never that of whoever calls it.
pub async fn call(scene: &Scene<'_>, definition: &Definition, row: &InstalledRow, method: &str, params: &Json) -> Result<Answer, ApiError> {
    let name = handler_name(&definition.terms.endpoint.base_url);
    let named = &definition.terms.endpoint.methods;
    if !named.is_empty() && !named.iter().any(|known| known.name == method) {
        let names: Vec<&str> = named.iter().map(|known| &*known.name).collect();
        let message = format!("{} has no method '{method}': it has {}", row.installation.slug, names.join(", "));
        return Err(ApiError::new(ErrorCode::NotFound, message));
    }
    let handlers = scene.control.handlers().ok_or_else(|| {
        ApiError::new(ErrorCode::NotFound, "there are no handlers here: resources of the type script are called on a server (mirra serve)")
    })?;
    let resource = scene.store.resource(&row.installation.resource_id).await?;
    let user_id = resource.ok_or_else(|| ApiError::not_found("such resource"))?.owner_id;
    // Most of what is left, until it is known what it was: nothing else may spend it meanwhile, and whoever calls goes on afterwards.
    let budget = scene.means.budget.left().scaled(9, 10).min(BUDGET_MAX);
    scene.means.charge(&row.installation.slug, budget)?;
    let call = HandlerCall { name, user_id, event: params.clone(), time_left: scene.means.time_left(), budget };
    let (answer, cost) = handlers.call(call).await;
    scene.means.budget.refund(budget.saturating_sub(cost));
    Ok(Answer { data: answer?, page: None, more: None })
}

/// The last part of its address: `https://api.example.com/scripts/resize` is the handler `resize`.
fn handler_name(base_url: &str) -> String {
    let name = base_url.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    percent_encoding::percent_decode_str(name).decode_utf8_lossy().into_owned()
}
