//! detect-secrets' baseline, `.secrets.baseline`: an object with `results` by file name.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{ForeignEntry, Value};
use crate::suppress::baseline::Decision;

#[derive(Deserialize)]
struct File {
    results: BTreeMap<String, Vec<Row>>,
    #[serde(default)]
    plugins_used: Vec<Part>,
    #[serde(default)]
    filters_used: Vec<Part>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(rename = "type")]
    kind: String,
    #[serde(deserialize_with = "sha1_hex")]
    hashed_secret: [u8; 20],
    #[serde(default)]
    line_number: u64,
    #[serde(default)]
    is_secret: Option<bool>,
}

/// A plugin or filter: custom ones have a path of their own.
#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    path: Option<String>,
}

pub(super) fn read(text: &str) -> Result<(Vec<ForeignEntry>, Vec<String>), serde_json::Error> {
    let file: File = serde_json::from_str(text.trim_start_matches('\u{feff}'))?;
    let mut entries = Vec::new();
    for (path, rows) in file.results {
        for row in rows {
            entries.push(ForeignEntry {
                path: path.replace('\\', "/"),
                line: row.line_number,
                rule: row.kind,
                value: Value::Sha1(row.hashed_secret),
                status: match row.is_secret {
                    Some(true) => Decision::Real,
                    Some(false) => Decision::FalsePositive,
                    None => Decision::Undecided,
                },
                commit: None,
            });
        }
    }
    Ok((entries, unsupported(&file.plugins_used, &file.filters_used)))
}

fn unsupported(plugins: &[Part], filters: &[Part]) -> Vec<String> {
    let custom_plugin = |part: &&Part| part.path.is_some();
    let own = ["detect_secrets.filters.", "detect_secrets.core."];
    // Filters by pattern or word list change what counts, even though the code is detect-secrets'.
    let parametrised = ["regex.should_exclude", "wordlist", "gibberish"];
    let foreign_filter = |part: &&Part| {
        part.path.as_ref().is_some_and(|path| {
            !own.iter().any(|prefix| path.starts_with(prefix))
                || parametrised.iter().any(|name| path.contains(name))
        })
    };
    let plugins = plugins.iter().filter(custom_plugin).map(|part| {
        let name = part.name.as_deref().unwrap_or("?");
        format!("plugin {name} ({})", part.path.as_deref().unwrap_or_default())
    });
    let filters = filters.iter().filter(foreign_filter);
    let filters = filters.map(|part| format!("filter {}", part.path.as_deref().unwrap_or_default()));
    plugins.chain(filters).map(|text| text.escape_debug().to_string()).collect()
}

fn sha1_hex<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<[u8; 20], D::Error> {
    let text = String::deserialize(deserializer)?;
    let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(text.as_bytes()).unwrap_or_default();
    bytes.try_into().map_err(|_| serde::de::Error::custom("`hashed_secret` is not a SHA-1 in hex"))
}
