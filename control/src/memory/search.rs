//! `search`: what fits best comes first.
//!
//! SQLite ranks by reading all that matches, which for a word like "the" is everything: seconds, of a million. So each word, and all of them
//! together, give the newest that they find and no more, and those are ranked here. What has a rare word is always among them.

use std::collections::{BTreeSet, HashMap};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::{
    LIMIT, LIMIT_MAX,
    entity::{PROPERTIES, Summary, graph_mark, mark},
    graph,
};
use crate::{
    Answer, ApiError, Caller, params,
    store::{EntityRow, Period, Store, Times},
};

/// `search` cuts content to so many characters.
const CHARACTERS: usize = 300;

/// Of a query; what is longer is a text and no question.
const WORDS_MAX: usize = 16;
const QUERY_CHARACTERS_MAX: usize = 10_000;

/// What a word gives. With more, those that are older would be found by frequent words, and it would take longer.
const FOUND_MAX: u32 = 100;

/// What is ranked in all: with those of the rarest words among them.
const RANKED_MAX: usize = 300;

/// Of one filter, and of graphs: an expression takes longer with each.
const VALUES_MAX: usize = 20;
const GRAPHS_MAX: usize = 50;

/// How much it counts that a word stands in the name.
const NAME_WEIGHT: f64 = 3.0;

// As in BM25: how soon a word counts no more for standing there again, and how much it counts that a text is long.
const SATURATION: f64 = 1.2;
const LENGTH: f64 = 0.75;
/// A text as long as most are, in words.
const USUAL_WORDS: f64 = 60.0;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SearchParams {
    /// Words that are looked for in names and content.
    #[schemars(length(min = 1, max = QUERY_CHARACTERS_MAX))]
    pub query: String,
    /// The types to look among, such as `task`; all if none is named.
    #[serde(default, deserialize_with = "params::some")]
    pub types: Vec<String>,
    /// Made at this time or later, in milliseconds since 1970.
    pub start_time: Option<f64>,
    /// Made at this time or earlier, in milliseconds since 1970.
    pub end_time: Option<f64>,
    /// status, priority, tags, roles or contexts, each with a value or several of which one has to be there.
    #[serde(default, deserialize_with = "params::some")]
    pub property_filters: Map<String, Value>,
    /// 20 if not given; what is above 100 is cut down to that.
    #[serde(default, deserialize_with = "params::count")]
    #[schemars(range(min = 1))]
    pub limit: Option<u64>,
    /// Only what is seen in this team.
    pub group_id: Option<String>,
}

pub async fn search(store: &Store, caller: &Caller, params: SearchParams) -> Result<Answer, ApiError> {
    let limit = params::limit_or_most(params.limit, LIMIT, LIMIT_MAX)?;
    params::text("query", &params.query, QUERY_CHARACTERS_MAX)?;
    let filter = filter(store, caller, &params).await?;
    let words: BTreeSet<&str> = raw_words(&params.query).take(WORDS_MAX).collect();
    let times = match (params.start_time, params.end_time) {
        (None, None) => None,
        // What is no time of a clock is before or after all.
        (from, to) => Some(store.times(Period { from: from.unwrap_or(0.0) as i64, to: to.map_or(i64::MAX, |to| to as i64) }).await?),
    };
    let found = find(store, &filter, &words, times.as_ref()).await?;
    let rows = store.entities(caller.id(), &found.seqs).await?;
    let mut ranked: Vec<(f64, &EntityRow)> = rows.iter().map(|row| (found.score(row), row)).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.seq.cmp(&a.1.seq)));
    let total = ranked.len();
    ranked.truncate(limit as usize);
    let best = ranked.first().map_or(1.0, |(score, _)| score.max(f64::MIN_POSITIVE));
    let results: Vec<_> =
        ranked.iter().map(|(score, row)| Summary::of(row, CHARACTERS, Some(rounded(score / best * found.coverage)))).collect();
    Answer::of(&json!({
        "query": params.query, "totalCount": total, "count": results.len(), "offset": 0, "limit": limit, "results": results,
    }))
}

fn rounded(score: f64) -> f64 {
    (score * 1000.0).round() / 1000.0
}

/// What has to hold for anything that is found, as a full-text expression.
async fn filter(store: &Store, caller: &Caller, params: &SearchParams) -> Result<String, ApiError> {
    let graphs = match &params.group_id {
        Some(group) => vec![graph(store, caller, Some(group.clone())).await?],
        None => {
            let teams = store.teams_of(caller.id()).await?.into_iter().map(|team| team.id);
            [caller.id().to_owned()].into_iter().chain(teams).collect()
        }
    };
    let graphs: Vec<String> = graphs.iter().take(GRAPHS_MAX).map(|graph| format!("marks:{}", graph_mark(graph))).collect();
    let mut parts = vec![format!("({})", graphs.join(" OR "))];
    if !params.types.is_empty() {
        parts.push(any_of("type", "types", params.types.iter().map(String::as_str).collect())?);
    }
    for (field, wanted) in &params.property_filters {
        let place = format!("propertyFilters.{field}");
        if !PROPERTIES.contains(&&**field) {
            return Err(ApiError::invalid(&place, format!("there is no filter {field}: there are {}", PROPERTIES.join(", "))));
        }
        let wanted: Option<Vec<&str>> = match wanted {
            Value::Array(values) => values.iter().map(Value::as_str).collect(),
            value => value.as_str().map(|value| vec![value]),
        };
        let wanted = wanted.ok_or_else(|| ApiError::invalid(&place, format!("{place} must be a text or a list of texts")))?;
        if !wanted.is_empty() {
            parts.push(any_of(field, &place, wanted)?);
        }
    }
    Ok(parts.join(" AND "))
}

/// `place`: the parameter that names the values.
fn any_of(field: &str, place: &str, values: Vec<&str>) -> Result<String, ApiError> {
    if values.len() > VALUES_MAX {
        return Err(ApiError::invalid(place, format!("{place} may have at most {VALUES_MAX} values")));
    }
    let marks: Vec<String> = values.into_iter().map(|value| format!("marks:{}", mark(field, value))).collect();
    Ok(format!("({})", marks.join(" OR ")))
}

/// What the words of a query have found.
struct Found {
    /// How much each word counts: the rarer, the more.
    weights: HashMap<String, f64>,
    /// JSON array.
    seqs: String,
    /// What a full score is: less where words of the query are nowhere.
    coverage: f64,
}

async fn find(store: &Store, filter: &str, words: &BTreeSet<&str>, times: Option<&Times>) -> Result<Found, ApiError> {
    // The index folds a word itself, as it did the text. In quotes it is never an operator, and there are no quotes in it.
    let term = |word: &str| format!("{{name content}}:\"{word}\"");
    let mut of_words = Vec::with_capacity(words.len());
    for word in words {
        let found = store.found(&format!("{filter} AND {}", term(word)), times, FOUND_MAX).await?;
        if !found.is_empty() {
            of_words.push((*word, found));
        }
    }
    let coverage = if words.is_empty() { 0.0 } else { of_words.len() as f64 / words.len() as f64 };
    // Of frequent words it is not known how frequent they are, and does not matter.
    let weight = |found: &[i64]| (f64::from(FOUND_MAX + 1) / found.len() as f64).ln().max(0.1);
    let weights = of_words.iter().map(|(word, found)| (folded(word), weight(found))).collect();
    of_words.sort_by_key(|(_, found)| found.len());
    let mut all = BTreeSet::new();
    if of_words.len() > 1 {
        let together: Vec<String> = of_words.iter().map(|(word, _)| term(word)).collect();
        all.extend(store.found(&format!("{filter} AND {}", together.join(" AND ")), times, FOUND_MAX).await?);
    }
    for seq in of_words.into_iter().flat_map(|(_, found)| found) {
        if all.len() >= RANKED_MAX {
            break;
        }
        all.insert(seq);
    }
    let seqs = format!("[{}]", all.iter().map(i64::to_string).collect::<Vec<_>>().join(","));
    Ok(Found { weights, seqs, coverage })
}

impl Found {
    fn score(&self, row: &EntityRow) -> f64 {
        let mut counts: HashMap<&str, f64> = HashMap::new();
        let mut length = 0.0;
        for (text, weight) in [(&row.name, NAME_WEIGHT), (&row.content, 1.0)] {
            for word in words(text) {
                length += 1.0;
                if let Some((known, _)) = self.weights.get_key_value(&word) {
                    *counts.entry(known).or_default() += weight;
                }
            }
        }
        let norm = SATURATION * (1.0 - LENGTH + LENGTH * length / USUAL_WORDS);
        counts.iter().fold(0.0, |sum, (word, count)| sum + self.weights[*word] * count * (SATURATION + 1.0) / (count + norm))
    }
}

/// Letters and digits.
fn raw_words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && !is_combining_mark(c)).filter(|word| !word.is_empty())
}

/// Words as they are compared here: without case and marks on letters.
fn words(text: &str) -> impl Iterator<Item = String> {
    raw_words(text).map(folded)
}

fn folded(word: &str) -> String {
    if word.is_ascii() {
        return word.to_ascii_lowercase();
    }
    let bare = word.nfd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase);
    // At the end of a word it has a form of its own.
    bare.map(|c| if c == 'ς' { 'σ' } else { c }).nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_the_index() {
        let words: Vec<String> = words("Café, the 2nd: \"x\" OR NEAR(a b) -- naïve_élan*").collect();
        assert_eq!(words, ["cafe", "the", "2nd", "x", "or", "near", "a", "b", "naive", "elan"]);
    }
}
