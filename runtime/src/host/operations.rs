//! Operations in flight: what the handler started and has not yet been told the end of.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::{
    StreamExt,
    future::{AbortHandle, Abortable, Aborted},
    stream::FuturesUnordered,
};
use mirra_host_sdk::{AllowList, Answering, BoxFuture, Capabilities, ErrorCode, Invocation, Operation, OperationError, Reply};
use serde_json::value::RawValue;
use wasmtime::AsContext;
use wasmtime::component::{Access, HasSelf};

use crate::handler::Handler;

use super::{
    Call,
    bindings::mirra::function::operations::{self as wit, Completion, Host, HostWithStore},
};

/// Completions that the handler has not waited for, refusals included: each takes a little memory of the host's. More than any
/// handler has that ever waits.
const UNHEARD_MAX: usize = 1 << 16;

/// Arguments of a call's operations that are not over, all together: the host keeps them, beside the memory that the call is limited to.
const ARGUMENT_BYTES_MAX: usize = 32 << 20;

/// The adapter of whatever an account has installed.
const RESOURCES: &str = "resources";

pub struct Operations {
    capabilities: Arc<Capabilities>,
    execution_id: Arc<str>,
    user_id: Option<Arc<str>>,
    allowed_hosts: Option<Arc<AllowList>>,
    allowed_resources: Vec<Arc<[String]>>,
    depth: u32,
    last_id: u32,
    /// Those that are not over.
    open: HashMap<u32, Open>,
    argument_bytes: usize,
    /// Their parts that are under way.
    answering: FuturesUnordered<Abortable<BoxFuture<'static, Answered>>>,
}

struct Open {
    state: State,
    argument_bytes: usize,
}

/// Where an operation stands that is not over.
enum State {
    /// The handler waits for it.
    Answering(AbortHandle),
    /// It has another part, and the handler has not asked for it yet.
    Resting(Answering),
}

type Answered = (u32, Result<Reply, OperationError>);

impl Operations {
    pub fn new(capabilities: Arc<Capabilities>, invocation: &Invocation, handler: &Handler) -> Operations {
        Operations {
            capabilities,
            execution_id: invocation.execution_id.as_str().into(),
            user_id: invocation.user_id.clone(),
            allowed_hosts: handler.allowed_hosts().clone(),
            allowed_resources: invocation.allowed_resources.iter().chain(handler.allowed_resources()).cloned().collect(),
            depth: invocation.depth,
            last_id: 0,
            open: HashMap::new(),
            argument_bytes: 0,
            answering: FuturesUnordered::new(),
        }
    }

    fn answer(&mut self, id: u32, argument_bytes: usize, work: Answering) -> wasmtime::Result<()> {
        if self.answering.len() >= UNHEARD_MAX {
            return Err(wasmtime::Error::msg(format!("more than {UNHEARD_MAX} operations were started without waiting for any")));
        }
        let (handle, registration) = AbortHandle::new_pair();
        self.keep(id, Open { state: State::Answering(handle), argument_bytes });
        self.answering.push(Abortable::new(Box::pin(async move { (id, work.await) }), registration));
        Ok(())
    }

    fn keep(&mut self, id: u32, open: Open) {
        self.argument_bytes += open.argument_bytes;
        self.open.insert(id, open);
    }

    fn take(&mut self, id: u32) -> Option<Open> {
        let open = self.open.remove(&id)?;
        self.argument_bytes -= open.argument_bytes;
        Some(open)
    }

    /// # Errors
    /// There is nothing more of it, which the handler was told: it is at fault, as with a handle that it does not have.
    fn next(&mut self, id: u32) -> wasmtime::Result<()> {
        match self.take(id) {
            Some(Open { state: State::Resting(work), argument_bytes }) => self.answer(id, argument_bytes, work),
            // It is on its way already.
            Some(answering) => {
                self.keep(id, answering);
                Ok(())
            }
            None => Err(wasmtime::Error::msg(format!("operation {id} has no other part"))),
        }
    }

    fn cancel(&mut self, id: u32) {
        if let Some(Open { state: State::Answering(handle), .. }) = self.take(id) {
            handle.abort();
        }
    }

    /// The next part that is there. None: nothing is under way.
    async fn completion(&mut self) -> Option<Completion> {
        loop {
            let (id, answer) = match self.answering.next().await? {
                Ok(answered) => answered,
                Err(Aborted) => continue,
            };
            let argument_bytes = self.take(id).map_or(0, |open| open.argument_bytes);
            let (is_last, outcome) = match answer {
                Ok(Reply { json, more }) => {
                    let is_last = more.is_none();
                    if let Some(more) = more {
                        self.keep(id, Open { state: State::Resting(more), argument_bytes });
                    }
                    (is_last, Ok(Box::<str>::from(json).into_string()))
                }
                Err(OperationError { code, message }) => (true, Err(wit::OperationError { code: code.to_string(), message })),
            };
            return Some(Completion { id, is_last, outcome });
        }
    }
}

fn refused(refusal: OperationError) -> Answering {
    Box::pin(std::future::ready(Err(refusal)))
}

impl Call {
    /// Begins an operation, or begins to refuse it: either way there will be a completion.
    fn start(&mut self, name: &str, arguments: String) -> wasmtime::Result<u32> {
        self.operations.last_id += 1;
        let id = self.operations.last_id;
        let argument_bytes = arguments.len();
        let admitted = self.admit(name, arguments).map(|work| (argument_bytes, work));
        // What is refused keeps none.
        let (argument_bytes, work) = admitted.unwrap_or_else(|refusal| (0, refused(refusal)));
        self.operations.answer(id, argument_bytes, work)?;
        Ok(id)
    }

    pub fn admit(&mut self, name: &str, arguments: String) -> Result<Answering, OperationError> {
        let refuse = |code, message: String| Err(OperationError::new(code, message));
        let open_max = self.guard.limits().open_operations_max;
        if self.operations.open.len() >= open_max as usize {
            return refuse(ErrorCode::ResourceDenied, format!("{name}: a call may have {open_max} operations under way at a time"));
        }
        if self.operations.argument_bytes.saturating_add(arguments.len()) > ARGUMENT_BYTES_MAX {
            let message = format!("{name}: the arguments of a call's operations under way may have {ARGUMENT_BYTES_MAX} bytes together");
            return refuse(ErrorCode::PayloadTooLarge, message);
        }
        let (adapter, method) = name.split_once('.').unwrap_or((name, ""));
        let capabilities = &self.operations.capabilities;
        // What is none of the host's own is a resource that somebody has installed: `telegram.sendMessage`.
        let resource = || capabilities.get(RESOURCES).map(|resources| (resources, name));
        let Some((capability, method)) = capabilities.get(adapter).map(|own| (own, method)).or_else(resource) else {
            return refuse(ErrorCode::ResourceDenied, format!("{name}: this host offers handlers no '{adapter}'"));
        };
        let capability = capability.clone();
        let Ok(arguments) = RawValue::from_string(arguments) else {
            return refuse(ErrorCode::ValidationError, format!("{name}: the arguments are not JSON"));
        };
        let operation = Operation {
            execution_id: self.operations.execution_id.clone(),
            user_id: self.operations.user_id.clone(),
            method: method.to_owned(),
            arguments,
            time_left: self.guard.time_left(),
            budget: self.guard.meter().clone(),
            allowed_hosts: self.operations.allowed_hosts.clone(),
            allowed_resources: self.operations.allowed_resources.clone(),
            depth: self.operations.depth,
        };
        let price = capability.price(&operation);
        if !operation.budget.charge(price) {
            let left = operation.budget.left();
            return refuse(ErrorCode::CostLimit, format!("{name} costs up to {price} USD, and {left} USD of the call's budget are left"));
        }
        Ok(capability.call(operation))
    }
}

impl<T> HostWithStore<T> for HasSelf<Call> {
    fn start(mut host: Access<'_, T, Self>, name: String, arguments: String) -> wasmtime::Result<u32> {
        let fuel_left = host.as_context().get_fuel();
        let call = host.get();
        call.guard.note_fuel_left(fuel_left.ok());
        call.start(&name, arguments)
    }
}

impl Host for Call {
    fn next(&mut self, id: u32) -> wasmtime::Result<()> {
        self.operations.next(id)
    }

    fn cancel(&mut self, id: u32) -> wasmtime::Result<()> {
        self.operations.cancel(id);
        Ok(())
    }

    async fn wait(&mut self, timeout_us: Option<u64>) -> wasmtime::Result<Option<Completion>> {
        let next = async {
            match self.operations.completion().await {
                // Nothing is under way: only the timeout can end the waiting.
                None if timeout_us.is_some() => std::future::pending().await,
                completion => completion,
            }
        };
        Ok(match timeout_us {
            Some(timeout_us) => tokio::time::timeout(Duration::from_micros(timeout_us), next).await.unwrap_or(None),
            None => next.await,
        })
    }
}
