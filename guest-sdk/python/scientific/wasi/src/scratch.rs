//! `/tmp`: files in the engine's own memory. They live as long as the instance; what the handler's top level has written is in
//! its image.

use core::{ptr::null_mut, slice};

use ground::{Single, host};

use crate::{Errno, INVALID, NO_ENTRY, NOT_DIRECTORY, engine};

pub const EXISTS: Errno = 20;
const NOT_EMPTY: Errno = 55;
const NO_SPACE: Errno = 51;

/// The name of this folder in the root.
pub const NAME: &[u8] = b"tmp";

/// Tells numbers of these files from those of the host.
const FLAG: u32 = 1 << 31;
/// The folder itself.
pub const TOP: u32 = FLAG;

const NODES_MAX: usize = 1024;

struct Node {
    /// Place of the folder it is in. None: it is in no folder any more, and there until it is closed.
    parent: Option<u32>,
    name: Block,
    is_folder: bool,
    content: Block,
    /// How many descriptors there are for it.
    open: u32,
    /// When it was last written.
    time_us: u64,
}

/// Bytes in a block of the C library's.
struct Block {
    start: *mut u8,
    len: usize,
    room: usize,
}

impl Block {
    const EMPTY: Block = Block { start: null_mut(), len: 0, room: 0 };

    fn as_slice(&self) -> &[u8] {
        // SAFETY: so many bytes were written.
        if self.len == 0 { &[] } else { unsafe { slice::from_raw_parts(self.start, self.len) } }
    }

    /// What comes new is zero.
    fn resize(&mut self, len: usize) -> Result<(), Errno> {
        if len > self.room {
            let room = len.checked_next_power_of_two().ok_or(NO_SPACE)?.max(64);
            self.start = engine::resize(self.start, room).ok_or(NO_SPACE)?;
            self.room = room;
        }
        if len > self.len {
            // SAFETY: within the block.
            unsafe { self.start.add(self.len).write_bytes(0, len - self.len) };
        }
        self.len = len;
        Ok(())
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) -> Result<(), Errno> {
        let end = offset.checked_add(bytes.len()).ok_or(NO_SPACE)?;
        self.resize(self.len.max(end))?;
        // SAFETY: within the block, which the bytes are no part of.
        unsafe { self.start.add(offset).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        Ok(())
    }

    fn clear(&mut self) {
        if !self.start.is_null() {
            // SAFETY: a block that nobody has any more.
            unsafe { engine::free(self.start) };
        }
        *self = Block::EMPTY;
    }
}

/// All but the top, whose place would be 0.
struct Tree([Option<Node>; NODES_MAX]);

static TREE: Single<Tree> = Single::new(Tree([const { None }; NODES_MAX]));

/// What is at the end of a path.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    folder: u32,
    name: &'a [u8],
    node: Option<u32>,
}

impl Target<'_> {
    /// The number of the file that is there.
    pub fn id(&self) -> Option<u32> {
        self.node.map(|place| place | FLAG)
    }
}

pub fn is_here(id: u32) -> bool {
    id & FLAG != 0
}

fn place(id: u32) -> u32 {
    id & !FLAG
}

impl Tree {
    fn node(&mut self, place: u32) -> Option<&mut Node> {
        self.0.get_mut(place as usize)?.as_mut()
    }

    fn is_folder(&mut self, place: u32) -> bool {
        place == 0 || self.node(place).is_some_and(|node| node.is_folder)
    }

    fn child(&mut self, folder: u32, name: &[u8]) -> Option<u32> {
        let is_it = |node: &Option<Node>| node.as_ref().is_some_and(|node| node.parent == Some(folder) && node.name.as_slice() == name);
        self.0.iter().position(is_it).map(|place| place as u32)
    }

    fn add(&mut self, folder: u32, name: &[u8], is_folder: bool) -> Result<u32, Errno> {
        let free = self.0.iter().skip(1).position(Option::is_none).ok_or(NO_SPACE)? + 1;
        let mut node =
            Node { parent: Some(folder), name: Block::EMPTY, is_folder, content: Block::EMPTY, open: 0, time_us: host::unix_time_us() };
        node.name.write(0, name)?;
        self.0[free] = Some(node);
        Ok(free as u32)
    }

    /// Takes it out of its folder; it goes when nobody has it open.
    fn detach(&mut self, place: u32) {
        if let Some(node) = self.node(place) {
            node.parent = None;
        }
        self.release(place);
    }

    fn release(&mut self, place: u32) {
        if let Some(node) = self.node(place)
            && node.parent.is_none()
            && node.open == 0
        {
            node.name.clear();
            node.content.clear();
            self.0[place as usize] = None;
        }
    }
}

/// Follows a path from one of these folders on.
pub fn find(folder: u32, path: &[u8]) -> Result<Target<'_>, Errno> {
    TREE.with(|tree| {
        let mut at = Target { folder: 0, name: b"", node: Some(place(folder)) };
        for part in path.split(|byte| *byte == b'/') {
            let folder = at.node.ok_or(NO_ENTRY)?;
            if !tree.is_folder(folder) {
                return Err(NOT_DIRECTORY);
            }
            at = match part {
                b"" | b"." => at,
                b".." => {
                    let parent = tree.node(folder).and_then(|node| node.parent).unwrap_or(0);
                    Target { folder: 0, name: b"", node: Some(parent) }
                }
                name => Target { folder, name, node: tree.child(folder, name) },
            };
        }
        Ok(at)
    })
}

/// Whether it is a folder, how large it is, and when it was written.
pub fn describe(id: u32) -> Option<(bool, u64, u64)> {
    TREE.with(|tree| match tree.node(place(id)) {
        Some(node) => Some((node.is_folder, node.content.len as u64, node.time_us)),
        None => (id == TOP).then_some((true, 0, 0)),
    })
}

pub fn create(target: Target<'_>, is_folder: bool) -> Result<u32, Errno> {
    if target.node.is_some() {
        return Err(EXISTS);
    }
    TREE.with(|tree| tree.add(target.folder, target.name, is_folder)).map(|place| place | FLAG)
}

pub fn remove(target: Target<'_>, is_folder: bool) -> Result<(), Errno> {
    let node = target.node.ok_or(NO_ENTRY)?;
    TREE.with(|tree| {
        if node == 0 || tree.is_folder(node) != is_folder {
            return Err(if is_folder { NOT_DIRECTORY } else { INVALID });
        }
        if tree.0.iter().flatten().any(|child| child.parent == Some(node)) {
            return Err(NOT_EMPTY);
        }
        tree.detach(node);
        Ok(())
    })
}

pub fn rename(from: Target<'_>, to: Target<'_>) -> Result<(), Errno> {
    let node = from.node.filter(|node| *node != 0).ok_or(NO_ENTRY)?;
    if to.node == Some(node) {
        return Ok(());
    }
    TREE.with(|tree| {
        // A folder cannot go into itself.
        let mut above = Some(to.folder);
        while let Some(folder) = above.filter(|folder| *folder != 0) {
            if folder == node {
                return Err(INVALID);
            }
            above = tree.node(folder).and_then(|node| node.parent);
        }
        if let Some(old) = to.node {
            if tree.is_folder(old) || tree.is_folder(node) {
                return Err(EXISTS);
            }
            tree.detach(old);
        }
        let node = tree.node(node).ok_or(NO_ENTRY)?;
        node.name.resize(0)?;
        node.name.write(0, to.name)?;
        node.parent = Some(to.folder);
        Ok(())
    })
}

pub fn opened(id: u32) {
    TREE.with(|tree| {
        if let Some(node) = tree.node(place(id)) {
            node.open += 1;
        }
    });
}

pub fn closed(id: u32) {
    TREE.with(|tree| {
        if let Some(node) = tree.node(place(id)) {
            node.open = node.open.saturating_sub(1);
        }
        tree.release(place(id));
    });
}

pub fn set_size(id: u32, size: u64) -> Result<(), Errno> {
    let size = usize::try_from(size).map_err(|_| NO_SPACE)?;
    TREE.with(|tree| tree.node(place(id)).ok_or(INVALID)?.content.resize(size))
}

/// Answers how many bytes there were to read.
pub fn read(id: u32, offset: u64, into: &mut [u8]) -> usize {
    TREE.with(|tree| {
        let Some(node) = tree.node(place(id)) else { return 0 };
        let content = node.content.as_slice();
        let rest = content.get(usize::try_from(offset).unwrap_or(usize::MAX)..).unwrap_or_default();
        let count = rest.len().min(into.len());
        into[..count].copy_from_slice(&rest[..count]);
        count
    })
}

pub fn write(id: u32, offset: u64, bytes: &[u8]) -> Result<(), Errno> {
    let offset = usize::try_from(offset).map_err(|_| NO_SPACE)?;
    TREE.with(|tree| {
        let node = tree.node(place(id)).ok_or(INVALID)?;
        node.time_us = host::unix_time_us();
        node.content.write(offset, bytes)
    })
}

/// Tells of everything in a folder: its name, and whether it is a folder. The body calls nothing of this module.
pub fn for_each(id: u32, mut body: impl FnMut(&[u8], bool)) {
    TREE.with(|tree| {
        for node in tree.0.iter().flatten().filter(|node| node.parent == Some(place(id))) {
            body(node.name.as_slice(), node.is_folder);
        }
    });
}
