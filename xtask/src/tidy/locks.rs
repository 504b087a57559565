//! Rules about lock files.

use std::path::Path;

use super::Finding;
use crate::shell;

/// Every workspace of cargo has its lock file, known to git and in step with the manifests.
pub fn check(root: &Path, paths: &[&str]) -> Vec<Finding> {
    let locks = paths.iter().filter(|path| path.ends_with("Cargo.lock"));
    let out_of_step = locks.filter_map(|lock| {
        let mut metadata = shell::cargo(root);
        metadata.args(["metadata", "--locked", "--format-version", "1", "--manifest-path", &lock.replace("Cargo.lock", "Cargo.toml")]);
        shell::output(&mut metadata).err().map(|error| finding(lock, format!("not in step with its Cargo.toml: {error:#}")))
    });
    missing(paths, |path| std::fs::read_to_string(root.join(path)).unwrap_or_default()).into_iter().chain(out_of_step).collect()
}

/// Manifests that need a lock file beside them and have none.
fn missing(paths: &[&str], read: impl Fn(&str) -> String) -> Vec<Finding> {
    let has = |lock: &str| paths.contains(&lock);
    let mut findings = Vec::new();
    for path in paths {
        if let Some(dir) = path.strip_suffix("Cargo.toml").filter(|dir| dir.is_empty() || dir.ends_with('/')) {
            let is_workspace = read(path).lines().any(|line| line.trim() == "[workspace]");
            if is_workspace && !has(&format!("{dir}Cargo.lock")) {
                findings.push(finding(path, "a workspace whose Cargo.lock is not committed".into()));
            }
        }
        if let Some(dir) = path.strip_suffix("package.json").filter(|dir| dir.is_empty() || dir.ends_with('/')) {
            let has_dependencies = read(path).lines().any(|line| line.to_ascii_lowercase().contains("dependencies\""));
            if has_dependencies && !has(&format!("{dir}package-lock.json")) {
                findings.push(finding(path, "dependencies without a committed package-lock.json".into()));
            }
        }
    }
    findings
}

fn finding(path: &str, reason: String) -> Finding {
    Finding { path: path.into(), line: 1, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_files_are_asked_for_where_they_belong() {
        let read = |path: &str| match path {
            "Cargo.toml" | "guest/Cargo.toml" => "[workspace]\n",
            "layer/package.json" | "a/package.json" => "{\n  \"devDependencies\": {\n",
            _ => "{}",
        };
        let paths =
            ["Cargo.toml", "Cargo.lock", "x/Cargo.toml", "guest/Cargo.toml", "layer/package.json", "b/package.json", "a/package.json"];
        let paths = [&paths[..], &["a/package-lock.json"]].concat();
        let found: Vec<String> = missing(&paths, |path| read(path).to_owned()).into_iter().map(|finding| finding.path).collect();
        assert_eq!(found, ["guest/Cargo.toml", "layer/package.json"]);
    }
}
