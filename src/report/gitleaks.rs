//! `gitleaks`: the shape of gitleaks' own JSON report (8.30), for what already reads that.
//!
//! An array of flat objects in which every key is always present. Author and e-mail address are empty
//! unless personal data is asked for; the commit's message is not kept by stanch and always empty. Each
//! place of a value is an element of its own, as gitleaks does it. The shape has no room for what could
//! not be read: the exit code tells, and the program says it on standard error.

use std::borrow::Cow;
use std::io;

use bstr::ByteSlice;
use serde::Serialize;

use super::escape::SafeJson;
use super::json::Each;
use super::view::{View, places, utc};
use crate::finding::{Finding, Location};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Leak<'a> {
    #[serde(rename = "RuleID")]
    rule_id: &'a str,
    description: &'a str,
    start_line: u64,
    end_line: u64,
    start_column: u64,
    end_column: u64,
    r#match: String,
    secret: Cow<'a, str>,
    file: String,
    symlink_file: &'static str,
    commit: &'a str,
    entropy: f32,
    author: Cow<'a, str>,
    email: Cow<'a, str>,
    date: String,
    message: &'static str,
    tags: &'a [String],
    fingerprint: String,
}

/// Writes the array.
pub(crate) fn write(view: &View<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let leaks = Each(|| view.findings().flat_map(|f| places(f).map(move |at| leak(view, f, at))));
    leaks.serialize(&mut serde_json::Serializer::with_formatter(&mut *out, SafeJson::pretty()))?;
    out.write_all(b"\n")
}

fn leak<'a>(view: &View<'a>, f: &'a Finding, at: &'a Location) -> Leak<'a> {
    let file = view.machine_path(f, at).to_str_lossy().into_owned();
    let commit = f.commit.as_deref();
    let person = commit.filter(|_| view.options.personal_data);
    let id = commit.map_or("", |c| c.id.as_str());
    let of_commit = if id.is_empty() { String::new() } else { format!("{id}:") };
    Leak {
        rule_id: &f.rule,
        description: &f.description,
        start_line: at.start.line,
        end_line: at.end.line,
        start_column: at.start.column,
        // Ours is the column after the last character, theirs the column of it.
        end_column: at.end.column.saturating_sub(1).max(at.start.column.min(1)),
        r#match: view.matched(f),
        secret: view.secret(&f.secret),
        symlink_file: "",
        commit: id,
        entropy: entropy(f.secret.expose()),
        author: person.map_or(Cow::Borrowed(""), |c| view.name_text(&c.author)),
        email: person.map_or(Cow::Borrowed(""), |c| view.name_text(&c.email)),
        date: commit.and_then(|c| utc(c.time)).unwrap_or_default(),
        message: "",
        tags: &f.tags,
        fingerprint: format!("{of_commit}{file}:{}:{}", f.rule, at.start.line),
        file,
    }
}

/// Shannon entropy in bits a byte.
fn entropy(bytes: &[u8]) -> f32 {
    let mut counts = [0u32; 256];
    for &b in bytes {
        counts[usize::from(b)] += 1;
    }
    let len = bytes.len() as f32;
    counts.iter().filter(|n| **n > 0).map(|&n| n as f32 / len).map(|p| -p * p.log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::entropy;

    #[test]
    fn entropy_of_known_texts() {
        assert_eq!(
            [entropy(b""), entropy(b"aaaa"), entropy(b"abab"), entropy(b"abcd")],
            [0.0, 0.0, 1.0, 2.0]
        );
    }
}
