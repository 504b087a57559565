use std::sync::Arc;

use mirra_host_sdk::{ErrorCode, Json, new_execution_id};
use mirra_triggers::Event;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    Answer, ApiError, Control, id,
    operations::Scene,
    store::{NewEvent, NewRun},
};

/// In one request.
const EVENTS_MAX: usize = 1_000;
/// As much as CloudEvents promise to carry. A hostile pattern takes a time that is linear in it, and no more.
const EVENT_BYTES_MAX: usize = 64 << 10;
/// Flows that start one another by their events: what goes on longer goes on for ever.
const CHAIN_MAX: i64 = 10;

#[derive(Deserialize, JsonSchema)]
pub struct SendParams {
    /// One event or an array of them: our own form, or CloudEvents.
    #[schemars(with = "Value")]
    events: Json,
}

/// What became of an event.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Taken<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    event_type: &'a str,
    timestamp: &'a str,
    /// It had come before, and starts nothing again.
    duplicate: bool,
    /// How many it starts.
    flows: usize,
}

/// One event answers what became of it, an array all of that; all of them are taken, or none.
pub async fn send(scene: &Scene<'_>, params: SendParams) -> Result<Answer, ApiError> {
    let given: Value = serde_json::from_str(params.events.get())
        .map_err(|error| ApiError::new(ErrorCode::ValidationError, format!("the events are no JSON: {error}")))?;
    let (given, is_list) = match given {
        Value::Array(list) => (list, true),
        one => (vec![one], false),
    };
    if given.len() > EVENTS_MAX {
        return Err(ApiError::new(ErrorCode::PayloadTooLarge, format!("at most {EVENTS_MAX} events are taken at a time")));
    }
    let mut events = Vec::with_capacity(given.len());
    for (index, json) in given.into_iter().enumerate() {
        let at = |field: &str| if is_list { format!("[{index}].{field}") } else { field.to_owned() };
        let event = Event::read(json, scene.now, || id::hex(&id::random::<12>().unwrap_or_default()));
        events.push(event.map_err(|error| ApiError::invalid(&at(&error.field), at(&error.message)))?);
    }
    let taken = take(scene.control, scene.caller.id(), events).await?;
    let shown: Vec<Taken<'_>> = taken
        .iter()
        .map(|(event, is_new, flows)| Taken {
            id: event.id(),
            event_type: event.event_type(),
            timestamp: event.timestamp(),
            duplicate: !is_new,
            flows: *flows,
        })
        .collect();
    match shown.first() {
        Some(only) if !is_list => Answer::of(only),
        _ => Answer::of(&json!({ "accepted": shown.iter().filter(|taken| !taken.duplicate).count(), "events": shown })),
    }
}

/// Takes events of an account. Each with whether it is new, and how many flows it starts.
pub async fn take(control: &Arc<Control>, account_id: &str, mut events: Vec<Event>) -> Result<Vec<(Event, bool, usize)>, ApiError> {
    let store = &control.opened().await?.store;
    control.matcher().follow(store).await?;
    let now = control.now();
    let mut new_events = Vec::with_capacity(events.len());
    for event in &mut events {
        event.set_user_id(account_id);
        let runs = runs_of(control, account_id, event, None, 0).await?;
        new_events.push(NewEvent { source: event.source().to_owned(), id: event.id().to_owned(), runs });
    }
    let are_new = store.insert_events(account_id, &new_events, now).await?;
    if new_events.iter().any(|event| !event.runs.is_empty()) {
        control.work_has_come();
    }
    let flows = new_events.iter().zip(&are_new).map(|(event, is_new)| if *is_new { event.runs.len() } else { 0 });
    let flows: Vec<usize> = flows.collect();
    Ok(events.into_iter().zip(are_new).zip(flows).map(|((event, is_new), flows)| (event, is_new, flows)).collect())
}

/// The runs that an event starts, but for `except`, which made it. None if it comes at the end of a long chain of flows.
pub async fn runs_of(
    control: &Control,
    account_id: &str,
    event: &Event,
    except: Option<&str>,
    chain: i64,
) -> Result<Vec<NewRun>, ApiError> {
    if chain > CHAIN_MAX {
        return Ok(Vec::new());
    }
    let input = serde_json::to_string(event).map_err(|error| ApiError::internal("an event cannot be written", error))?;
    // Before it is looked at.
    if input.len() > EVENT_BYTES_MAX {
        return Err(ApiError::new(ErrorCode::PayloadTooLarge, format!("an event has at most {EVENT_BYTES_MAX} bytes as JSON")));
    }
    let store = &control.opened().await?.store;
    let flows = control.matcher().matching(store, account_id, event).await?;
    let now = control.now();
    let run = |flow_id: Arc<str>| NewRun {
        id: new_execution_id(),
        flow_id: flow_id.to_string(),
        trigger: "event",
        input: input.clone(),
        due_at: now,
        chain,
        tick_at: None,
    };
    Ok(flows.into_iter().filter(|flow_id| Some(&**flow_id) != except).map(run).collect())
}
