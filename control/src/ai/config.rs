//! Which providers there are, and what they cost.

use std::{fmt, sync::Arc};

use mirra_host_sdk::{ModelPrices, Usd};

use crate::ApiError;

/// An operator's key with a provider. Shows nowhere.
#[derive(Clone)]
pub struct ApiKey(Arc<str>);

impl ApiKey {
    pub fn new(key: &str) -> ApiKey {
        ApiKey(key.into())
    }

    /// For the header of a request, and nothing else.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(…)")
    }
}

/// Whose models are asked.
#[derive(Clone, Debug)]
pub struct Provider {
    pub name: &'static str,
    /// What its key is read from: told where there is none.
    pub key_variable: &'static str,
    /// Without a slash at its end.
    pub url: String,
    pub key: Option<ApiKey>,
}

impl Provider {
    /// The Messages API.
    pub const ANTHROPIC_URL: &str = "https://api.anthropic.com";
    /// Transcriptions.
    pub const OPENAI_URL: &str = "https://api.openai.com/v1";

    pub fn anthropic(url: &str, key: Option<ApiKey>) -> Provider {
        Provider { name: "Anthropic", key_variable: "MIRRA_AI_ANTHROPIC_KEY", url: without_slash(url), key }
    }

    pub fn openai(url: &str, key: Option<ApiKey>) -> Provider {
        Provider { name: "OpenAI", key_variable: "MIRRA_AI_OPENAI_KEY", url: without_slash(url), key }
    }

    pub(super) fn key(&self) -> Result<&ApiKey, ApiError> {
        self.key.as_ref().ok_or_else(|| {
            let Provider { name, key_variable, .. } = self;
            let message = format!("this needs a key of {name}'s: set {key_variable} in the environment of mirra");
            ApiError::new(mirra_host_sdk::ErrorCode::ValidationError, message)
        })
    }
}

fn without_slash(url: &str) -> String {
    url.trim_end_matches('/').to_owned()
}

/// How models are reached.
#[derive(Clone, Debug)]
pub struct AiConfig {
    pub anthropic: Provider,
    pub openai: Provider,
    pub models: ModelPrices,
    /// For a minute of audio.
    pub transcription_minute_usd: Usd,
}

impl Default for AiConfig {
    /// Without keys, and so without models; free of charge for transcriptions.
    fn default() -> AiConfig {
        AiConfig {
            anthropic: Provider::anthropic(Provider::ANTHROPIC_URL, None),
            openai: Provider::openai(Provider::OPENAI_URL, None),
            models: ModelPrices::default(),
            transcription_minute_usd: Usd::ZERO,
        }
    }
}
