//! What of a handler is sent to a server: its own source files, as texts.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use anyhow::{Context, anyhow};

use crate::{
    failure::Failure,
    http::API_BODY_BYTES_MAX,
    survey::{is_handler, is_hidden},
};

/// As many as a script may have.
const FILES_MAX: usize = 1_000;
/// That are named when they are left out.
const NAMED_MAX: usize = 10;

const WHAT_IS_A_HANDLER: &str =
    "It needs a file handler or index, as .ts, .js, .mjs or .py, or a package.json whose main names one. 'mirra new NAME' makes a folder.";

/// The texts of a handler.
#[derive(Debug)]
pub struct Sources {
    /// By their names in the handler's folder.
    pub files: BTreeMap<String, String>,
    pub runtime: &'static str,
    /// Of a single file: how it is called here. A server knows it by the name of every handler.
    pub only: Option<String>,
    /// What was not sent, with the reason.
    pub left_out: Vec<String>,
}

/// # Errors
/// There is no handler, or it is none that can be sent.
pub fn gather(path: &Path) -> Result<Sources, Failure> {
    let kind = fs::metadata(path).with_context(|| format!("cannot read {}", path.display())).map_err(Failure::wrong_use)?;
    if kind.is_dir() { folder(path) } else { file(path) }
}

/// How a handler is called where nobody says: by its folder, or by its file where that has a name of its own.
pub fn name_of(path: &Path) -> Result<String, Failure> {
    let absolute = path.canonicalize().with_context(|| format!("cannot read {}", path.display())).map_err(Failure::wrong_use)?;
    let stem = if absolute.is_dir() { absolute.file_name() } else { absolute.file_stem() };
    let is_common = !absolute.is_dir() && stem.is_some_and(|stem| stem == "handler" || stem == "index");
    let named = if is_common { absolute.parent().and_then(Path::file_name) } else { stem };
    let name = named.and_then(|name| name.to_str()).map(str::to_owned);
    name.ok_or_else(|| Failure::wrong_use(anyhow!("{} says no name for a script", path.display())).next_step("Give one with --name NAME."))
}

fn file(path: &Path) -> Result<Sources, Failure> {
    let shown = path.display();
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let is_python = extension == "py";
    if !(is_python || mirra_bundler::EXTENSIONS.contains(&extension)) {
        let failure = Failure::wrong_use(anyhow!("{shown} is no source of a handler: scripts are kept as texts"));
        return Err(failure.next_step("Deploy a .ts, .js, .mjs or .py file, or a folder. A .wasm component runs with 'mirra serve'."));
    }
    let text = match read(path).with_context(|| format!("cannot read {shown}")).map_err(Failure::wrong_use)? {
        Content::Text(text) => text,
        Content::Binary => return Err(Failure::wrong_use(anyhow!("{shown} is not a text in UTF-8"))),
        Content::TooLong => return Err(too_long(&[])),
    };
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    Ok(Sources {
        files: BTreeMap::from([(format!("handler.{extension}"), text)]),
        runtime: runtime(is_python),
        only: Some(name.to_owned()),
        left_out: Vec::new(),
    })
}

fn folder(path: &Path) -> Result<Sources, Failure> {
    if !is_handler(path) {
        let failure = Failure::wrong_use(anyhow!("there is no handler in {}", path.display()));
        return Err(failure.next_step(WHAT_IS_A_HANDLER));
    }
    let mut walk = Walk::default();
    walk.folder(path, "").with_context(|| format!("cannot read {}", path.display())).map_err(Failure::wrong_use)?;
    let Walk { files, left_out, .. } = walk;
    if files.len() >= FILES_MAX {
        let failure = Failure::wrong_use(anyhow!("{} has {FILES_MAX} files or more, and a script less", path.display()));
        return Err(failure.next_step("Deploy the handler's own folder; packages come from package.json or requirements.txt."));
    }
    if files.iter().map(|(name, text)| (name.len() + text.len()) as u64).sum::<u64>() > API_BODY_BYTES_MAX {
        let mut largest: Vec<_> = files.iter().map(|(name, text)| (text.len() as u64, name.clone())).collect();
        largest.sort_by(|a, b| b.cmp(a));
        return Err(too_long(&largest));
    }
    Ok(Sources { files, runtime: runtime(mirra_runtime::is_python_handler(path)), only: None, left_out: shortened(left_out) })
}

fn runtime(is_python: bool) -> &'static str {
    if is_python { "python3.11" } else { "nodejs18" }
}

fn too_long(largest: &[(u64, String)]) -> Failure {
    let failure = Failure::wrong_use(anyhow!("the handler's files are larger than the {API_BODY_BYTES_MAX} bytes that a server takes"));
    let named: Vec<_> = largest.iter().take(3).map(|(bytes, name)| format!("{name} ({})", crate::terminal::size(*bytes))).collect();
    if named.is_empty() { failure } else { failure.next_step(format!("The largest: {}.", named.join(", "))) }
}

/// What was left out, as far as a person reads it.
fn shortened(mut left_out: Vec<String>) -> Vec<String> {
    let more = left_out.len().saturating_sub(NAMED_MAX);
    left_out.truncate(NAMED_MAX);
    if more > 0 {
        left_out.push(format!("{more} more"));
    }
    left_out
}

#[derive(Default)]
struct Walk {
    files: BTreeMap<String, String>,
    left_out: Vec<String>,
    bytes: u64,
}

impl Walk {
    /// `below`: the folder's name in the handler's, with a slash behind it.
    fn folder(&mut self, folder: &Path, below: &str) -> io::Result<()> {
        let mut children: Vec<PathBuf> = folder.read_dir()?.map(|child| Ok(child?.path())).collect::<io::Result<_>>()?;
        // In order of their names, so that what is said is the same every time.
        children.sort();
        for child in children {
            // Where there are more or they are longer, no more of them are of interest.
            if self.files.len() >= FILES_MAX || self.bytes > API_BODY_BYTES_MAX {
                break;
            }
            let Some(name) = child.file_name().and_then(|name| name.to_str()) else {
                self.left_out.push(format!("{below}{}: its name is not UTF-8", child.file_name().unwrap_or_default().to_string_lossy()));
                continue;
            };
            if !is_hidden(&child) && name != "__pycache__" {
                self.child(&child, format!("{below}{name}"))?;
            }
        }
        Ok(())
    }

    fn child(&mut self, child: &Path, name: String) -> io::Result<()> {
        // The type of the entry itself: what links lead to may be anything of this machine.
        let kind = fs::symlink_metadata(child)?.file_type();
        if kind.is_dir() {
            return self.folder(child, &format!("{name}/"));
        }
        if !kind.is_file() {
            self.left_out.push(format!("{name}: a link or no file"));
            return Ok(());
        }
        match read(child)? {
            Content::Text(text) => {
                self.bytes += text.len() as u64;
                self.files.insert(name, text);
            }
            Content::Binary => self.left_out.push(format!("{name}: binary, and scripts are kept as texts")),
            Content::TooLong => self.left_out.push(format!("{name}: longer than the {API_BODY_BYTES_MAX} bytes that a server takes")),
        }
        Ok(())
    }
}

enum Content {
    Text(String),
    Binary,
    TooLong,
}

fn read(path: &Path) -> io::Result<Content> {
    let mut bytes = Vec::new();
    File::open(path)?.take(API_BODY_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(match bytes.len() as u64 > API_BODY_BYTES_MAX {
        true => Content::TooLong,
        false if bytes.contains(&0) => Content::Binary,
        false => String::from_utf8(bytes).map_or(Content::Binary, Content::Text),
    })
}
