//! Where a module's code believes to lie: `__dirname`, `__filename`, `import.meta.url` and the like.

use std::path::Path;

use oxc::transformer_plugins::{ReplaceGlobalDefines, ReplaceGlobalDefinesConfig};
use rolldown_ecmascript::{EcmaAst, WithMutFields};

use crate::HANDLER_FOLDER;

/// Replaces them by what they are for the file `name`, relative to the handler's folder. Names that the code itself binds stay.
pub fn replace(ast: &mut EcmaAst, name: &str) {
    if !["__dirname", "__filename", "import.meta"].iter().any(|word| ast.source().contains(word)) {
        return;
    }
    let file = format!("{HANDLER_FOLDER}/{name}");
    let folder = Path::new(&file).parent().unwrap_or(Path::new("/")).to_string_lossy().into_owned();
    // A JSON string is a JavaScript string.
    let text = |value: &str| serde_json::Value::from(value).to_string();
    let (file_text, folder_text) = (text(&file), text(&folder));
    let url = text(&format!("file://{}", escaped(&file)));
    let values = [
        ("__dirname", folder_text.as_str()),
        ("__filename", &file_text),
        ("import.meta.dirname", &folder_text),
        ("import.meta.filename", &file_text),
        ("import.meta.url", &url),
    ];
    // Plain names and strings: there is nothing that could be wrong with them.
    let Ok(config) = ReplaceGlobalDefinesConfig::new(&values) else { return };
    let scoping = ast.make_scoping();
    ast.program.with_mut(|WithMutFields { program, allocator, .. }| {
        let _ = ReplaceGlobalDefines::new(allocator, config).build(scoping, program);
    });
}

/// A path as it stands in a URL.
fn escaped(path: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~!$&'()*+,;=:@".contains(&byte);
    path.bytes().map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
