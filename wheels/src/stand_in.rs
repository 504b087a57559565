//! Wheels that hold nothing but metadata: by them pip learns of what it cannot or shall not fetch.

use std::{
    fs::File,
    io::{self, Write as _},
    path::Path,
};

use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::Error;

/// Writes a pure wheel of that name and version into a folder. It is for resolving only.
pub(crate) fn write(folder: &Path, name: &str, version: &str, requires: &[String], extras: &[String]) -> Result<(), Error> {
    let distribution = format!("{}-{version}", name.replace('-', "_"));
    let mut metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
    for extra in extras {
        metadata.push_str(&format!("Provides-Extra: {extra}\n"));
    }
    for requirement in requires {
        metadata.push_str(&format!("Requires-Dist: {requirement}\n"));
    }
    let files = [
        ("METADATA", metadata.as_str()),
        ("WHEEL", "Wheel-Version: 1.0\nGenerator: mirra\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
        ("RECORD", ""),
    ];
    // A version with a sign that no version has cannot become a path.
    if version.contains(['/', '\\']) {
        return Err(Error::Internal(format!("{name} has no version \"{version}\"")));
    }
    write_zip(&folder.join(format!("{distribution}-py3-none-any.whl")), &distribution, &files)
        .map_err(|error| Error::Internal(format!("a stand-in for {name}: {error}")))
}

fn write_zip(path: &Path, distribution: &str, files: &[(&str, &str)]) -> io::Result<()> {
    let mut zip = ZipWriter::new(File::create(path)?);
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, text) in files {
        zip.start_file(format!("{distribution}.dist-info/{name}"), options)?;
        zip.write_all(text.as_bytes())?;
    }
    zip.finish()?;
    Ok(())
}
