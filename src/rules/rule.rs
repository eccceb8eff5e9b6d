//! A checked rule. The built-in pack's are constants that `build.rs` wrote; users' are made at run time.
//!
//! `build.rs` includes this file, so it depends only on its siblings and on `finding::kind`.

use std::borrow::Cow;

use super::kind::{Category, Confidence, Severity};

/// Text that is either part of the program or was read at run time.
pub type Text = Cow<'static, str>;
/// A list of such texts.
pub type Texts = Cow<'static, [Text]>;

/// A checked rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Stable id, kebab-case.
    pub id: Text,
    /// What it finds.
    pub description: Text,
    /// Provider's name as the provider writes it; empty when there is none.
    pub provider: Text,
    /// Kind of secret.
    pub category: Category,
    /// Damage it can do.
    pub severity: Severity,
    /// Confidence of a match that passes all checks.
    pub confidence: Confidence,
    /// The pattern; empty for rules that look at the path only and for detectors.
    pub pattern: Text,
    /// What the pattern was made of, for rules of families that look for a keyword before the value.
    pub context: Option<Context>,
    /// Name of the built-in detector that finds this rule's secrets; empty for patterns.
    pub detector: Text,
    /// Capture group of the secret; 0 = the first group that took part, else the match.
    pub secret_group: u16,
    /// Least Shannon entropy of the secret in bits per byte; 0 = not checked.
    pub entropy: f32,
    /// Whether the secret must hold a digit: a text without one is no match, and hides none.
    pub digit: bool,
    /// Regex for the path; empty = any.
    pub path: Text,
    /// Literals of which one is in every match.
    pub anchors: Cow<'static, [Anchor]>,
    /// Length in bytes of the longest match; None when unbounded.
    pub max_len: Option<u32>,
    /// A run of bytes that every match holds; searched for before the pattern is tried.
    pub run: Option<Run>,
    /// Words that every match holds beside an anchor; looked for before the pattern is tried, or compiled.
    pub words: Cow<'static, [Word]>,
    /// Words of which one must be somewhere in the text (gitleaks' keywords that no match implies).
    pub keywords: Texts,
    /// Name of the secret's checksum; empty = none.
    pub checksum: Text,
    /// Length in bytes of the self-identifying prefix that may be shown.
    pub prefix: u8,
    /// Only a part of other rules' findings.
    pub skip_report: bool,
    /// Rules that must (or may) match nearby.
    pub required: Cow<'static, [Required]>,
    /// Texts that are never reported.
    pub allowlists: Cow<'static, [Allowlist]>,
    /// Other names of the rule.
    pub aliases: Texts,
    /// Free words.
    pub tags: Texts,
    /// Pages that document the format.
    pub references: Texts,
    /// What to do about a leak.
    pub remediation: Remedy,
    /// Templates of texts that must match.
    pub matches: Texts,
    /// Templates of texts that must not be reported.
    pub rejects: Texts,
}

/// A keyword and the value that it stands before; see `context` for the grammar.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// The keywords, lower case; `-`, `_`, `.` and space are one. A leading `^` marks a common word.
    pub keywords: Texts,
    /// Regex of the value; empty when its shape is not known.
    pub value: Text,
    /// Whether the value may be only near its keyword; else it must be assigned to a name that holds it.
    pub near: bool,
    /// Which values of another shape are taken too.
    pub others: Others,
}

/// Which values a context rule takes beside those of the shape that it names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Others {
    /// None: the keyword is a word of ordinary texts.
    None,
    /// What keys look like everywhere: one run of letters and digits, or a UUID. Providers change their formats,
    /// have several, and document few of them.
    #[default]
    Solid,
    /// Any random-looking word.
    Any,
}

/// A literal that stands in every match (or one of a set does), with its place in the match.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Anchor {
    /// The bytes; lower case when `fold`.
    pub literal: Cow<'static, [u8]>,
    /// Whether ASCII case is ignored.
    pub fold: bool,
    /// Least number of bytes between the start of the match and the literal.
    pub before_min: u32,
    /// Greatest number of such bytes; None when unbounded.
    pub before_max: Option<u32>,
    /// Least number of [token bytes](is_token_byte) in a row, from the literal's first byte on, in every match.
    pub tail: u32,
    /// Offset in the literal of the five bytes that are rarest in ordinary text; 0 in shorter ones.
    pub rarest: u8,
}

/// Whether a byte is one that most tokens are made of: `A-Z a-z 0-9 + / - _`.
///
/// Without a branch, so that loops over bytes become vector code.
#[inline]
pub const fn is_token_byte(b: u8) -> bool {
    let letter = (b | 0x20).wrapping_sub(b'a') < 26;
    let digit_or_slash = b.wrapping_sub(b'/') < 11;
    letter | digit_or_slash | (b == b'+') | (b == b'-') | (b == b'_')
}

/// A text that every match holds, ASCII case ignored, unless it holds one of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The text in lower case; not empty.
    pub text: Cow<'static, [u8]>,
    /// Offset of its rarest byte.
    pub rarest: u8,
    /// Words of which one may stand in its place.
    pub others: Cow<'static, [Word]>,
}

impl Word {
    /// Whether `text` holds the word, or one that may stand in its place, in either case.
    pub fn is_in(&self, text: &[u8]) -> bool {
        contains_folded(text, &self.text, usize::from(self.rarest))
            || self.others.iter().any(|w| w.is_in(text))
    }
}

/// Whether `text` contains `needle`, ASCII case ignored. It is looked for by its byte at `rarest`.
pub fn contains_folded(text: &[u8], needle: &[u8], rarest: usize) -> bool {
    find_folded(text, needle, rarest).is_some()
}

/// Where `text` holds `needle` first, ASCII case ignored. It is looked for by its byte at `rarest`.
pub fn find_folded(text: &[u8], needle: &[u8], rarest: usize) -> Option<usize> {
    let Some(byte) = needle.get(rarest) else { return Some(0) };
    let (lower, upper) = (byte.to_ascii_lowercase(), byte.to_ascii_uppercase());
    let mut places = memchr::memchr2_iter(lower, upper, text.get(rarest..).unwrap_or_default());
    let is_here = |start: &usize| {
        text.get(*start..start + needle.len()).is_some_and(|part| part.eq_ignore_ascii_case(needle))
    };
    places.find(is_here)
}

/// A run of at least `min` bytes of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Run {
    /// One bit for each byte value.
    pub class: [u64; 4],
    /// Least length in bytes.
    pub min: u32,
    /// Whether the run, with all bytes of the class around it, holds a digit.
    pub digit: bool,
}

impl Run {
    /// Whether `text` holds such a run, and at how many bytes was looked: about one in `min`, and none twice.
    pub fn look_in(&self, text: &[u8]) -> (bool, usize) {
        let min = self.min.max(1) as usize;
        let mut looked = 0;
        // `end` is the last byte of a run that might be; all before `end - min + 1` are ruled out.
        let mut end = min - 1;
        while end < text.len() {
            let start = end + 1 - min;
            match text[start..=end].iter().rposition(|&b| !self.has(b)) {
                None if !self.digit => return (true, looked + min),
                None => {
                    let behind =
                        text[end..].iter().position(|&b| !self.has(b)).map_or(text.len(), |n| end + n);
                    looked += behind - start;
                    if text[start..behind].iter().any(u8::is_ascii_digit) {
                        return (true, looked);
                    }
                    end = behind + min;
                }
                Some(outside) => {
                    looked += min - outside;
                    end += outside + 1;
                }
            }
        }
        (false, looked)
    }

    /// Whether the class has this byte.
    pub fn has(&self, byte: u8) -> bool {
        self.class[usize::from(byte >> 6)] >> (byte & 63) & 1 != 0
    }
}

/// Another rule's match nearby.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Required {
    /// Id of the other rule.
    pub id: Text,
    /// Greatest distance in lines.
    pub within_lines: Option<u32>,
    /// Greatest distance in columns.
    pub within_columns: Option<u32>,
    /// Joins the finding when there, and is not demanded.
    pub optional: bool,
}

/// What the regexes of an allowlist are applied to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegexTarget {
    /// The secret.
    Secret,
    /// The whole match.
    Match,
    /// The line (or lines) of the match.
    Line,
}

/// Texts, paths and commits that are never reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowlist {
    /// Why.
    pub description: Text,
    /// Whether all kinds of conditions must hold (`AND`), or one (`OR`).
    pub all: bool,
    /// What `regexes` are applied to.
    pub target: RegexTarget,
    /// Patterns.
    pub regexes: Texts,
    /// Patterns for paths.
    pub paths: Texts,
    /// Commit ids or prefixes of them.
    pub commits: Texts,
    /// Words that a secret must not contain, lower case.
    pub stopwords: Texts,
}

/// What to do about a leaked secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remedy {
    /// What the secret opens.
    pub opens: Text,
    /// How to revoke it.
    pub revoke: Text,
    /// How to replace it.
    pub rotate: Text,
    /// Provider's page.
    pub url: Text,
    /// Command that revokes it.
    pub command: Text,
    /// Days after which it should be rotated anyway; 0 = not stated.
    pub rotate_days: u32,
}

impl Rule {
    /// Whether what the rule finds shows by itself that it is a secret: neither a word nearby nor a detector that
    /// weighs surroundings had to say so. In binary data, which is full of words and values, only that counts.
    pub fn identifies_itself(&self) -> bool {
        self.context.is_none() && self.detector.is_empty()
    }

    /// How far a match can reach: `Some(bytes)` when both the match and the places of its literals are
    /// bounded, None when the rule must see the whole text.
    pub fn reach(&self) -> Option<u32> {
        let bounded = self.keywords.is_empty()
            && !self.anchors.is_empty()
            && self.anchors.iter().all(|a| a.before_max.is_some_and(|n| n <= MAX_REACH));
        self.max_len.filter(|&n| bounded && n <= MAX_REACH)
    }
}

/// Longest match, in bytes, that is searched for in windows; rules that reach further see whole texts.
pub const MAX_REACH: u32 = 64 * 1024;
