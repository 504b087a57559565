//! Files that handlers see, read-only: those of their language and their own, in one tree.
//!
//! They are read where they lie, in archives that the host has open; an instance that reads none has paid for none.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Cursor,
    ops::Range,
    sync::{Arc, LazyLock},
};

use wasmtime::{Result, bail, error::Context};

/// Bytes of an archive, in memory or mapped from a file.
pub type Bytes = Box<dyn AsRef<[u8]> + Send + Sync>;

/// The folder that everything is in.
pub const ROOT: u32 = 0;

/// An id is the number of its archive in the upper bits, and of the node in it in the lower.
const NODE_BITS: u32 = 24;

/// Files and folders of an archive. Those of a command may be anybody's, and few bytes can name many folders.
const NODES_MAX: usize = 1 << 17;

/// Archives that are packed into one: a language has some three.
const PACKED_MAX: usize = 8;

/// A tar archive, taken in as a tree.
pub struct Archive {
    bytes: Bytes,
    nodes: Vec<Node>,
}

enum Node {
    File(Range<usize>),
    /// Nodes by name.
    Folder(BTreeMap<Box<str>, u32>),
}

/// Every archive is a folder of the root.
#[derive(Default, Clone)]
pub struct Files(Arc<Vec<(String, Mounted)>>);

/// Opened when the first handler looks into it: most never do.
type Mounted = Arc<LazyLock<Arc<Archive>, Box<dyn FnOnce() -> Arc<Archive> + Send>>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    pub id: u32,
    pub is_folder: bool,
    pub size: u64,
}

impl Archive {
    /// One with nothing in it.
    pub fn empty() -> Archive {
        Archive { bytes: Box::new([0_u8; 0]), nodes: vec![Node::Folder(BTreeMap::new())] }
    }

    /// Fails if `bytes` are no tar archive, or if it names something outside of itself.
    pub fn open(bytes: Bytes) -> Result<Archive> {
        let mut nodes = vec![Node::Folder(BTreeMap::new())];
        for_each_file(bytes.as_ref().as_ref(), |path, range, _| insert(&mut nodes, path, range))?;
        Ok(Archive { bytes, nodes })
    }
}

/// Every file of a tar archive: its path, where its content lies, and that.
pub fn for_each_file(archive: &[u8], mut take: impl FnMut(&str, Range<usize>, &[u8]) -> Result<()>) -> Result<()> {
    for entry in tar::Archive::new(Cursor::new(archive)).entries()? {
        let entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let start = entry.raw_file_position() as usize;
        let range = start..start.saturating_add(entry.size() as usize);
        let content = archive.get(range.clone()).context("an archive that ends within a file")?;
        take(entry.path()?.to_str().context("a path that is not UTF-8")?, range, content)?;
    }
    Ok(())
}

fn insert(nodes: &mut Vec<Node>, path: &str, range: Range<usize>) -> Result<()> {
    let mut at = 0;
    let mut parts = path.split('/').peekable();
    while let Some(part) = parts.next() {
        if part.is_empty() || part == "." || part == ".." {
            bail!("an archive with the path {path:?}");
        }
        let next = nodes.len() as u32;
        if next as usize >= NODES_MAX {
            bail!("an archive with too many files");
        }
        let is_file = parts.peek().is_none();
        let Some(Node::Folder(children)) = nodes.get_mut(at as usize) else { bail!("an archive with something in a file: {path:?}") };
        match children.get(part) {
            Some(child) => at = *child,
            None => {
                children.insert(part.into(), next);
                nodes.push(if is_file { Node::File(range.clone()) } else { Node::Folder(BTreeMap::new()) });
                at = next;
            }
        }
    }
    Ok(())
}

impl Files {
    /// Everything that is there, and `archive` as the folder `name` of the root.
    pub fn with(&self, name: impl Into<String>, archive: Arc<Archive>) -> Files {
        self.with_later(name, move || archive)
    }

    /// The same with an archive that is opened when it is first looked into.
    pub fn with_later(&self, name: impl Into<String>, open: impl FnOnce() -> Arc<Archive> + Send + 'static) -> Files {
        let mut archives = Vec::clone(&self.0);
        archives.push((name.into(), Arc::new(LazyLock::new(Box::new(open)))));
        Files(Arc::new(archives))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One archive of all archives, their folders in front of the paths.
    pub fn pack(&self) -> Result<Vec<u8>> {
        let mut packed = tar::Builder::new(Vec::new());
        for (folder, archive) in self.0.iter() {
            for_each_file((*archive.bytes).as_ref(), |path, _, content| append(&mut packed, &format!("{folder}/{path}"), content))?;
        }
        Ok(packed.into_inner()?)
    }

    /// What lies at `path`, seen from a folder. Parts of it may be empty, `.` or `..`; nothing is above the root.
    pub fn find(&self, folder: u32, path: &str) -> Option<File> {
        // Folders do not know what they are in, so the way back is remembered.
        let mut way = vec![folder];
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." if way.len() > 1 => drop(way.pop()),
                // Above where the search began: only the root is known to be there.
                ".." => way = vec![ROOT],
                name => way.push(self.child(*way.last()?, name)?),
            }
        }
        self.describe(*way.last()?)
    }

    fn child(&self, folder: u32, name: &str) -> Option<u32> {
        if folder == ROOT {
            let archive = self.0.iter().position(|(archive, _)| archive == name)?;
            return Some((archive as u32 + 1) << NODE_BITS);
        }
        let (number, _, node) = self.node(folder)?;
        let Node::Folder(children) = node else { return None };
        children.get(name).map(|node| number << NODE_BITS | node)
    }

    /// The number of the archive that a node is in, that archive, and the node.
    fn node(&self, id: u32) -> Option<(u32, &Archive, &Node)> {
        let number = id >> NODE_BITS;
        let (_, archive) = self.0.get((number as usize).checked_sub(1)?)?;
        Some((number, archive, archive.nodes.get((id & ((1 << NODE_BITS) - 1)) as usize)?))
    }

    fn describe(&self, id: u32) -> Option<File> {
        if id == ROOT {
            return Some(File { id, is_folder: true, size: 0 });
        }
        Some(match self.node(id)?.2 {
            Node::File(range) => File { id, is_folder: false, size: range.len() as u64 },
            Node::Folder(_) => File { id, is_folder: true, size: 0 },
        })
    }

    /// Up to `length` bytes of a file from `offset` on.
    pub fn read(&self, id: u32, offset: u64, length: u32) -> &[u8] {
        let Some((_, archive, Node::File(range))) = self.node(id) else { return &[] };
        let content = (*archive.bytes).as_ref().get(range.clone()).unwrap_or_default();
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(content.len());
        let end = start.saturating_add(length as usize).min(content.len());
        &content[start..end]
    }

    /// Names in a folder, sorted, those of folders with a slash behind them.
    pub fn names(&self, id: u32) -> Vec<String> {
        if id == ROOT {
            let names: BTreeSet<_> = self.0.iter().map(|(name, _)| name).collect();
            return names.into_iter().map(|name| format!("{name}/")).collect();
        }
        let Some((_, archive, Node::Folder(children))) = self.node(id) else { return Vec::new() };
        let is_folder = |node: &u32| matches!(archive.nodes.get(*node as usize), Some(Node::Folder(_)));
        children.iter().map(|(name, node)| if is_folder(node) { format!("{name}/") } else { name.to_string() }).collect()
    }
}

/// An archive of these files, by path.
pub fn pack<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, content) in files {
        append(&mut archive, path, content)?;
    }
    Ok(archive.into_inner()?)
}

/// The archives that [`Files::pack`] made one of, with their folders.
pub fn unpack(packed: &[u8]) -> Result<Vec<(String, Vec<u8>)>> {
    let mut archives = BTreeMap::new();
    for_each_file(packed, |path, _, content| {
        let (folder, path) = path.split_once('/').with_context(|| format!("an archive with {path:?} in no folder"))?;
        let archive = archives.entry(folder.to_owned()).or_insert_with(|| tar::Builder::new(Vec::new()));
        append(archive, path, content)?;
        if archives.len() > PACKED_MAX { bail!("an archive with more than {PACKED_MAX} folders") } else { Ok(()) }
    })?;
    archives.into_iter().map(|(folder, archive)| Ok((folder, archive.into_inner()?))).collect()
}

fn append(archive: &mut tar::Builder<Vec<u8>>, path: &str, content: &[u8]) -> Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o444);
    Ok(archive.append_data(&mut header, path, content)?)
}

/// What shows commands their files is no code of the host's. It must see what this sees.
#[cfg(test)]
#[path = "../../guest-sdk/command/files/src/archive.rs"]
mod in_commands;

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Files {
        let archive = |files: &[(&str, &[u8])]| Arc::new(Archive::open(Box::new(pack(files.iter().copied()).unwrap())).unwrap());
        let library = archive(&[("os.py", b"import sys"), ("json/decoder.py", b"x"), ("json/__init__.py", b"")]);
        Files::default().with("python", library).with("handler", archive(&[("handler.py", b"def handler(event, context): ...")]))
    }

    #[test]
    fn files_are_found_by_path() {
        let files = files();
        let found = files.find(ROOT, "/python/json/decoder.py").unwrap();
        assert_eq!((found.is_folder, found.size), (false, 1));
        assert_eq!(files.find(ROOT, "python//json/./../os.py").unwrap().size, 10);
        assert!(files.find(ROOT, "").unwrap().is_folder);
        assert!(files.find(ROOT, "python/json").unwrap().is_folder);
        assert_eq!(files.find(ROOT, "../../handler/handler.py"), files.find(ROOT, "handler/handler.py"));
        for missing in ["python/none.py", "python/os.py/x", "etc/passwd", "python/jso"] {
            assert_eq!(files.find(ROOT, missing), None, "{missing}");
        }
        let json = files.find(ROOT, "python/json").unwrap().id;
        assert_eq!(files.find(json, "decoder.py"), Some(found));
        assert_eq!(files.find(json, ""), files.find(ROOT, "python/json"));
        assert_eq!(files.find(u32::MAX, "x"), None);
    }

    #[test]
    fn files_are_read_in_part() {
        let files = files();
        let id = files.find(ROOT, "python/os.py").unwrap().id;
        assert_eq!(files.read(id, 0, 6), b"import");
        assert_eq!(files.read(id, 7, 100), b"sys");
        assert_eq!(files.read(id, u64::MAX, u32::MAX), b"");
        assert_eq!(files.read(ROOT, 0, 10), b"");
        assert_eq!(files.read(u32::MAX, 0, 10), b"");
    }

    #[test]
    fn folders_are_listed() {
        let files = files();
        assert_eq!(files.names(ROOT), ["handler/", "python/"]);
        assert_eq!(files.names(files.find(ROOT, "python").unwrap().id), ["json/", "os.py"]);
        assert!(files.names(files.find(ROOT, "python/os.py").unwrap().id).is_empty());
    }

    #[test]
    fn archives_come_back_out_of_one_archive() {
        let library = pack([("os.py", &b"import sys"[..]), ("json/decoder.py", b"x")]).unwrap();
        let handler = pack([(&*format!("{}.py", "long/".repeat(30)), &b"x"[..])]).unwrap();
        let open = |archive: &Vec<u8>| Arc::new(Archive::open(Box::new(archive.clone())).unwrap());
        let files = Files::default().with("python", open(&library)).with("handler", open(&handler));
        assert_eq!(unpack(&files.pack().unwrap()).unwrap(), [("handler".to_owned(), handler), ("python".to_owned(), library)]);
        assert!(unpack(&pack([("in no folder", &b""[..])]).unwrap()).is_err());
        assert!(unpack(b"no archive").is_err());
    }

    #[test]
    fn archives_that_would_take_too_much_memory_are_refused() {
        let folders: Vec<String> = (0..=PACKED_MAX).map(|number| format!("{number}/x")).collect();
        let unpacked = |folders: &[String]| unpack(&pack(folders.iter().map(|path| (&**path, &b""[..]))).unwrap());
        assert_eq!(unpacked(&folders[1..]).unwrap().len(), PACKED_MAX);
        assert!(unpacked(&folders).is_err());
        let open = |depth: usize| Archive::open(Box::new(pack([(&*("x/".repeat(depth) + "x"), &b""[..])]).unwrap()));
        assert!(open(NODES_MAX - 2).is_ok());
        assert!(open(NODES_MAX - 1).is_err());
    }

    #[test]
    fn commands_see_the_same() {
        let long = format!("{}.py", "long/".repeat(30));
        let packages = [("a/x", &b"x"[..]), ("b", b""), ("a-b/c", b"c"), ("a/y/z", b"z"), ("a.py", &[1; 1024]), (&long, b"long")];
        let packages = Archive::open(Box::new(pack(packages).unwrap())).unwrap();
        let files = files().with("packages", Arc::new(packages));
        let packed = files.pack().unwrap();
        assert_eq!(same_below(&files, in_commands::Archive(&packed), ""), 48);
        assert_eq!(same_below(&Files::default(), in_commands::Archive(&[0; 2048]), ""), 1);
        for path in ["python/none.py", "python/os.py/x", "etc/passwd", "python/jso", "../..//packages/a/./y/../x", "packages/.."] {
            same_at(&files, in_commands::Archive(&packed), path);
        }
        assert_eq!(in_commands::Archive(&packed).find(u32::MAX, b"x"), None);
    }

    /// How many files and folders are at a path and below it.
    fn same_below(files: &Files, command: in_commands::Archive<'_>, path: &str) -> usize {
        let names = same_at(files, command, path);
        1 + names.iter().map(|name| same_below(files, command, &format!("{path}/{name}"))).sum::<usize>()
    }

    fn same_at(files: &Files, command: in_commands::Archive<'_>, path: &str) -> Vec<String> {
        let (Some(here), Some(there)) = (files.find(ROOT, path), command.find(in_commands::ROOT, path.as_bytes())) else {
            assert_eq!((files.find(ROOT, path), command.find(in_commands::ROOT, path.as_bytes())), (None, None), "{path}");
            return Vec::new();
        };
        assert_eq!((here.is_folder, here.size), (there.is_folder, there.size), "{path}");
        assert_eq!(command.find(there.id, b"."), Some(there));
        for (offset, length) in [(0, u32::MAX), (1, 2), (5, 0), (u64::MAX, 1)] {
            assert_eq!(files.read(here.id, offset, length), command.read(there.id, offset, length), "{path}");
        }
        let names = files.names(here.id);
        let mut room = vec![&[][..]; command.names_max(there.id)];
        assert_eq!(names.iter().map(String::as_bytes).collect::<Vec<_>>(), command.names(there.id, &mut room), "{path}");
        names
    }

    #[test]
    fn archives_that_lead_outside_are_refused() {
        for path in ["a/../../b", "/etc/passwd", "a//b"] {
            let mut nodes = vec![Node::Folder(BTreeMap::new())];
            assert!(insert(&mut nodes, path, 0..0).is_err(), "{path}");
        }
    }
}
