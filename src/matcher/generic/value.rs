//! The value behind a link: a literal in quotes, a bare word, the default of a look-up.

use std::ops::Range;

use super::cursor::{Cursor, is_blank, is_word};
use super::evidence::{Flags, Quote, Syntax, Wrapper};
use super::link::{Link, quote};
use super::{LINK_REACH, VALUE_REACH};

/// A value that was read.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub range: Range<usize>,
    pub quote: Quote,
    pub escapes: u8,
    pub wrapper: Wrapper,
    pub flags: Flags,
}

/// Most constructs around a literal that are looked through: `Some(new Secret("…"))`.
const MOST_WRAPPERS: usize = 5;

/// Reads the value that `link` leads to, for a key that ends at `key_end`.
pub(super) fn read(text: &[u8], key_end: usize, link: &Link) -> Option<Value> {
    let reach = (key_end + LINK_REACH).saturating_sub(link.at);
    let mut c = Cursor::new(text, link.at, reach);
    let mut wrapper = Wrapper::None;
    let mut flags = Flags::default();
    let lines = !matches!(
        link.syntax,
        Syntax::Flag | Syntax::Space | Syntax::Cell | Syntax::Prose | Syntax::UrlQuery
    );
    skip_gap(&mut c, lines, link.syntax)?;
    for _ in 0..MOST_WRAPPERS {
        let opening = c;
        let (q, escapes) = quote(&mut c);
        if q != Quote::None {
            let in_object = flags.has(Flags::BRACKET) || link.syntax == Syntax::Pair;
            match member_after(text, c.at, q, escapes).filter(|_| in_object) {
                Some(Member::Value(at)) => {
                    c = Cursor::new(text, at, reach.saturating_sub(at - link.at));
                    c.blanks();
                    continue;
                }
                Some(Member::Other) => return None,
                None => return quoted(text, c.at, q, escapes, link, wrapper, flags),
            }
        }
        c = opening;
        match c.peek()? {
            b'[' if c.nth(1) == Some(b']') => c.bump(2), // Go's conversion `[]byte("…")`
            b'[' | b'(' | b'{' if link.syntax != Syntax::UrlQuery && link.syntax != Syntax::Flag => {
                c.bump(1);
                c.white();
                flags.set(Flags::BRACKET);
            }
            b'<' if link.syntax == Syntax::Element => {
                if !c.eat(b"<![CDATA[") {
                    return None;
                }
            }
            b'@' | b'&' | b'$' if matches!(c.nth(1), Some(b'"' | b'\'' | b'`')) => c.bump(1),
            b'$' if c.nth(1) == Some(b'@') => c.bump(2),
            b'|' | b'>' if link.syntax == Syntax::Colon => {
                c.take_while(|b| matches!(b, b'|' | b'>' | b'+' | b'-' | b'0'..=b'9' | b' '));
                if !c.white() {
                    return None;
                }
                flags.set(Flags::BLOCK);
                return bare(text, c.at, link, wrapper, flags);
            }
            b'!' | b'&'
                if link.syntax == Syntax::Colon
                    && c.nth(1).is_some_and(|b| b.is_ascii_alphabetic() || b == b'!') =>
            {
                c.take_while(|b| !b.is_ascii_whitespace());
                c.blanks();
            }
            b if is_word(b) => {
                if matches!(c.nth(1), Some(b'"' | b'\''))
                    && matches!(b | 0x20, b'b' | b'r' | b'f' | b'u' | b'l' | b'n')
                {
                    flags.set_if(Flags::FORMAT, b | 0x20 == b'f');
                    c.bump(1);
                    continue;
                }
                match call(&mut c, link.syntax) {
                    Step::Into(next) => wrapper = wrapper.max(next),
                    Step::Reference => return fallback(text, c, link),
                    Step::Bare => {
                        return match bare(text, opening.at, link, wrapper, flags) {
                            Some(value) => Some(value),
                            None => fallback(text, opening, link),
                        };
                    }
                }
            }
            _ => return bare(text, c.at, link, wrapper, flags),
        }
    }
    None
}

/// A literal that names a member of an object: `{"reference": …}`.
enum Member {
    /// The object's value: `{"value": …}`. It may begin here.
    Value(usize),
    /// Something else about it.
    Other,
}

/// What the literal that begins at `at` names; None where no `:` or `=>` follows it.
fn member_after(text: &[u8], at: usize, q: Quote, escapes: u8) -> Option<Member> {
    let body = Cursor::new(text, at, LINK_REACH);
    let n = closing(body.rest(), q, escapes)?;
    let mut c = Cursor::new(text, at + n + usize::from(escapes) + 1, 24);
    c.blanks();
    if !(c.eat(b"=>") || c.peek() == Some(b':') && c.nth(1) != Some(b':')) {
        return None;
    }
    c.eat(b":");
    let name = body.rest().get(..n).unwrap_or_default();
    let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
    let value = is(b"value") || is(b"default") || is(b"defaultValue") || is(b"plaintext");
    Some(if value { Member::Value(c.at) } else { Member::Other })
}

/// Steps over white space between the link and the value; None when nothing can come.
fn skip_gap(c: &mut Cursor<'_>, lines: bool, syntax: Syntax) -> Option<()> {
    c.blanks();
    if matches!(c.peek()?, b'\r' | b'\n') {
        if !lines {
            return None;
        }
        c.white();
        // On the next line only what cannot be the next statement: a literal, or an item of a list.
        match c.peek()? {
            b'"' | b'\'' | b'`' | b'@' => {}
            b'-' if syntax == Syntax::Colon && c.nth(1) == Some(b' ') => {
                c.bump(2);
                c.blanks();
            }
            _ if matches!(syntax, Syntax::Element) => {}
            b if syntax == Syntax::Call && is_word(b) => {}
            _ => return None,
        }
    } else if syntax == Syntax::Colon && c.peek() == Some(b'-') && c.nth(1) == Some(b' ') {
        return None;
    }
    Some(())
}

enum Step {
    /// A call or a constructor around the value.
    Into(Wrapper),
    /// Something that is looked up elsewhere; a default may follow.
    Reference,
    /// The value itself.
    Bare,
}

/// Looks at a word where a value is expected: `Some(`, `new Secret(`, `os.getenv("X"`, `String.valueOf(`, a bare value.
fn call(c: &mut Cursor<'_>, syntax: Syntax) -> Step {
    if matches!(syntax, Syntax::UrlQuery | Syntax::Flag | Syntax::Space | Syntax::Cell | Syntax::Element) {
        return Step::Bare;
    }
    let mut probe = *c;
    probe.eat(b"new ");
    let name = probe.take_while(|b| is_word(b) || matches!(b, b'.' | b':' | b'!' | b'<' | b'>' | b'?'));
    match probe.peek() {
        Some(b'(') if name.len() <= 64 => {
            let kind = Wrapper::of_callee(name);
            probe.bump(1);
            probe.white();
            *c = probe;
            if kind == Wrapper::Reference { Step::Reference } else { Step::Into(kind) }
        }
        Some(b'[') if Wrapper::of_callee(name) == Wrapper::Reference => {
            *c = probe;
            Step::Reference
        }
        // `[]byte("…")`, Go's conversions; `String[]{"…"}` is rare.
        Some(b'{') if name.len() <= 40 && !name.is_empty() => {
            probe.bump(1);
            probe.white();
            *c = probe;
            Step::Into(Wrapper::Constructor)
        }
        _ if name.starts_with(b"process.env") || name.starts_with(b"env.") => Step::Reference,
        _ => Step::Bare,
    }
}

/// The default of a look-up: `getenv("X", "…")`, `process.env.X || "…"`, `x or "…"`, on the same line.
fn fallback(text: &[u8], c: Cursor<'_>, link: &Link) -> Option<Value> {
    let mut c = Cursor::new(text, c.at, LINK_REACH.min(c.end.saturating_sub(c.at)));
    let line = c.rest();
    let line = &line[..line.iter().position(|&b| b == b'\n').unwrap_or(line.len())];
    let marks: [&[u8]; 6] = [b"|| ", b" or ", b"?? ", b"', ", b"\", ", b"?: "];
    let (at, mark) =
        marks.iter().filter_map(|m| Some((line.windows(m.len()).position(|w| w == *m)?, m))).min()?;
    c.bump(at + mark.len());
    let (q, escapes) = quote(&mut c);
    if q == Quote::None {
        return None;
    }
    let mut flags = Flags::default();
    flags.set(Flags::FALLBACK);
    quoted(text, c.at, q, escapes, link, Wrapper::None, flags)
}

/// Reads to the closing quote, at most `VALUE_REACH` bytes.
fn quoted(
    text: &[u8],
    at: usize,
    q: Quote,
    escapes: u8,
    link: &Link,
    wrapper: Wrapper,
    mut flags: Flags,
) -> Option<Value> {
    let c = Cursor::new(text, at, VALUE_REACH);
    let body = c.rest();
    let triple = matches!(q, Quote::Double | Quote::Single) && escapes == 0 && is_triple(body, q);
    let body_at = if triple { 2 } else { 0 };
    let length = match q {
        Quote::Entity => {
            body.windows(5).position(|w| w.starts_with(b"&#3") || w == b"&quot" || w == b"&#x27")
        }
        _ => closing(body.get(body_at..).unwrap_or_default(), q, escapes),
    };
    let (start, end) = match length {
        Some(n) => (at + body_at, at + body_at + n),
        // No closing quote within reach: a long literal if it is all one piece, else a quote that is none.
        None if body.len() == VALUE_REACH && !body.iter().any(u8::is_ascii_whitespace) => {
            flags.set(Flags::CUT);
            (at, at + body.len())
        }
        None => return None,
    };
    let inside = text.get(start..end)?;
    if let Some(default) = default_of(inside) {
        flags.set(Flags::FALLBACK);
        let range = start + default.start..start + default.end;
        return plausible(text.get(range.clone())?, true, link.syntax, false).then_some(Value {
            range,
            quote: q,
            escapes,
            wrapper,
            flags,
        });
    }
    let trimmed = inside.trim_ascii();
    if trimmed.is_empty() || inside.contains(&b'\n') {
        return None;
    }
    let lead = inside.len() - inside.trim_ascii_start().len();
    let mut range = start + lead..start + lead + trimmed.len();
    let mut trimmed = trimmed;
    if trimmed.starts_with(b"{")
        && let Some(inner) = longest_string(trimmed)
    {
        trimmed = &trimmed[inner.clone()];
        range = range.start + inner.start..range.start + inner.end;
    }
    plausible(trimmed, true, link.syntax, false).then_some(Value { range, quote: q, escapes, wrapper, flags })
}

/// The default in `${NAME:-default}` and its like (`:=`, `-`, `=` of shells, `:` of Spring and Docker), if the whole
/// text is that, and the default is no variable itself.
fn default_of(text: &[u8]) -> Option<Range<usize>> {
    let inside = text.strip_prefix(b"${")?.strip_suffix(b"}")?;
    let name = inside.iter().position(|&b| !(is_word(b) || b == b'.'))?;
    let mark = match inside.get(name..)? {
        [b':', b'-' | b'=', ..] => 2,
        [b':' | b'-' | b'=', ..] => 1,
        _ => return None,
    };
    let from = name + mark;
    let default = &inside[from..];
    let plain =
        !default.is_empty() && !default.iter().any(|b| matches!(b, b'$' | b'{' | b'}' | b'"' | b'\''));
    (name > 0 && plain && default[0] != b'?').then(|| 2 + from..2 + from + default.len())
}

/// The longest literal in an object that is itself written as a string: `"{\"id\": \"…\"}"`.
fn longest_string(object: &[u8]) -> Option<Range<usize>> {
    let is_quote = |b: u8| matches!(b, b'"' | b'\'' | b'\\');
    let mut best: Option<Range<usize>> = None;
    let mut at = 0;
    while at < object.len() {
        let end = object[at..].iter().position(|&b| is_quote(b)).map_or(object.len(), |n| at + n);
        let part = &object[at..end];
        if part.len() >= 8
            && !part.iter().any(|b| b" {}:,".contains(b))
            && best.as_ref().is_none_or(|b| b.len() < part.len())
        {
            best = Some(at..end);
        }
        at = end + 1;
    }
    best
}

/// Whether two more quotes follow an opening one.
fn is_triple(body: &[u8], q: Quote) -> bool {
    let b = if q == Quote::Double { b'"' } else { b'\'' };
    body.first() == Some(&b) && body.get(1) == Some(&b) && body.get(2).is_some_and(|&n| n != b)
}

/// Length of the literal in `body` up to its closing quote, which has `escapes` backslashes before it.
fn closing(body: &[u8], q: Quote, escapes: u8) -> Option<usize> {
    let mark = match q {
        Quote::Double => b'"',
        Quote::Single => b'\'',
        _ => b'`',
    };
    let mut slashes = 0_usize;
    for (i, &b) in body.iter().enumerate() {
        match b {
            b'\\' => slashes += 1,
            b'\n' => return None,
            _ if b == mark
                && slashes <= usize::from(escapes)
                && (slashes % 2 == usize::from(escapes) % 2) =>
            {
                return Some(i - slashes);
            }
            // An unescaped quote ends whatever encloses an escaped literal.
            _ if b == mark && slashes < usize::from(escapes) => return None,
            _ => slashes = 0,
        }
    }
    None
}

/// Reads a value that stands without quotes, as far as the syntax lets it go.
fn bare(text: &[u8], at: usize, link: &Link, wrapper: Wrapper, mut flags: Flags) -> Option<Value> {
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
    if word.len() == VALUE_REACH {
        flags.set(Flags::CUT);
    }
    let word = if syntax == Syntax::Assign { before_next_field(word) } else { word };
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
    if syntax == Syntax::Element && rest.peek() != Some(b'<') {
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
fn plausible(value: &[u8], quoted: bool, syntax: Syntax, tight: bool) -> bool {
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
