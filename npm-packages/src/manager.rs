//! The package managers: by which lock one knows them, and how each is told to install exactly that lock and to run nothing.

/// Whose lock it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manager {
    /// package-lock.json, npm-shrinkwrap.json.
    Npm,
    /// pnpm-lock.yaml.
    Pnpm,
    /// yarn.lock of version 1.
    YarnClassic,
    /// yarn.lock of any later one.
    Yarn,
}

/// Locks, in the order that counts if there are several and package.json does not say which.
pub(crate) const LOCKS: [&str; 4] = ["npm-shrinkwrap.json", "package-lock.json", "pnpm-lock.yaml", "yarn.lock"];

const NPM: &[&str] = &[
    "ci",
    "--ignore-scripts",
    "--omit=dev",
    "--no-audit",
    "--no-fund",
    "--no-progress",
    "--no-update-notifier",
    "--no-global",
    "--no-dry-run",
    "--no-bin-links",
    "--install-strategy=hoisted",
    "--loglevel=error",
];

/// Hoisted: as npm would lay it out, without links into a store.
const PNPM: &[&str] = &[
    "install",
    "--frozen-lockfile",
    "--ignore-scripts",
    "--ignore-pnpmfile",
    "--prod",
    "--reporter=append-only",
    "--config.node-linker=hoisted",
    "--config.confirm-modules-purge=false",
    "--config.enable-global-virtual-store=false",
    "--config.manage-package-manager-versions=false",
];

const YARN_CLASSIC: &[&str] =
    &["install", "--frozen-lockfile", "--ignore-scripts", "--production", "--non-interactive", "--no-progress", "--no-bin-links"];

/// It has no way to install a lock without what is for development.
const YARN: &[&str] = &["install", "--immutable", "--mode=skip-build"];

/// Its settings stand in the environment; a copy of itself that lies in the project is not run.
const YARN_ENV: &[(&str, &str)] = &[
    ("YARN_NODE_LINKER", "node-modules"),
    ("YARN_NM_MODE", "classic"),
    ("YARN_ENABLE_SCRIPTS", "0"),
    ("YARN_ENABLE_TELEMETRY", "0"),
    ("YARN_ENABLE_COLORS", "0"),
    ("YARN_ENABLE_PROGRESS_BARS", "0"),
    ("YARN_ENABLE_HYPERLINKS", "0"),
    ("YARN_IGNORE_PATH", "1"),
];

impl Manager {
    /// Whose lock this is, by its name and how it begins.
    pub(crate) fn of(lock: &str, text: &str) -> Self {
        match lock {
            "pnpm-lock.yaml" => Self::Pnpm,
            "yarn.lock" if text.lines().any(|line| line.starts_with("__metadata:")) => Self::Yarn,
            "yarn.lock" => Self::YarnClassic,
            _ => Self::Npm,
        }
    }

    /// The program.
    pub fn name(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Pnpm => "pnpm",
            Self::YarnClassic | Self::Yarn => "yarn",
        }
    }

    /// What writes the lock anew.
    pub fn update(self) -> &'static str {
        match self {
            Self::Npm => "npm install",
            Self::Pnpm => "pnpm install",
            Self::YarnClassic | Self::Yarn => "yarn install",
        }
    }

    pub(crate) fn args(self) -> &'static [&'static str] {
        match self {
            Self::Npm => NPM,
            Self::Pnpm => PNPM,
            Self::YarnClassic => YARN_CLASSIC,
            Self::Yarn => YARN,
        }
    }

    pub(crate) fn env(self) -> &'static [(&'static str, &'static str)] {
        if self == Self::Yarn { YARN_ENV } else { &[] }
    }

    /// The major versions of the program that do what is asked of it, if not all of them do: yarn's flags of one time mean nothing at
    /// another, and are not objected to.
    pub(crate) fn majors(self) -> Option<std::ops::RangeInclusive<u32>> {
        match self {
            Self::YarnClassic => Some(1..=1),
            Self::Yarn => Some(2..=u32::MAX),
            Self::Npm | Self::Pnpm => None,
        }
    }
}
