//! What the surroundings of a candidate say, gathered once: no path, no letters of the value.

use std::ops::Range;

use super::cursor::{before, is_blank, line_before};
use super::value::Value;
use super::words;
use super::{AFTER_REACH, BEFORE_REACH};

macro_rules! enumeration {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }
    };
}

enumeration! {
    /// How a name and a value are joined.
    Syntax {
        /// `name = value` and its relatives.
        #[default] Assign,
        /// `name: value`.
        Colon,
        /// `name => value`.
        Arrow,
        /// `name == value`, `name != value`.
        Compare,
        /// `"name", "value"`.
        Pair,
        /// `name("value")`.
        Call,
        /// `<name>value</name>`.
        Element,
        /// `name: NAME, value: VALUE`.
        Indirect,
        /// `| name | value |`.
        Cell,
        /// `name "value"`.
        Space,
        /// `--name value`.
        Flag,
        /// `?name=value` in a URL or a form.
        UrlQuery,
        /// `;name=value` in a connection string.
        Connection,
        /// `IDENTIFIED BY 'value'`.
        Sql,
        /// `the name is "value"`.
        Prose,
        /// `scheme://user:value@host`.
        Url,
        /// `Bearer value`.
        Header,
        /// A member of a JSON web key.
        Jwk,
    }
}

enumeration! {
    /// The quotes around a literal.
    Quote {
        /// None.
        #[default] None,
        /// `"`.
        Double,
        /// `'`.
        Single,
        /// `` ` ``.
        Back,
        /// HTML's `&quot;` and its like.
        Entity,
    }
}

enumeration! {
    /// What stands around the literal, from harmless to decisive.
    Wrapper {
        /// Nothing.
        #[default] None,
        /// A constructor or conversion: `String("…")`, `Some("…")`.
        Constructor,
        /// Undoes an encoding.
        Decode,
        /// Some other call.
        Call,
        /// Hashes, signs or translates: the literal is its input, or a label.
        Label,
        /// Looks the value up elsewhere.
        Reference,
    }
}

impl Wrapper {
    /// What a call of `name` does with a literal.
    pub(super) fn of_callee(name: &[u8]) -> Wrapper {
        let mut lower = [0_u8; 64];
        let tail = &name[name.len().saturating_sub(64)..];
        let lower = &mut lower[..tail.len()];
        lower.copy_from_slice(tail);
        lower.make_ascii_lowercase();
        let has = |parts: &[&str]| parts.iter().any(|p| lower.windows(p.len()).any(|w| w == p.as_bytes()));
        if is_getter(lower)
            || has(&[
                "env",
                "lookup",
                "getsecret",
                "get_secret",
                "secretvalue",
                "vault",
                "getproperty",
                "getparam",
                "config",
                "get_parameter",
                "require",
                "import",
                "props",
            ])
        {
            Wrapper::Reference
        } else if has(&["decode", "unhex", "fromhex", "buffer.from", "unpack", "base64"]) {
            Wrapper::Decode
        } else if has(&[
            "translate",
            "gettext",
            "trans",
            "label",
            "field",
            "i18n",
            "tr(",
            "regex",
            "regexp",
            "compile",
            "symbol",
            "column",
            "format",
            "printf",
            "find",
            "query",
            "getby",
            "join",
            "ident",
            "literal",
            "t.type",
            "describe",
            "match",
        ]) {
            Wrapper::Label
        } else if has(&[
            "string",
            "some",
            "bytes",
            "byte",
            "str",
            "secret",
            "char",
            "just",
            "optional",
            "of",
            "value",
            "new",
            "ptr",
            "pointer",
            "literal",
            "text",
            "equal",
            "eq",
            "password",
            "token",
            "key",
            "credential",
        ]) {
            Wrapper::Constructor
        } else if lower.is_empty() {
            Wrapper::None
        } else {
            Wrapper::Call
        }
    }
}

/// Whether a name in lower case is that of a call that fetches something by its name: `keyring.get_password`,
/// `loadSecret`; not `GetBytes`, which converts.
pub(super) fn is_getter(callee: &[u8]) -> bool {
    let last = callee.rsplit(|b| matches!(b, b'.' | b':' | b'>')).next().unwrap_or_default();
    let fetches =
        [b"get".as_slice(), b"fetch", b"load", b"find", b"retrieve", b"resolve", b"lookup", b"access_"];
    fetches.iter().any(|verb| last.starts_with(verb))
        && memchr::memmem::find(last, b"byte").is_none()
        && !last.ends_with(b"string")
        && !last.ends_with(b"chars")
}

/// Single facts, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Flags(u32);

impl Flags {
    /// The literal stands in brackets.
    pub const BRACKET: u32 = 1;
    /// A block scalar of YAML.
    pub const BLOCK: u32 = 1 << 1;
    /// A format string (Python's `f"…"`).
    pub const FORMAT: u32 = 1 << 2;
    /// The default of a look-up.
    pub const FALLBACK: u32 = 1 << 3;
    /// The value goes on beyond what is looked at.
    pub const CUT: u32 = 1 << 4;
    /// More words follow a bare value on its line.
    pub const MORE: u32 = 1 << 5;
    /// A bracket or quote follows a bare value at once.
    pub const TOUCHES: u32 = 1 << 6;
    /// The line is a comment.
    pub const COMMENT: u32 = 1 << 7;
    /// The same value stands once more nearby.
    pub const AGAIN: u32 = 1 << 8;
    /// The value says what the name says (`password = "password"`, `"my_token"`).
    pub const SAYS_NAME: u32 = 1 << 9;
    /// The name is the first thing on its line.
    pub const FIRST: u32 = 1 << 10;
    /// The name stands inside a string literal.
    pub const INSIDE: u32 = 1 << 11;
    /// The name stands in `[…]`: a subscript.
    pub const SUBSCRIPT: u32 = 1 << 12;
    /// Something is added to the literal: `"…" + x`, `"…" % x`.
    pub const JOINED: u32 = 1 << 13;
    /// The key is in quotes.
    pub const KEY_QUOTED: u32 = 1 << 14;
    /// The name begins with a capital or a sigil: `$password`, `@token`.
    pub const SIGIL: u32 = 1 << 15;
    /// The name is an attribute: `user.password`.
    pub const MEMBER: u32 = 1 << 16;
    /// The name is all capitals.
    pub const CAPITALS: u32 = 1 << 17;
    /// The line ends with the value and its closing quote, comma or semicolon.
    pub const LAST: u32 = 1 << 18;
    /// The line is far longer than people write.
    pub const LONG_LINE: u32 = 1 << 19;
    /// There is a space on each side of `=`.
    pub const SPACED: u32 = 1 << 20;
    /// A user's name stands nearby as a value of its own.
    pub const USER_NEAR: u32 = 1 << 21;
    /// A declaration (`const`, `final`, `val`, `let`, `String`) precedes the name.
    pub const DECLARED: u32 = 1 << 22;
    /// Markup of a document: a code fence, a table, a prompt.
    pub const MARKUP: u32 = 1 << 23;

    /// The host behind a URL's credentials is an example or this machine.
    pub const EXAMPLE_HOST: u32 = 1 << 24;
    /// The value encodes the secret: see [`super::plain`].
    pub const ENCODED: u32 = 1 << 25;

    /// Sets a flag.
    pub fn set(&mut self, flag: u32) {
        self.0 |= flag;
    }

    /// Sets a flag if a condition holds.
    pub fn set_if(&mut self, flag: u32, condition: bool) {
        if condition {
            self.0 |= flag;
        }
    }

    /// Sets a flag or takes it away.
    pub fn put(&mut self, flag: u32, condition: bool) {
        self.0 = if condition { self.0 | flag } else { self.0 & !flag };
    }

    /// Whether a flag is set.
    pub fn has(self, flag: u32) -> bool {
        self.0 & flag != 0
    }

    /// All flags as bits.
    pub fn bits(self) -> u32 {
        self.0
    }
}

/// What the surroundings of a value say. Depends on content only, so history can inherit it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Evidence {
    /// Groups of words in the name.
    pub name: u64,
    /// Groups of words on the same line, outside name and value.
    pub line: u64,
    /// Groups of words in the lines around.
    pub around: u64,
    /// Groups of the last word of the name.
    pub head: u64,
    /// Single facts.
    pub flags: Flags,
    /// The syntax.
    pub syntax: Syntax,
    /// The quotes of the value.
    pub quote: Quote,
    /// What stands around the literal.
    pub wrapper: Wrapper,
    /// Backslashes before the quotes.
    pub escapes: u8,
    /// Length of the name in bytes.
    pub name_len: u8,
    /// Bytes of the line before the name, at most 160.
    pub column: u8,
    /// Bytes of the line after the value, at most 64.
    pub tail: u8,
    /// The byte after the value and its quote, as a class (see `verdict::features`).
    pub next: u8,
    /// The byte before the name, as a class.
    pub previous: u8,
    /// Assignment marks (`=`, `:`, `=>`) on the line around.
    pub marks: u8,
}

/// Gathers the evidence for a name and a value.
pub(super) fn gather(
    text: &[u8],
    key: &Range<usize>,
    value: &Value,
    syntax: Syntax,
    key_quoted: bool,
) -> Evidence {
    let (first, last) = (key.start.min(value.range.start), key.end.max(value.range.end));
    let wide = before(text, first, BEFORE_REACH);
    let line = line_before(text, first, BEFORE_REACH);
    let after = text.get(last..(last + AFTER_REACH).min(text.len())).unwrap_or_default();
    let tail = &after[..after.iter().position(|&b| b == b'\n').unwrap_or(after.len())];
    let name = text.get(key.clone()).unwrap_or_default();
    let body = text.get(value.range.clone()).unwrap_or_default();
    let mut flags = value.flags;
    mark_name(&mut flags, name, line, key_quoted);
    mark_line(&mut flags, line, tail, value);
    let here = &wide[..wide.len() - line.len()];
    flags.set_if(Flags::AGAIN, body.len() >= 4 && (contains(wide, body) || contains(after, body)));
    let between = text.get(key.end..value.range.start).unwrap_or_default();
    flags.set_if(Flags::SPACED, between.first() == Some(&b' ') && between.contains(&b'='));
    let words_of_name = words::groups_in(name);
    flags.set_if(Flags::SAYS_NAME, says(name, body));
    let words_of_line = words::groups_in(line) | words::groups_in(tail) | words::groups_in(between);
    let words_around = words::groups_in(here) | words::groups_in(&after[tail.len()..]);
    flags.set_if(Flags::USER_NEAR, (words_of_line | words_around) & words::bit(words::Group::User) != 0);
    Evidence {
        name: words_of_name,
        line: words_of_line,
        around: words_around,
        head: words::ends(name).1,
        flags,
        syntax,
        quote: value.quote,
        wrapper: value.wrapper,
        escapes: value.escapes,
        name_len: name.len().min(255) as u8,
        column: line.len().min(255) as u8,
        tail: tail.len().min(255) as u8,
        next: class(next_byte(tail, value.quote)),
        previous: class(line.last().copied().unwrap_or(b'\n')),
        marks: line.iter().chain(tail).filter(|&&b| b == b'=' || b == b':').count().min(255) as u8,
    }
}

/// Facts about the name.
fn mark_name(flags: &mut Flags, name: &[u8], line: &[u8], key_quoted: bool) {
    let lead = line.trim_ascii();
    flags.set_if(
        Flags::FIRST,
        lead.is_empty()
            || matches!(lead, b"-" | b"\"" | b"'" | b"export" | b"#" | b"//" | b"*" | b"+" | b"- \""),
    );
    flags.set_if(Flags::INSIDE, odd(line, b'"') || odd(line, b'\'') || odd(line, b'`'));
    flags.set_if(Flags::SUBSCRIPT, key_quoted && line.len() >= 2 && line[line.len() - 2] == b'[');
    flags.set_if(Flags::KEY_QUOTED, key_quoted);
    flags.set_if(
        Flags::SIGIL,
        matches!(name.first(), Some(b'$' | b'@')) || matches!(line.last(), Some(b'$' | b'@' | b':')),
    );
    flags.set_if(Flags::MEMBER, name.contains(&b'.') || line.last() == Some(&b'.') || line.ends_with(b"->"));
    flags.set_if(
        Flags::CAPITALS,
        name.iter().any(u8::is_ascii_uppercase) && !name.iter().any(u8::is_ascii_lowercase),
    );
    let word = lead.rsplit(|&b| is_blank(b)).next().unwrap_or_default();
    let declares = [
        b"const".as_slice(),
        b"let",
        b"var",
        b"val",
        b"final",
        b"String",
        b"string",
        b"static",
        b"str",
        b"def",
        b"char",
        b"export",
        b"SET",
        b"set",
        b"ENV",
        b"ARG",
    ];
    flags.set_if(
        Flags::DECLARED,
        declares.contains(&word) || word.ends_with(b"String") || word.starts_with(b"char"),
    );
}

/// Facts about the line.
fn mark_line(flags: &mut Flags, line: &[u8], tail: &[u8], value: &Value) {
    let lead = line.trim_ascii_start();
    let comments: [&[u8]; 8] = [b"//", b"#", b"*", b"/*", b"--", b";", b"<!--", b"%"];
    flags.set_if(
        Flags::COMMENT,
        comments.iter().any(|c| lead.starts_with(c)) || line.windows(3).any(|w| w == b"// "),
    );
    flags.set_if(
        Flags::MARKUP,
        lead.starts_with(b"|") || lead.starts_with(b"$ ") || lead.starts_with(b">") || lead.contains(&b'`'),
    );
    let end = tail
        .iter()
        .all(|b| matches!(b, b'"' | b'\'' | b'`' | b',' | b';' | b')' | b'}' | b']' | b' ' | b'\r' | b'\\'));
    flags.set_if(Flags::LAST, end && tail.len() < AFTER_REACH);
    flags.set_if(Flags::LONG_LINE, line.len() >= BEFORE_REACH);
    let joined = match value.quote {
        Quote::None => false,
        _ => {
            let rest = tail.get(1 + usize::from(value.escapes)..).unwrap_or_default().trim_ascii_start();
            matches!(rest.first(), Some(b'+' | b'%' | b'.')) || rest.starts_with(b"<<")
        }
    };
    flags.set_if(Flags::JOINED, joined);
}

/// Whether a byte stands an odd number of times in a line: the end is inside such quotes.
fn odd(line: &[u8], quote: u8) -> bool {
    line.iter().filter(|&&b| b == quote).count() % 2 == 1
}

/// The first byte after the value's closing quote.
fn next_byte(tail: &[u8], quote: Quote) -> u8 {
    let rest = match quote {
        Quote::None => tail,
        _ => {
            let n = tail.iter().position(|b| !matches!(b, b'\\')).unwrap_or(0);
            tail.get(n + 1..).unwrap_or_default()
        }
    };
    rest.iter().copied().find(|&b| !is_blank(b)).unwrap_or(b'\n')
}

/// Classes of neighbouring bytes.
pub(crate) fn class(b: u8) -> u8 {
    match b {
        b'\n' | b'\r' => 0,
        b' ' | b'\t' => 1,
        b'"' | b'\'' | b'`' => 2,
        b',' => 3,
        b';' => 4,
        b')' | b']' => 5,
        b'}' => 6,
        b'(' | b'[' | b'{' => 7,
        b'.' => 8,
        b':' | b'=' => 9,
        b'&' | b'?' | b'|' => 10,
        b'-' | b'_' | b'$' | b'@' => 11,
        b'<' | b'>' | b'/' => 12,
        b'\\' => 13,
        b'#' | b'+' | b'%' | b'*' => 14,
        b if b.is_ascii_alphanumeric() => 15,
        _ => 16,
    }
}

/// Whether `needle` stands in `text` as a whole piece.
fn contains(text: &[u8], needle: &[u8]) -> bool {
    let Some((&first, rest)) = needle.split_first() else {
        return true;
    };
    memchr::memchr_iter(first, text).any(|at| text[at + 1..].starts_with(rest))
}

/// Whether the value repeats the name, ignoring case and punctuation, or the other way round.
pub(super) fn says(name: &[u8], value: &[u8]) -> bool {
    let squeeze = |text: &[u8], out: &mut [u8; 64]| {
        let mut n = 0;
        for b in text.iter().filter(|b| b.is_ascii_alphabetic()) {
            if let Some(slot) = out.get_mut(n) {
                *slot = b.to_ascii_lowercase();
                n += 1;
            }
        }
        n
    };
    let (mut a, mut b) = ([0; 64], [0; 64]);
    let (n, m) = (squeeze(name, &mut a), squeeze(value, &mut b));
    let (name, value) = (&a[..n], &b[..m]);
    m >= 3 && n >= 3 && (contains(name, value) || (m <= n + 8 && contains(value, name)))
}
