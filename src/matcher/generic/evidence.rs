//! What the surroundings of a candidate can say: no path, no letters of the value.

use super::cursor::contains;

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
        /// `connect(host, user, "value")`: only its place says what the value is.
        Argument,
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
        let has = |parts: &[&str]| parts.iter().any(|p| contains(lower, p.as_bytes()));
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
