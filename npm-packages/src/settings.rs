//! What a manager is given of the project's settings, and of the host's environment: how registries are reached, and no more. A
//! setting can name a program (`git`, `yarnPath`, `plugins`), and a variable in it a secret of the host, next to a registry of the project's own
//! choice (`//evil.example/:_authToken=${NPM_TOKEN}`). Registries that want to know who asks are for the settings of whoever runs the host.

use std::ffi::{OsStr, OsString};

use serde_json::Value;

use crate::sources::{self, Outside};

/// Settings in `.npmrc`, besides those of a scope (`@mine:registry`) and of a registry (`//npm.example/:_authToken`).
const NPMRC: [&str; 6] =
    ["registry", "legacy-peer-deps", "strict-peer-deps", "auto-install-peers", "always-auth", "link-workspace-packages"];

/// Settings of a registry that name no program.
const OF_REGISTRY: [&str; 6] = [":_authToken", ":_auth", ":username", ":_password", ":email", ":always-auth"];

/// Settings in `.yarnrc.yml`.
const YARNRC: [&str; 10] = [
    "catalog",
    "catalogs",
    "compressionLevel",
    "defaultProtocol",
    "npmAuthIdent",
    "npmAuthToken",
    "npmRegistries",
    "npmRegistryServer",
    "npmScopes",
    "packageExtensions",
];

/// Variables that managers are given, in either case.
const VARIABLES: [&str; 20] = [
    "ALL_PROXY",
    "COREPACK_HOME",
    "COREPACK_NPM_REGISTRY",
    "HOME",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "LANG",
    "NODE_AUTH_TOKEN",
    "NODE_EXTRA_CA_CERTS",
    "NO_PROXY",
    "NPM_TOKEN",
    "PATH",
    "PNPM_HOME",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TMPDIR",
    "USER",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
];

/// npm's own settings in variables: how it reaches a registry.
const OF_NPM: [&str; 17] = [
    "CA",
    "CACHE",
    "CAFILE",
    "CERT",
    "FETCH_RETRIES",
    "FETCH_RETRY_MAXTIMEOUT",
    "FETCH_RETRY_MINTIMEOUT",
    "FETCH_TIMEOUT",
    "GLOBALCONFIG",
    "HTTPS_PROXY",
    "KEY",
    "NOPROXY",
    "OFFLINE",
    "PROXY",
    "REGISTRY",
    "STRICT_SSL",
    "USERCONFIG",
];

/// Whether a manager is given a variable of the host.
pub fn is_kept(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_ascii_uppercase();
    let of_npm = name.strip_prefix("NPM_CONFIG_");
    VARIABLES.contains(&&*name)
        || name.starts_with("LC_")
        || of_npm.is_some_and(|setting| OF_NPM.contains(&&*setting.replace('-', "_")) || setting.starts_with("//"))
}

/// The lines of a `.npmrc` that say how registries are reached.
pub fn npmrc(text: &str) -> Result<String, Outside> {
    let is_kept = |line: &&str| {
        let name = line.split('=').next().unwrap_or_default().trim();
        let of_registry = || name.starts_with("//") && OF_REGISTRY.iter().any(|setting| name.ends_with(setting));
        let is_known = || NPMRC.contains(&name) || (name.starts_with('@') && name.ends_with(":registry")) || of_registry();
        !line.contains('$') && is_known()
    };
    Ok(text.lines().filter(is_kept).flat_map(|line| [line, "\n"]).collect())
}

/// The same of a `.yarnrc.yml`.
pub fn yarnrc(text: &str) -> Result<String, Outside> {
    let mut kept = sources::kept(text, &YARNRC).ok_or_else(|| no_yaml(".yarnrc.yml"))?;
    kept.retain(|_, value| !value.to_string().contains('$'));
    ["catalog", "catalogs", "packageExtensions"]
        .iter()
        .filter_map(|name| kept.get(*name))
        .try_for_each(|value| sources::specifiers(value, 0))?;
    Ok(Value::Object(kept).to_string())
}

/// Of pnpm's settings those that say what is installed.
pub fn pnpm_workspace(text: &str) -> Result<String, Outside> {
    let mut settings = sources::yaml(text).ok_or_else(|| no_yaml("pnpm-workspace.yaml"))?;
    sources::pnpm_settings(&mut settings)?;
    Ok(settings.to_string())
}

fn no_yaml(file: &str) -> Outside {
    Outside { what: file.to_owned(), reason: "it is no YAML, or has anchors, merges or a key twice" }
}

/// Values that no message may show.
pub fn secrets<'t>(settings: impl IntoIterator<Item = &'t str>, env: &[(OsString, OsString)]) -> Vec<String> {
    let is_secret = |name: &str| ["auth", "token", "password", "key", "secret"].iter().any(|word| name.to_ascii_lowercase().contains(word));
    let of_lines = settings.into_iter().flat_map(str::lines).filter_map(|line| line.split_once('=').or_else(|| line.split_once(": ")));
    let of_lines = of_lines.map(|(name, value)| (name.to_owned(), value.trim().trim_matches(['"', '\'']).to_owned()));
    let of_env = env.iter().map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()));
    let secrets = of_lines.chain(of_env).filter(|(name, value)| is_secret(name) && value.len() > 3);
    secrets.map(|(_, value)| value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn settings_that_name_programs_are_left_out() {
        let text = "registry=https://r.example/\ngit=/tmp/evil\n@me:registry = https://m.example\n//m.example/:_authToken=abcd\n\
                    //m.example/:tokenHelper=/tmp/evil\nscript-shell=/tmp/evil\nnode-options=--require ./evil.js\n//evil.example/:_authToken=${NPM_TOKEN}\n";
        let kept = "registry=https://r.example/\n@me:registry = https://m.example\n//m.example/:_authToken=abcd\n";
        assert_eq!(npmrc(text).ok().as_deref(), Some(kept));
        let text =
            "yarnPath: .yarn/evil.cjs\nnpmScopes:\n  me:\n    npmAuthToken: abcd\nplugins:\n  - ./evil.cjs\nnpmAuthToken: ${NPM_TOKEN}\n";
        let parsed = |settings: Result<String, Outside>| settings.ok().map(|text| serde_json::from_str::<Value>(&text).unwrap());
        assert_eq!(parsed(yarnrc(text)), Some(json!({ "npmScopes": { "me": { "npmAuthToken": "abcd" } } })));
        assert!(yarnrc("a: &x 1\nb: *x\n").is_err());
        let text = "packages: [packages/*]\nmodulesDir: ../victim\nstoreDir: ../evil\noverrides: { a: npm:b@1 }\n";
        assert_eq!(parsed(pnpm_workspace(text)), Some(json!({ "overrides": { "a": "npm:b@1" }, "packages": ["packages/*"] })));
        assert!(pnpm_workspace("packages: [../x]\n").is_err() && pnpm_workspace("catalog: { a: u/r }\n").is_err());
    }

    #[test]
    fn secrets_of_the_host_are_not_handed_on() {
        for name in ["PATH", "https_proxy", "npm_config_registry", "NPM_TOKEN", "npm_config_//r.example/:_authToken", "LC_ALL"] {
            assert!(is_kept(OsStr::new(name)), "{name}");
        }
        for name in
            ["AWS_SECRET_ACCESS_KEY", "npm_config_git", "npm_config_script_shell", "NODE_OPTIONS", "MIRRA_DATA", "npm_config_prefix"]
        {
            assert!(!is_kept(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn secrets_are_known_by_their_names() {
        let env = [("NPM_TOKEN".into(), "from-env".into()), ("PATH".into(), "/usr/bin".into())];
        let settings = ["//m.example/:_authToken = \"from-file\"\nregistry=https://r.example/", "npmAuthToken: from-yarn"];
        assert_eq!(secrets(settings, &env), ["from-file", "from-yarn", "from-env"]);
    }
}
