//! The escapes that stand for a few bytes each: percent, backslash, HTML, quoted-printable, and the
//! joints of split literals, which stand for nothing.

use super::base64::{NIBBLE, NONE};
use super::triggers::in_token;
use crate::matcher::work;

/// A family of escapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `%3D`.
    Percent,
    /// `\x41`, `\u0041`, `\u{41}`, `\U00000041`, `\101`, `\/`, and the short ones beside them.
    Backslash,
    /// `&#65;`, `&#x41;`, `&quot;`.
    Entity,
    /// `=3D`, and lines that end in `=`.
    Quoted,
    /// `" + "`, `" "`, `\` at the end of a line.
    Joint,
}

/// What escapes of a kind are like.
pub(super) struct Traits {
    /// Name in a chain.
    pub name: &'static str,
    /// Bytes of context that are taken along before the first escape and after the last.
    pub left: usize,
    pub right: usize,
}

impl Kind {
    pub(super) const fn traits(self) -> Traits {
        match self {
            Kind::Percent => Traits { name: "percent", left: 64, right: 192 },
            Kind::Backslash => Traits { name: "unicode-escape", left: 64, right: 192 },
            Kind::Entity => Traits { name: "html-entity", left: 64, right: 192 },
            Kind::Quoted => Traits { name: "quoted-printable", left: 64, right: 192 },
            Kind::Joint => Traits { name: "concat", left: 64, right: 192 },
        }
    }

    /// Whether an escape can begin with this byte.
    pub(super) const fn leads(self, b: u8) -> bool {
        match self {
            Kind::Percent => b == b'%',
            Kind::Backslash => b == b'\\',
            Kind::Entity => b == b'&',
            Kind::Quoted => b == b'=',
            Kind::Joint => matches!(b, b'"' | b'\'' | b'`' | b'\\'),
        }
    }

    /// Whether this byte, outside an escape, ends the text that escapes of this kind belong to.
    pub(super) const fn breaks(self, b: u8) -> bool {
        match self {
            Kind::Percent => {
                b <= b' '
                    || matches!(b, b'"' | b'\'' | b'<' | b'>' | b'\\' | b'`' | b'{' | b'}' | b'|' | b'^')
            }
            _ => matches!(b, b'\n' | b'\r' | 0),
        }
    }
}

/// An escape, undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Escape {
    /// Offset of its first byte in the text.
    pub start: usize,
    /// Offset after its last byte.
    pub end: usize,
    bytes: [u8; 4],
    len: u8,
    /// Whether it hides something: text made only of escapes that do not is as readable as it is.
    pub telling: bool,
}

impl Escape {
    /// What it stands for.
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }

    fn nothing(start: usize, end: usize) -> Self {
        Escape { start, end, bytes: [0; 4], len: 0, telling: true }
    }

    fn byte(start: usize, end: usize, b: u8) -> Self {
        Escape { start, end, bytes: [b, 0, 0, 0], len: 1, telling: b.is_ascii_graphic() }
    }

    fn character(start: usize, end: usize, c: char) -> Self {
        let mut bytes = [0; 4];
        let len = c.encode_utf8(&mut bytes).len() as u8;
        Escape { start, end, bytes, len, telling: c.is_ascii_graphic() }
    }
}

/// Whether an escape at `at` can be a telling one: what its next bytes show, in no time.
#[inline]
pub(super) fn may_tell(text: &[u8], kind: Kind, at: usize) -> bool {
    let Some(&second) = text.get(at + 1) else {
        return false;
    };
    match kind {
        Kind::Percent => {
            let third = text.get(at + 2).map_or(NONE, |&b| NIBBLE[usize::from(b)]);
            NIBBLE[usize::from(second)] != NONE && third != NONE
        }
        Kind::Backslash => matches!(second, b'x' | b'u' | b'U' | b'0'..=b'3' | b'/' | b'\\'),
        Kind::Joint => may_join(text, at, second),
        Kind::Entity | Kind::Quoted => true,
    }
}

/// Whether a backslash ends its line, or whether behind a quote stands what can open the next literal: most often a
/// word follows, or a bracket.
fn may_join(text: &[u8], at: usize, second: u8) -> bool {
    if text.get(at) == Some(&b'\\') {
        return matches!(second, b'\n' | b'\r');
    }
    let quote = |b: u8| matches!(b, b'"' | b'\'' | b'`');
    let byte = |at: usize| text.get(at).copied().unwrap_or(b' ');
    match second {
        0..=b' ' => {
            let behind = text.get(at + 2..).unwrap_or_default();
            let next = behind.iter().take(MAX_JOINT).find(|b| !b.is_ascii_whitespace());
            next.is_some_and(|&b| quote(b) || is_prefix(b) || joins(b))
        }
        b'+' | b'.' | b'&' | b'\\' => {
            let third = byte(at + 2);
            quote(third) || third.is_ascii_whitespace() || third == second || {
                is_prefix(third) && quote(byte(at + 3))
            }
        }
        b'"' | b'\'' | b'`' => in_token(byte(at + 2)),
        _ => false,
    }
}

/// The escape that begins at `at`, if one does.
pub(super) fn parse(text: &[u8], kind: Kind, at: usize) -> Option<Escape> {
    work::count(1);
    let rest = text.get(at..)?;
    if !kind.leads(*rest.first()?) {
        return None;
    }
    match kind {
        Kind::Percent => percent(rest, at),
        Kind::Backslash => backslash(rest, at),
        Kind::Entity => entity(text, rest, at),
        Kind::Quoted => quoted(text, rest, at),
        Kind::Joint => joint(text, rest, at),
    }
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let &[a, b, ..] = digits else { return None };
    let (a, b) = (NIBBLE[usize::from(a)], NIBBLE[usize::from(b)]);
    (a != NONE && b != NONE).then_some(a << 4 | (b & 0xf))
}

fn hex_number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 8 {
        return None;
    }
    digits.iter().try_fold(0u32, |n, &b| match NIBBLE[usize::from(b)] {
        NONE => None,
        digit => Some(n << 4 | u32::from(digit)),
    })
}

fn percent(rest: &[u8], at: usize) -> Option<Escape> {
    hex_byte(rest.get(1..3)?).map(|b| {
        let mut found = Escape::byte(at, at + 3, b);
        // A space glues what follows to its digits: `%20ghp_`.
        found.telling |= b == b' ' || b == b'\n';
        found
    })
}

fn backslash(rest: &[u8], at: usize) -> Option<Escape> {
    let slashes = rest.iter().take(8).take_while(|&&b| b == b'\\').count();
    let body = rest.get(slashes..)?;
    let from = at + slashes;
    let hex = |first: usize, len: usize| hex_number(body.get(first..first + len)?);
    let quiet = |b: u8| {
        let mut escape = Escape::byte(at, from + 1, b);
        escape.telling = false;
        Some(escape)
    };
    match *body.first()? {
        b'x' => hex_byte(body.get(1..3)?).map(|b| Escape::byte(at, from + 3, b)),
        b'u' if body.get(1) == Some(&b'{') => {
            let len = body.get(2..)?.iter().take(7).position(|&b| b == b'}')?;
            Some(Escape::character(at, from + len + 3, char::from_u32(hex(2, len)?)?))
        }
        b'u' => {
            let unit = hex(1, 4)?;
            if (0xd800..0xdc00).contains(&unit) {
                let low = body.get(5..7).filter(|b| *b == b"\\u").and_then(|_| hex(7, 4));
                let low = low.filter(|low| (0xdc00..0xe000).contains(low))?;
                let c = char::from_u32(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00))?;
                return Some(Escape::character(at, from + 11, c));
            }
            Some(Escape::character(at, from + 5, char::from_u32(unit)?))
        }
        b'U' => Some(Escape::character(at, from + 9, char::from_u32(hex(1, 8)?)?)),
        b'0'..=b'3' => {
            let digits = body.get(..3)?.iter().map(|b| b.wrapping_sub(b'0'));
            let value = digits.clone().fold(0u32, |n, d| n << 3 | u32::from(d & 7));
            (digits.max()? < 8).then(|| Escape::byte(at, from + 3, value as u8))
        }
        // `:\/\/` of JSON hides a connection string.
        b'/' => Some(Escape { telling: body.get(1..3) == Some(b"\\/"), ..Escape::byte(at, from + 1, b'/') }),
        b'n' => quiet(b'\n'),
        b't' => quiet(b'\t'),
        b'r' => quiet(b'\r'),
        b @ (b'"' | b'\'') => quiet(b),
        _ => None,
    }
}

/// HTML's names for ASCII characters.
const NAMED: [(&[u8], u8); 34] = [
    (b"amp", b'&'),
    (b"lt", b'<'),
    (b"gt", b'>'),
    (b"quot", b'"'),
    (b"apos", b'\''),
    (b"nbsp", b' '),
    (b"colon", b':'),
    (b"equals", b'='),
    (b"commat", b'@'),
    (b"sol", b'/'),
    (b"bsol", b'\\'),
    (b"plus", b'+'),
    (b"lowbar", b'_'),
    (b"num", b'#'),
    (b"excl", b'!'),
    (b"dollar", b'$'),
    (b"percnt", b'%'),
    (b"lpar", b'('),
    (b"rpar", b')'),
    (b"ast", b'*'),
    (b"comma", b','),
    (b"period", b'.'),
    (b"dash", b'-'),
    (b"hyphen", b'-'),
    (b"semi", b';'),
    (b"quest", b'?'),
    (b"lsqb", b'['),
    (b"rsqb", b']'),
    (b"lcub", b'{'),
    (b"rcub", b'}'),
    (b"verbar", b'|'),
    (b"grave", b'`'),
    (b"Hat", b'^'),
    (b"tilde", b'~'),
];

fn entity(text: &[u8], rest: &[u8], at: usize) -> Option<Escape> {
    let len = rest.iter().take(12).position(|&b| b == b';')?;
    let end = at + len + 1;
    let mut found = match rest.get(1..len)? {
        [b'#', b'x' | b'X', digits @ ..] => Escape::character(at, end, char::from_u32(hex_number(digits)?)?),
        [b'#', digits @ ..] if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) => {
            let number =
                digits.iter().try_fold(0u32, |n, b| n.checked_mul(10)?.checked_add(u32::from(b - b'0')));
            Escape::character(at, end, char::from_u32(number?)?)
        }
        name => Escape::byte(at, end, NAMED.iter().find(|(n, _)| *n == name)?.1),
    };
    if matches!(found.bytes(), [b'"' | b'\'' | b'<' | b'>' | b'&' | b' ']) {
        found.telling = marks_value(text, at, found.bytes());
    }
    Some(found)
}

/// Whether the common entities, which escaped markup is full of, stand where a value begins
/// (`key=&quot;`), or in a connection string.
fn marks_value(text: &[u8], at: usize, decoded: &[u8]) -> bool {
    let before = text.get(at.saturating_sub(64)..at).unwrap_or_default();
    let line = before.iter().rposition(|&b| matches!(b, b'\n' | b'\r' | 0)).map_or(0, |end| end + 1);
    let before = before.get(line..).unwrap_or_default();
    match decoded {
        b"&" => before.windows(3).any(|w| w == b"://"),
        b"\"" | b"'" => matches!(before.trim_ascii_end().last(), Some(b'=' | b':')),
        _ => false,
    }
}

fn quoted(text: &[u8], rest: &[u8], at: usize) -> Option<Escape> {
    if let Some(&[a, b]) = rest.get(1..3).and_then(|d| d.first_chunk::<2>())
        && !a.is_ascii_lowercase()
        && !b.is_ascii_lowercase()
        && let Some(byte) = hex_byte(&[a, b])
    {
        // `=3D` is an equals sign that was encoded; other digits may be a number.
        return Some(Escape { telling: byte == b'=', ..Escape::byte(at, at + 3, byte) });
    }
    let end = at + 1 + line_break(rest.get(1..)?, false)?;
    let before = at.checked_sub(1).and_then(|i| text.get(i))?;
    let after = text.get(end)?;
    let line = text.get(at.saturating_sub(80)..at)?.iter().rev();
    let line = line.take_while(|b| !matches!(b, b'\n' | b'\r' | 0)).count();
    // Lines of encoded mail are 76 characters at most; those of base64 end in `=` only at the end.
    let soft = (32..=76).contains(&line) && in_token(*before) && in_token(*after) && *before != b'=';
    soft.then(|| Escape::nothing(at, end))
}

/// Most bytes of a joint.
const MAX_JOINT: usize = 120;

fn joint(text: &[u8], rest: &[u8], at: usize) -> Option<Escape> {
    let before = at.checked_sub(1).and_then(|i| text.get(i))?;
    let rest = rest.get(..MAX_JOINT.min(rest.len()))?;
    let len = match rest.first()? {
        b'\\' => 1 + line_break(rest.get(1..)?, true)?,
        _ => literals(rest)?,
    };
    let after = text.get(at + len)?;
    if !(in_token(*before) && in_token(*after)) {
        return None;
    }
    // Most literals of several lines end in `\n`: no word goes on behind it.
    let escape = at.checked_sub(2).and_then(|i| text.get(i)) == Some(&b'\\');
    let seen = matches!(rest.get(1), Some(0..=b' ' | b'+' | b'.' | b'&' | b'\\' | b'"' | b'\'' | b'`'));
    Some(Escape { telling: seen && !escape, ..Escape::nothing(at, at + len) })
}

/// Whether an operator that joins literals can begin with this.
pub(super) const fn joins(b: u8) -> bool {
    matches!(b, b'+' | b'.' | b'&' | b'|' | b'<' | b'~' | b'\\')
}

/// Whether a literal's opening quote can have this before it, in Python, C++ or C#.
pub(super) const fn is_prefix(b: u8) -> bool {
    matches!(b, b'f' | b'r' | b'b' | b'u' | b'L' | b'@' | b'$')
}

/// Length of a closing quote, an operator that joins, and an opening quote.
fn literals(rest: &[u8]) -> Option<usize> {
    let space = |from: usize| rest.iter().skip(from).take_while(|b| b.is_ascii_whitespace()).count();
    let mut i = 1 + space(1);
    i += match rest.get(i..)? {
        [b'.', b'.', ..] | [b'|', b'|', ..] | [b'<', b'>', ..] | [b'+', b'+', ..] => 2,
        [b'+' | b'.' | b'&' | b'~' | b'\\', ..] => 1,
        _ => 0,
    };
    i += space(i);
    i += usize::from(rest.get(i).is_some_and(|&b| is_prefix(b)));
    matches!(rest.get(i)?, b'"' | b'\'' | b'`').then_some(i + 1)
}

/// Length of a line break at the start, with blanks before it, and behind it if `indent`.
fn line_break(rest: &[u8], indent: bool) -> Option<usize> {
    let blanks = |from: usize| {
        rest.get(from..).map_or(0, |r| r.iter().take(64).take_while(|b| matches!(b, b' ' | b'\t')).count())
    };
    let mut i = if indent { 0 } else { blanks(0) };
    i += match rest.get(i..)? {
        [b'\r', b'\n', ..] => 2,
        [b'\n' | b'\r', ..] => 1,
        _ => return None,
    };
    Some(i + if indent { blanks(i) } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

        #[test]
        fn no_telling_escape_is_passed_over(text in proptest::collection::vec(
            proptest::sample::select(&b"\"\"''`  \n\t\r+.&|<>~\\\\%=3DfrbuL@$x41&#;amp\x0b\0"[..]), 1..40)) {
            for kind in [Kind::Percent, Kind::Backslash, Kind::Entity, Kind::Quoted, Kind::Joint] {
                for at in 0..text.len() {
                    let telling = parse(&text, kind, at).is_some_and(|escape| escape.telling);
                    prop_assert!(!telling || may_tell(&text, kind, at), "{kind:?} at {at} of {text:?}");
                }
            }
        }
    }

    /// What the next bytes show: nothing that tells is passed over (see above), and little else is looked at.
    #[test]
    fn what_may_tell() {
        let check = |kind: Kind, yes: &[&str], no: &[&str]| {
            for (text, expected) in
                yes.iter().map(|text| (text, true)).chain(no.iter().map(|text| (text, false)))
            {
                assert_eq!(may_tell(text.as_bytes(), kind, 0), expected, "{kind:?} {text:?}");
            }
        };
        check(Kind::Percent, &["%41", "%fF"], &["%", "%4", "%4g", "%g4"]);
        check(
            Kind::Backslash,
            &["\\x", "\\u", "\\U", "\\0", "\\3", "\\/", "\\\\"],
            &["\\", "\\n", "\\4", "\\\"", "\\ "],
        );
        check(Kind::Entity, &["&x"], &["&"]);
        check(Kind::Quoted, &["=x"], &["="]);
        check(Kind::Joint, &["\\\n", "\\\r"], &["\\", "\\x", "\\ ", "\\\""]);
        check(
            Kind::Joint,
            &["\" \"", "\"\t'", "\" `", "\" f", "\" + ", "\" .", "\" &", "\" |", "\" <", "\" ~", "\"\n \\"],
            &["\"", "\"  ", "\" x", "\" -", "\" )"],
        );
        check(
            Kind::Joint,
            &["\"+", "\"+\"", "\"+ ", "\"++", "\"..", "\"&&", "\"\\\\", "\"+f\"", "\"\\\n"],
            &["\"+x", "\"+fx", "\"+.", "\".x", "\"&x"],
        );
        check(Kind::Joint, &["\"\"a", "'\"a", "\"`a"], &["\"\" ", "\"\"", "\"'\"", "\"\"\""]);
        check(Kind::Joint, &[], &["\"x", "\"f\"", "\"|", "\"<", "\"~", "\")", "\"f\"a", "\"=\"a"]);
    }

    #[test]
    fn numbers_have_one_to_eight_hex_digits() {
        for (digits, expected) in [
            ("", None),
            ("41", Some(0x41)),
            ("fF", Some(0xff)),
            ("zz", None),
            ("4g", None),
            ("12345678", Some(0x1234_5678)),
            ("123456789", None),
        ] {
            assert_eq!(hex_number(digits.as_bytes()), expected, "{digits}");
        }
    }
}
