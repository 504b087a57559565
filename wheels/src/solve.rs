//! Which distributions a handler gets.
//!
//! First pip resolves as it would on an ordinary machine, native wheels included. So it is known what everybody else would
//! get, and what of that is native. For those, the pure wheel of the same version is looked for; packages that work without
//! their native files keep the native wheel. If others remain, pip resolves once more with pure wheels only, and what became
//! older thereby is told. Asking for pure wheels alone from the start would take old versions without a word.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    time::Duration,
};

use tokio::time::timeout;

use crate::{
    Engine, Error, NativePackage, Needed, Place, Requirements,
    explain::{self, STAND_IN_MARK},
    native::{hint_for, is_never_pure, works_without},
    pip::{Arguments, Output, Pip, REPORT},
    report::{self, Found, name_in},
    stand_in,
};

/// What was found, and what the author should know of it.
#[derive(Debug)]
pub(crate) struct Solution {
    pub found: Vec<Found>,
    pub notes: Vec<String>,
}

pub(crate) struct Solver<'a> {
    pip: &'a Pip,
    requirements: &'a Requirements,
    engine: &'a Engine,
    version: (u32, u32),
    /// How long pip may look for a choice without native packages.
    backtracking: Duration,
    /// Distributions that pip knows by a stand-in, by name and version.
    originals: BTreeMap<(String, String), Found>,
    /// Requirements for which wheels of older Pythons have been looked for.
    looked_for: BTreeSet<String>,
}

/// Folders and files in pip's own folder.
pub(crate) const STAND_INS: &str = "stand-ins";
const WANTED: &str = "wanted.txt";
const CONSTRAINTS: &str = "constraints.txt";

/// The oldest Python whose wheels are looked at. What they hold besides native code has to run on the engine's.
const OLDEST_MINOR: u32 = 9;

impl<'a> Solver<'a> {
    pub fn new(pip: &'a Pip, requirements: &'a Requirements, engine: &'a Engine, backtracking: Duration) -> Result<Self, Error> {
        let version = engine.version()?;
        Ok(Self { pip, requirements, engine, version, backtracking, originals: BTreeMap::new(), looked_for: BTreeSet::new() })
    }

    pub async fn solve(mut self) -> Result<Solution, Error> {
        self.prepare()?;
        let mut found = self.with_native().await?;
        let native = self.take_pure(&mut found).await?;
        if native.is_empty() { Ok(Solution { found, notes: Vec::new() }) } else { self.without(native, &found).await }
    }

    /// Lays out what pip reads: the requirements, and stand-ins for what the engine comes with.
    fn prepare(&self) -> Result<(), Error> {
        let folder = self.pip.work.join(STAND_INS);
        fs::create_dir(&folder).map_err(|error| Error::Internal(error.to_string()))?;
        for (name, version) in &self.engine.provided {
            stand_in::write(&folder, &crate::requirements::normalize(name), &marked(version), &[], &[])?;
        }
        let wanted: Vec<String> = self.requirements.list.iter().map(|requirement| requirement.spec.to_string()).collect();
        self.write(WANTED, &wanted)?;
        self.write(CONSTRAINTS, &self.constraints())
    }

    /// The mark makes a stand-in's version one that no index has, and that still fits whatever the version itself fits.
    fn constraints(&self) -> Vec<String> {
        self.engine.provided.iter().map(|(name, version)| format!("{name}=={}", marked(version))).collect()
    }

    fn write(&self, file: &str, lines: &[String]) -> Result<(), Error> {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        fs::write(self.pip.work.join(file), text).map_err(|error| Error::Internal(format!("{file}: {error}")))
    }

    /// One run of pip: what it found, or what it said instead.
    async fn attempt(&self, arguments: &Arguments) -> Result<Result<Vec<Found>, Output>, Error> {
        let output = self.pip.run(arguments.as_slice(), &mut |_| {}).await?;
        if !output.is_success {
            return Ok(Err(output));
        }
        let json = fs::read(self.pip.work.join(REPORT)).map_err(|error| Error::Internal(format!("pip's report: {error}")))?;
        report::parse(&json).map(Ok)
    }

    fn resolve_wanted(&self) -> Arguments {
        Arguments::resolve().with(["--requirement", WANTED, "--constraint", CONSTRAINTS, "--find-links", STAND_INS])
    }

    fn any_wheel(&self, arguments: Arguments) -> Arguments {
        arguments.any_wheel(&self.engine.python_version, self.version)
    }

    /// What an ordinary machine would get, without what the engine comes with.
    async fn with_native(&mut self) -> Result<Vec<Found>, Error> {
        loop {
            match self.attempt(&self.any_wheel(self.resolve_wanted())).await? {
                Ok(found) => return Ok(self.real(found)),
                Err(output) if self.find_older(&output).await? => {}
                Err(output) => return Err(self.why(&output).await?),
            }
        }
    }

    /// Puts what stand-ins stand for in their place.
    fn real(&self, found: Vec<Found>) -> Vec<Found> {
        let others = found.into_iter().filter(|found| self.engine.provides(&found.name).is_none());
        others.map(|found| self.originals.get(&(found.name.clone(), found.version.clone())).cloned().unwrap_or(found)).collect()
    }

    /// A package whose native files will be left out may be built for an older Python. Answers whether one was found that
    /// pip did not find by itself.
    async fn find_older(&mut self, output: &Output) -> Result<bool, Error> {
        let unsatisfied = explain::unsatisfied(output).map(|unsatisfied| unsatisfied.requirement);
        let causes = explain::conflict(output);
        let causes = causes.iter().filter_map(|line| explain::cause(line)).map(|(_, requirement)| requirement.to_owned());
        let mut is_new = false;
        for requirement in unsatisfied.into_iter().chain(causes) {
            if works_without(&name_in(&requirement)) && self.looked_for.insert(requirement.clone()) {
                is_new |= self.find_built_for_older(&requirement).await?;
            }
        }
        Ok(is_new)
    }

    async fn find_built_for_older(&mut self, requirement: &str) -> Result<bool, Error> {
        let (major, minor) = self.version;
        for minor in (OLDEST_MINOR..minor).rev() {
            let arguments = Arguments::resolve().any_wheel(&format!("{major}.{minor}"), (major, minor)).with(["--no-deps", requirement]);
            if let Ok(found) = self.attempt(&arguments).await? {
                for found in found {
                    self.stand_in_for(Found { built_for: Some((major, minor)), ..found })?;
                }
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn stand_in_for(&mut self, found: Found) -> Result<(), Error> {
        stand_in::write(&self.pip.work.join(STAND_INS), &found.name, &found.version, &found.requires, &found.extras)?;
        self.originals.insert((found.name.clone(), found.version.clone()), found);
        Ok(())
    }

    /// Replaces native wheels by pure ones of the same version. Answers what has none and does not work without.
    async fn take_pure(&self, found: &mut [Found]) -> Result<Vec<NativePackage>, Error> {
        let mut native = Vec::new();
        let needs_pure = |found: &&Found| !found.is_pure() && !is_never_pure(&found.name);
        let mut open: Vec<Found> = found.iter().filter(needs_pure).cloned().collect();
        while !open.is_empty() {
            let exact: Vec<String> = open.iter().map(|found| format!("{}=={}", found.name, found.version)).collect();
            let arguments =
                Arguments::resolve().pure(&self.engine.python_version).with(["--no-deps"]).with(exact.iter().map(String::as_str));
            let output = match self.attempt(&arguments).await? {
                Ok(pure) => {
                    replace(found, pure);
                    break;
                }
                Err(output) => output,
            };
            // pip names the first that it cannot satisfy; the others are asked for again.
            let unsatisfied = explain::unsatisfied(&output);
            let at = unsatisfied.as_ref().and_then(|it| open.iter().position(|found| found.name == name_in(&it.requirement)));
            let (Some(unsatisfied), Some(at), None) = (unsatisfied, at, explain::unreached(&output)) else {
                return Err(self.why(&output).await?);
            };
            let open = open.remove(at);
            if works_without(&open.name) {
                continue;
            }
            let package = self.native(&open, found, &unsatisfied.versions);
            if self.engine.is_elsewhere(&package.name) {
                let place = self.place_by(&package.name, found);
                return Err(Error::Elsewhere(Needed { what: package.name, by: package.needed_by, place }));
            }
            native.push(package);
        }
        Ok(native)
    }

    fn native(&self, package: &Found, found: &[Found], pure_versions: &[String]) -> NativePackage {
        NativePackage {
            name: package.name.clone(),
            version: package.version.clone(),
            needed_by: self.needed_by(&package.name, found),
            pure_version: pure_versions.iter().rev().find(|version| version.bytes().all(|b| b.is_ascii_digit() || b == b'.')).cloned(),
            advice: hint_for(&package.name).map(|hint| hint.advice.to_owned()),
        }
    }

    /// Resolves with pure wheels only. The native packages may not even come in a version of old that was pure: who requires
    /// one of them wants what it is now.
    async fn without(&mut self, native: Vec<NativePackage>, found: &[Found]) -> Result<Solution, Error> {
        let refusal = |packages: Vec<NativePackage>| {
            let place = packages.first().and_then(|first| self.place_by(&first.name, found));
            Error::Native { place, packages }
        };
        if native.iter().any(|package| self.requirements.find(&package.name).is_some()) {
            return Err(refusal(native));
        }
        let mut constraints = self.constraints();
        constraints.extend(native.iter().map(|package| format!("{}=={}", package.name, package.version)));
        let hints = native.iter().filter_map(|package| hint_for(&package.name));
        constraints.extend(hints.flat_map(|hint| hint.instead).map(|&requirement| requirement.to_owned()));
        self.write(CONSTRAINTS, &constraints)?;
        let refusal = refusal(native.clone());
        for package in found.iter().filter(|found| !found.is_pure()).filter(|found| works_without(&found.name)) {
            self.stand_in_for(package.clone())?;
        }
        let arguments = self.resolve_wanted().pure(&self.engine.python_version);
        match timeout(self.backtracking, self.attempt(&arguments)).await {
            Ok(Ok(Ok(pure))) => {
                let pure = self.real(pure);
                let notes = notes(&native, found, &pure);
                Ok(Solution { found: pure, notes })
            }
            Ok(Err(error)) => Err(error),
            // Whatever pip says now, or if it does not end: the cause is the native packages.
            Ok(Ok(Err(_))) | Err(_) => Err(refusal),
        }
    }

    /// The package that requires another one, unless the handler does.
    fn needed_by(&self, name: &str, found: &[Found]) -> Option<String> {
        if self.requirements.find(name).is_some() {
            return None;
        }
        let requiring = |found: &&Found, is_wanted: fn(&str) -> bool| {
            found.requires.iter().any(|requirement| is_wanted(requirement) && name_in(requirement) == name)
        };
        // An extra is the reason only if there is no other.
        let parent = found.iter().find(|found| requiring(found, |requirement| !requirement.contains("extra ==")));
        parent.or_else(|| found.iter().find(|found| requiring(found, |_| true))).map(|parent| parent.name.clone())
    }

    /// The handler's own requirement that leads to a package.
    fn place_by(&self, name: &str, found: &[Found]) -> Option<Place> {
        let mut name = name.to_owned();
        // As many steps as there are packages, since they may require each other in a circle.
        for _ in 0..=found.len() {
            match self.requirements.place_of(&name) {
                Some(place) => return Some(place),
                None => name = self.needed_by(&name, found)?,
            }
        }
        None
    }

    /// What is required, as pip writes it, with what is known of where that comes from.
    fn needed(&self, requirement: &str, by: Option<String>) -> Needed {
        let list = &self.requirements.list;
        let place = self.requirements.place_of(by.as_deref().unwrap_or(&name_in(requirement)));
        let only = || (list.len() == 1).then(|| list[0].place.clone());
        Needed { what: requirement.to_owned(), place: place.or_else(only), by }
    }

    /// Why pip found nothing.
    async fn why(&self, output: &Output) -> Result<Error, Error> {
        if let Some(explain::Unsatisfied { requirement, needed_by, versions }) = explain::unsatisfied(output) {
            let needed = self.needed(&requirement, needed_by);
            return match versions.is_empty() {
                _ if self.engine.is_elsewhere(&name_in(&requirement)) => Ok(Error::Elsewhere(needed)),
                false => Ok(Error::NoVersion { needed, available: versions }),
                true => self.why_nothing(output, needed).await,
            };
        }
        let causes = explain::conflict(output);
        if !causes.is_empty() {
            return Ok(self.contradiction(causes));
        }
        Ok(match explain::unreached(output) {
            _ if explain::wanted_a_program(output) => report::by_address("one of the packages"),
            Some(detail) => Error::Network { detail },
            None => Error::Internal(explain::last_words(output)),
        })
    }

    fn contradiction(&self, causes: Vec<String>) -> Error {
        let parts: Vec<(Option<String>, &str)> = causes.iter().filter_map(|line| explain::cause(line)).collect();
        for (by, requirement) in &parts {
            let name = name_in(requirement);
            if let Some(version) = self.engine.provides(&name).filter(|version| excludes(requirement, version)) {
                return Error::Provided { needed: self.needed(requirement, by.clone()), provided: format!("{name} {version}") };
            }
        }
        let names = parts.iter().map(|(by, requirement)| by.clone().unwrap_or_else(|| name_in(requirement)));
        let place = names.into_iter().find_map(|name| self.requirements.place_of(&name));
        Error::Conflict { place, causes }
    }

    /// pip treats an index that it cannot reach, a package that does not exist and one without a wheel alike. What it says
    /// when asked for details tells them apart.
    async fn why_nothing(&self, output: &Output, needed: Needed) -> Result<Error, Error> {
        if let Some(detail) = explain::unreached(output) {
            return Ok(Error::Network { detail });
        }
        let name = name_in(&needed.what);
        let arguments = self.any_wheel(Arguments::resolve()).with(["--no-deps", "-vv", &name]);
        let output = self.pip.run(arguments.as_slice(), &mut |_| {}).await?;
        let failed = explain::failed_pages(&output);
        if let Some(reason) = failed.iter().find(|reason| !reason.starts_with("404")) {
            return Ok(Error::Network { detail: explain::cause_of_failure(reason) });
        }
        let hint = || hint_for(&name).map(|hint| format!("; {}", hint.advice)).unwrap_or_default();
        Ok(match explain::why_unusable(&output) {
            Some(reason) => Error::NoWheel { needed, reason: format!("{reason}{}", hint()) },
            None => Error::NotFound(needed),
        })
    }
}

fn marked(version: &str) -> String {
    if version.contains('+') { version.to_owned() } else { format!("{version}{STAND_IN_MARK}") }
}

fn replace(found: &mut [Found], pure: Vec<Found>) {
    for pure in pure {
        if let Some(native) = found.iter_mut().find(|found| found.name == pure.name) {
            native.file = pure.file;
            native.sha256 = pure.sha256;
        }
    }
}

/// Whether a requirement, as pip writes it, excludes a version.
fn excludes(requirement: &str, version: &str) -> bool {
    let requirement = requirement.parse::<pep508_rs::Requirement>();
    let (Ok(requirement), Ok(version)) = (requirement, version.parse::<pep508_rs::pep440_rs::Version>()) else { return false };
    match requirement.version_or_url {
        Some(pep508_rs::VersionOrUrl::VersionSpecifier(versions)) => !versions.contains(&version),
        _ => false,
    }
}

/// What became older for want of native code.
fn notes(native: &[NativePackage], found: &[Found], pure: &[Found]) -> Vec<String> {
    let names: Vec<&str> = native.iter().map(|package| package.name.as_str()).collect();
    let names = names.join(" and ");
    let older =
        pure.iter().filter_map(|pure| found.iter().find(|found| found.name == pure.name && found.version != pure.version).zip(Some(pure)));
    let note = |(newest, taken): (&Found, &Found)| {
        let Found { name, version, .. } = taken;
        format!("{name} {version} is taken instead of {}: native code, which cannot run in the sandbox, is in {names}", newest.version)
    };
    older.map(note).collect()
}
