//! A place in bytes with an end that is never passed: all parsing here goes through it.

use crate::matcher::work;

/// Reads `text[at..end]` from left to right; outside of that there is nothing.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'t> {
    text: &'t [u8],
    pub at: usize,
    pub end: usize,
}

impl<'t> Cursor<'t> {
    /// A cursor at `at` that sees at most `reach` bytes.
    pub fn new(text: &'t [u8], at: usize, reach: usize) -> Self {
        let end = at.saturating_add(reach).min(text.len());
        Cursor { text, at: at.min(end), end }
    }

    pub fn peek(&self) -> Option<u8> {
        self.nth(0)
    }

    pub fn nth(&self, n: usize) -> Option<u8> {
        let at = self.at + n;
        if at < self.end { self.text.get(at).copied() } else { None }
    }

    /// What is left, up to the end.
    pub fn rest(&self) -> &'t [u8] {
        self.text.get(self.at..self.end).unwrap_or_default()
    }

    pub fn bump(&mut self, n: usize) {
        self.at = (self.at + n).min(self.end);
    }

    /// Steps over `literal` if it stands here.
    pub fn eat(&mut self, literal: &[u8]) -> bool {
        let here = self.rest().starts_with(literal);
        if here {
            self.at += literal.len();
        }
        here
    }

    /// Steps over `literal` if it stands here, ASCII case ignored.
    pub fn eat_caseless(&mut self, literal: &[u8]) -> bool {
        let here = starts_caseless(self.rest(), literal);
        if here {
            self.at += literal.len();
        }
        here
    }

    /// Steps over bytes that `wanted` accepts, and returns them.
    pub fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'t [u8] {
        let rest = self.rest();
        let n = rest.iter().position(|&b| !wanted(b)).unwrap_or(rest.len());
        self.at += n;
        work::count(n + 1);
        &rest[..n]
    }

    /// Steps over spaces and tabs; returns how many.
    pub fn blanks(&mut self) -> usize {
        self.take_while(is_blank).len()
    }

    /// Steps over white space, line ends included; returns whether there was a line end.
    pub fn white(&mut self) -> bool {
        self.take_while(|b| b.is_ascii_whitespace()).contains(&b'\n')
    }
}

/// Whether `text` begins with `literal`, ASCII case ignored.
pub(super) fn starts_caseless(text: &[u8], literal: &[u8]) -> bool {
    text.get(..literal.len()).is_some_and(|head| head.eq_ignore_ascii_case(literal))
}

/// Whether `text` ends with `literal`, ASCII case ignored.
pub(super) fn ends_caseless(text: &[u8], literal: &[u8]) -> bool {
    text.len() >= literal.len() && text[text.len() - literal.len()..].eq_ignore_ascii_case(literal)
}

/// A space or a tab.
pub(super) fn is_blank(b: u8) -> bool {
    b == b' ' || b == b'\t'
}

/// A byte of a name in most languages: letters, digits, `_`, and what is outside ASCII.
pub(super) fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80
}

/// The bytes before `at`, at most `reach` of them.
pub(super) fn before(text: &[u8], at: usize, reach: usize) -> &[u8] {
    let before = text.get(at.saturating_sub(reach)..at).unwrap_or_default();
    work::count(before.len());
    before
}

/// The part of the line before `at`, at most `reach` bytes of it.
pub(super) fn line_before(text: &[u8], at: usize, reach: usize) -> &[u8] {
    let before = before(text, at, reach);
    match memchr::memrchr(b'\n', before) {
        Some(n) => &before[n + 1..],
        None => before,
    }
}

/// Whether `needle` stands in `text`. For short needles that are sought once: there is nothing to prepare.
pub(super) fn contains(text: &[u8], needle: &[u8]) -> bool {
    let Some((&first, rest)) = needle.split_first() else {
        return true;
    };
    memchr::memchr_iter(first, text).any(|at| text[at + 1..].starts_with(rest))
}

/// [`contains`], ASCII case ignored.
pub(super) fn contains_caseless(text: &[u8], needle: &[u8]) -> bool {
    let Some((&first, rest)) = needle.split_first() else {
        return true;
    };
    memchr::memchr2_iter(first.to_ascii_lowercase(), first.to_ascii_uppercase(), text)
        .any(|at| starts_caseless(&text[at + 1..], rest))
}
