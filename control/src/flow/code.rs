//! The code of a flow's script, by the flow.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json, value::to_raw_value};

use super::finding::{FlowId, owned};
use crate::{Answer, ApiError, operations::Scene, script};

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModifyParams {
    #[serde(alias = "assignmentId", alias = "id")]
    flow_id: String,
    #[serde(alias = "code")]
    new_code: String,
    commit_message: Option<String>,
}

/// Parameters of the same operation of the script, with the flow in its place.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OfFlow {
    #[serde(alias = "assignmentId", alias = "id")]
    flow_id: String,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

async fn script_of(scene: &Scene<'_>, flow_id: &str) -> Result<String, ApiError> {
    let flow = owned(scene, &FlowId { flow_id: flow_id.to_owned() }).await?;
    flow.script_id.ok_or_else(|| ApiError::invalid("flowId", "the flow has no script: it has a prompt"))
}

async fn of_script(scene: &Scene<'_>, operation: &str, params: OfFlow) -> Result<Answer, ApiError> {
    let mut rest = params.rest;
    rest.insert("scriptId".into(), script_of(scene, &params.flow_id).await?.into());
    let params = to_raw_value(&rest).map_err(|error| ApiError::internal("parameters cannot be written", error))?;
    match operation {
        "read" => script::read_code(scene, crate::params::read(&params)?).await,
        _ => script::edit_code(scene, crate::params::read(&params)?).await,
    }
}

/// As `scripts.readScriptCode`.
pub async fn read(scene: &Scene<'_>, params: OfFlow) -> Result<Answer, ApiError> {
    of_script(scene, "read", params).await
}

/// As `scripts.editScriptCode`; what is edited runs at once.
pub async fn edit(scene: &Scene<'_>, params: OfFlow) -> Result<Answer, ApiError> {
    let flow_id = params.flow_id.clone();
    let answer = of_script(scene, "edit", params).await?;
    script::deploy_newest(scene, &script_of(scene, &flow_id).await?).await?;
    answered(&answer)
}

/// Another code, which runs at once.
pub async fn modify(scene: &Scene<'_>, params: ModifyParams) -> Result<Answer, ApiError> {
    let script_id = script_of(scene, &params.flow_id).await?;
    let changed = json!({ "scriptId": script_id, "code": params.new_code, "commitMessage": params.commit_message });
    let changed = to_raw_value(&changed).map_err(|error| ApiError::internal("parameters cannot be written", error))?;
    let answer = script::create_version(scene, crate::params::read(&changed)?).await?;
    script::deploy_newest(scene, &script_id).await?;
    answered(&answer)
}

/// The script is the caller's own, and nothing had to be copied.
fn answered(answer: &Answer) -> Result<Answer, ApiError> {
    let mut json: Map<String, Value> = crate::params::read(&answer.data)?;
    json.insert("copied".into(), false.into());
    Answer::of(&json)
}

/// `{code, version, scriptId, scriptName, description, isOwned}`
pub async fn get(scene: &Scene<'_>, params: FlowId) -> Result<Answer, ApiError> {
    let script_id = script_of(scene, &params.flow_id).await?;
    let script = script::owned(scene, &script_id).await?;
    let code = script::code_of(scene, &script_id).await?;
    Answer::of(&json!({
        "code": code,
        "scriptId": script_id,
        "scriptName": script.name,
        "description": script.description,
        "version": script.version_id,
        "isOwned": true,
    }))
}
