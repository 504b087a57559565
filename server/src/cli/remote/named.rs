//! Scripts and flows by what people call them.

use anyhow::anyhow;
use mirra_host_sdk::ErrorCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::{Client, Unanswered, read};
use crate::failure::Failure;

/// What has a name. Both have ids of 24 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Script,
    Flow,
}

/// One of them.
#[derive(Clone, Debug)]
pub struct Named {
    pub kind: Kind,
    pub id: String,
    pub name: String,
}

#[derive(Deserialize)]
struct Listed {
    id: String,
    #[serde(alias = "title")]
    name: String,
}

/// At a time.
const PAGE: usize = 100;
const SUGGESTIONS_MAX: usize = 5;
/// Of 1: how much alike names are that may have been meant.
const ALIKE: f64 = 0.6;

impl Kind {
    fn noun(self) -> &'static str {
        match self {
            Kind::Script => "script",
            Kind::Flow => "flow",
        }
    }

    async fn page(self, client: &Client, offset: usize) -> Result<(Vec<Listed>, u64), Unanswered> {
        let (operation, member) = match self {
            Kind::Script => ("scripts.listScripts", "scripts"),
            Kind::Flow => ("flows.listFlows", "flows"),
        };
        let answer = client.call(operation, &json!({ "limit": PAGE, "offset": offset })).await?;
        let mut data: Value = read(&answer.data)?;
        let listed = serde_json::from_value(data[member].take()).map_err(Failure::host)?;
        Ok((listed, answer.total.unwrap_or(0)))
    }

    /// All that the account has.
    async fn all(self, client: &Client) -> Result<Vec<Named>, Unanswered> {
        let mut all = Vec::new();
        loop {
            let (page, total) = self.page(client, all.len()).await?;
            let is_last = page.is_empty() || (all.len() + page.len()) as u64 >= total;
            all.extend(page.into_iter().map(|Listed { id, name }| Named { kind: self, id, name }));
            if is_last {
                return Ok(all);
            }
        }
    }
}

/// What ids look like.
pub fn is_id(text: &str) -> bool {
    text.len() == 24 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The id of a script or a flow, of whichever kind is asked for.
pub async fn id_of(client: &Client, kind: Kind, wanted: &str) -> Result<String, Failure> {
    if is_id(wanted) {
        return Ok(wanted.to_owned());
    }
    Ok(find(client, &[kind], wanted).await?.id)
}

/// A script or a flow.
pub async fn script_or_flow(client: &Client, wanted: &str) -> Result<Named, Failure> {
    if !is_id(wanted) {
        return find(client, &[Kind::Script, Kind::Flow], wanted).await;
    }
    let named = |kind| Named { kind, id: wanted.to_owned(), name: wanted.to_owned() };
    match client.call("scripts.getScript", &json!({ "scriptId": wanted })).await {
        Ok(_) => Ok(named(Kind::Script)),
        Err(Unanswered::Refused(refusal)) if refusal.code == ErrorCode::NotFound => Ok(named(Kind::Flow)),
        Err(unanswered) => Err(unanswered.into()),
    }
}

/// The script of a name, if there is one.
pub async fn script_named(client: &Client, name: &str) -> Result<Option<Named>, Failure> {
    let all = Kind::Script.all(client).await?;
    unique(&all, name)
}

async fn find(client: &Client, kinds: &[Kind], wanted: &str) -> Result<Named, Failure> {
    let mut all = Vec::new();
    for kind in kinds {
        all.extend(kind.all(client).await?);
    }
    unique(&all, wanted)?.ok_or_else(|| {
        let nouns: Vec<_> = kinds.iter().map(|kind| kind.noun()).collect();
        let failure = Failure::wrong_use(anyhow!("there is no {} '{wanted}'", nouns.join(" or ")));
        let suggested = suggestions(&all, wanted);
        let lists: Vec<_> = nouns.iter().map(|noun| format!("'mirra {noun}s list'")).collect();
        match suggested.is_empty() {
            true => failure.next_step(format!("See {}.", lists.join(" and "))),
            false => failure.next_step(format!("Did you mean {}?", suggested.join(" or "))),
        }
    })
}

/// The one of that name. Several are told apart by their ids.
fn unique(all: &[Named], wanted: &str) -> Result<Option<Named>, Failure> {
    let found: Vec<&Named> = all.iter().filter(|named| named.name == wanted).collect();
    if found.len() < 2 {
        return Ok(found.first().map(|named| (*named).clone()));
    }
    let candidates: Vec<_> = found.iter().map(|named| format!("{} {}", named.kind.noun(), named.id)).collect();
    let message = anyhow!("'{wanted}' is the name of {}", found.len());
    Err(Failure::wrong_use(message).next_step(format!("Say which by its id:\n    {}", candidates.join("\n    "))))
}

/// The most alike first.
fn suggestions(all: &[Named], wanted: &str) -> Vec<String> {
    let lower = wanted.to_lowercase();
    let alike = |name: &str| strsim::jaro_winkler(&name.to_lowercase(), &lower);
    let mut alike: Vec<_> = all.iter().map(|named| (alike(&named.name), &named.name)).filter(|(alike, _)| *alike > ALIKE).collect();
    alike.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    alike.dedup_by(|(_, a), (_, b)| a == b);
    alike.into_iter().take(SUGGESTIONS_MAX).map(|(_, name)| format!("'{name}'")).collect()
}
