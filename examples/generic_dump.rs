//! Prints the generic detector's candidates, one JSON object a line, with the features that the verdict
//! weighs: input for `tools/train/train.py`, and for looking at what the finder finds.
//!
//! usage: `generic_dump FOLDER [--values]` for the files of a folder (values only when asked for),
//! `generic_dump --corpus FOLDER` for the cases of `tests/suite/generic_corpus`, with their truth, or
//! `generic_dump --held-out MODELS FOLDER` for what is reported when each project (the first folder of a path) is
//! judged by a model that has not seen it: `MODELS` holds `folds.json` (project to fold) and `fold-N.bin`.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use aho_corasick::AhoCorasick;
use stanch::matcher::generic::{Assignment, TRIGGERS, at_hit, dedup, plain};
use stanch::rules::template;
use stanch::verdict::filekind::FileKind;
use stanch::verdict::model::Model;
use stanch::verdict::{features, generic, placeholder};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut dump = Dump {
        triggers: AhoCorasick::builder().ascii_case_insensitive(true).build(TRIGGERS)?,
        values: arguments.iter().any(|a| a == "--values"),
        held_out: None,
        out: io::BufWriter::new(io::stdout().lock()),
    };
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--names"] => (0..features::COUNT).try_for_each(|i| writeln!(dump.out, "{}", features::name(i)))?,
        ["--corpus", folder] => dump.corpus(Path::new(folder))?,
        ["--held-out", models, folder] => {
            dump.held_out = Some(HeldOut::read(Path::new(models))?);
            dump.folder(Path::new(folder))?;
        }
        [folder] | [folder, "--values"] => dump.folder(Path::new(folder))?,
        _ => anyhow::bail!(
            "usage: generic_dump FOLDER [--values] | --corpus FOLDER | --names | --held-out MODELS FOLDER"
        ),
    }
    Ok(dump.out.flush()?)
}

struct Dump<W: Write> {
    triggers: AhoCorasick,
    values: bool,
    held_out: Option<HeldOut>,
    out: W,
}

/// Models, and which of them has not seen a project.
struct HeldOut {
    folds: HashMap<String, usize>,
    models: Vec<Model>,
}

impl HeldOut {
    fn read(folder: &Path) -> anyhow::Result<Self> {
        let folds: HashMap<String, usize> =
            serde_json::from_slice(&std::fs::read(folder.join("folds.json"))?)?;
        let count = folds.values().max().map_or(0, |last| last + 1);
        let read = |fold: usize| {
            let file = std::fs::read(folder.join(format!("fold-{fold}.bin")))?;
            Model::read(&file).ok_or_else(|| anyhow::anyhow!("fold-{fold}.bin is no model of this program"))
        };
        Ok(HeldOut { folds, models: (0..count).map(read).collect::<anyhow::Result<_>>()? })
    }

    /// The model that has not seen the project of a path; None for a project that no candidate was found in.
    fn model(&self, path: &str) -> Option<&Model> {
        let project = path.split('/').next().unwrap_or_default();
        self.models.get(*self.folds.get(project)?)
    }
}

impl<W: Write> Dump<W> {
    /// The candidates of every text file below a folder.
    fn folder(&mut self, root: &Path) -> anyhow::Result<()> {
        let mut files = Vec::new();
        walk(root, &mut files)?;
        files.sort();
        for file in files {
            let text = std::fs::read(&file)?;
            if !text.iter().take(8192).any(|&b| b == 0) {
                let name = file.strip_prefix(root)?.to_string_lossy().into_owned();
                self.text(&name, &text, |_| None)?;
            }
        }
        Ok(())
    }

    /// The candidates of the corpus. Other candidates than the marked ones of a positive case have no truth.
    fn corpus(&mut self, folder: &Path) -> anyhow::Result<()> {
        for (file, fields) in [("positive.txt", 4), ("negative.txt", 3)] {
            for line in std::fs::read_to_string(folder.join(file))?.lines().filter(|l| !l.starts_with('#')) {
                let case: Vec<&str> = line.splitn(fields, " | ").collect();
                let Some((&name, &text)) = case.first().zip(case.get(fields - 1)) else { continue };
                let case = template::expand(text, &|_| None).map_err(anyhow::Error::msg)?;
                let text = case.text.replace("\\n", "\n").replace("\\|", "|").replace("\\\\", "\\");
                let secret = |value: &str| case.secrets.iter().any(|s| s == value);
                self.text(name, text.as_bytes(), |value| match fields {
                    3 => Some(false),
                    _ => secret(value).then_some(true),
                })?;
            }
        }
        Ok(())
    }

    fn text(&mut self, name: &str, text: &[u8], truth: impl Fn(&str) -> Option<bool>) -> anyhow::Result<()> {
        let mut found = Vec::new();
        for hit in self.triggers.find_overlapping_iter(text) {
            at_hit(text, hit.start(), hit.pattern().as_usize(), &mut found);
        }
        dedup(&mut found);
        let (mut line, mut counted) = (1, 0);
        for a in &found {
            line += text[counted..a.value.start].iter().filter(|&&b| b == b'\n').count();
            counted = a.value.start;
            self.candidate(name, line, text, a, &truth)?;
        }
        Ok(())
    }

    fn candidate(
        &mut self,
        name: &str,
        line: usize,
        text: &[u8],
        a: &Assignment,
        truth: &impl Fn(&str) -> Option<bool>,
    ) -> anyhow::Result<()> {
        let file = FileKind::from_path(name.as_bytes());
        let value = &*plain(&text[a.value.clone()], &a.evidence);
        let shown = String::from_utf8_lossy(value);
        if let Some(held_out) = &self.held_out {
            let Some(model) = held_out.model(name) else { return Ok(()) };
            let judgement = generic::judge_by(model, a.kind, value, &a.evidence, file);
            let Some(confidence) = judgement.confidence else { return Ok(()) };
            let vector = features::vector(a.kind, value, &a.evidence, file, placeholder::placeholder(value));
            let row = serde_json::json!({
                "path": name, "line": line, "rule": a.kind.id(), "confidence": confidence.name(),
                "score": model.score(&vector), "reasons": judgement.reasons,
            });
            return Ok(writeln!(self.out, "{row}")?);
        }
        let vector = features::vector(a.kind, value, &a.evidence, file, placeholder::placeholder(value));
        let judgement = generic::judge(a.kind, value, &a.evidence, file);
        let mut row = serde_json::json!({
            "path": name, "line": line, "rule": a.kind.id(), "syntax": format!("{:?}", a.evidence.syntax),
            "never": generic::never(value, &a.evidence, file), "score": Model::built_in().score(&vector),
            "confidence": judgement.confidence.map(|c| c.name()), "reasons": judgement.reasons,
            "truth": truth(&shown), "features": vector.numbers(),
        });
        if self.values {
            row["key"] = String::from_utf8_lossy(&text[a.key.clone()]).into();
            row["value"] = shown.into();
        }
        Ok(writeln!(self.out, "{row}")?)
    }
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
