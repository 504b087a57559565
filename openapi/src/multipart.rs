//! `multipart/form-data`, as RFC 7578 has it.

use std::hash::{DefaultHasher, Hash, Hasher};

/// A part of a multipart body.
#[derive(Debug)]
pub struct Part {
    pub name: String,
    pub filename: Option<String>,
    pub content_type: Option<String>,
    pub data: Vec<u8>,
}

/// The content type with the boundary, and the bytes. A content type has no control characters in it; names may have anything.
pub fn write(parts: &[Part]) -> (String, Vec<u8>) {
    let boundary = boundary(parts);
    // As browsers write names: what would end the name, or the line, as `%22`, `%0D` and `%0A`.
    let quoted = |text: &str| text.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A").replace('\0', "");
    let mut body = Vec::new();
    for part in parts {
        body.extend_from_slice(format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"", quoted(&part.name)).as_bytes());
        if let Some(filename) = &part.filename {
            body.extend_from_slice(format!("; filename=\"{}\"", quoted(filename)).as_bytes());
        }
        if let Some(kind) = &part.content_type {
            body.extend_from_slice(format!("\r\nContent-Type: {kind}").as_bytes());
        }
        body.extend_from_slice(b"\r\n\r\n");
        body.extend_from_slice(&part.data);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={boundary}"), body)
}

/// A line that is in none of the parts: made of what is in them, and tried.
fn boundary(parts: &[Part]) -> String {
    let mut hasher = DefaultHasher::new();
    for part in parts {
        part.data.hash(&mut hasher);
    }
    loop {
        let boundary = format!("mirra-{:016x}", hasher.finish());
        let found = |part: &Part| find(&part.data, boundary.as_bytes()).is_some();
        if !parts.iter().any(found) {
            return boundary;
        }
        0u8.hash(&mut hasher);
    }
}

fn find(data: &[u8], wanted: &[u8]) -> Option<usize> {
    memchr::memmem::find(data, wanted)
}

/// The parts of a body as received. None: it is none.
pub fn read(content_type: &str, body: &[u8]) -> Option<Vec<Part>> {
    let boundary = content_type.split(';').find_map(|parameter| parameter.trim().strip_prefix("boundary="))?.trim_matches('"');
    let delimiter = format!("\r\n--{boundary}");
    let mut rest = body.strip_prefix(&delimiter.as_bytes()[2..])?;
    let mut parts = Vec::new();
    while !rest.starts_with(b"--") {
        rest = rest.strip_prefix(b"\r\n")?;
        let end = find(rest, delimiter.as_bytes())?;
        parts.push(read_part(&rest[..end])?);
        rest = &rest[end + delimiter.len()..];
    }
    Some(parts)
}

fn read_part(part: &[u8]) -> Option<Part> {
    let head_end = find(part, b"\r\n\r\n")?;
    let head = std::str::from_utf8(&part[..head_end]).ok()?;
    let field = |name: &str| {
        head.split("\r\n").find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
        })
    };
    let disposition = field("content-disposition")?;
    let quoted = |key: &str| {
        let (_, after) = disposition.split_once(&format!("; {key}=\""))?;
        let (text, _) = after.split_once('"')?;
        Some(text.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n"))
    };
    Some(Part {
        name: quoted("name")?,
        filename: quoted("filename"),
        content_type: field("content-type").map(str::to_owned),
        data: part[head_end + 4..].to_vec(),
    })
}
