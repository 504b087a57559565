//! What is made of a resource's document for those who write code against it: a typed client, and a page to read.

use mirra_openapi::{Operation, generate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{definition::Definition, making::visible};
use crate::{Answer, ApiError, operations::Scene, params};
use std::sync::Arc;

#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    #[default]
    Typescript,
    Python,
}

#[derive(Deserialize, JsonSchema)]
pub struct ClientParams {
    /// The resource, by its id or name.
    id: String,
    #[serde(default, deserialize_with = "params::some")]
    language: Language,
}

/// Types and methods as a handler has them in `mirra.<name>`.
pub async fn client(scene: &Scene<'_>, params: ClientParams) -> Result<Answer, ApiError> {
    let (name, definition) = described(scene, &params.id).await?;
    let document = definition.document.as_ref().ok_or_else(no_document)?;
    let methods: Vec<(String, &Operation)> = definition.methods().map(|(name, operation)| (name.to_owned(), operation)).collect();
    let (file, code) = match params.language {
        Language::Typescript => (format!("{name}.d.ts"), generate::typescript(&name, &methods, document)),
        Language::Python => (format!("{name}.pyi"), generate::python(&name, &methods, document)),
    };
    Answer::of(&json!({ "language": params.language, "file": file, "code": code }))
}

/// A page of HTML, as a text.
pub async fn page(scene: &Scene<'_>, id: &str) -> Result<Answer, ApiError> {
    let (name, definition) = described(scene, id).await?;
    let document = definition.document.as_ref().ok_or_else(no_document)?;
    let methods: Vec<(String, &Operation)> = definition.methods().map(|(name, operation)| (name.to_owned(), operation)).collect();
    Answer::of(&generate::page(&name, &methods, document))
}

/// The OpenAPI document as its creator has given it.
pub async fn document(scene: &Scene<'_>, id: &str) -> Result<Answer, ApiError> {
    let (_, definition) = described(scene, id).await?;
    Answer::of(definition.document.as_ref().ok_or_else(no_document)?.json())
}

async fn described(scene: &Scene<'_>, id: &str) -> Result<(String, Arc<Definition>), ApiError> {
    let row = visible(scene, id).await?;
    let definition = scene.control.resources().await?.definition_of(&row)?;
    Ok((camel(&row.name), definition))
}

fn no_document() -> ApiError {
    ApiError::not_found("OpenAPI document of this resource")
}

/// `Crypto Price API` is `cryptoPriceApi`: how handlers write it.
fn camel(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut camel = String::new();
    for word in words {
        let is_first = camel.is_empty();
        let has_small = word.chars().any(|c| c.is_ascii_lowercase());
        for (index, c) in word.chars().enumerate() {
            camel.push(match (index, is_first) {
                (0, true) => c.to_ascii_lowercase(),
                (0, false) => c.to_ascii_uppercase(),
                // Of a word in capitals only the first one stays.
                _ if has_small => c,
                _ => c.to_ascii_lowercase(),
            });
        }
    }
    if camel.is_empty() || camel.starts_with(|c: char| c.is_ascii_digit()) { format!("resource{camel}") } else { camel }
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_written_as_handlers_write_them() {
        for (name, camel) in [
            ("Crypto Price API", "cryptoPriceApi"),
            ("googleCalendar", "googleCalendar"),
            ("GPT-4 Chat", "gpt4Chat"),
            ("3scale", "resource3scale"),
            ("天気", "resource"),
        ] {
            assert_eq!(super::camel(name), camel);
        }
    }
}
