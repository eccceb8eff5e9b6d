//! The candidate finder for assignments in any syntax: `password = "…"`, `<token>…</token>`, `--password …`,
//! credentials in URLs, `Authorization: Bearer …` and their like.
//!
//! Pure: bytes in, candidates out. It knows no path and no file kind; whether a candidate is a secret is
//! decided by [`crate::verdict::generic`]. All work is bounded: [`at_hit`] looks at most [`REACH_BACK`]
//! bytes back and [`REACH_FORWARD`] bytes forward of a trigger, whatever the text is, so that a scan is
//! linear in the number of triggers and a history scan may keep a result as long as those bytes stay.

mod arguments;
mod bare;
mod commands;
mod cursor;
mod declared;
mod encoded;
mod evidence;
mod gather;
mod headers;
mod jwk;
mod keyed;
mod kinds;
mod link;
mod literal;
pub mod marks;
mod repeats;
mod reversed;
mod triggers;
mod urls;
mod value;
pub mod words;

use std::ops::Range;

use arguments::Command;

pub use encoded::{plain, text_in_base64};
pub use evidence::{Evidence, Flags, Quote, Syntax, Wrapper};
pub(crate) use gather::class;
pub use kinds::{Kind, kinds};
pub use triggers::TRIGGERS;
use triggers::{ROLES, Role};

/// Bytes a key may extend to either side of the trigger inside it. Longer "keys" are data, not names.
const KEY_REACH: usize = 48;
/// Bytes between the end of a key and the beginning of its value.
const LINK_REACH: usize = 96;
/// Bytes of a value that are looked at. A longer value is cut there and marked.
const VALUE_REACH: usize = 256;
/// Bytes before a key that count as its surroundings.
const BEFORE_REACH: usize = 160;
/// Bytes before `kty` in which a member of a JSON web key may begin.
const JWK_REACH: usize = 112;
/// Bytes after a value that count as its surroundings.
const AFTER_REACH: usize = 64;

/// How many bytes before a trigger [`at_hit`] may look at.
pub const REACH_BACK: usize = KEY_REACH + BEFORE_REACH + JWK_REACH;
/// How many bytes from the beginning of a trigger [`at_hit`] may look at.
pub const REACH_FORWARD: usize = 16 + KEY_REACH + LINK_REACH + VALUE_REACH + AFTER_REACH + 160;

/// A value that something names as a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Bytes of the name: an identifier, a flag, a header, the user of a URL.
    pub key: Range<usize>,
    /// Bytes of the value, without quotes.
    pub value: Range<usize>,
    /// From the beginning of the key to the end of the value, or the other way round.
    pub whole: Range<usize>,
    /// What kind of secret the name and the syntax promise.
    pub kind: Kind,
    /// What the surroundings say, for the verdict.
    pub evidence: Evidence,
}

/// Appends the candidates that the occurrence of `TRIGGERS[trigger]` at byte `at` of `text` leads to.
///
/// The result depends only on `text[at - REACH_BACK .. at + REACH_FORWARD]` (and on whether the text
/// ends there). Two triggers may lead to the same assignment, byte for byte; [`dedup`] removes the
/// repetition. An index that is not a trigger's, or an offset outside the text, yields nothing; neither does
/// the middle of a text that repeats a few bytes over and over (`repeats.rs`): its beginning did.
pub fn at_hit(text: &[u8], at: usize, trigger: usize, out: &mut Vec<Assignment>) {
    let (Some(literal), Some(role)) = (TRIGGERS.get(trigger), ROLES.get(trigger)) else {
        return;
    };
    let end = at.saturating_add(literal.len());
    // Most occurrences of names end at the byte behind them, without this look.
    if end > text.len() || *role != Role::Key && repeats::inside_repetition(text, at) {
        return;
    }
    match *role {
        Role::Key => keyed::find(text, at, end, out),
        Role::Url => urls::find(text, at, out),
        Role::Scheme => headers::find(text, at, end, out),
        Role::UserFlag => commands::user_flag(text, at, end, out),
        Role::ShortFlag => commands::short_flag(text, at, end, out),
        Role::Sql => commands::identified_by(text, at, end, out),
        Role::SecureString => commands::secure_string(text, at, end, out),
        Role::Literal => commands::from_literal(text, end, out),
        Role::Jwk => jwk::find(text, at, end, out),
        Role::Password(index) => arguments::of_call(text, at, end, index, Kind::Password, out),
        Role::Secret(index) => arguments::of_call(text, at, end, index, Kind::Secret, out),
        Role::Chars => arguments::chars(text, at, end, out),
        Role::Htpasswd => arguments::of_command(text, at, end, Command::Htpasswd, out),
        Role::NetUser => arguments::of_command(text, at, end, Command::NetUser, out),
        Role::NetUse => arguments::of_command(text, at, end, Command::NetUse, out),
        Role::Rabbit => arguments::of_command(text, at, end, Command::Rabbit, out),
        Role::Wifi => arguments::of_command(text, at, end, Command::Wifi, out),
        Role::MysqlAdmin => arguments::of_command(text, at, end, Command::MysqlAdmin, out),
        Role::Piped => arguments::piped(text, at, end, out),
        Role::SlashPair => arguments::slash_pair(text, end, out),
        Role::Driver => urls::before_protocol(text, at, out),
    }
}

/// Sorts assignments by value and keeps one for each value: the one with the most specific kind.
pub fn dedup(found: &mut Vec<Assignment>) {
    found.sort_by_key(|a| (a.value.start, a.value.end, a.kind.generality(), a.key.start, a.key.end));
    found.dedup_by_key(|a| (a.value.start, a.value.end));
}

#[cfg(test)]
mod tests;
