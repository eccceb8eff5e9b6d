//! Errors of policy files, drawn: the line, a caret, and what to do.

use std::fmt;
use std::io::IsTerminal;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

use crate::config::ConfigError;
use crate::report::escape::is_hostile;
use crate::rules::is_token_byte;

/// One or more things that are wrong with policy files.
#[derive(Debug)]
pub struct Problems(pub Vec<ConfigError>);

impl From<ConfigError> for Problems {
    fn from(error: ConfigError) -> Self {
        Problems(vec![error])
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            write!(f, "{}{error}", if i == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Shows problems on standard error.
pub fn show(problems: &Problems) {
    for error in &problems.0 {
        eprintln!("{}", draw(error, Level::ERROR));
    }
}

/// Shows warnings on standard error.
pub fn warn(warnings: &[ConfigError]) {
    for warning in warnings {
        eprintln!("{}", draw(warning, Level::WARNING));
    }
}

/// Longest line that is drawn, in bytes; longer ones are only named.
const LONGEST: usize = 400;

/// The message, and the line that it speaks of. Nothing in it that comes from a file, or is a file's name, can change
/// how the rest is shown.
pub(super) fn draw(error: &ConfigError, level: Level<'static>) -> String {
    let renderer = if std::io::stderr().is_terminal() { Renderer::styled() } else { Renderer::plain() };
    let path = clean(&error.path.display().to_string());
    let message = error.message.clone();
    let place = if error.line == 0 { format!("{path}: {message}") } else { message };
    let mut group = level.primary_title(clean(&place)).elements(Vec::<annotate_snippets::Message<'_>>::new());
    if let Some(source) = error.source_text.as_ref().filter(|_| error.line > 0) {
        let line = source.line_at(error.span.start);
        if line.len() <= LONGEST {
            let start = line_start(&source.text, error.span.start);
            let from = line.floor_char_boundary(error.span.start - start);
            let to = line.ceil_char_boundary(error.span.end.saturating_sub(start)).max(from);
            let shown = clean_same_length(line);
            let snippet = Snippet::source(shown)
                .line_start(error.line as usize)
                .path(path)
                .annotation(AnnotationKind::Primary.span(from..to));
            group = group.element(snippet);
        } else {
            group = group.element(Level::NOTE.message(format!("{path}:{}:{}", error.line, error.column)));
        }
    }
    if let Some(help) = &error.help {
        group = group.element(Level::HELP.message(clean(help)));
    }
    renderer.render(&[group]).to_string()
}

fn line_start(text: &str, offset: usize) -> usize {
    let offset = offset.min(text.len());
    memchr::memrchr(b'\n', &text.as_bytes()[..offset]).map_or(0, |at| at + 1)
}

/// Text from a file, without what could move the cursor or turn the text around.
fn clean(text: &str) -> String {
    text.chars().map(|c| if is_hostile(c) { '\u{fffd}' } else { c }).collect()
}

/// The same for a line that byte offsets point into: each byte of such a character becomes one byte. A file of settings
/// can hold a secret, pasted into a list of what is allowed: whatever looks random is masked.
fn clean_same_length(line: &str) -> String {
    /// Shorter words are names and numbers.
    const RANDOM: usize = 16;
    let mut shown = String::with_capacity(line.len());
    let is_token = |c: char| c.is_ascii() && is_token_byte(c as u8);
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let same = rest.find(|c| is_token(c) != is_token(first)).unwrap_or(rest.len());
        let (part, behind) = rest.split_at(same);
        rest = behind;
        let random = part.len() >= RANDOM && part.bytes().any(|b| b.is_ascii_digit());
        match is_token(first) && random {
            true => shown.extend(std::iter::repeat_n('*', part.len())),
            false => part.chars().for_each(|c| match is_hostile(c) && c != '\t' {
                true => shown.extend(std::iter::repeat_n('?', c.len_utf8())),
                false => shown.push(c),
            }),
        }
    }
    shown
}
