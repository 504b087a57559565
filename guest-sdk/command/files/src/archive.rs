//! A tar archive as a tree, read where it lies.
//!
//! Nothing is kept of it, as every instance would have to find it out again: looking something up goes through the archive's
//! headers, of which the Python library has 500. (A test in `runtime/src/files.rs` holds this against what the host does.)

use core::iter::successors;

const BLOCK_BYTES: usize = 512;

// Fields of a header.
const PATH_BYTES: usize = 100;
const SIZE_AT: usize = 124;
const SIZE_DIGITS: usize = 11;
const KIND_AT: usize = 156;

/// The kind of an entry that is nothing but the path of the next one, which was too long for its header.
const LONG_PATH: u8 = b'L';

/// The folder that everything is in.
pub const ROOT: u32 = 0;

/// An id is the number of an entry's block in the upper bits, and in the lower how much of its path is meant. That is enough
/// for archives of 512 MiB.
const LENGTH_BITS: u32 = 12;
const LENGTH_MAX: usize = (1 << LENGTH_BITS) - 1;

#[derive(Clone, Copy)]
pub struct Archive<'a>(pub &'a [u8]);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    pub id: u32,
    pub is_folder: bool,
    pub size: u64,
}

/// A file; tar needs none for a folder.
struct Entry<'a> {
    /// Where it begins.
    block: usize,
    path: &'a [u8],
    content: &'a [u8],
    /// Where the next one begins.
    next: usize,
}

/// Something in the tree: a file by its entry, a folder by the first entry below it.
struct Node<'a> {
    block: usize,
    path: &'a [u8],
}

impl<'a> Archive<'a> {
    /// What lies at `path`, seen from a folder. Parts of it may be empty, `.` or `..`; nothing is above the root.
    pub fn find(self, folder: u32, path: &[u8]) -> Option<File> {
        let mut at = self.node(folder)?;
        for part in path.split(|byte| *byte == b'/') {
            at = match part {
                b"" | b"." => at,
                b".." => self.parent(&at)?,
                name => self.child(&at, name)?,
            };
        }
        let file = self.file(&at);
        let id = ((at.block << LENGTH_BITS) | at.path.len()) as u32;
        Some(File { id, is_folder: file.is_none(), size: file.map_or(0, |content| content.len() as u64) })
    }

    /// Up to `length` bytes of a file from `offset` on.
    pub fn read(self, id: u32, offset: u64, length: u32) -> &'a [u8] {
        let content = self.node(id).and_then(|node| self.file(&node)).unwrap_or_default();
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(content.len());
        let rest = &content[start..];
        &rest[..rest.len().min(length as usize)]
    }

    /// For how many names there must be room.
    pub fn names_max(self, folder: u32) -> usize {
        self.node(folder).map_or(0, |folder| self.names_below(&folder).count())
    }

    /// Names in a folder, sorted, those of folders with a slash behind them.
    pub fn names<'r>(self, folder: u32, room: &'r mut [&'a [u8]]) -> &'r [&'a [u8]] {
        let Some(folder) = self.node(folder) else { return &[] };
        let mut count = 0;
        for name in self.names_below(&folder) {
            let place = room[..count].binary_search_by(|other| without_slash(other).cmp(without_slash(name)));
            // A folder is met once for everything in it.
            if let Err(place) = place {
                room[place..=count].rotate_right(1);
                room[place] = name;
                count += 1;
            }
        }
        &room[..count]
    }

    fn node(self, id: u32) -> Option<Node<'a>> {
        if id == ROOT {
            // Also of an empty archive.
            return Some(Node { block: 0, path: b"" });
        }
        let block = (id >> LENGTH_BITS) as usize;
        let path = self.entry(block)?.path.get(..id as usize & LENGTH_MAX)?;
        Some(Node { block, path })
    }

    /// The content, if it is no folder.
    fn file(self, node: &Node<'_>) -> Option<&'a [u8]> {
        self.entry(node.block).filter(|entry| entry.path == node.path).map(|entry| entry.content)
    }

    fn child(self, folder: &Node<'_>, name: &[u8]) -> Option<Node<'a>> {
        self.entries(folder.block).find_map(|entry| {
            let below = below(entry.path, folder.path)?;
            let len = entry.path.len() - below.len() + name.len();
            let is_it = without_slash(first_part(below)) == name && len <= LENGTH_MAX;
            is_it.then(|| Node { block: entry.block, path: &entry.path[..len] })
        })
    }

    fn parent(self, node: &Node<'_>) -> Option<Node<'a>> {
        let Some(len) = node.path.iter().rposition(|byte| *byte == b'/') else { return self.node(ROOT) };
        let first = self.entries(0).find(|entry| below(entry.path, &node.path[..len]).is_some())?;
        Some(Node { block: first.block, path: &first.path[..len] })
    }

    fn names_below(self, folder: &Node<'_>) -> impl Iterator<Item = &'a [u8]> {
        self.entries(folder.block).filter_map(|entry| below(entry.path, folder.path).map(first_part))
    }

    /// Those from a block on.
    fn entries(self, block: usize) -> impl Iterator<Item = Entry<'a>> {
        successors(self.entry(block), move |entry| self.entry(entry.next))
    }

    /// None: the archive is at its end.
    fn entry(self, block: usize) -> Option<Entry<'a>> {
        let (header, rest) = self.0.get(block * BLOCK_BYTES..)?.split_first_chunk::<BLOCK_BYTES>()?;
        let size = octal(&header[SIZE_AT..SIZE_AT + SIZE_DIGITS]);
        let content = rest.get(..size)?;
        let next = block + 1 + size.div_ceil(BLOCK_BYTES);
        if header[KIND_AT] == LONG_PATH {
            return Some(Entry { block, path: up_to_zero(content), ..self.entry(next)? });
        }
        let path = up_to_zero(&header[..PATH_BYTES]);
        (!path.is_empty()).then_some(Entry { block, path, content, next })
    }
}

/// The part of a path below a folder, if that is where it leads.
fn below<'p>(path: &'p [u8], folder: &[u8]) -> Option<&'p [u8]> {
    if folder.is_empty() { Some(path) } else { path.strip_prefix(folder)?.strip_prefix(b"/") }
}

/// With the slash that follows it.
fn first_part(path: &[u8]) -> &[u8] {
    path.iter().position(|byte| *byte == b'/').map_or(path, |slash| &path[..=slash])
}

fn without_slash(name: &[u8]) -> &[u8] {
    name.strip_suffix(b"/").unwrap_or(name)
}

fn up_to_zero(bytes: &[u8]) -> &[u8] {
    bytes.iter().position(|byte| *byte == 0).map_or(bytes, |end| &bytes[..end])
}

fn octal(digits: &[u8]) -> usize {
    digits.iter().fold(0, |value, digit| value << 3 | usize::from(digit & 7))
}
