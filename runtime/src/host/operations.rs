//! Operations in flight: what the handler started and has not yet been told the end of.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, stream::FuturesUnordered};
use mirra_host_sdk::{BoxFuture, Capabilities, ErrorCode, Json, Operation, OperationError};
use serde_json::value::RawValue;
use wasmtime::AsContext;
use wasmtime::component::{Access, HasSelf};

use super::{
    Call,
    bindings::mirra::function::operations::{self as wit, Completion, Host, HostWithStore},
};

pub struct Operations {
    capabilities: Arc<Capabilities>,
    execution_id: String,
    last_id: u32,
    open: FuturesUnordered<BoxFuture<'static, Done>>,
}

type Done = (u32, Result<Json, OperationError>);

impl Operations {
    pub fn new(capabilities: Arc<Capabilities>, execution_id: &str) -> Operations {
        Operations { capabilities, execution_id: execution_id.to_owned(), last_id: 0, open: FuturesUnordered::new() }
    }
}

impl Call {
    /// Begins an operation, or begins to refuse it: either way there will be a completion.
    fn start(&mut self, name: &str, arguments: String, fuel_used: u64) -> u32 {
        self.operations.last_id += 1;
        let id = self.operations.last_id;
        let work = self.admit(name, arguments, fuel_used).unwrap_or_else(|refusal| Box::pin(std::future::ready(Err(refusal))));
        self.operations.open.push(Box::pin(async move { (id, work.await) }));
        id
    }

    fn admit(
        &mut self,
        name: &str,
        arguments: String,
        fuel_used: u64,
    ) -> Result<BoxFuture<'static, Result<Json, OperationError>>, OperationError> {
        let refuse = |code, message: String| Err(OperationError::new(code, message));
        let open_max = self.guard.limits().open_operations_max;
        if self.operations.open.len() >= open_max as usize {
            return refuse(ErrorCode::ResourceDenied, format!("{name}: a call may have {open_max} operations under way at a time"));
        }
        let (adapter, method) = name.split_once('.').unwrap_or((name, ""));
        let Some(capability) = self.operations.capabilities.get(adapter).cloned() else {
            return refuse(ErrorCode::ResourceDenied, format!("{name}: this host offers handlers no '{adapter}'"));
        };
        let Ok(arguments) = RawValue::from_string(arguments) else {
            return refuse(ErrorCode::ValidationError, format!("{name}: the arguments are not JSON"));
        };
        let operation = Operation {
            execution_id: self.operations.execution_id.as_str().into(),
            method: method.to_owned(),
            arguments,
            time_left: self.guard.time_left(),
            budget_left: self.guard.budget_left(fuel_used),
        };
        let price = capability.price(&operation);
        if !self.guard.charge(price, fuel_used) {
            let left = operation.budget_left;
            return refuse(ErrorCode::CostLimit, format!("{name} costs up to {price} USD, and {left} USD of the call's budget are left"));
        }
        Ok(capability.call(operation))
    }
}

impl<T> HostWithStore<T> for HasSelf<Call> {
    fn start(mut host: Access<'_, T, Self>, name: String, arguments: String) -> wasmtime::Result<u32> {
        let fuel_left = host.as_context().get_fuel();
        let call = host.get();
        let fuel_used = fuel_left.map_or(call.guard.fuel_burnt(), |left| call.guard.fuel_budget().saturating_sub(left));
        Ok(call.start(&name, arguments, fuel_used))
    }
}

impl Host for Call {
    async fn wait(&mut self, timeout_us: Option<u64>) -> wasmtime::Result<Option<Completion>> {
        let next = async {
            match self.operations.open.next().await {
                Some(done) => Some(done),
                // Nothing is under way: only the timeout can end the waiting.
                None if timeout_us.is_some() => std::future::pending().await,
                None => None,
            }
        };
        let done = match timeout_us {
            Some(timeout_us) => tokio::time::timeout(Duration::from_micros(timeout_us), next).await.unwrap_or(None),
            None => next.await,
        };
        Ok(done.map(|(id, outcome)| Completion {
            id,
            outcome: outcome
                .map(|json| json.get().to_owned())
                .map_err(|error| wit::OperationError { code: error.code.to_string(), message: error.message }),
        }))
    }
}
