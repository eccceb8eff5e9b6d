//! gitleaks' JSON report, which its `--baseline-path` takes.

use serde::Deserialize;

use super::{ForeignEntry, Value};
use crate::finding::Secret;
use crate::suppress::baseline::Decision;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Row {
    #[serde(rename = "RuleID")]
    rule: String,
    file: String,
    start_line: u64,
    #[serde(default)]
    secret: String,
    #[serde(default)]
    commit: String,
}

pub(super) fn read(text: &str) -> Result<(Vec<ForeignEntry>, Vec<String>), serde_json::Error> {
    let rows: Vec<Row> = serde_json::from_str(text)?;
    let entry = |row: Row| ForeignEntry {
        path: row.file.replace('\\', "/"),
        line: row.start_line,
        rule: row.rule,
        value: value(&row.secret),
        status: Decision::Undecided,
        // A value is known wherever it stands in its file; only a redacted entry needs its commit.
        commit: Some(row.commit)
            .filter(|commit| !commit.is_empty() && matches!(value(&row.secret), Value::Redacted)),
    };
    Ok((rows.into_iter().map(entry).collect(), Vec::new()))
}

/// `--redact` writes `REDACTED`, `--redact=50` a part and three dots.
fn value(secret: &str) -> Value {
    if secret.is_empty() || secret == "REDACTED" || secret.ends_with("...") {
        return Value::Redacted;
    }
    Value::Plain(Secret::new(secret.as_bytes(), 0))
}
