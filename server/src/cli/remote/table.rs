//! Answers for people: tables without lines, which read well and can be cut up by other programs.

use comfy_table::{ContentArrangement, Table, presets::NOTHING};
use serde_json::Value;

use crate::{logs::Tame, terminal};

/// A heading, and what stands below it for each row.
pub type Column = (&'static str, fn(&Value) -> String);

/// A row for each value, or `nothing` where there is none.
pub fn rows(values: &Value, columns: &[Column], nothing: &str) -> String {
    let values = values.as_array().map(Vec::as_slice).unwrap_or_default();
    if values.is_empty() {
        return nothing.to_owned();
    }
    let mut table = plain();
    table.set_header(columns.iter().map(|(heading, _)| *heading));
    for value in values {
        table.add_row(columns.iter().map(|(_, cell)| tame(&cell(value))));
    }
    let text = written(&table);
    let (heading, rest) = text.split_once('\n').unwrap_or((&text, ""));
    format!("{}\n{rest}", terminal::bold(heading))
}

/// A line for each thing that is known, with its name; what is empty is left out.
pub fn facts(facts: &[(&str, String)]) -> String {
    let mut table = plain();
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        table.add_row([(*name).to_owned(), tame(value)]);
    }
    written(&table)
}

fn plain() -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    if let Some(width) = terminal::width() {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    table
}

/// Without the spaces that the table has around everything.
fn written(table: &Table) -> String {
    let lines: Vec<String> = table.lines().map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned()).collect();
    lines.join("\n")
}

fn tame(text: &str) -> String {
    Tame(text).to_string()
}

/// A text as it is, a number or an object as JSON writes it, and nothing for nothing.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// `2026-01-15 10:00:00` of `2026-01-15T10:00:00.000Z`; UTC, as everywhere in the API.
pub fn time(value: &Value) -> String {
    let text = text(value);
    let seconds = text.split('.').next().unwrap_or_default();
    seconds.trim_end_matches('Z').replacen('T', " ", 1)
}

/// Milliseconds, in the unit that suits them.
pub fn duration(value: &Value) -> String {
    value.as_f64().map(|ms| terminal::time(std::time::Duration::from_secs_f64((ms / 1000.0).max(0.0)))).unwrap_or_default()
}

/// Of 0 to 1.
pub fn percent(value: &Value) -> String {
    value.as_f64().map(|part| format!("{:.0} %", part * 100.0)).unwrap_or_default()
}

/// US dollars, to a millionth of a cent: most calls cost less than one.
pub fn usd(value: &Value) -> String {
    let amount = value.as_f64().or_else(|| value.as_str()?.parse().ok());
    let Some(amount) = amount else { return text(value) };
    let text = format!("{amount:.8}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tables_are_plain_and_hold_nothing_that_moves_a_cursor() {
        let columns: &[Column] = &[("NAME", |row| text(&row["name"])), ("AT", |row| time(&row["at"]))];
        let values = json!([{ "name": "a\u{1b}[2J", "at": "2026-01-15T10:00:00.000Z" }, { "name": "日本", "at": null }]);
        assert_eq!(rows(&values, columns, ""), "NAME        AT\na\\u{1b}[2J  2026-01-15 10:00:00\n日本");
        assert_eq!(rows(&json!([]), columns, "none"), "none");
        assert_eq!(facts(&[("id", "1".into()), ("empty", String::new()), ("name", "x".into())]), "id    1\nname  x");
        assert_eq!((usd(&json!(0.00000020249)), usd(&json!(1.5)), usd(&json!(0))), ("0.0000002".into(), "1.5".into(), "0".into()));
    }
}
