//! Values without quotes, as far as their syntax lets them go, and what no value is.

use std::ops::Range;

use super::VALUE_REACH;
use super::cursor::{Cursor, before, is_blank, is_word};
use super::evidence::{Flags, Quote, Syntax, Wrapper};
use super::link::Link;
use super::literal::default_of;
use super::marks;
use super::value::Value;

/// Most `=` at the end of what is encoded.
const MOST_PADDING: usize = 6;

/// Reads a value that stands without quotes, as far as the syntax lets it go.
pub(super) fn bare(text: &[u8], at: usize, link: &Link, wrapper: Wrapper, mut flags: Flags) -> Option<Value> {
    // Inside a call, or where only code stands, a bare word is an identifier.
    if wrapper != Wrapper::None
        || matches!(link.syntax, Syntax::Pair | Syntax::Call | Syntax::Compare)
        || flags.has(Flags::BRACKET) && link.key_quote != Quote::None
    {
        return None;
    }
    let mut c = Cursor::new(text, at, VALUE_REACH);
    let syntax = link.syntax;
    if c.rest().starts_with(b"${") {
        let line = c.take_while(|b| b > b' ');
        let default = default_of(line)?;
        flags.set(Flags::FALLBACK);
        let range = at + default.start..at + default.end;
        return plausible(text.get(range.clone())?, false, syntax, true).then_some(Value {
            range,
            quote: Quote::None,
            escapes: 0,
            wrapper,
            flags,
        });
    }
    let word = c.take_while(|b| belongs(b, syntax));
    if let Some(range) = of_odd_marks(c, at, syntax) {
        return Some(Value { range, quote: Quote::None, escapes: 0, wrapper, flags });
    }
    if word.len() == VALUE_REACH {
        // A word without end in which names are assigned to is data: a form, a query, `key=key=key=…`.
        if memchr::memchr_iter(b'=', word).count() > MOST_PADDING {
            return None;
        }
        flags.set(Flags::CUT);
    }
    // `Authorization: Token …`: the scheme, then the value.
    let scheme = word.eq_ignore_ascii_case(b"token") || word.eq_ignore_ascii_case(b"apikey");
    if scheme && syntax == Syntax::Colon {
        let mut behind = c;
        behind.blanks();
        if behind.peek().is_some_and(is_word) {
            return bare(text, behind.at, &Link { syntax: Syntax::Header, ..*link }, wrapper, flags);
        }
    }
    let word = if syntax == Syntax::Assign { before_next_field(word) } else { word };
    let in_cdata = syntax == Syntax::Element && before(text, at, 9) == b"<![CDATA[";
    let word = word.strip_suffix(b"]]").filter(|_| in_cdata).unwrap_or(word);
    let full = word.len();
    let mut end = at + full;
    let mut word = word;
    while let [head @ .., b',' | b';' | b'.' | b':' | b'\\'] = word {
        word = head;
        end -= 1;
    }
    // `ops_eyJ...`: a text shows where the value begins.
    if text.get(end..at + full).is_some_and(|stripped| stripped.starts_with(b"..")) {
        return None;
    }
    let rest = Cursor::new(text, end, 3);
    // "the user's password using …", "create a user with a random password, …": prose. SQL ends there.
    if syntax == Syntax::Sql
        && !matches!(rest.peek(), None | Some(b';' | b'\n' | b'\r' | b')' | b'"' | b'\''))
    {
        return None;
    }
    if syntax == Syntax::Element && rest.peek() != Some(if in_cdata { b']' } else { b'<' }) {
        return None;
    }
    flags.set_if(Flags::MORE, is_blank(rest.peek().unwrap_or(b'\n')) && rest.nth(1).is_some_and(is_word));
    flags.set_if(Flags::TOUCHES, rest.peek().is_some_and(|b| matches!(b, b'(' | b'[' | b'{' | b'"' | b'\'')));
    if flags.has(Flags::TOUCHES) && matches!(rest.peek(), Some(b'(' | b'[')) {
        return None; // a call or a subscript: code
    }
    // `KEY=a.b` and a line of YAML may hold a dot; `key = a.b` and `key: a.b,` are code.
    let tight = match syntax {
        Syntax::Assign => at == link.at,
        _ => !rest.peek().is_some_and(|b| matches!(b, b',' | b')' | b';' | b'}')) && end == at + full,
    };
    plausible(word, false, syntax, tight).then_some(Value {
        range: at..end,
        quote: Quote::None,
        escapes: 0,
        wrapper,
        flags,
    })
}

/// Whether a password with brackets in it begins here.
pub(super) fn has_odd_marks(mut c: Cursor<'_>, syntax: Syntax) -> bool {
    let start = c.at;
    c.take_while(|b| belongs(b, syntax));
    of_odd_marks(c, start, syntax).is_some()
}

/// A password with a bracket in it, at which a value that begins at `start` would end: all up to the next blank or
/// quote, if no notation explains its marks.
fn of_odd_marks(mut c: Cursor<'_>, start: usize, syntax: Syntax) -> Option<Range<usize>> {
    if !matches!(syntax, Syntax::Assign | Syntax::Colon)
        || c.at == start
        || !c.peek().is_some_and(|b| matches!(b, b'{' | b'}' | b'[' | b']' | b'(' | b')'))
    {
        return None;
    }
    c.take_while(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\'' | b'`'));
    let end = c.at;
    c.at = start;
    let mut value = c.rest().get(..end - start)?;
    while let [head @ .., b',' | b';'] = value {
        value = head;
    }
    marks::of_no_syntax(value).then(|| start..start + value.len())
}

/// A form's field up to the next: `a` of `a&name=b`.
fn before_next_field(word: &[u8]) -> &[u8] {
    let next = memchr::memchr_iter(b'&', word).find(|&at| {
        let name = word[at + 1..].iter().take_while(|&&b| is_word(b)).count();
        name > 0 && word.get(at + 1 + name) == Some(&b'=')
    });
    next.map_or(word, |at| &word[..at])
}

/// Whether a byte can be part of a bare value.
fn belongs(b: u8, syntax: Syntax) -> bool {
    match b {
        0..=b' ' | b'"' | b'\'' | b'`' | b'<' | b'>' | 0x7f => false,
        b',' | b';' | b'{' | b'}' | b'[' | b']' | b'(' | b')' => {
            matches!(syntax, Syntax::Element)
                || (syntax == Syntax::Flag && b != b')' && b != b']' && b != b'}')
        }
        b'&' | b'#' => syntax != Syntax::UrlQuery,
        b'\\' => false,
        b'|' => syntax != Syntax::Cell,
        _ => true,
    }
}

/// Drops what cannot be a secret whatever stands around it: cheap, before any evidence is gathered.
pub(super) fn plausible(value: &[u8], quoted: bool, syntax: Syntax, tight: bool) -> bool {
    if value.len() < 3 || value.len() < 4 && !quoted && syntax != Syntax::Colon {
        return false;
    }
    if quoted {
        return value.iter().filter(|b| **b == b' ').count() <= 5;
    }
    let first = value[0];
    if matches!(
        first,
        b'$' | b'%'
            | b'@'
            | b'*'
            | b'='
            | b'<'
            | b'>'
            | b'|'
            | b'('
            | b')'
            | b'.'
            | b':'
            | b'?'
            | b'+'
            | b'~'
    ) && syntax != Syntax::Flag
        && !(first == b'$' && value.get(2) == Some(&b'$'))
        && !(first == b'$' && value.get(1).is_some_and(u8::is_ascii_digit))
    {
        return false;
    }
    // `'--password=' . $x`, `"--password=" + x`: the end of a literal, and what is added to it.
    if syntax == Syntax::Flag && (value.starts_with(b".$") || value.starts_with(b"$")) {
        return false;
    }
    let number = value.iter().all(|b| b.is_ascii_digit() || *b == b'.');
    if number && value.len() < 5 {
        return false;
    }
    // Paths to attributes (`this.config.password`) and calls are code.
    let dotted = value.contains(&b'.')
        && value.iter().all(|&b| is_word(b) || b == b'.' || b == b'?')
        && !value.iter().any(u8::is_ascii_digit);
    let dotted = dotted && !(syntax == Syntax::Flag || tight);
    !(dotted || KEYWORDS.iter().any(|k| value.eq_ignore_ascii_case(k)))
}

/// Words that are values in some language, and never secrets.
const KEYWORDS: &[&[u8]] = &[
    b"null",
    b"true",
    b"false",
    b"none",
    b"nil",
    b"undefined",
    b"string",
    b"self",
    b"this",
    b"void",
    b"bool",
    b"boolean",
    b"int",
    b"integer",
    b"char",
    b"const",
    b"function",
    b"await",
    b"async",
    b"object",
    b"any",
    b"str",
    b"bytes",
    b"byte",
    b"text",
    b"optional",
    b"required",
    b"new",
    b"return",
    b"super",
    b"lambda",
    b"typeof",
    b"unknown",
    b"never",
    b"number",
    b"list",
    b"dict",
    b"array",
    b"float",
    b"double",
    b"long",
    b"uint",
    b"var",
    b"let",
    b"not",
    b"type",
    b"varchar",
    b"yes",
    b"off",
];
