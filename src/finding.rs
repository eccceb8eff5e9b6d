//! Findings: plain data that every room may use and that depends on none of them.

pub(crate) mod kind;

use std::sync::Arc;

use std::fmt;

use bstr::BString;

use kind::names;
pub use kind::{Category, Confidence, Severity};

/// The bytes of a secret. `Debug` and `Display` never show them.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Secret {
    bytes: Box<[u8]>,
    /// How many leading bytes are a public, self-identifying prefix (`ghp_`, `AKIA`).
    prefix: u8,
}

impl Secret {
    /// Wraps the value. `public_prefix` is the length in bytes of its self-identifying prefix, 0 if
    /// it has none; at most four bytes of it are ever shown.
    pub fn new(value: &[u8], public_prefix: usize) -> Self {
        Secret { bytes: value.into(), prefix: public_prefix.min(4) as u8 }
    }

    /// The value itself. Callers keep it inside the process, or print it under `--show-secrets` only.
    pub fn expose(&self) -> &[u8] {
        &self.bytes
    }

    /// Length of the value in bytes.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether the value is empty.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// What may be shown: at most four characters of the public prefix, and `…`.
    ///
    /// The length of the value is not part of it: it would help to guess short passwords.
    pub fn redacted(&self) -> String {
        let shown = if self.len() >= 16 { usize::from(self.prefix) } else { 0 };
        let prefix: String = self.bytes[..shown]
            .iter()
            .map(|&b| if b.is_ascii_graphic() { char::from(b) } else { '?' })
            .collect();
        format!("{prefix}…")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.redacted())
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.redacted())
    }
}

/// A place in text: line and column, both 1-based; the column counts characters, not bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// 1-based line. Lines end at `\n`.
    pub line: u64,
    /// 1-based column in characters (invalid UTF-8 counts one per byte).
    pub column: u64,
}

/// What kind of git object a finding outside a file's content comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MessageKind {
    /// A commit's message.
    Commit,
    /// An annotated tag's message.
    Tag,
    /// A note.
    Note,
    /// An author, committer or tagger field.
    Identity,
    /// The name of a branch, tag or other ref.
    RefName,
    /// The name of a file or folder.
    FileName,
    /// The target of a symbolic link.
    LinkTarget,
    /// Repository configuration, hooks and logs that live beside the objects.
    GitDir,
}

names!(MessageKind {
    "commit" = Commit,
    "tag" = Tag,
    "note" = Note,
    "identity" = Identity,
    "ref-name" = RefName,
    "file-name" = FileName,
    "link-target" = LinkTarget,
    "git-dir" = GitDir,
});

/// Where a finding is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Location {
    /// Path relative to what was scanned, `/`-separated, as bytes. None for messages and stdin.
    pub path: Option<BString>,
    /// Start of the match (of the encoded text, when it was decoded).
    pub start: Position,
    /// End of the match: the position just after its last character.
    pub end: Position,
    /// Names of archive members from the outside in, for content inside containers.
    pub container: Vec<BString>,
    /// The chain of encodings that was undone, outermost first, such as `["base64", "gzip"]`.
    pub decoded: Vec<&'static str>,
    /// What the text is, where it is not a file's content.
    pub message_kind: Option<MessageKind>,
}

/// Who made a commit and when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commit {
    /// Object id in lower-case hex.
    pub id: String,
    /// Author name, as recorded.
    pub author: BString,
    /// Author e-mail address, as recorded.
    pub email: BString,
    /// Author time, seconds since 1970-01-01 UTC.
    pub time: i64,
    /// Offset of the author's clock from UTC, in minutes.
    pub offset_minutes: i32,
}

/// The life of a secret in a repository's history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Life {
    /// The commit that introduced the value. None when no commit reaches it.
    pub first_seen: Option<Commit>,
    /// The last commit that still holds it. None while it is in HEAD or unreachable.
    pub last_seen: Option<Commit>,
    /// Whether the tree of HEAD holds it.
    pub in_head: bool,
    /// Refs (full names) that reach it.
    pub refs: Vec<String>,
    /// For values that no ref reaches: what keeps them (`reflog`, `none`).
    pub unreachable: Option<&'static str>,
    /// Number of distinct blobs that hold it.
    pub blobs: u64,
    /// Number of distinct paths that held it.
    pub paths: u64,
    /// Number of commits that added or moved it.
    pub commits: u64,
    /// Days from its introduction to the time of the scan, or to its removal.
    pub age_days: Option<i64>,
}

/// What to do about a leaked secret of a kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remediation {
    /// What the secret opens, in one sentence.
    pub opens: String,
    /// How to revoke it, in one sentence.
    pub revoke: String,
    /// How to replace it by a new one, in one sentence.
    pub rotate: String,
    /// The provider's page for both.
    pub url: String,
    /// A command that revokes it, where the provider has one.
    pub command: String,
    /// After how many days it should be rotated anyway; 0 when not stated.
    pub rotate_days: u32,
}

/// Why a finding is not reported as new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Suppression {
    /// An entry of the baseline, with the recorded status and reason.
    Baseline {
        /// The recorded decision (`false-positive`, `accepted`, `rotated`, …).
        status: String,
        /// The recorded reason.
        reason: String,
        /// Who decided; empty when not recorded.
        by: String,
        /// The day of the decision (`2026-01-31`); empty when not recorded.
        on: String,
    },
    /// A marker in the text, such as `stanch:allow`.
    Inline {
        /// The marker's words.
        marker: String,
        /// The reason behind the marker, if one was given.
        reason: String,
    },
    /// An allowlist of the configuration or of the rule.
    Allowlist {
        /// The allowlist's description or place.
        description: String,
    },
}

/// Whether a finding counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// Counts: decides the exit code.
    #[default]
    New,
    /// Known and kept quiet, for a stated reason.
    Suppressed(Suppression),
}

/// A secret that was found, with all that is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Id of the rule, such as `github-pat`.
    pub rule: String,
    /// The rule's description.
    pub description: String,
    /// Kind of secret.
    pub category: Category,
    /// Damage it can do.
    pub severity: Severity,
    /// How sure the verdict is.
    pub confidence: Confidence,
    /// Where it is.
    pub location: Location,
    /// The value.
    pub secret: Secret,
    /// The text around the value that the rule matched: what stands before and after the secret.
    pub matched: (BString, BString),
    /// Identity of the value (see `suppress::fingerprint`), lower-case hex.
    pub fingerprint: String,
    /// Further parts of a composite secret: role (the part's rule id) and place.
    pub parts: Vec<(String, Location)>,
    /// The commit it was found in (introduced by, for history scans).
    pub commit: Option<Box<Commit>>,
    /// Its life in the history, for history scans.
    pub life: Option<Box<Life>>,
    /// Further places of the same value, in order.
    pub occurrences: Vec<Location>,
    /// Whether it counts.
    pub status: Status,
    /// What to do about it.
    pub remediation: Arc<Remediation>,
    /// Named reasons of the verdict, such as `checksum-valid` or `placeholder-word`.
    pub reasons: Vec<&'static str>,
    /// Tags of the rule.
    pub tags: Vec<String>,
}

#[cfg(any(test, fuzzing))]
impl Finding {
    /// A finding with nothing in it but a value, for tests to fill.
    pub(crate) fn blank() -> Self {
        Finding {
            rule: String::new(),
            description: String::new(),
            category: Category::Token,
            severity: Severity::High,
            confidence: Confidence::High,
            location: Location::default(),
            secret: Secret::new(b"value", 0),
            matched: Default::default(),
            fingerprint: String::new(),
            parts: Vec::new(),
            commit: None,
            life: None,
            occurrences: Vec::new(),
            status: Status::New,
            remediation: Default::default(),
            reasons: Vec::new(),
            tags: Vec::new(),
        }
    }
}

/// Something that was asked for and not scanned, or not scanned whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    /// The file, object or member, for people.
    pub what: BString,
    /// A short, stable, machine-readable reason, such as `permission-denied` or `too-large`.
    pub reason: &'static str,
    /// Details for people; never contains scanned content.
    pub detail: String,
    /// Whether this makes the run incomplete (exit code 2). False for what the user excluded.
    pub incomplete: bool,
}
