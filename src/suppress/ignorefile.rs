//! `.gitleaksignore`: finds that gitleaks users ignored, one `[commit:]file:rule:line` a line.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use crate::config::{ConfigError, Place, SourceText, decode};
use crate::finding::{Finding, Location};

/// The file's name.
pub const IGNORE_FILE_NAME: &str = ".gitleaksignore";

/// The entries of one or more `.gitleaksignore` files.
#[derive(Debug, Default)]
pub struct IgnoreFile {
    entries: HashSet<Ignored>,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ignored {
    /// Full commit id in hex; None: in any commit and in the worktree.
    pub commit: Option<String>,
    /// Path as gitleaks wrote it, with `/`.
    pub path: String,
    /// Rule id.
    pub rule: String,
    /// 1-based line on which the match begins.
    pub line: u64,
}

impl Ignored {
    /// Whether the entry is for a finding, by a rule with these other ids.
    pub fn is_for(&self, finding: &Finding, aliases: &[String]) -> bool {
        let commit = finding.commit.as_deref().map(|commit| commit.id.as_str());
        let place = |location: &Location| {
            let path = location.path.as_ref().is_some_and(|path| path.as_slice() == self.path.as_bytes());
            path && location.start.line == self.line
        };
        (self.commit.is_none() || self.commit.as_deref() == commit)
            && (finding.rule == self.rule || aliases.contains(&self.rule))
            && std::iter::once(&finding.location).chain(&finding.occurrences).any(place)
    }
}

/// Most lines that are named when they are not understood. (Each is looked up in the text.)
const MAX_WARNINGS: usize = 100;

impl IgnoreFile {
    /// Reads a file's content and adds its entries. Returns what was not understood (gitleaks warns
    /// of it, too).
    ///
    /// # Errors
    /// The file is not text, or holds an unresolved merge conflict.
    pub fn add(&mut self, path: &Path, bytes: Vec<u8>) -> Result<Vec<ConfigError>, ConfigError> {
        let source = decode(path, bytes)?;
        let mut warnings = Vec::new();
        let mut more = 0u64;
        let mut start = 0;
        for line in source.text.split_inclusive('\n') {
            let text = line.trim();
            if !text.is_empty() && !text.starts_with('#') {
                match parse(text) {
                    Some(entry) => {
                        self.entries.insert(entry);
                    }
                    None if warnings.len() < MAX_WARNINGS => warnings.push(invalid(&source, start, line)),
                    None => more += 1,
                }
            }
            start += line.len();
        }
        if more > 0 {
            let message = format!("{more} more lines that are no entries of a .gitleaksignore file");
            warnings.push(ConfigError::whole_file(path, message));
        }
        Ok(warnings)
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Every entry, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = &Ignored> {
        self.entries.iter()
    }

    /// Whether a find is ignored.
    pub fn contains(&self, commit: Option<&str>, path: &[u8], rule: &str, line: u64) -> bool {
        if self.entries.is_empty() {
            return false;
        }
        let Ok(path) = std::str::from_utf8(path) else {
            return false;
        };
        let entry = Ignored { commit: None, path: path.to_owned(), rule: rule.to_owned(), line };
        self.entries.contains(&entry)
            || commit.is_some_and(|commit| {
                self.entries.contains(&Ignored { commit: Some(commit.to_owned()), ..entry })
            })
    }
}

fn invalid(source: &Arc<SourceText>, start: usize, line: &str) -> ConfigError {
    Place { source: source.clone(), span: start..start + line.trim_end().len() }
        .error("not an entry of a .gitleaksignore file")
        .with_help("expected `file:rule-id:line` or `commit:file:rule-id:line`")
}

/// Read from the right: only the path may hold colons.
fn parse(text: &str) -> Option<Ignored> {
    let (rest, line) = text.rsplit_once(':')?;
    let (rest, rule) = rest.rsplit_once(':')?;
    let is_commit =
        |id: &str| (id.len() == 40 || id.len() == 64) && id.bytes().all(|b| b.is_ascii_hexdigit());
    let (commit, path) = match rest.split_once(':') {
        Some((commit, path)) if is_commit(commit) => (Some(commit.to_ascii_lowercase()), path),
        _ => (None, rest),
    };
    if path.is_empty() || rule.is_empty() {
        return None;
    }
    Some(Ignored {
        commit,
        path: path.replace('\\', "/"),
        rule: rule.to_owned(),
        line: line.trim().parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_nonsense_is_not_named_line_by_line() {
        let text = "x\n".repeat(400_000) + "a.py:jwt:1\n";
        let mut ignored = IgnoreFile::default();
        let warnings = ignored.add(Path::new(".gitleaksignore"), text.into_bytes()).unwrap();
        assert_eq!(warnings.len(), MAX_WARNINGS + 1);
        assert!(warnings[MAX_WARNINGS].message.starts_with("399900 more lines"));
        assert!(ignored.contains(None, b"a.py", "jwt", 1));
    }

    #[test]
    fn entries_with_and_without_commit() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let text = format!(
            "# note\n\nsrc\\a.py:generic-api-key:12\r\n{commit}:b:c.txt:jwt:3\nnonsense\n{commit}::jwt:1\n"
        );
        let mut ignored = IgnoreFile::default();
        let warnings = ignored.add(Path::new(".gitleaksignore"), text.into_bytes()).unwrap();
        assert_eq!(warnings.iter().map(|warning| warning.line).collect::<Vec<_>>(), [5, 6]);
        assert!(ignored.contains(None, b"src/a.py", "generic-api-key", 12));
        assert!(ignored.contains(Some(commit), b"src/a.py", "generic-api-key", 12));
        assert!(!ignored.contains(None, b"src/a.py", "generic-api-key", 13));
        assert!(ignored.contains(Some(commit), b"b:c.txt", "jwt", 3));
        assert!(!ignored.contains(None, b"b:c.txt", "jwt", 3));
    }

    #[test]
    fn only_a_whole_commit_id_is_one() {
        let (sha1, sha256) = ("0aF9".repeat(10), "0aF9".repeat(16));
        let entry = |commit: Option<&String>, path: &str| {
            let commit = commit.map(|id| id.to_lowercase());
            Some(Ignored { commit, path: path.to_owned(), rule: "jwt".to_owned(), line: 7 })
        };
        assert_eq!(parse(&format!("{sha1}:a:b:jwt:7")), entry(Some(&sha1), "a:b"));
        assert_eq!(parse(&format!("{sha256}:a:jwt: 7")), entry(Some(&sha256), "a"));
        // What only looks like one is part of the path.
        for other in [&sha1[1..], &sha256[1..], &"x".repeat(40), &"x".repeat(64), "C"] {
            assert_eq!(parse(&format!("{other}:a:jwt:7")), entry(None, &format!("{other}:a")));
        }
        for text in ["a:jwt", "a:jwt:", "a:jwt:x", ":jwt:7", "a::7", "jwt:7"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    /// The line that is no entry is drawn whole, without its end.
    #[test]
    fn what_is_no_entry_is_shown() {
        let mut ignored = IgnoreFile::default();
        assert!(ignored.is_empty());
        let warnings = ignored.add(Path::new("i"), b"a:jwt:1\nnonsense  \r\nb:jwt:1\n".to_vec()).unwrap();
        assert_eq!(warnings.len(), 1);
        assert_eq!((warnings[0].line, warnings[0].span.clone()), (2, 8..16));
        assert!(!ignored.is_empty());
    }

    /// An entry is for a finding if commit, rule and one of the places agree.
    #[test]
    fn an_entry_knows_its_findings() {
        use crate::finding::{Commit, Position};
        let place = |path: Option<&str>, line: u64| Location {
            path: path.map(Into::into),
            start: Position { line, column: 1 },
            ..Location::default()
        };
        let finding = |commit: Option<&str>, rule: &str, places: &[Location]| Finding {
            rule: rule.into(),
            location: places[0].clone(),
            occurrences: places[1..].to_vec(),
            commit: commit.map(|id| Box::new(Commit { id: id.into(), ..Commit::default() })),
            ..Finding::blank()
        };
        let entry = |commit: Option<&str>| Ignored {
            commit: commit.map(Into::into),
            path: "a".into(),
            rule: "jwt".into(),
            line: 7,
        };
        let here = [place(Some("a"), 7)];
        let second = [place(Some("b"), 1), place(Some("a"), 7)];
        for (of_entry, of_finding, rule, places, expected) in [
            (None, None, "jwt", &here[..], true),
            (None, Some("c1"), "jwt", &here, true),
            (Some("c1"), Some("c1"), "jwt", &here, true),
            (Some("c1"), Some("c2"), "jwt", &here, false),
            (Some("c1"), None, "jwt", &here, false),
            (None, None, "new-name", &here, false),
            (None, None, "jwt", &second, true),
            (None, None, "jwt", &second[..1], false),
            (None, None, "jwt", &[place(Some("a"), 8)], false),
            (None, None, "jwt", &[place(Some("b"), 7)], false),
            (None, None, "jwt", &[place(None, 7)], false),
        ] {
            let finding = finding(of_finding, rule, places);
            let case = format!("{of_entry:?} {of_finding:?} {rule} {places:?}");
            assert_eq!(entry(of_entry).is_for(&finding, &["older".to_owned()]), expected, "{case}");
            // By an older name of the finding's rule it is the same entry.
            let known = expected || rule != "jwt";
            assert_eq!(
                entry(of_entry).is_for(&finding, &["jwt".to_owned()]),
                known || rule == "other",
                "{case}"
            );
        }
    }
}
