//! Options that several commands share, and what they mean.

use std::{
    ffi::OsString,
    net::{SocketAddr, ToSocketAddrs},
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow};
use clap::Args;
use mirra_control::{AiConfig, ApiKey, KeySource, PlatformLimits, Provider, SecretKey};
use mirra_host_sdk::{AllowEntry, AllowList, LimitError, Limits, PriceTable, Usd};
use mirra_runtime::cgroup::{self, Enclosed, Wall};
use serde::de::DeserializeOwned;
use url::Url;

use crate::{failure::Failure, terminal::say};

/// Where the host keeps things, and what it charges.
#[derive(Args)]
pub struct HostFlags {
    /// Folder for compiled code and for what users keep; several processes may share it. Default: mirra in $XDG_DATA_HOME or ~/.local/share
    #[arg(long, value_name = "DIR", env = "MIRRA_DATA", help_heading = "Host")]
    data: Option<PathBuf>,

    /// JSON file with prices that replace the default ones: callUsd, memoryGbSecondUsd, fuelBillionUsd,
    /// httpRequestUsd, memoryOperationUsd, transcriptionMinuteUsd, and aiModels, which has
    /// {inputUsdPerMillionTokens, outputUsdPerMillionTokens} by the names of models
    #[arg(long, value_name = "FILE", env = "MIRRA_PRICES", help_heading = "Host")]
    prices: Option<PathBuf>,

    /// JSON file with limits of accounts, scripts and flows that replace the default ones; GET /limits shows all
    #[arg(long, value_name = "FILE", env = "MIRRA_LIMITS", help_heading = "Host")]
    limits: Option<PathBuf>,

    /// Hosts that handlers may send HTTP requests to, separated by commas; none unless given. Such as api.example.com,
    /// *.example.org, 127.0.0.1:8080; * is every public host
    #[arg(long, value_name = "HOST[:PORT],...", value_delimiter = ',', help_heading = "Host")]
    allow_net: Vec<AllowEntry>,

    /// Where models are asked that speak the Messages API of Anthropic, with the key in MIRRA_AI_ANTHROPIC_KEY or ANTHROPIC_API_KEY
    #[arg(long, value_name = "URL", env = "MIRRA_ANTHROPIC_URL", default_value = Provider::ANTHROPIC_URL, help_heading = "Models")]
    anthropic_url: Url,

    /// Where audio is transcribed by the API of OpenAI, with the key in MIRRA_AI_OPENAI_KEY or OPENAI_API_KEY
    #[arg(long, value_name = "URL", env = "MIRRA_OPENAI_URL", default_value = Provider::OPENAI_URL, help_heading = "Models")]
    openai_url: Url,
}

impl HostFlags {
    pub fn data_folder(&self) -> PathBuf {
        let from = |variable: &str| std::env::var_os(variable).filter(|value: &OsString| !value.is_empty()).map(PathBuf::from);
        let data = self.data.clone();
        let data = data.or_else(|| from("XDG_DATA_HOME").map(|folder| folder.join("mirra")));
        let data = data.or_else(|| from("HOME").map(|home| home.join(".local/share/mirra")));
        data.unwrap_or_else(|| PathBuf::from(".mirra"))
    }

    pub fn cache_folder(&self) -> PathBuf {
        self.data_folder().join("cache")
    }

    /// What `--allow-net` names.
    pub fn allowed_hosts(&self) -> AllowList {
        self.allow_net.iter().cloned().collect()
    }

    /// Whose models are asked, and what they cost.
    pub fn ai(&self, prices: &PriceTable) -> Result<AiConfig, Failure> {
        Ok(AiConfig {
            anthropic: Provider::anthropic(self.anthropic_url.as_str(), key_of(["MIRRA_AI_ANTHROPIC_KEY", "ANTHROPIC_API_KEY"])?),
            openai: Provider::openai(self.openai_url.as_str(), key_of(["MIRRA_AI_OPENAI_KEY", "OPENAI_API_KEY"])?),
            models: prices.ai_models.clone(),
            transcription_minute_usd: prices.transcription_minute_usd,
        })
    }

    pub fn price_table(&self) -> Result<PriceTable, Failure> {
        read_or_default(self.prices.as_deref(), "prices")
    }

    pub fn platform_limits(&self) -> Result<PlatformLimits, Failure> {
        read_or_default(self.limits.as_deref(), "limits")
    }
}

fn read_or_default<T: Default + DeserializeOwned>(path: Option<&Path>, what: &str) -> Result<T, Failure> {
    let Some(path) = path else { return Ok(T::default()) };
    let read = || -> anyhow::Result<T> { Ok(serde_json::from_slice(&std::fs::read(path)?)?) };
    read().with_context(|| format!("cannot read {what} from {}", path.display())).map_err(Failure::wrong_use)
}

/// What credentials are encrypted with, where it is not in a file.
const SECRET_KEY: &str = "MIRRA_SECRET_KEY";

/// What they are to be encrypted with from now on.
pub const SECRET_KEY_NEXT: &str = "MIRRA_SECRET_KEY_NEXT";

/// From the environment only, as the owner's key.
pub fn secret_key() -> Result<Option<KeySource>, Failure> {
    match std::env::var(SECRET_KEY) {
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(error) => Err(Failure::wrong_use(anyhow!("{SECRET_KEY}: {error}"))),
        Ok(text) => match SecretKey::parse(&text) {
            Ok(_) => Ok(Some(KeySource::Given(text))),
            Err(error) => Err(Failure::wrong_use(anyhow!("{SECRET_KEY}: {error}"))),
        },
    }
}

/// An operator's key with a provider, by the first of these variables that is set. From the environment only, as the owner's key.
fn key_of(variables: [&str; 2]) -> Result<Option<ApiKey>, Failure> {
    for variable in variables {
        let Some(key) = std::env::var_os(variable).filter(|key| !key.to_string_lossy().trim().is_empty()) else { continue };
        // It goes into a header. Nothing of it is told.
        let key = key.to_str().map(str::trim).filter(|key| key.bytes().all(|byte| byte.is_ascii_graphic()));
        let key = key.ok_or_else(|| Failure::wrong_use(anyhow!("{variable} holds what no key has, such as spaces")))?;
        return Ok(Some(ApiKey::new(key)));
    }
    Ok(None)
}

/// The limits of a call that have a flag.
#[derive(Args)]
pub struct LimitFlags {
    /// Wall time of a call in seconds, 1 to 300
    #[arg(long, value_name = "SECONDS", default_value_t = 30, help_heading = "Limits")]
    timeout_s: u64,

    /// Memory of a call in MB, 128 to 3008; more memory means proportionally more CPU
    #[arg(long, value_name = "MB", default_value_t = 128, help_heading = "Limits")]
    memory_mb: u64,

    /// What a call may cost in US dollars: CPU, memory-time and priced operations together
    #[arg(long, value_name = "USD", default_value = "1", help_heading = "Limits")]
    max_cost_usd: Usd,
}

impl LimitFlags {
    pub fn limits(&self) -> Result<Limits, Failure> {
        let limits = || -> Result<Limits, LimitError> {
            let limits = Limits { cost_usd_max: self.max_cost_usd, ..Limits::default() };
            limits.with_timeout_s(self.timeout_s)?.with_memory_mb(self.memory_mb)
        };
        limits().map_err(Failure::wrong_use)
    }
}

/// The wall around the whole process, should a limit inside of it ever fail.
#[derive(Args)]
pub struct WallFlags {
    /// Memory of the server in MB, all calls together; as much as there is when not given
    #[arg(long, value_name = "MB", help_heading = "Host")]
    host_memory_mb: Option<u64>,

    /// Cores that the server may use, such as 1.5; all when not given
    #[arg(long, value_name = "CORES", help_heading = "Host")]
    host_cpus: Option<f64>,

    /// Threads and processes of the server
    #[arg(long, value_name = "NUMBER", default_value_t = 4096, help_heading = "Host")]
    host_pids: u32,
}

impl WallFlags {
    /// Puts this process into a control group, until what is answered is dropped. Where that is not allowed, the operator is
    /// told, and the limits of the calls have to do.
    pub fn enclose(&self) -> Option<Enclosed> {
        const MB: u64 = 1 << 20;
        let memory_bytes_max = self.host_memory_mb.map(|megabytes| megabytes.saturating_mul(MB));
        let wall = Wall { memory_bytes_max, cpu_cores_max: self.host_cpus, pids_max: Some(self.host_pids) };
        match cgroup::enclose(wall) {
            Ok(enclosed) => Some(enclosed),
            Err(reason) => {
                say(format_args!("no control group around the server, only the limits of each call: {reason}"));
                None
            }
        }
    }
}

/// Whoever knows it may call; nobody else, when there is one.
pub struct OwnerKey(blake3::Hash);

impl OwnerKey {
    const VARIABLE: &str = "MIRRA_OWNER_KEY";

    /// From the environment only: arguments can be read by every user of a machine.
    pub fn from_environment() -> Result<Option<OwnerKey>, Failure> {
        match std::env::var_os(Self::VARIABLE) {
            None => Ok(None),
            Some(key) if key.is_empty() => Err(Failure::wrong_use(anyhow!("{} is set, and empty", Self::VARIABLE))),
            Some(key) => Ok(Some(OwnerKey(blake3::hash(key.as_encoded_bytes())))),
        }
    }

    /// Takes the same time for every wrong key: comparing blake3 hashes does.
    pub fn is(&self, presented: &[u8]) -> bool {
        blake3::hash(presented) == self.0
    }
}

/// The address to listen on. Only this machine's own programs may call a server without a key.
pub fn listen_address(address: &str, key: Option<&OwnerKey>) -> Result<SocketAddr, Failure> {
    let resolved = address.to_socket_addrs().with_context(|| format!("{address} is no address to listen on"));
    let resolved = resolved.map_err(|error| Failure::wrong_use(error).next_step("Write it as HOST:PORT, such as 127.0.0.1:3000."))?;
    let resolved: Vec<SocketAddr> = resolved.collect();
    let Some(first) = resolved.first() else {
        return Err(Failure::wrong_use(anyhow!("{address} is the name of no address")));
    };
    if key.is_none() && !resolved.iter().all(|address| address.ip().is_loopback()) {
        let refusal = anyhow!("{address} can be reached from other machines, and there is no key that they would have to know");
        let next_step = format!("Set {} to a long random text, or listen on 127.0.0.1.", OwnerKey::VARIABLE);
        return Err(Failure::wrong_use(refusal).next_step(next_step));
    }
    Ok(*first)
}
