//! What handlers reach of this: operations in the name of the account that they run for.

use std::sync::Arc;

use mirra_host_sdk::{Answering, Capability, ErrorCode, Json, Operation, OperationError, Reply, Usd};

use crate::{ADAPTERS, ApiError, Caller, Control, Means, apart::apart, routes::read_call};

/// The adapters that handlers have. What opens accounts is none: that is for people.
pub(crate) const OF_HANDLERS: [&str; 2] = ["ai", "memory"];

/// An adapter of the control plane, as handlers have it.
pub struct Adapter {
    control: Arc<Control>,
    name: &'static str,
}

/// Every resource that an account has installed: `mirra.resources.call(…)`, `mirra.resources.telegram.sendMessage(…)`, and
/// `mirra.telegram.sendMessage(…)`, since what is none of the host's adapters is asked for here.
pub struct Installed {
    control: Arc<Control>,
}

impl Control {
    /// `mirra.ai`. Each request is charged by its tokens.
    pub fn ai(self: &Arc<Control>) -> Adapter {
        Adapter { control: self.clone(), name: "ai" }
    }

    /// `mirra.memory`
    pub fn memory(self: &Arc<Control>) -> Adapter {
        Adapter { control: self.clone(), name: "memory" }
    }

    /// `mirra.resources` and everything that is installed.
    pub fn installed(self: &Arc<Control>) -> Installed {
        Installed { control: self.clone() }
    }

    /// In the name of the account that a handler runs for.
    async fn call_for(
        self: &Arc<Control>,
        user_id: Option<Arc<str>>,
        (adapter, operation): (&str, &str),
        params: &Json,
        means: Means,
    ) -> Result<Reply, ApiError> {
        let caller = match user_id {
            Some(id) => Caller::account(self.account(&id).await?),
            // Of whoever runs this program.
            None => self.owner().await?.clone(),
        };
        let answer = self.call(&caller, adapter, operation, params, means).await?;
        Ok(Reply { json: answer.data, more: answer.more })
    }
}

impl Capability for Adapter {
    fn price(&self, _operation: &Operation) -> Usd {
        // Whatever it costs, `Control::call` takes out of the budget, whichever way it is reached.
        Usd::ZERO
    }

    fn call(&self, operation: Operation) -> Answering {
        let (control, adapter) = (self.control.clone(), self.name);
        Box::pin(async move {
            let means = Means::from(&operation);
            let Operation { method, arguments, user_id, .. } = operation;
            let called = async move { control.call_for(user_id, (adapter, &method), &arguments, means).await };
            apart(called).await.map_err(OperationError::from)
        })
    }
}

impl Capability for Installed {
    fn price(&self, _operation: &Operation) -> Usd {
        // As above; what a resource costs is not known before it has been looked up.
        Usd::ZERO
    }

    fn call(&self, operation: Operation) -> Answering {
        let control = self.control.clone();
        Box::pin(async move { apart(async move { call(&control, operation).await }).await.map_err(OperationError::from) })
    }
}

async fn call(control: &Arc<Control>, operation: Operation) -> Result<Reply, ApiError> {
    let means = Means::from(&operation);
    let Operation { method: name, arguments, user_id, .. } = operation;
    let (resource, method, params) = match name.split_once('.') {
        Some((resource, method)) => (resource.to_owned(), method.to_owned(), arguments),
        None if name == "call" => read_call(&arguments)?,
        None => {
            let message = format!("{name} is a resource and no operation: call one of its methods, such as mirra.{name}.method(params)");
            return Err(ApiError::new(ErrorCode::ValidationError, message));
        }
    };
    if ADAPTERS.contains(&&*resource) && !OF_HANDLERS.contains(&&*resource) {
        return Err(ApiError::new(ErrorCode::ResourceDenied, format!("{resource}.{method} is not offered to handlers")));
    }
    control.call_for(user_id, (&resource, &method), &params, means).await
}
