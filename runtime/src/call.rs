//! One call, from the wish for an instance to its outcome.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use mirra_host_sdk::{Capabilities, ErrorCode, HostError, Invocation, InvocationError, Json, Outcome, PriceTable};
use serde::Serialize;
use serde_json::value::RawValue;
use wasmtime::{Store, Trap};

use crate::{
    engine::config::Fuel,
    handler::Handler,
    host::{
        Call,
        bindings::exports::mirra::function::handler::{Failure, FailureKind},
    },
    limits::{FUEL_SLICE, Guard, watch},
};

/// What the guest answered, or why it could not.
type Answer = wasmtime::Result<Result<String, Failure>>;

/// Runs one invocation in an instance of its own. Every way to fail that a handler has is in the outcome.
pub async fn run(
    handler: Arc<Handler>,
    invocation: Invocation,
    capabilities: Arc<Capabilities>,
    prices: Arc<PriceTable>,
) -> Result<Outcome, HostError> {
    let guard = Guard::arm(invocation.limits, prices, handler.fuel());
    let (meter, fuel_budget) = (guard.meter().clone(), guard.fuel_budget());
    let context = context(&invocation);

    let mut store = Store::new(handler.engine(), Call::new(guard, capabilities, &handler, &invocation));
    store.limiter(|call| &mut call.guard);
    if handler.fuel() == Fuel::CountedByWasmtime {
        store.set_fuel(fuel_budget).map_err(|error| HostError::caused_by("cannot give fuel to a call", error))?;
        store.fuel_async_yield_interval(Some(FUEL_SLICE)).map_err(|error| HostError::caused_by("cannot slice a call", error))?;
        // Fuel does not tell how long the host has worked for it.
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
    }

    let mut cold_start = Duration::ZERO;
    let call = enter(&mut store, &handler, invocation.event.get(), &context, &mut cold_start);
    let answer = match watch(call, &meter).await {
        Ok(answer) => Some(answer),
        Err(hit) => {
            store.data_mut().guard.hit(hit);
            None
        }
    };
    finish(store, &handler, invocation, cold_start, answer)
}

async fn enter(store: &mut Store<Call>, handler: &Handler, event: &str, context: &str, cold_start: &mut Duration) -> Answer {
    let instance = handler.pre().instantiate_async(&mut *store).await?;
    *cold_start = store.data().guard.elapsed();
    instance.mirra_function_handler().call_handle(&mut *store, event, context).await
}

/// Makes an outcome of what is left of the call.
fn finish(
    store: Store<Call>,
    handler: &Handler,
    invocation: Invocation,
    cold_start: Duration,
    answer: Option<Answer>,
) -> Result<Outcome, HostError> {
    let fuel_left = store.get_fuel();
    let Call { mut guard, mut logs, wasi, .. } = store.into_data();
    guard.note_fuel_left(fuel_left.ok());
    let result = match answer {
        Some(Ok(Ok(json))) if guard.output_fits(json.len()) => checked(json),
        Some(Ok(Ok(_))) | None => Err(InvocationError::new(ErrorCode::HandlerError, "the call was stopped")),
        Some(Ok(Err(failure))) => Err(explain_failure(failure, handler)),
        Some(Err(trap)) => Err(explain_trap(trap, &mut guard, !cold_start.is_zero())?),
    };
    if let Some(wasi) = wasi {
        wasi.drain_into(&mut logs);
    }
    let (mut usage, hit) = guard.finish(cold_start);
    let (logs, lines_dropped) = logs.finish();
    usage.log_lines_dropped = lines_dropped;
    let result = match hit {
        Some(hit) => Err(hit.explain(&invocation.limits)),
        None => result,
    };
    Ok(Outcome { execution_id: invocation.execution_id, result, logs, usage })
}

/// A component of other origin may answer anything.
fn checked(json: String) -> Result<Json, InvocationError> {
    RawValue::from_string(json).map_err(|error| {
        InvocationError::new(ErrorCode::HandlerError, format!("the handler's component answered what is not JSON: {error}"))
    })
}

fn explain_failure(failure: Failure, handler: &Handler) -> InvocationError {
    let name = (!failure.name.is_empty()).then_some(failure.name);
    let (code, message) = match failure.kind {
        FailureKind::Thrown => (ErrorCode::HandlerError, failure.message),
        FailureKind::NeverSettles => {
            (ErrorCode::HandlerError, "the handler's promise never settles: nothing is under way that could settle it".to_owned())
        }
        FailureKind::NotSerializable => {
            (ErrorCode::HandlerError, format!("the result is nothing that JSON can carry: {}", failure.message))
        }
        FailureKind::BadEvent => (ErrorCode::ValidationError, format!("the event cannot be read: {}", failure.message)),
    };
    let stack = handler.source_stack(&failure.stack);
    InvocationError { code, message, name, stack: (!stack.is_empty()).then_some(stack) }
}

/// What a trap means for the handler's author. Limits are told by the guard; what is left is a fault in the guest.
fn explain_trap(trap: wasmtime::Error, guard: &mut Guard, has_instance: bool) -> Result<InvocationError, HostError> {
    let handler_error = |message: String| Ok(InvocationError::new(ErrorCode::HandlerError, message));
    match trap.downcast_ref::<Trap>() {
        Some(Trap::OutOfFuel) => {
            guard.ran_out_of_fuel();
            handler_error("out of fuel".to_owned())
        }
        Some(Trap::StackOverflow) => handler_error("the handler called itself too deeply: the stack overflowed".to_owned()),
        Some(trap) => handler_error(format!("the handler's component stopped: {trap}")),
        // A limit that was hit inside of a host function or a growth of memory.
        None if guard.is_hit() => handler_error("a limit was hit".to_owned()),
        // What a component passes to the host can be wrong in itself, such as text outside of its memory. Nothing that the host does
        // for an instance fails otherwise, but an operator wants to know.
        None if has_instance => {
            tracing::warn!(error = format!("{trap:#}"), "a handler's component was stopped");
            // What is around the cause is the guest's stack, in numbers.
            handler_error(format!("the handler's component stopped: {}", trap.root_cause()))
        }
        None => Err(HostError::caused_by("the call could not be run", trap)),
    }
}

/// `context` of the WIT world.
fn context(invocation: &Invocation) -> String {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Context<'a> {
        execution_id: &'a str,
        script_id: &'a str,
        version: &'a str,
        trigger: mirra_host_sdk::Trigger,
        deadline: u64,
    }
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
    let context = Context {
        execution_id: &invocation.execution_id,
        script_id: &invocation.script_id,
        version: &invocation.version,
        trigger: invocation.trigger,
        deadline: now_ms + invocation.limits.timeout_ms,
    };
    // Strings and numbers always serialize.
    serde_json::to_string(&context).unwrap_or_default()
}
