//! `POST /run/{name}`: one call.

use hyper::{Request, body::Incoming};
use mirra_host_sdk::{Executor, Invocation, Outcome, Trigger, new_execution_id};

use super::{
    body,
    endpoint::Endpoint,
    reply::{self, Reply},
};
use crate::{
    problem::Problem,
    routes::{Route, State},
};

/// Dropped when the client goes away, and the call with it.
pub async fn run(endpoint: &Endpoint, route: &Route, request: Request<Incoming>) -> Reply {
    let handler = match &route.state {
        State::Ready { id, .. } => id,
        State::Rejected(problem) => return reply::problem(problem),
        State::Preparing => return reply::unavailable("the handler is being prepared; try again in a moment"),
    };
    let event = match body::read_event(request, endpoint.limits.event_bytes_max).await {
        Ok(event) => event,
        Err(problem) => return reply::problem(&problem),
    };
    let invocation = Invocation {
        execution_id: new_execution_id(),
        handler: handler.clone(),
        user_id: None,
        allowed_resources: None,
        depth: 0,
        script_id: route.name.clone(),
        version: handler.0.clone(),
        trigger: Trigger::Http,
        event,
        limits: endpoint.limits,
        log_sink: Some(route.log_sink.clone()),
    };
    invoke(endpoint, route, invocation).await.map_or_else(|problem| reply::problem(&problem), reply::outcome)
}

/// Makes the call and counts it. An error: it was not made.
pub async fn invoke(endpoint: &Endpoint, route: &Route, invocation: Invocation) -> Result<Outcome, Problem> {
    let in_flight = route.metrics().begin();
    match endpoint.executor.invoke(invocation).await {
        Ok(outcome) => {
            in_flight.end(&outcome);
            if let Some(calls) = &route.calls {
                calls.call(&route.name, &outcome);
            }
            Ok(outcome)
        }
        Err(error) => {
            let problem = Problem::from(error);
            tracing::error!(handler = route.name, "a call could not be made: {problem}");
            in_flight.fail(problem.code);
            Err(problem)
        }
    }
}
