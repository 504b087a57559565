//! The handlers that are served, as far as resources of the type `script` may call them.

use std::sync::Weak;

use mirra_control::{ApiError, HandlerCall, Handlers};
use mirra_host_sdk::{BoxFuture, ErrorCode, Executor, Invocation, Json, Limits, Outcome, Trigger, Usd, new_execution_id};
use mirra_runtime::LocalExecutor;

use crate::routes::{Routes, State};

/// What is served under which name, for as long as it is: handlers of the executor reach the control plane, which has this, and nothing would
/// ever end if it held them in turn.
pub struct Served {
    pub executor: Weak<LocalExecutor>,
    pub routes: Weak<Routes>,
    pub limits: Limits,
}

impl Handlers for Served {
    fn call(&self, call: HandlerCall) -> BoxFuture<'_, (Result<Json, ApiError>, Usd)> {
        Box::pin(self.call_one(call))
    }
}

impl Served {
    async fn call_one(&self, call: HandlerCall) -> (Result<Json, ApiError>, Usd) {
        let HandlerCall { name, user_id, event, time_left, budget, depth } = call;
        let (Some(executor), Some(routes)) = (self.executor.upgrade(), self.routes.upgrade()) else {
            return (Err(ApiError::new(ErrorCode::NotFound, "the server is shutting down")), Usd::ZERO);
        };
        let Some(route) = routes.get(&name) else {
            return (Err(ApiError::new(ErrorCode::NotFound, format!("there is no handler {name} any more"))), Usd::ZERO);
        };
        let State::Ready { id, .. } = &route.state else {
            return (Err(ApiError::new(ErrorCode::NotFound, format!("the handler {name} cannot be called at the moment"))), Usd::ZERO);
        };
        let timeout_ms = self.limits.timeout_ms.min(u64::try_from(time_left.as_millis()).unwrap_or(u64::MAX));
        let invocation = Invocation {
            execution_id: new_execution_id(),
            handler: id.clone(),
            user_id: Some(user_id.into()),
            allowed_resources: None,
            depth,
            script_id: route.name.clone(),
            version: id.0.clone(),
            trigger: Trigger::Manual,
            event,
            limits: Limits { timeout_ms, cost_usd_max: self.limits.cost_usd_max.min(budget), ..self.limits },
            log_sink: Some(route.log_sink.clone()),
        };
        let in_flight = route.metrics().begin();
        match executor.invoke(invocation).await {
            Ok(outcome) => {
                in_flight.end(&outcome);
                let Outcome { result, usage, .. } = outcome;
                (result.map_err(|error| ApiError::new(error.code, error.message)), usage.cost_usd)
            }
            Err(error) => {
                in_flight.fail(error.code);
                (Err(ApiError::internal("the handler could not be called", error)), Usd::ZERO)
            }
        }
    }
}
