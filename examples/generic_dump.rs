//! Prints the generic detector's candidates in a folder, one JSON object a line, with the features that
//! the verdict weighs: input for `tools/train/train.py` and for looking at what the finder finds.
//!
//! usage: `generic_dump FOLDER [--values]` (values are left out unless asked for)

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use aho_corasick::AhoCorasick;
use stanch::matcher::generic::{Assignment, TRIGGERS, at_hit, dedup};
use stanch::verdict::filekind::FileKind;
use stanch::verdict::{features, generic, model, placeholder};

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let root = PathBuf::from(
        arguments.next().ok_or_else(|| anyhow::anyhow!("usage: generic_dump FOLDER [--values]"))?,
    );
    let values = arguments.next().is_some_and(|a| a == "--values");
    let triggers = AhoCorasick::builder().ascii_case_insensitive(true).build(TRIGGERS)?;
    let mut files = Vec::new();
    walk(&root, &mut files)?;
    files.sort();
    let mut out = io::BufWriter::new(io::stdout().lock());
    for file in files {
        let text = std::fs::read(&file)?;
        if text.iter().take(8192).any(|&b| b == 0) {
            continue;
        }
        let mut found = Vec::new();
        for hit in triggers.find_overlapping_iter(&text) {
            at_hit(&text, hit.start(), hit.pattern().as_usize(), &mut found);
        }
        dedup(&mut found);
        print(file.strip_prefix(&root)?, &text, &found, values, &mut out)?;
    }
    Ok(out.flush()?)
}

/// Every regular file below a folder, except `.git`.
fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() && entry.file_name() != ".git" {
            walk(&entry.path(), files)?;
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}

fn print(
    path: &Path,
    text: &[u8],
    found: &[Assignment],
    values: bool,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let name = path.to_string_lossy();
    let file = FileKind::from_path(name.as_bytes());
    let (mut line, mut counted) = (1, 0);
    for a in found {
        line += text[counted..a.value.start].iter().filter(|&&b| b == b'\n').count();
        counted = a.value.start;
        let value = &text[a.value.clone()];
        let vector = features::vector(a.kind, value, &a.evidence, file, placeholder::placeholder(value));
        let judgement = generic::judge(a.kind, value, &a.evidence, file);
        let mut row = serde_json::json!({
            "path": name, "line": line, "rule": a.kind.id(), "syntax": format!("{:?}", a.evidence.syntax),
            "never": generic::never(value, &a.evidence, file), "score": model::score(&vector),
            "confidence": judgement.confidence.map(|c| c.name()), "reasons": judgement.reasons,
            "features": vector.as_slice(),
        });
        if values {
            row["key"] = String::from_utf8_lossy(&text[a.key.clone()]).into();
            row["value"] = String::from_utf8_lossy(value).into();
        }
        writeln!(out, "{row}")?;
    }
    Ok(())
}
