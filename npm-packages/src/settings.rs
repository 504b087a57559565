//! What a manager is given of the project's settings, and of the host's environment: how registries are reached, and no more. A
//! setting can name a program (`git`, `yarnPath`, `plugins`), and a variable in it any secret of the host (`${AWS_SECRET_ACCESS_KEY}`).

use std::ffi::{OsStr, OsString};

/// Settings in `.npmrc`, besides those of a scope (`@mine:registry`) and of a registry (`//npm.example/:_authToken`).
const NPMRC: [&str; 6] =
    ["registry", "legacy-peer-deps", "strict-peer-deps", "auto-install-peers", "always-auth", "link-workspace-packages"];

/// Settings of a registry that name no program.
const OF_REGISTRY: [&str; 6] = [":_authToken", ":_auth", ":username", ":_password", ":email", ":always-auth"];

/// Settings in `.yarnrc.yml`, with all that is indented below them.
const YARNRC: [&str; 11] = [
    "catalog",
    "catalogs",
    "compressionLevel",
    "defaultProtocol",
    "npmAlwaysAuth",
    "npmAuthIdent",
    "npmAuthToken",
    "npmRegistries",
    "npmRegistryServer",
    "npmScopes",
    "packageExtensions",
];

/// Variables that managers are given, in either case.
const VARIABLES: [&str; 21] = [
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
    "YARN_NPM_AUTH_TOKEN",
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
pub fn npmrc(text: &str) -> String {
    let is_kept = |line: &&str| {
        let name = line.split('=').next().unwrap_or_default().trim();
        let of_registry = || name.starts_with("//") && OF_REGISTRY.iter().any(|setting| name.ends_with(setting));
        NPMRC.contains(&name) || (name.starts_with('@') && name.ends_with(":registry")) || of_registry()
    };
    lines(text.lines().filter(is_kept))
}

/// The same of a `.yarnrc.yml`.
pub fn yarnrc(text: &str) -> String {
    let mut is_kept = false;
    lines(text.lines().filter(|line| {
        if !line.starts_with([' ', '\t', '-', '#']) && !line.trim().is_empty() {
            let name = line.split(':').next().unwrap_or_default().trim().trim_matches(['"', '\'']);
            is_kept = YARNRC.contains(&name);
        }
        is_kept
    }))
}

fn lines<'t>(kept: impl Iterator<Item = &'t str>) -> String {
    kept.flat_map(|line| [line, "\n"]).collect()
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

    #[test]
    fn settings_that_name_programs_are_left_out() {
        let npmrc_text = "registry=https://r.example/\ngit=/tmp/evil\n@me:registry = https://m.example\n//m.example/:_authToken=${NPM_TOKEN}\n\
                          //m.example/:tokenHelper=/tmp/evil\nscript-shell=/tmp/evil\nnode-options=--require ./evil.js\n";
        let kept = "registry=https://r.example/\n@me:registry = https://m.example\n//m.example/:_authToken=${NPM_TOKEN}\n";
        assert_eq!(npmrc(npmrc_text), kept);
        let yarnrc_text =
            "yarnPath: .yarn/evil.cjs\nnpmScopes:\n  me:\n    npmAuthToken: abcd\nplugins:\n  - ./evil.cjs\nnpmAuthToken: x\n";
        assert_eq!(yarnrc(yarnrc_text), "npmScopes:\n  me:\n    npmAuthToken: abcd\nnpmAuthToken: x\n");
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
