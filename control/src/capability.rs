//! What handlers reach of this: operations in the name of the account that they run for.

use std::sync::Arc;

use mirra_host_sdk::{Answering, Capability, Operation, OperationError, Reply, Usd};

use crate::{ApiError, Caller, Control, Means};

/// An adapter of the control plane, as handlers have it. What opens accounts is none: that is for people.
pub struct Adapter {
    control: Arc<Control>,
    name: &'static str,
    price: Usd,
}

impl Control {
    /// `mirra.memory`
    pub fn memory(self: &Arc<Control>) -> Adapter {
        Adapter { control: self.clone(), name: "memory", price: self.config().memory_operation_usd }
    }
}

impl Capability for Adapter {
    fn price(&self, _operation: &Operation) -> Usd {
        self.price
    }

    fn call(&self, operation: Operation) -> Answering {
        let (control, adapter) = (self.control.clone(), self.name);
        Box::pin(async move {
            let means = Means::from(&operation);
            let Operation { method, arguments, user_id, .. } = operation;
            let caller = match user_id {
                Some(id) => control.account(&id).await.map(Caller::account),
                // Of whoever runs this program.
                None => control.owner().await.cloned(),
            };
            let answered = async { control.call(&caller?, adapter, &method, &arguments, means).await };
            let answer = answered.await.map_err(|error: ApiError| OperationError::from(error))?;
            Ok(Reply { json: answer.data, more: answer.more })
        })
    }
}
