//! The files that a handler sees (`wit/files.wit`), as the layer reads them.

use rquickjs::{ArrayBuffer, Ctx, Function, Object, Result};

use crate::bindings::mirra::function::files;

/// The folder that all others are in.
const ROOT: u32 = 0;

/// Adds the functions to `native`.
pub fn install(native: &Object<'_>) -> Result<()> {
    let cx = native.ctx().clone();
    native.set("fileFind", Function::new(cx.clone(), find)?)?;
    native.set("fileRead", Function::new(cx.clone(), |cx, id, offset: f64, length| read(cx, id, offset as u64, length))?)?;
    native.set("fileNames", Function::new(cx, files::names)?)
}

/// What lies at a path below the root, as `{ id, isFolder, size }`; undefined if there is nothing.
fn find<'js>(cx: Ctx<'js>, path: String) -> Result<Option<Object<'js>>> {
    let Some(found) = files::find(ROOT, &path) else { return Ok(None) };
    let file = Object::new(cx)?;
    file.set("id", found.id)?;
    file.set("isFolder", found.is_folder)?;
    file.set("size", found.size as f64)?;
    Ok(Some(file))
}

fn read(cx: Ctx<'_>, id: u32, offset: u64, length: u32) -> Result<ArrayBuffer<'_>> {
    ArrayBuffer::new(cx, files::read(id, offset, length))
}

/// All of a file.
pub fn whole(path: &str) -> Option<Vec<u8>> {
    let file = files::find(ROOT, path).filter(|file| !file.is_folder)?;
    Some(files::read(file.id, 0, u32::try_from(file.size).ok()?))
}
