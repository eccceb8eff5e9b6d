//! Errors of policy files, with the place in the file: what `cli` draws with a caret.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A policy file as it was read: kept so that later errors can still show the line they speak of.
#[derive(Clone, PartialEq, Eq)]
pub struct SourceText {
    /// The file, as people should see it (relative to the repository where possible).
    pub path: PathBuf,
    /// Its content.
    pub text: String,
}

impl fmt::Debug for SourceText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceText({}, {} bytes)", self.path.display(), self.text.len())
    }
}

impl SourceText {
    /// Wraps the content of a file for sharing between places.
    pub fn new(path: &Path, text: String) -> Arc<Self> {
        Arc::new(SourceText { path: path.to_owned(), text })
    }

    /// Line and column (both 1-based, column in characters) of a byte offset.
    pub fn position(&self, offset: usize) -> (u32, u32) {
        let bytes = self.text.as_bytes();
        let before = &bytes[..offset.min(bytes.len())];
        let line = memchr::memchr_iter(b'\n', before).count() + 1;
        let start = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
        let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
        (clamp(line), clamp(column))
    }

    /// The whole line (without its end) that holds a byte offset.
    pub fn line_at(&self, offset: usize) -> &str {
        let bytes = self.text.as_bytes();
        let offset = offset.min(bytes.len());
        let start = memchr::memrchr(b'\n', &bytes[..offset]).map_or(0, |at| at + 1);
        let end = memchr::memchr(b'\n', &bytes[offset..]).map_or(bytes.len(), |at| offset + at);
        self.text.get(start..end).unwrap_or_default().trim_end_matches('\r')
    }
}

fn clamp(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// A span of a policy file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub source: Arc<SourceText>,
    /// Byte range in its text.
    pub span: Range<usize>,
}

impl Place {
    /// An error that points here.
    pub fn error(&self, message: impl Into<String>) -> ConfigError {
        let (line, column) = self.source.position(self.span.start);
        ConfigError {
            path: self.source.path.clone(),
            line,
            column,
            span: self.span.clone(),
            source_text: Some(self.source.clone()),
            message: message.into(),
            help: None,
        }
    }

    /// `path:line`, for lists and reasons.
    pub fn short(&self) -> String {
        format!("{}:{}", self.source.path.display(), self.source.position(self.span.start).0)
    }
}

/// What is wrong with a policy file (configuration, baseline, ignore list), and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}:{line}:{column}: {message}{}", path.display(), help.as_ref().map(|h| format!(" ({h})")).unwrap_or_default())]
pub struct ConfigError {
    /// The file.
    pub path: PathBuf,
    /// 1-based line; 0 when the error is about the file as a whole.
    pub line: u32,
    /// 1-based column in characters; 0 when the error is about the file as a whole.
    pub column: u32,
    /// Byte range in [`source_text`](Self::source_text).
    pub span: Range<usize>,
    /// The text, for drawing the line with a caret. None when it could not be read.
    pub source_text: Option<Arc<SourceText>>,
    /// What is wrong.
    pub message: String,
    /// What to do about it, or what was probably meant.
    pub help: Option<String>,
}

impl ConfigError {
    /// An error about a whole file, such as one that cannot be read.
    pub fn whole_file(path: &Path, message: impl Into<String>) -> Self {
        ConfigError {
            path: path.to_owned(),
            line: 0,
            column: 0,
            span: 0..0,
            source_text: None,
            message: message.into(),
            help: None,
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Decodes a policy file: UTF-8, with or without a byte order mark.
///
/// # Errors
/// Not UTF-8 (with the line), or merge-conflict markers.
pub fn decode(path: &Path, bytes: Vec<u8>) -> Result<Arc<SourceText>, ConfigError> {
    let source = decode_text(path, bytes)?;
    refuse_conflict(&source)?;
    Ok(source)
}

/// Decodes a file without looking for merge-conflict markers: whoever calls this does when the text
/// turns out not to be what it should be.
///
/// # Errors
/// Not UTF-8 (with the line).
pub fn decode_text(path: &Path, bytes: Vec<u8>) -> Result<Arc<SourceText>, ConfigError> {
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let bytes = error.into_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        // Everything before `good` is valid, so offsets agree up to there.
        Place { source: SourceText::new(path, text), span: good..good + 1 }
            .error("the file is not UTF-8 text")
            .with_help("save it as UTF-8")
    })?;
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    };
    Ok(SourceText::new(path, text))
}

/// Refuses a file that holds merge-conflict markers.
///
/// # Errors
/// It does: with the line.
pub fn refuse_conflict(source: &Arc<SourceText>) -> Result<(), ConfigError> {
    match conflict_marker(&source.text) {
        Some(span) => Err(Place { source: source.clone(), span }
            .error("the file holds an unresolved merge conflict")
            .with_help("resolve it and remove the `<<<<<<<`, `=======` and `>>>>>>>` lines")),
        None => Ok(()),
    }
}

/// The first line that git writes into a file it could not merge.
fn conflict_marker(text: &str) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    for marker in [&b"<<<<<<< "[..], b">>>>>>> "] {
        for at in memchr::memmem::find_iter(bytes, marker) {
            if at == 0 || bytes[at - 1] == b'\n' {
                return Some(at..at + 7);
            }
        }
    }
    None
}

/// The candidate that was probably meant by `word`, if one is near enough.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let normal = |s: &str| s.to_ascii_lowercase().replace(['_', '-'], "");
    let wanted = normal(word);
    let limit = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(&wanted, &normal(candidate)), candidate))
        .filter(|&(distance, _)| distance <= limit)
        .min()
        .map(|(_, candidate)| format!("did you mean `{candidate}`?"))
}

/// Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().take(64).collect();
    let b: Vec<char> = b.chars().take(64).collect();
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut current = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let change = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (previous[j] + 1).min(current[j - 1] + 1).min(previous[j - 1] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            current[j] = best;
        }
        before = std::mem::replace(&mut previous, current);
    }
    previous[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_near_words_only() {
        let keys = ["keywords", "secretGroup", "regex", "regexes"];
        assert_eq!(did_you_mean("secret_group", keys).as_deref(), Some("did you mean `secretGroup`?"));
        assert_eq!(did_you_mean("keyowrds", keys).as_deref(), Some("did you mean `keywords`?"));
        assert_eq!(did_you_mean("regx", keys).as_deref(), Some("did you mean `regex`?"));
        assert_eq!(did_you_mean("colour", keys), None);
    }

    #[test]
    fn counts_columns_in_characters() {
        let source = SourceText::new(Path::new("x"), "a\nés = 1\n".to_owned());
        assert_eq!(source.position(0), (1, 1));
        assert_eq!(source.position(5), (2, 3));
        assert_eq!(source.line_at(5), "és = 1");
        assert_eq!(source.position(1000), (3, 1));
    }

    #[test]
    fn names_the_line_of_bad_text() {
        let error = decode(Path::new("x"), b"a = 1\nb = \"\xff\"\n".to_vec()).unwrap_err();
        assert_eq!((error.line, error.column), (2, 6));
        let conflict = format!("a = 1\n{} HEAD\nb = 2\n", "<".repeat(7));
        let error = decode(Path::new("x"), conflict.into_bytes()).unwrap_err();
        assert_eq!(error.line, 2);
        assert!(error.message.contains("merge conflict"));
        assert_eq!(decode(Path::new("x"), "\u{feff}a = 1".into()).unwrap().text, "a = 1");
    }
}
