//! What a model may do in an account's name: the operations of this server, each a tool `memory__create`.

use std::sync::Arc;

use mirra_host_sdk::{ErrorCode, Json};
use serde::Serialize;
use serde_json::Value;
use tokio::time::timeout_at;

use crate::{
    ApiError, Caller, Control, Means,
    apart::apart,
    description,
    operations::{self, ADAPTERS},
    resource,
};

/// What opens an account, hands over credentials, or costs without an end is for people.
const NOT_FOR_MODELS: [&str; 5] = ["accounts", "ai", "keys", "resources", "teams"];

/// What changes what an account does by itself is given to a model only where somebody names it, and never to a handler's: handlers do not
/// have it either, and a text that a model reads must not be a way to it. Each tool costs tokens whenever a model is asked, too.
const BY_NAME: [&str; 5] = ["events", "flows", "marketplace", "notifications", "scripts"];

/// Between an adapter and its operation. A provider allows no dots.
const SEPARATOR: &str = "__";

/// As providers allow.
const NAME_BYTES_MAX: usize = 64;
const TOOLS_MAX: usize = 128;

/// A tool, as a model is told of it.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Tool {
    Own {
        name: String,
        description: String,
        /// Of a JSON object.
        input_schema: Value,
    },
    /// The provider's own, as its documentation has it.
    Foreign(Value),
}

impl Tool {
    pub fn is(&self, called: &str) -> bool {
        matches!(self, Tool::Own { name, .. } if name == called)
    }
}

/// The tools of these adapters and installed resources; of all that the caller may use where none are named.
pub async fn list(control: &Arc<Control>, caller: &Caller, means: &Means, names: Option<&[String]>) -> Result<Vec<Tool>, ApiError> {
    let is_adapter = |name: &&String| ADAPTERS.contains(&name.as_str());
    let adapters: Option<Vec<String>> = names.map(|names| names.iter().filter(is_adapter).cloned().collect());
    let resources: Option<Vec<String>> = names.map(|names| names.iter().filter(|name| !is_adapter(name)).cloned().collect());
    let mut tools = of_adapters(caller, means, adapters.as_deref())?;
    if resources.as_ref().is_none_or(|named| !named.is_empty()) {
        let methods = resource::tools(control, caller, means, resources.as_deref(), TOOLS_MAX.saturating_sub(tools.len())).await?;
        let method = |method: resource::MethodTool| {
            let name = format!("{}{SEPARATOR}{}", method.resource, method.method);
            let is_nameable = name.len() <= NAME_BYTES_MAX && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            is_nameable.then_some(Tool::Own { name, description: method.description, input_schema: method.parameters })
        };
        tools.extend(methods.into_iter().filter_map(method));
    }
    // Each of them costs tokens whenever the model is asked.
    tools.truncate(TOOLS_MAX);
    Ok(tools)
}

/// Whether a model may use an adapter at all.
fn is_offered(means: &Means, adapter: &str) -> bool {
    !NOT_FOR_MODELS.contains(&adapter) && (means.handler.is_none() || !BY_NAME.contains(&adapter))
}

fn of_adapters(caller: &Caller, means: &Means, adapters: Option<&[String]>) -> Result<Vec<Tool>, ApiError> {
    let known: Vec<&str> = ADAPTERS.into_iter().filter(|adapter| is_offered(means, adapter)).collect();
    if let Some(unknown) = adapters.into_iter().flatten().find(|adapter| !known.contains(&&***adapter)) {
        return Err(ApiError::invalid("tools", format!("there are no tools of '{unknown}': there are those of {}", known.join(", "))));
    }
    adapters.into_iter().flatten().try_for_each(|adapter| caller.may_use(adapter))?;
    let is_wanted = |adapter: &str| match adapters {
        Some(adapters) => adapters.iter().any(|wanted| wanted == adapter),
        None => known.contains(&adapter) && !BY_NAME.contains(&adapter) && caller.may_use(adapter).is_ok(),
    };
    let operations = operations::all().filter(|operation| operation.name.split_once('.').is_some_and(|(adapter, _)| is_wanted(adapter)));
    let tools = operations.map(|operation| Tool::Own {
        name: operation.name.replace('.', SEPARATOR),
        description: operation.summary.to_owned(),
        input_schema: description::parameters(operation),
    });
    Ok(tools.collect())
}

/// Does what a model asks for, with the rights, the budget and the time of whoever asked the model.
pub async fn carry_out(control: &Arc<Control>, caller: &Caller, means: &Means, tool: &str, input: &Json) -> Result<Json, ApiError> {
    let (adapter, operation) = tool.split_once(SEPARATOR).unwrap_or((tool, ""));
    if !is_offered(means, adapter) {
        return Err(ApiError::not_found(&format!("tool '{tool}'")));
    }
    let (control, caller, own, input) = (control.clone(), caller.clone(), means.clone(), input.clone());
    let (adapter, operation) = (adapter.to_owned(), operation.to_owned());
    let called = apart(async move { control.call(&caller, &adapter, &operation, &input, own).await });
    let called = timeout_at(means.deadline, called).await;
    let too_late = |_| ApiError::new(ErrorCode::Timeout, format!("{tool} did not end in the time that there was"));
    Ok(called.map_err(too_late)??.data)
}
