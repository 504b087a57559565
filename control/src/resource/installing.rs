//! What accounts do with the resources that they use.

use jiff::{Timestamp, tz::TimeZone};
use mirra_host_sdk::{ErrorCode, Usd};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    authentication::{Credentials, Kept},
    definition::{Authentication, Endpoint, check_endpoint},
    known::{base_url, installed, installed_row},
    making::visible,
    pricing::{Agreed, Model},
};
use crate::{
    Answer, ApiError, Control, id,
    operations::Scene,
    params::Part,
    store::{CallRow, InstallationRow, InstalledRow},
    time,
};

const RECENT_CALLS: i64 = 20;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InstallParams {
    /// The resource's.
    id: String,
    /// Of tiered pricing; the first one unless named.
    tier: Option<String>,
    /// A server of your own that speaks the same, for a resource that comes with mirra: GitHub Enterprise, a local Bot API server.
    base_url: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    installation_id: &'a str,
    resource_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_name: Option<&'a str>,
    /// What handlers write behind `mirra.`.
    name: &'a str,
    user_id: &'a str,
    is_authenticated: bool,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tier: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base_url: Option<&'a str>,
    installed_at: String,
}

fn shown<'a>(row: &'a InstallationRow, resource_name: Option<&'a str>) -> Shown<'a> {
    Shown {
        installation_id: &row.id,
        resource_id: &row.resource_id,
        resource_name,
        name: &row.slug,
        user_id: &row.account_id,
        is_authenticated: row.is_authenticated,
        status: "active",
        tier: row.tier.as_deref(),
        base_url: row.base_url.as_deref(),
        installed_at: time::iso(row.installed_at),
    }
}

/// An installation, and that something was done with it, as clients expect.
fn done(message: &str, installation: Shown<'_>) -> Result<Answer, ApiError> {
    #[derive(Serialize)]
    struct Done<'a> {
        success: bool,
        message: &'a str,
        #[serde(flatten)]
        installation: Shown<'a>,
    }
    Answer::of(&Done { success: true, message, installation })
}

pub async fn install(scene: &Scene<'_>, params: InstallParams) -> Result<Answer, ApiError> {
    let InstallParams { id: resource_id, tier, base_url: own_base_url } = params;
    let resource = visible(scene, &resource_id).await?;
    let definition = scene.control.resources().await?.definition_of(&resource)?;
    let pricing = &definition.terms.pricing;
    let tier = match (pricing.model, pricing.tier(tier.as_deref())) {
        (Model::Tiered, Some(tier)) => Some(tier.name.clone()),
        (Model::Tiered, None) => {
            let names: Vec<&str> = pricing.subscription_tiers.iter().map(|tier| &*tier.name).collect();
            return Err(ApiError::invalid("tier", format!("there is no such tier: there are {}", names.join(", "))));
        }
        _ => None,
    };
    if let Some(base_url) = &own_base_url {
        let endpoint = Endpoint { base_url: base_url.clone(), ..definition.terms.endpoint.clone() };
        check_endpoint(&endpoint).map_err(|error| ApiError { details: Some(Box::new(json!({ "field": "baseUrl" }))), ..error })?;
        if resource.catalog_hash.is_none() {
            // What its creator asks for, and is paid for, is asked of the creator's server.
            return Err(ApiError::invalid("baseUrl", "only resources that come with mirra can be asked of another server"));
        }
    }
    let most = scene.control.config().limits.per_account.installations;
    if scene.store.installations_of(scene.caller.id()).await?.len() >= most as usize {
        return Err(ApiError::invalid("id", format!("an account installs at most {most} resources: uninstall those that are not used")));
    }
    let row = InstallationRow {
        id: id::new("inst")?,
        account_id: scene.caller.id().to_owned(),
        slug: resource.slug,
        credentials_revision: 0,
        // Where there is nothing to give, nothing is missing.
        is_authenticated: definition.terms.endpoint.authentication == Authentication::None,
        period_started_at: scene.now,
        period_calls: 0,
        calls: 0,
        // The first month is paid at once.
        cost_picodollars: pricing.monthly(tier.as_deref()).picodollars().cast_signed(),
        resource_id: resource.id,
        tier,
        agreed: serde_json::to_string(&Agreed::of(&definition)).map_err(|error| ApiError::internal("prices cannot be written", error))?,
        base_url: own_base_url,
        last_used_at: None,
        installed_at: scene.now,
        removed_at: None,
    };
    if scene.store.insert_installation(&row).await? {
        return done("Resource installed", shown(&row, Some(&resource.name)));
    }
    let installed = scene.store.installed(scene.caller.id(), &row.resource_id, &row.slug).await?;
    Err(match installed {
        Some(other) if other.installation.resource_id == row.resource_id => {
            ApiError::new(ErrorCode::Conflict, "this resource is already installed")
        }
        Some(other) => {
            let message =
                format!("you have installed another resource that handlers call mirra.{}: uninstall it first", other.installation.slug);
            ApiError::new(ErrorCode::Conflict, message)
        }
        // Unpublished in the meantime.
        None => ApiError::not_found("such resource"),
    })
}

pub async fn uninstall(scene: &Scene<'_>, resource: &str) -> Result<Answer, ApiError> {
    let (row, _) = installed(scene, resource).await?;
    let removed = scene.store.remove_installation(&row.installation.id, scene.now).await?;
    Answer::of(&json!({ "installationId": row.installation.id, "removed": removed }))
}

pub async fn list_installations(scene: &Scene<'_>, part: Part) -> Result<Answer, ApiError> {
    let rows = scene.store.installations_of(scene.caller.id()).await?;
    part.of(rows.iter().map(|InstalledRow { installation, resource_name, .. }| shown(installation, Some(resource_name))))
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckInstallationParams {
    /// The resource, by its id or name.
    resource_id: String,
}

/// Whether this account has it, be there such a resource or not.
pub async fn check_installation(scene: &Scene<'_>, params: CheckInstallationParams) -> Result<Answer, ApiError> {
    let row = installed_row(scene.store, scene.caller, &params.resource_id).await?.map(|row| row.installation);
    let is_authenticated = row.as_ref().is_some_and(|row| row.is_authenticated);
    let installation_id = row.as_ref().map(|row| &*row.id);
    Answer::of(&json!({ "installed": row.is_some(), "isAuthenticated": is_authenticated, "installationId": installation_id }))
}

#[derive(Deserialize, JsonSchema)]
pub struct AuthenticateParams {
    /// The resource, by its id or name.
    id: String,
    /// `api_key`, `bearer`, `basic` or `oauth2`: as the resource wants it.
    #[schemars(with = "String")]
    r#type: Authentication,
    credentials: Map<String, Value>,
}

pub async fn authenticate(scene: &Scene<'_>, params: AuthenticateParams) -> Result<Answer, ApiError> {
    let (row, definition) = installed(scene, &params.id).await?;
    let credentials = Credentials::read(&definition.terms.endpoint, params.r#type, &params.credentials)?;
    let destination = definition.terms.endpoint.destination(base_url(&row.installation, &definition));
    let kept = Kept::new(destination, credentials);
    if !scene.control.put_credentials(&row.installation.id, &kept, None).await? {
        return Err(ApiError::not_found("such installation"));
    }
    let row = InstallationRow { is_authenticated: true, ..row.installation.clone() };
    done("Resource authenticated", shown(&row, None))
}

impl Control {
    /// What an installation is called with from now on. `seen`: unless it has others than those of that revision. False: it has.
    pub(super) async fn put_credentials(&self, installation_id: &str, kept: &Kept, seen: Option<i64>) -> Result<bool, ApiError> {
        let (store, keyring) = (&self.opened().await?.store, self.keyring().await?);
        let plain = serde_json::to_vec(kept).map_err(|error| ApiError::internal("credentials cannot be written", error))?;
        let seal = |in_use: Option<&str>| keyring.seal(installation_id, &plain, in_use);
        store.authenticate_installation(installation_id, Some(&seal), seen, self.now()).await
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UsageParams {
    installation_id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RecentCall<'a> {
    timestamp: String,
    method: &'a str,
    cost: Usd,
    /// Milliseconds. None: it has not ended.
    duration: Option<i64>,
    success: Option<bool>,
}

impl<'a> From<&'a CallRow> for RecentCall<'a> {
    fn from(row: &'a CallRow) -> RecentCall<'a> {
        RecentCall {
            timestamp: time::iso(row.at),
            method: &row.method,
            cost: Usd::from_picodollars(row.cost_picodollars.unsigned_abs()),
            duration: row.duration_ms,
            success: row.is_success,
        }
    }
}

pub async fn usage(scene: &Scene<'_>, params: UsageParams) -> Result<Answer, ApiError> {
    let row = scene.store.installation(&params.installation_id).await?.filter(|row| row.account_id == scene.caller.id());
    let row = row.ok_or_else(|| ApiError::not_found("such installation"))?;
    let midnight = Timestamp::from_millisecond(scene.now).ok().and_then(|now| now.to_zoned(TimeZone::UTC).start_of_day().ok());
    let midnight = midnight.map_or(0, |midnight| midnight.timestamp().as_millisecond());
    let recent = scene.store.recent_calls(&row.id, RECENT_CALLS).await?;
    Answer::of(&json!({
        "totalCalls": row.calls,
        "totalCost": Usd::from_picodollars(row.cost_picodollars.unsigned_abs()),
        "callsToday": scene.store.calls_since(&row.id, midnight).await?,
        "lastUsedAt": row.last_used_at.map(time::iso),
        "recentCalls": recent.iter().map(RecentCall::from).collect::<Vec<_>>(),
    }))
}
