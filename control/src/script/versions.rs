//! Versions of a script, which of them runs, and its code by lines.

use mirra_host_sdk::Prepared;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    making::{self, DRAFT, ScriptId, files_of, label, not_found, owned},
    source::{self, Files, Runtime},
};
use crate::{
    Answer, ApiError, id,
    operations::Scene,
    params,
    store::{ScriptRow, VersionRow},
    time,
};

const CHANGELOG_CHARACTERS_MAX: usize = 2_000;
const LABEL_CHARACTERS_MAX: usize = 50;
/// Of one script.
const VERSIONS_MAX: i64 = 10_000;
/// Two that are made at once have different numbers: the slower one counts on.
const TRIES: usize = 20;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateVersionParams {
    #[serde(alias = "id")]
    script_id: String,
    /// Exports `handler(event, context)`.
    code: Option<String>,
    /// Texts of other files by their names.
    files: Option<Files>,
    /// What people call it, such as 1.2.0; counted on where nothing is said.
    #[serde(default, deserialize_with = "params::label")]
    version: Option<String>,
    #[serde(alias = "commitMessage")]
    changelog: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeployParams {
    #[serde(alias = "id")]
    script_id: String,
    version_id: Option<String>,
    /// What it is called. Neither: the newest. An older one rolls back.
    #[serde(default, deserialize_with = "params::label")]
    version: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    id: &'a str,
    version_id: &'a str,
    script_id: &'a str,
    version: serde_json::Value,
    changelog: &'a str,
    commit_message: &'a str,
    code_hash: &'a str,
    status: &'a str,
    is_active: bool,
    created_at: String,
    deployed_at: String,
}

fn shown<'a>(row: &'a VersionRow, script: &ScriptRow) -> Shown<'a> {
    Shown {
        id: &row.id,
        version_id: &row.id,
        script_id: &row.script_id,
        version: label(row),
        changelog: &row.changelog,
        commit_message: &row.changelog,
        code_hash: &row.source_hash,
        status: &row.status,
        is_active: script.version_id.as_ref() == Some(&row.id),
        created_at: time::iso(row.created_at),
        deployed_at: row.deployed_at.map(time::iso).unwrap_or_default(),
    }
}

pub async fn create(scene: &Scene<'_>, params: CreateVersionParams) -> Result<Answer, ApiError> {
    let script = owned(scene, &params.script_id).await?;
    let files = source::gather(Runtime::kept(&script.runtime), params.code, params.files)?;
    let version = add(scene, &script, &files, params.version, params.changelog.unwrap_or_default()).await?;
    Answer::of(&shown(&version, &script))
}

/// The code alone is another, as if it were a new version.
pub async fn add_code(scene: &Scene<'_>, script: &ScriptRow, code: String) -> Result<VersionRow, ApiError> {
    let newest = to_read(scene, script, None).await?;
    let files = source::gather(Runtime::kept(&script.runtime), Some(code), Some(files_of(scene, &newest).await?))?;
    add(scene, script, &files, None, String::new()).await
}

async fn add(
    scene: &Scene<'_>,
    script: &ScriptRow,
    files: &Files,
    wanted: Option<String>,
    changelog: String,
) -> Result<VersionRow, ApiError> {
    check_changelog(&changelog)?;
    if let Some(label) = &wanted {
        params::text("version", label, LABEL_CHARACTERS_MAX)?;
        if scene.store.version(&script.id, label).await?.is_some() {
            let message = format!("there is a version {label} already, and versions do not change: give this one another name");
            return Err(ApiError::new(mirra_host_sdk::ErrorCode::Conflict, message));
        }
    }
    let (text, source_hash) = source::keep(files)?;
    for _ in 0..TRIES {
        let newest = scene.store.newest_version(&script.id).await?.ok_or_else(|| not_found(&script.id))?;
        if newest.number >= VERSIONS_MAX {
            return Err(ApiError::invalid("scriptId", format!("a script has at most {VERSIONS_MAX} versions")));
        }
        let number = newest.number + 1;
        let version = VersionRow {
            id: id::object(scene.now)?,
            script_id: script.id.clone(),
            number,
            label: wanted.clone().unwrap_or_else(|| number.to_string()),
            source_hash: source_hash.clone(),
            changelog: changelog.clone(),
            status: DRAFT.to_owned(),
            handler_id: None,
            created_at: scene.now,
            deployed_at: None,
        };
        if scene.store.insert_version(&version, &text).await? {
            return Ok(version);
        }
    }
    Err(ApiError::new(mirra_host_sdk::ErrorCode::Conflict, "others are making versions of this script at the moment: try again"))
}

pub fn check_changelog(text: &str) -> Result<(), ApiError> {
    match text.chars().count() > CHANGELOG_CHARACTERS_MAX {
        true => Err(ApiError::invalid("changelog", format!("changelog has more than {CHANGELOG_CHARACTERS_MAX} characters"))),
        false => Ok(()),
    }
}

/// `{count, versions}`, the newest first.
pub async fn list(scene: &Scene<'_>, params: ScriptId) -> Result<Answer, ApiError> {
    let script = owned(scene, &params.script_id).await?;
    let rows = scene.store.versions_of(&script.id).await?;
    let versions: Vec<_> = rows.iter().map(|row| shown(row, &script)).collect();
    Answer::of(&json!({ "count": versions.len(), "versions": versions }))
}

/// Runs that have begun end on the version that they began with; the next use this one.
pub async fn deploy(scene: &Scene<'_>, params: DeployParams) -> Result<Answer, ApiError> {
    let script = owned(scene, &params.script_id).await?;
    let version = match params.version_id.or(params.version) {
        Some(wanted) => scene.store.version(&script.id, &wanted).await?.ok_or_else(|| {
            let details = Some(Box::new(json!({ "scriptId": script.id, "versionId": wanted })));
            ApiError { details, ..ApiError::new(mirra_host_sdk::ErrorCode::NotFound, "Version not found") }
        })?,
        None => scene.store.newest_version(&script.id).await?.ok_or_else(|| not_found(&script.id))?,
    };
    let prepared = deployed(scene, &version).await?;
    Answer::of(&json!({
        "id": script.id,
        "success": true,
        "scriptId": script.id,
        "versionId": version.id,
        "version": label(&version),
        "status": "deployed",
        "deployedAt": time::iso(scene.now),
        "warnings": prepared.warnings,
        "duration": prepared.took.as_secs_f64() * 1000.0,
    }))
}

async fn deployed(scene: &Scene<'_>, version: &VersionRow) -> Result<Prepared, ApiError> {
    let prepared = match scene.control.prepare(version).await {
        Ok(prepared) => prepared,
        Err(error) => {
            scene.store.fail_version(version).await?;
            return Err(error);
        }
    };
    if !scene.store.deploy_version(version, &prepared.id.0, scene.now).await? {
        return Err(not_found(&version.script_id));
    }
    Ok(prepared)
}

/// The newest version runs from now on.
pub async fn deploy_newest(scene: &Scene<'_>, script_id: &str) -> Result<(), ApiError> {
    let newest = scene.store.newest_version(script_id).await?.ok_or_else(|| not_found(script_id))?;
    deployed(scene, &newest).await.map(drop)
}

/// A script of nothing but its code, which runs. Code that cannot leaves nothing behind.
pub async fn make_deployed(scene: &Scene<'_>, name: &str, code: String) -> Result<String, ApiError> {
    let (script, version) = making::make_of(scene, name, code).await?;
    if let Err(error) = deployed(scene, &version).await {
        scene.store.delete_script(&script.id, scene.now).await?;
        return Err(error);
    }
    Ok(script.id)
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReadCodeParams {
    #[serde(alias = "id")]
    script_id: String,
    /// What runs, where nothing is said.
    version_id: Option<String>,
    /// From 1.
    #[serde(default, deserialize_with = "params::count")]
    #[schemars(with = "Option<u64>")]
    start_line: Option<u64>,
    /// With this one.
    #[serde(default, deserialize_with = "params::count")]
    #[schemars(with = "Option<u64>")]
    end_line: Option<u64>,
}

/// The newest version, as that is what an edit begins with; or the one that is named.
async fn to_read(scene: &Scene<'_>, script: &ScriptRow, wanted: Option<&str>) -> Result<VersionRow, ApiError> {
    let version = match wanted {
        Some(wanted) => scene.store.version(&script.id, wanted).await?,
        None => scene.store.newest_version(&script.id).await?,
    };
    version.ok_or_else(|| ApiError::not_found("such version"))
}

pub async fn read_code(scene: &Scene<'_>, params: ReadCodeParams) -> Result<Answer, ApiError> {
    let script = owned(scene, &params.script_id).await?;
    let version = to_read(scene, &script, params.version_id.as_deref()).await?;
    let files = files_of(scene, &version).await?;
    let code = files.get(&source::main_of(Runtime::kept(&script.runtime), &files)).cloned().unwrap_or_default();
    let lines: Vec<&str> = code.split_inclusive('\n').collect();
    let total = lines.len() as u64;
    let start = params.start_line.unwrap_or(1).max(1);
    let end = params.end_line.unwrap_or(total).min(total);
    if start > total.max(1) || start > end.max(1) {
        return Err(ApiError::invalid("startLine", format!("lines {start} to {end} are none: the code has {total}")));
    }
    let part = lines.get(start as usize - 1..end as usize).unwrap_or_default();
    let width = total.to_string().len();
    let numbered: String = (start..).zip(part).map(|(number, line)| format!("{number:>width$}\t{line}")).collect();
    Answer::of(&json!({
        "scriptId": script.id,
        "versionId": version.id,
        "version": label(&version),
        "totalLines": total,
        "startLine": start,
        "endLine": end,
        // As clients show it, each line with its number.
        "code": numbered,
        // As it is.
        "text": part.concat(),
    }))
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EditCodeParams {
    #[serde(alias = "id")]
    script_id: String,
    edits: Vec<Edit>,
    #[serde(alias = "commitMessage")]
    changelog: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Edit {
    /// Must be in the code once.
    old_text: String,
    new_text: String,
}

/// Makes a new version of the newest one. One edit after the other; all of them, or none.
pub async fn edit_code(scene: &Scene<'_>, params: EditCodeParams) -> Result<Answer, ApiError> {
    let script = owned(scene, &params.script_id).await?;
    if params.edits.is_empty() {
        return Err(ApiError::invalid("edits", "edits is empty"));
    }
    let version = to_read(scene, &script, None).await?;
    let mut files = files_of(scene, &version).await?;
    let runtime = Runtime::kept(&script.runtime);
    let main = source::main_of(runtime, &files);
    let mut code = files.get(&main).cloned().unwrap_or_default();
    for (index, Edit { old_text, new_text }) in params.edits.iter().enumerate() {
        let field = format!("edits[{index}].oldText");
        let count = if old_text.is_empty() { 0 } else { code.matches(&**old_text).count() };
        match count {
            1 => code = code.replacen(&**old_text, new_text, 1),
            0 => return Err(ApiError::invalid(&field, format!("{field} is not in the code: read it again, with its spaces"))),
            _ => return Err(ApiError::invalid(&field, format!("{field} is in the code {count} times: give more of what is around it"))),
        }
    }
    files.insert(main, code);
    let files = source::gather(runtime, None, Some(files))?;
    let made = add(scene, &script, &files, None, params.changelog.unwrap_or_default()).await?;
    let lines_changed: usize = params.edits.iter().map(|edit| edit.old_text.lines().count().max(edit.new_text.lines().count())).sum();
    Answer::of(&json!({ "scriptId": script.id, "versionId": made.id, "version": label(&made), "linesChanged": lines_changed }))
}
