//! Paths with parameters in them: `/users/{id}/files/{name}.{format}`.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// What a document may have written plainly, and a path may not.
const PLAIN: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`').add(b'^').add(b'|').add(b'\\');

/// A part of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Text(String),
    Name(String),
}

/// A path of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

impl Template {
    pub fn read(text: &str) -> Result<Template, String> {
        if !text.starts_with('/') {
            return Err("a path begins with `/`".into());
        }
        if text.contains(['?', '#']) || text.contains(char::is_whitespace) || text.contains(char::is_control) {
            return Err("a path has no query, fragment or white space".into());
        }
        let mut parts: Vec<Part> = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else { return Err("a `{` that no `}` follows".into()) };
            if name.is_empty() || name.contains(['{', '/']) || before.contains('}') {
                return Err("braces in a path hold the name of a parameter".into());
            }
            if before.is_empty() && !parts.is_empty() {
                return Err("two parameters with nothing between cannot be told apart".into());
            }
            if parts.iter().any(|part| matches!(part, Part::Name(other) if other == name)) {
                return Err(format!("{{{name}}} stands there twice"));
            }
            parts.extend([plain(before), Part::Name(name.into())]);
            rest = after;
        }
        if rest.contains('}') {
            return Err("a `}` without a `{`".into());
        }
        parts.push(plain(rest));
        let fixed = parts.iter().map(|part| if let Part::Text(text) = part { text } else { "x" }).collect::<String>();
        if fixed.split('/').any(is_dots) {
            return Err("a path has no segment `.` or `..`".into());
        }
        Ok(Template { text: text.into(), parts })
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| if let Part::Name(name) = part { Some(&**name) } else { None })
    }

    /// Whether a name is a whole segment, with nothing else in it.
    pub fn alone(&self, name: &str) -> bool {
        self.text.split('/').any(|segment| segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) == Some(name))
    }

    /// The same for all paths that differ by names only, and for no others.
    pub fn anonymous(&self) -> String {
        self.parts.iter().map(|part| if let Part::Text(text) = part { text } else { "{}" }).collect()
    }

    /// The values in a path, still as they are written there. None: another path.
    pub fn matched<'p>(&self, path: &'p str) -> Option<Vec<(&str, &'p str)>> {
        let mut values = Vec::new();
        let mut rest = path;
        let mut pending: Option<&str> = None;
        for (number, part) in self.parts.iter().enumerate() {
            match part {
                Part::Name(name) => pending = Some(name),
                Part::Text(text) => {
                    let last = number + 1 == self.parts.len();
                    let Some(name) = pending.take() else {
                        rest = rest.strip_prefix(&**text)?;
                        continue;
                    };
                    // A value has no slash, so that the segment is where the search ends.
                    let segment = &rest[..rest.find('/').unwrap_or(rest.len())];
                    let (value, after) = if last {
                        let value = rest.strip_suffix(&**text)?;
                        (value, "")
                    } else {
                        let (head, tail) = text.split_once('/').map_or((&**text, None), |(head, tail)| (head, Some(tail)));
                        let at = if tail.is_some() { segment.strip_suffix(head)?.len() } else { segment.find(head)? };
                        (&rest[..at], rest[at..].strip_prefix(&**text)?)
                    };
                    if value.is_empty() || value.contains('/') {
                        return None;
                    }
                    values.push((name, value));
                    rest = after;
                }
            }
        }
        rest.is_empty().then_some(values)
    }
}

fn plain(text: &str) -> Part {
    Part::Text(utf8_percent_encode(text, PLAIN).to_string())
}

/// Whether a segment leads elsewhere, as all who read paths take `%2e` for a dot.
pub fn is_dots(segment: &str) -> bool {
    let decoded = percent_decode_str(segment).decode_utf8_lossy();
    decoded == "." || decoded == ".."
}
