//! In which graphs an entity is seen. Whoever made it decides.

use mirra_host_sdk::ErrorCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    Answer, ApiError, Caller, params,
    store::{EntityRow, Place, Store},
    time,
};

const REASON_CHARACTERS_MAX: usize = 1_000;
const GRAPHS_MAX: usize = 100;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ShareParams {
    pub entity_id: String,
    /// A team of the caller's, or an account: where it is to be seen.
    pub target_graph_id: String,
    /// Why, for those who see it.
    pub share_reason: Option<String>,
}

pub async fn share(store: &Store, caller: &Caller, params: ShareParams, now: i64) -> Result<Answer, ApiError> {
    let ShareParams { entity_id, target_graph_id: target, share_reason } = params;
    if let Some(reason) = &share_reason {
        params::text("shareReason", reason, REASON_CHARACTERS_MAX)?;
    }
    let row = store.entity_by_id(caller.id(), &entity_id).await?.ok_or_else(|| ApiError::not_found("such entity"))?;
    if row.creator_id != caller.id() {
        return Err(ApiError::new(ErrorCode::ResourceDenied, "only who made an entity may share it"));
    }
    let is_team = store.teams_of(caller.id()).await?.iter().any(|team| team.id == target);
    // What somebody finds in their memory, their handlers act by: strangers put nothing there.
    if !is_team && !store.account(&target).await?.is_some_and(|account| caller.account.is_related_to(&account)) {
        return Err(ApiError::not_found("such graph to share with"));
    }
    if graphs_of(store, &row).await?.len() >= GRAPHS_MAX {
        return Err(ApiError::invalid("targetGraphId", format!("an entity is seen in at most {GRAPHS_MAX} graphs")));
    }
    let place = Place { graph_id: &target, shared_by: caller.id(), shared_at: now, reason: share_reason.as_deref() };
    if !store.place_entity(row.seq, caller.id(), &place).await? {
        return Err(ApiError::not_found("such entity"));
    }
    let graphs = graphs_of(store, &row).await?;
    Answer::of(&json!({
        "entityId": entity_id,
        "success": true,
        "message": "Memory shared successfully",
        "graphIds": graphs,
        "targetGraphId": target,
        "sharedAt": time::iso(now),
    }))
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UnshareParams {
    pub entity_id: String,
    /// Where it is not to be seen any more.
    pub graph_id: String,
}

pub async fn unshare(store: &Store, caller: &Caller, params: UnshareParams) -> Result<Answer, ApiError> {
    let UnshareParams { entity_id, graph_id } = params;
    let row = store.entity_by_id(caller.id(), &entity_id).await?.ok_or_else(|| ApiError::not_found("such entity"))?;
    // From one's own graph, everybody may take what others have put there.
    if row.creator_id != caller.id() && graph_id != caller.id() {
        return Err(ApiError::new(ErrorCode::ResourceDenied, "only who made an entity may take it from another's graph"));
    }
    if graph_id == row.graph_id {
        return Err(ApiError::invalid("graphId", "an entity stays in the graph that it was made in: delete it instead"));
    }
    if !store.displace_entity(row.seq, &graph_id).await? {
        return Err(ApiError::not_found("such graph that it is shared with"));
    }
    let graphs = if row.creator_id == caller.id() { graphs_of(store, &row).await? } else { Vec::new() };
    Answer::of(&json!({
        "entityId": entity_id,
        "success": true,
        "message": "Memory unshared successfully",
        "graphIds": graphs,
        "removedGraphId": graph_id,
    }))
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListGraphsParams {
    pub entity_id: String,
}

/// For whoever sees the entity. With whom else it is shared is told to its maker only.
pub async fn list_graphs(store: &Store, caller: &Caller, params: ListGraphsParams) -> Result<Answer, ApiError> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Graph {
        graph_id: String,
        graph_type: &'static str,
        graph_name: String,
        is_primary: bool,
        shared_at: String,
        shared_by_user_id: String,
    }
    let row = store.entity_by_id(caller.id(), &params.entity_id).await?.ok_or_else(|| ApiError::not_found("such entity"))?;
    let teams = store.teams_of(caller.id()).await?;
    let is_told = |graph: &str| row.creator_id == caller.id() || graph == caller.id() || teams.iter().any(|team| team.id == graph);
    let graphs = store.graphs_of(row.seq).await?.into_iter().filter(|graph| graph.graph_id == row.graph_id || is_told(&graph.graph_id));
    let graphs: Vec<Graph> = graphs
        .map(|graph| Graph {
            graph_type: if graph.team_name.is_some() { "group" } else { "personal" },
            graph_name: match graph.team_name {
                Some(name) if is_told(&graph.graph_id) => name,
                _ => if graph.graph_id == caller.id() { "My Graph" } else { "Contact" }.to_owned(),
            },
            is_primary: graph.graph_id == row.graph_id,
            graph_id: graph.graph_id,
            shared_at: graph.shared_at.map(time::iso).unwrap_or_default(),
            shared_by_user_id: graph.shared_by.unwrap_or_default(),
        })
        .collect();
    Answer::of(&json!({ "entityId": row.id, "primaryGraphId": row.graph_id, "totalGraphs": graphs.len(), "graphs": graphs }))
}

async fn graphs_of(store: &Store, row: &EntityRow) -> Result<Vec<String>, ApiError> {
    Ok(store.graphs_of(row.seq).await?.into_iter().map(|graph| graph.graph_id).collect())
}
