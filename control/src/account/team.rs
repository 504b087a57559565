use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Caller, Team};
use crate::{
    Answer, ApiError, id,
    params::{self, Part},
    store::Store,
    time,
};

const NAME_CHARACTERS_MAX: usize = 100;
const TEAMS_MAX: usize = 1_000;

#[derive(Deserialize, JsonSchema)]
pub struct TeamParams {
    #[schemars(length(min = 1, max = NAME_CHARACTERS_MAX))]
    pub name: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MemberParams {
    pub team_id: String,
    /// The name of an account, such as `ada-lovelace-1b2c3d4e`.
    pub username: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    id: &'a str,
    name: &'a str,
    is_owner: bool,
    created_at: String,
}

fn shown<'a>(team: &'a Team, caller: &Caller) -> Shown<'a> {
    Shown { id: &team.id, name: &team.name, is_owner: team.owner_id == caller.id(), created_at: time::iso(team.created_at) }
}

pub async fn create_team(store: &Store, caller: &Caller, params: TeamParams, now: i64) -> Result<Answer, ApiError> {
    params::text("name", &params.name, NAME_CHARACTERS_MAX)?;
    if store.teams_of(caller.id()).await?.len() >= TEAMS_MAX {
        return Err(ApiError::invalid("name", format!("an account is in at most {TEAMS_MAX} teams")));
    }
    let team = Team { id: id::new("group")?, name: params.name, owner_id: caller.id().to_owned(), created_at: now };
    store.insert_team(&team).await?;
    Answer::of(&shown(&team, caller))
}

pub async fn list_teams(store: &Store, caller: &Caller, part: &Part) -> Result<Answer, ApiError> {
    part.of(store.teams_of(caller.id()).await?.iter().map(|team| shown(team, caller)))
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MembersParams {
    team_id: String,
    #[serde(default, deserialize_with = "params::count")]
    #[schemars(with = "Option<u64>")]
    limit: Option<u64>,
    #[serde(default, deserialize_with = "params::count")]
    #[schemars(with = "Option<u64>")]
    offset: Option<u64>,
}

pub async fn list_members(store: &Store, caller: &Caller, params: MembersParams) -> Result<Answer, ApiError> {
    let MembersParams { team_id, limit, offset } = params;
    let members = store.members_of(&team_id).await?;
    if !members.iter().any(|member| member.id == caller.id()) {
        return Err(ApiError::not_found("such team"));
    }
    Part { limit, offset }.of(members.iter().map(|member| json!({ "userId": member.id, "username": member.username })))
}

/// By the team's owner. Strangers are not asked, so they cannot be made members: what a team has, its members' handlers find.
pub async fn add_member(store: &Store, caller: &Caller, params: MemberParams) -> Result<Answer, ApiError> {
    let team = owned(store, caller, &params.team_id).await?;
    let account = store.account_by_name(&params.username).await?.filter(|account| caller.account.is_related_to(account));
    let account = account.ok_or_else(|| ApiError::not_found("account of that name that could be a member"))?;
    if store.teams_of(&account.id).await?.len() >= TEAMS_MAX {
        return Err(ApiError::invalid("username", format!("an account is in at most {TEAMS_MAX} teams")));
    }
    store.join_team(&team.id, &account.id).await?;
    Answer::of(&json!({ "teamId": team.id, "userId": account.id, "username": account.username }))
}

/// By the team's owner, or by whoever leaves. The owner stays.
pub async fn remove_member(store: &Store, caller: &Caller, params: MemberParams) -> Result<Answer, ApiError> {
    let is_self = params.username == caller.account.username;
    let team = match is_self {
        true => store.team(&params.team_id).await?.ok_or_else(|| ApiError::not_found("such team"))?,
        false => owned(store, caller, &params.team_id).await?,
    };
    let account = store.account_by_name(&params.username).await?.filter(|account| account.id != team.owner_id);
    let account = account.ok_or_else(|| ApiError::not_found("member of that name who could leave"))?;
    if !store.leave_team(&team.id, &account.id).await? {
        return Err(ApiError::not_found("such team"));
    }
    Answer::of(&json!({ "teamId": team.id, "userId": account.id, "removed": true }))
}

async fn owned(store: &Store, caller: &Caller, team_id: &str) -> Result<Team, ApiError> {
    let team = store.team(team_id).await?.filter(|team| team.owner_id == caller.id());
    team.ok_or_else(|| ApiError::not_found("such team"))
}
