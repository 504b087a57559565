//! Requests to a server: one operation each, with its answer or the server's own words.

use std::{fmt, time::Duration};

use anyhow::anyhow;
use bytes::Bytes;
use mirra_egress::{Egress, EgressConfig, Fetch, Reach};
use mirra_host_sdk::{AllowList, ErrorCode};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json, value::RawValue};

use super::{ServerFlags, settings};
use crate::{
    failure::{Exit, Failure},
    http::{API_BODY_BYTES_MAX, API_PREFIX},
};

/// Longer than a run may take, or an installation of packages.
const TIME_MAX: Duration = Duration::from_secs(330);
/// More than the results of a hundred runs usually have, and less than would hurt.
const ANSWER_BYTES_MAX: usize = 64 << 20;
/// What is shown of an answer that is not the API's.
const SHOWN_CHARACTERS_MAX: usize = 200;

/// A server, and who asks.
pub struct Client {
    egress: Egress,
    pub url: String,
    key: String,
}

/// What an operation answered.
#[derive(Debug)]
pub struct Answer {
    pub data: Box<RawValue>,
    /// Of a list: how many there are in all.
    pub total: Option<u64>,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Unanswered {
    Refused(Refusal),
    Failed(Failure),
}

/// The server's own words.
#[derive(Debug, Deserialize)]
pub struct Refusal {
    pub code: ErrorCode,
    pub message: String,
    #[serde(default)]
    pub details: Value,
    /// Of `RATE_LIMITED`.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
}

#[derive(Deserialize)]
struct Envelope {
    data: Option<Box<RawValue>>,
    meta: Option<Meta>,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct Meta {
    total: u64,
}

impl Client {
    /// # Errors
    /// The URL is none, or nobody said a key.
    pub fn new(flags: &ServerFlags) -> Result<Client, Failure> {
        let settings = settings::Settings::load()?;
        let url = settings.url(flags.url.as_deref())?;
        let key = settings.key(&url).ok_or_else(|| {
            let message = anyhow!("there is no key for {url}");
            Failure::wrong_use(message).next_step(format!("{HOW_TO_GIVE_A_KEY}\n  {HOW_TO_GET_A_KEY}"))
        })?;
        Client::with_key(url, key)
    }

    pub fn with_key(url: String, key: String) -> Result<Client, Failure> {
        let config = EgressConfig { root_certificates_pem: settings::root_certificates(&url)?, ..EgressConfig::new(AllowList::default()) };
        Ok(Client { egress: Egress::new(config).map_err(Failure::wrong_use)?, url, key })
    }

    /// `operation` is an adapter and one of its operations, such as `scripts.getScript`.
    pub async fn call(&self, operation: &str, params: &impl Serialize) -> Result<Answer, Unanswered> {
        let (adapter, method) = operation.split_once('.').unwrap_or_default();
        let body = json!({ "resourceId": adapter, "method": method, "params": params });
        let body = serde_json::to_vec(&body).map_err(Failure::host)?;
        if body.len() as u64 > API_BODY_BYTES_MAX {
            let message = anyhow!("this is {} bytes to send, and a server takes {API_BODY_BYTES_MAX}", body.len());
            return Err(Failure::wrong_use(message).into());
        }
        let (status, retry_after, answer) = self.post("/v2/resources/call", body).await?;
        match serde_json::from_slice::<Envelope>(&answer) {
            Ok(Envelope { data: Some(data), error: None, meta }) => Ok(Answer { data, total: meta.map(|meta| meta.total) }),
            Ok(Envelope { error: Some(refusal), .. }) => Err(Unanswered::Refused(Refusal { retry_after, ..refusal })),
            _ => Err(self.no_api(status, &answer).into()),
        }
    }

    async fn post(&self, path: &str, body: Vec<u8>) -> Result<(u16, Option<Duration>, Vec<u8>), Failure> {
        let headers = [("content-type".to_owned(), "application/json".to_owned()), ("x-api-key".to_owned(), self.key.clone())];
        let url = format!("{}{API_PREFIX}{path}", self.url);
        let fetch = Fetch {
            method: "POST",
            url: &url,
            headers: &headers,
            body: Bytes::from(body),
            timeout: None,
            response_bytes_max: ANSWER_BYTES_MAX,
        };
        let unreachable = |error: mirra_host_sdk::OperationError| {
            let failure = Failure::host(anyhow!("{}", error.message).context(format!("no answer from {}", self.url)));
            failure
                .next_step("Start a server with 'mirra serve PATH...' or 'mirra dev PATH...', or name another with --url URL or MIRRA_URL.")
        };
        let mut answer = self.egress.fetch(&"".into(), Reach::Anywhere, fetch, TIME_MAX).await.map_err(unreachable)?;
        let retry_after = answer.headers.get("retry-after").and_then(|seconds| seconds.to_str().ok()?.parse().ok());
        let body = answer.whole().await.map_err(unreachable)?;
        Ok((answer.status, retry_after.map(Duration::from_secs), body))
    }

    fn no_api(&self, status: u16, answer: &[u8]) -> Failure {
        let shown: String = String::from_utf8_lossy(answer).chars().filter(|c| !c.is_control()).take(SHOWN_CHARACTERS_MAX).collect();
        let message = anyhow!("{} answered with status {status} and not as a mirra server does: {shown}", self.url);
        Failure::host(message).next_step("Is it the right one? Name it with --url URL or MIRRA_URL, without /api/sdk.")
    }
}

const HOW_TO_GIVE_A_KEY: &str = "Give one in MIRRA_API_KEY, or keep one: mirra login --url URL < file-with-the-key";
const HOW_TO_GET_A_KEY: &str =
    "'mirra serve' shows the owner's key at its first start (or takes it from MIRRA_OWNER_KEY); 'mirra keys create' makes more.";

impl From<Unanswered> for Failure {
    fn from(unanswered: Unanswered) -> Failure {
        match unanswered {
            Unanswered::Failed(failure) => failure,
            Unanswered::Refused(refusal) => refusal.into(),
        }
    }
}

impl From<Failure> for Unanswered {
    fn from(failure: Failure) -> Unanswered {
        Unanswered::Failed(failure)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Failure {
        let failure = Failure::of(Exit::from(refusal.code), anyhow!("{}", refusal.message));
        match refusal.code {
            ErrorCode::Unauthorized => failure.next_step(format!("{HOW_TO_GIVE_A_KEY}\n  {HOW_TO_GET_A_KEY}")),
            _ => failure.next_step(refusal.to_string()),
        }
    }
}

/// The code and the details, which say more to programs than to people.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut details = self.details.clone();
        // They are what the message says.
        details.as_object_mut().map(|details| details.remove("problems"));
        f.write_str(self.code.as_str())?;
        if !details.is_null() {
            write!(f, " {details}")?;
        }
        if let Some(after) = self.retry_after {
            write!(f, " (try again in {} s)", after.as_secs())?;
        }
        Ok(())
    }
}

/// What a server answers, as it is expected to be.
pub fn read<T: DeserializeOwned>(data: &RawValue) -> Result<T, Failure> {
    let unexpected = |error| Failure::host(anyhow::Error::new(error).context("the server's answer is not what was expected"));
    serde_json::from_str(data.get()).map_err(unexpected)
}
