//! Calls for other people's schedulers: what they ask for, and that it is done once.

mod once;
mod request;

use std::sync::Arc;

use mirra_host_sdk::{LogSink, Outcome};
use serde_json::json;

use crate::{ApiError, Caller, Control, Means, operations::Scene, script};

pub use once::{IdempotencyKey, KNOWN_MS, Kept, Turns};
pub use request::{InvocationRequest, Target, Wanted, no_event};

impl Control {
    /// Whether this key may run that script, as far as the key says.
    pub fn may_invoke(&self, caller: &Caller, script_id: &str) -> Result<(), ApiError> {
        caller.may_call("scripts", "execute")?;
        if caller.script_id.as_ref().is_some_and(|only| only != script_id) { caller.may_use("scripts") } else { Ok(()) }
    }

    /// Runs a script of the caller's once, which is in its history then. What ends it early is not whoever waits: it is to be polled to its
    /// end. An error means that it did not run.
    pub async fn invoke_script(
        self: &Arc<Control>,
        caller: &Caller,
        script_id: &str,
        request: &InvocationRequest,
        log_sink: Option<Arc<dyn LogSink>>,
    ) -> Result<Outcome, ApiError> {
        self.may_invoke(caller, script_id)?;
        let store = &*self.opened().await?.store;
        let scene = Scene { control: self, store, caller, now: self.now(), means: Means::default() };
        let wish = script::Wish {
            script_id: script_id.to_owned(),
            data: request.event.clone(),
            told: json!({ "type": request.trigger }),
            trigger: request.trigger,
            limits: request.limits,
            execution_id: request.execution_id.clone(),
            log_sink,
        };
        script::outcome(&scene, wish).await
    }
}
