//! `transcribeAudio`: what is said in a recording.

use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use isolang::Language;
use mirra_egress::{Fetch, Reach};
use mirra_host_sdk::{ErrorCode, Usd};
use mirra_openapi::multipart::{self, Part};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    price::Charge,
    provider::{Asked, persistently},
};
use crate::{Answer, ApiError, Caller, Control, Means, params};

const PATH: &str = "/audio/transcriptions";
const MODEL: &str = "whisper-1";
const MIME_TYPE: &str = "audio/mpeg";
/// What the provider takes.
const AUDIO_BYTES_MAX: usize = 25 << 20;
/// As few as a second of speech usually has. One that has fewer is paid for when it is known.
const BYTES_PER_SECOND: u64 = 1_000;
const LANGUAGE_CHARACTERS_MAX: usize = 20;
const PROMPT_CHARACTERS_MAX: usize = 10_000;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TranscribeAudioParams {
    /// Where the recording is, in place of `base64`.
    pub url: Option<String>,
    /// The recording, or a data URI of it.
    pub base64: Option<String>,
    /// Such as audio/ogg; audio/mpeg if not given.
    pub mime_type: Option<String>,
    /// What is spoken, as ISO 639-1 has it, such as `en`.
    pub language: Option<String>,
    /// What was said before, or words that are to be expected.
    pub prompt: Option<String>,
}

#[derive(Deserialize)]
struct Transcribed {
    text: String,
    language: Option<String>,
    duration: Option<f64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Transcription {
    text: String,
    language: Option<String>,
    duration_seconds: Option<f64>,
    model: &'static str,
}

/// A recording.
struct Audio {
    bytes: Vec<u8>,
    mime_type: Option<String>,
}

pub async fn transcribe_audio(
    control: &Arc<Control>,
    caller: &Caller,
    means: &Means,
    params: TranscribeAudioParams,
) -> Result<Answer, ApiError> {
    let TranscribeAudioParams { url, base64, mime_type, language, prompt } = params;
    let provider = &control.config().ai.openai;
    let key = provider.key()?;
    for (field, text, max) in [("language", &language, LANGUAGE_CHARACTERS_MAX), ("prompt", &prompt, PROMPT_CHARACTERS_MAX)] {
        text.as_ref().map_or(Ok(()), |text| params::text(field, text, max))?;
    }
    let audio = match (base64, url) {
        (Some(base64), _) => decoded(&base64)?,
        (None, Some(url)) => fetched(control, caller, means, &url).await?,
        (None, None) => return Err(ApiError::invalid("url", "url or base64 is required")),
    };
    let mime_type = mime_type.or(audio.mime_type).unwrap_or_else(|| MIME_TYPE.to_owned());
    let bytes = audio.bytes.len() as u64;
    let (content_type, body) = form(audio.bytes, essence(&mime_type), language.as_deref(), prompt.as_deref())?;

    let seconds_at_most = bytes.div_ceil(BYTES_PER_SECOND);
    let at_most = price(control, seconds_at_most as f64);
    let headers = vec![("authorization".to_owned(), format!("Bearer {}", key.reveal())), ("content-type".to_owned(), content_type)];
    let asked = &Asked { provider, account_id: caller.id(), path: PATH, headers, body: body.into() };
    let answered = persistently(means, || async {
        let mut charge = Charge::new(means, "a transcription", at_most)?;
        charge.owe(at_most);
        let mut fetched = match asked.send(control.egress(), means.time_left()).await {
            Ok(fetched) => fetched,
            Err(failure) => return Err(charge.unanswered(failure)),
        };
        let body = fetched.whole().await.map_err(|error| provider.unreached(error))?;
        let transcribed = serde_json::from_slice::<Transcribed>(&body).map_err(|error| provider.unreadable(error))?;
        charge.owe(transcribed.duration.map_or(at_most, |seconds| price(control, seconds)));
        Ok(transcribed)
    });
    let Transcribed { text, language: spoken, duration } = answered.await?;
    let language = language.or_else(|| iso_code(&spoken?));
    Answer::of(&Transcription { text, language, duration_seconds: duration, model: MODEL })
}

/// As the provider takes it: its content type, and its bytes.
fn form(audio: Vec<u8>, mime_type: &str, language: Option<&str>, prompt: Option<&str>) -> Result<(String, Vec<u8>), ApiError> {
    let extension = extension(mime_type).ok_or_else(|| {
        ApiError::invalid("mimeType", "mimeType must be one of audio/flac, audio/mpeg, audio/mp4, audio/ogg, audio/wav and audio/webm")
    })?;
    let fields = [("model", Some(MODEL)), ("response_format", Some("verbose_json")), ("language", language), ("prompt", prompt)];
    let field = |(name, value): (&str, Option<&str>)| {
        Some(Part { name: name.to_owned(), filename: None, content_type: None, data: value?.as_bytes().to_vec() })
    };
    let mut parts: Vec<Part> = fields.into_iter().filter_map(field).collect();
    let (filename, content_type) = (Some(format!("audio.{extension}")), Some(mime_type.to_owned()));
    parts.push(Part { name: "file".to_owned(), filename, content_type, data: audio });
    Ok(multipart::write(&parts))
}

fn price(control: &Control, seconds: f64) -> Usd {
    const MILLISECONDS_PER_MINUTE: u128 = 60_000;
    // Whatever is no time is none.
    control.config().ai.transcription_minute_usd.scaled((seconds * 1000.0).ceil() as u128, MILLISECONDS_PER_MINUTE)
}

fn too_large(field: &str) -> ApiError {
    let details = Some(Box::new(serde_json::json!({ "field": field })));
    ApiError { details, ..ApiError::new(ErrorCode::PayloadTooLarge, format!("a recording has at most {AUDIO_BYTES_MAX} bytes")) }
}

/// `data:audio/ogg;base64,…`, or what stands behind the comma alone.
fn decoded(text: &str) -> Result<Audio, ApiError> {
    let (mime_type, base64) = match text.strip_prefix("data:").and_then(|uri| uri.split_once(',')) {
        Some((about, base64)) => (Some(essence(about)).filter(|mime| !mime.is_empty()).map(str::to_owned), base64),
        None => (None, text),
    };
    if base64.len() / 4 * 3 > AUDIO_BYTES_MAX {
        return Err(too_large("base64"));
    }
    let bytes = BASE64_STANDARD.decode(base64.trim()).map_err(|error| ApiError::invalid("base64", format!("base64: {error}")))?;
    if bytes.is_empty() {
        return Err(ApiError::invalid("base64", "the recording is empty"));
    }
    Ok(Audio { bytes, mime_type })
}

async fn fetched(control: &Control, caller: &Caller, means: &Means, url: &str) -> Result<Audio, ApiError> {
    let fetch = Fetch { method: "GET", url, headers: &[], body: Bytes::new(), timeout: None, response_bytes_max: AUDIO_BYTES_MAX };
    let tenant = caller.id().into();
    let refused = |error: mirra_host_sdk::OperationError| match error.code {
        ErrorCode::PayloadTooLarge => too_large("url"),
        ErrorCode::HandlerError | ErrorCode::ValidationError => {
            ApiError::invalid("url", format!("the recording cannot be read: {}", error.message))
        }
        _ => error.into(),
    };
    let reach = match &means.handler {
        // What a handler may reach, it may reach in this way.
        Some(handler) => {
            means.charge("the recording", control.config().http_request_usd)?;
            Reach::Handler(handler.allowed_hosts.as_deref())
        }
        None => control.reach_of(caller.id()).await?,
    };
    let mut fetched = control.egress().fetch(&tenant, reach, fetch, means.time_left()).await.map_err(refused)?;
    if fetched.status != 200 {
        return Err(ApiError::invalid("url", format!("the recording cannot be read: {url} answered {}", fetched.status)));
    }
    let mime_type = fetched.headers.get("content-type").and_then(|value| value.to_str().ok());
    // What servers say of files that they do not know is no type of audio.
    let mime_type = mime_type.map(essence).filter(|mime| extension(mime).is_some()).map(str::to_owned);
    let bytes = fetched.whole().await.map_err(refused)?;
    if bytes.is_empty() {
        return Err(ApiError::invalid("url", "the recording is empty"));
    }
    Ok(Audio { bytes, mime_type })
}

/// What it may be, and by which ending the provider knows it.
fn extension(mime_type: &str) -> Option<&'static str> {
    let (kind, subtype) = mime_type.split_once('/')?;
    if !matches!(kind, "audio" | "video" | "application") {
        return None;
    }
    Some(match subtype {
        "flac" | "x-flac" => "flac",
        "mpeg" | "mp3" | "mpga" | "x-mpeg" => "mp3",
        "mp4" => "mp4",
        "m4a" | "x-m4a" | "aac" => "m4a",
        "ogg" | "opus" => "ogg",
        "wav" | "x-wav" | "wave" | "vnd.wave" => "wav",
        "webm" => "webm",
        _ => return None,
    })
}

/// Without parameters, such as `codecs`.
fn essence(mime_type: &str) -> &str {
    mime_type.split(';').next().unwrap_or_default().trim()
}

/// The provider says `english` where this API says `en`. None: a language without such a code.
fn iso_code(language: &str) -> Option<String> {
    // A code first: there is a language called En.
    let language = Language::from_639_1(language).or_else(|| Language::from_name_lowercase(&language.to_lowercase()))?;
    language.to_639_1().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_have_codes() {
        assert_eq!(
            ["english", "German", "en", "japanese", "klingon"].map(iso_code),
            [Some("en"), Some("de"), Some("en"), Some("ja"), None].map(|code| code.map(str::to_owned))
        );
    }
}
