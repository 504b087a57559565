//! In which graphs an entity is seen. Whoever made it decides.

use mirra_host_sdk::ErrorCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::entity::{marks, metadata};
use crate::{
    Answer, ApiError, Caller, params,
    store::{EntityRow, Place, Store},
    time,
};

const REASON_CHARACTERS_MAX: usize = 1_000;
const GRAPHS_MAX: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShareParams {
    pub entity_id: String,
    /// A team of the caller's, or an account.
    pub target_graph_id: String,
    pub share_reason: Option<String>,
}

pub async fn share(store: &Store, caller: &Caller, params: ShareParams, now: i64) -> Result<Answer, ApiError> {
    let ShareParams { entity_id, target_graph_id: target, share_reason } = params;
    if let Some(reason) = &share_reason {
        params::text("shareReason", reason, REASON_CHARACTERS_MAX)?;
    }
    let (row, mut graphs) = own(store, caller, &entity_id).await?;
    let is_team = store.teams_of(caller.id()).await?.iter().any(|team| team.id == target);
    if !is_team && store.account(&target).await?.is_none() {
        return Err(ApiError::not_found("such graph to share with"));
    }
    if !graphs.contains(&target) {
        if graphs.len() >= GRAPHS_MAX {
            return Err(ApiError::invalid("targetGraphId", format!("an entity is seen in at most {GRAPHS_MAX} graphs")));
        }
        graphs.push(target.clone());
        let place = Place { graph_id: &target, shared_by: caller.id(), shared_at: now, reason: share_reason.as_deref() };
        store.place_entity(&row, &place, &marks_in(&row, &graphs)).await?;
    }
    Answer::of(&json!({
        "entityId": entity_id,
        "success": true,
        "message": "Memory shared successfully",
        "graphIds": graphs,
        "targetGraphId": target,
        "sharedAt": time::iso(now),
    }))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UnshareParams {
    pub entity_id: String,
    pub graph_id: String,
}

pub async fn unshare(store: &Store, caller: &Caller, params: UnshareParams) -> Result<Answer, ApiError> {
    let UnshareParams { entity_id, graph_id } = params;
    let (row, mut graphs) = own(store, caller, &entity_id).await?;
    if graph_id == row.graph_id {
        return Err(ApiError::invalid("graphId", "an entity stays in the graph that it was made in: delete it instead"));
    }
    graphs.retain(|graph| *graph != graph_id);
    if !store.displace_entity(&row, &graph_id, &marks_in(&row, &graphs)).await? {
        return Err(ApiError::not_found("such graph that it is shared with"));
    }
    Answer::of(&json!({
        "entityId": entity_id,
        "success": true,
        "message": "Memory unshared successfully",
        "graphIds": graphs,
        "removedGraphId": graph_id,
    }))
}

#[derive(Deserialize)]
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
            graph_name: graph.team_name.unwrap_or_else(|| if graph.graph_id == caller.id() { "My Graph" } else { "Contact" }.to_owned()),
            is_primary: graph.graph_id == row.graph_id,
            graph_id: graph.graph_id,
            shared_at: graph.shared_at.map(time::iso).unwrap_or_default(),
            shared_by_user_id: graph.shared_by.unwrap_or_default(),
        })
        .collect();
    Answer::of(&json!({ "entityId": row.id, "primaryGraphId": row.graph_id, "totalGraphs": graphs.len(), "graphs": graphs }))
}

/// An entity that the caller made, and the graphs that it is seen in.
async fn own(store: &Store, caller: &Caller, id: &str) -> Result<(EntityRow, Vec<String>), ApiError> {
    let row = store.entity_by_id(caller.id(), id).await?.ok_or_else(|| ApiError::not_found("such entity"))?;
    if row.creator_id != caller.id() {
        return Err(ApiError::new(ErrorCode::ResourceDenied, "only who made an entity may share it"));
    }
    let graphs = store.graphs_of(row.seq).await?.into_iter().map(|graph| graph.graph_id).collect();
    Ok((row, graphs))
}

fn marks_in(row: &EntityRow, graphs: &[String]) -> String {
    marks(graphs.iter().map(String::as_str), &row.r#type, &metadata(row))
}
