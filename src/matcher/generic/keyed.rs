//! Candidates that begin with a name.

use std::ops::Range;

use super::cursor::{Cursor, before, contains, contains_caseless, ends_caseless, is_word, line_before};
use super::evidence::{Quote, Syntax, is_getter};
use super::gather::gather;
use super::repeats::inside_repetition;
use super::words::{self, Group, bit};
use super::{Assignment, KEY_REACH, Kind, VALUE_REACH, declared, encoded, link, reversed, value};

/// Bytes of names: identifiers, attributes, flags.
fn in_name(b: u8) -> bool {
    is_word(b) || b == b'-' || b == b'.' || b == b'$'
}

/// Finds the value of the name that holds the trigger `text[at..end]`.
pub(super) fn find(text: &[u8], at: usize, end: usize, out: &mut Vec<Assignment>) {
    // Triggers such as `key"` hold the byte after the name.
    let literal = text.get(at..end).unwrap_or_default();
    let inside = literal.iter().rposition(|&b| in_name(b)).map_or(at, |n| at + n + 1);
    let Some(stop) = name_end(text, inside) else {
        return;
    };
    let (links, compared) = (could_link(text, stop), reversed::could_end(text, stop));
    if !(links || compared) || inside_repetition(text, at) {
        return;
    }
    let Some(start) = name_start(text, at) else {
        return;
    };
    if compared && let Some(literal) = reversed::literal_before(text, start) {
        out.extend(compared_with(text, start..stop, &literal));
    } else if links {
        out.extend(assigned(text, start..stop));
    }
}

/// The literal before the name `key`, which a comparison joins to it.
fn compared_with(text: &[u8], key: Range<usize>, literal: &value::Value) -> Option<Assignment> {
    let kind = kind_of(text.get(key.clone())?, Syntax::Compare, text, key.start)?;
    let evidence = gather(text, &key, literal, Syntax::Compare, false);
    let value = literal.range.clone();
    Some(Assignment { whole: value.start - 1..key.end, key, value, kind, evidence })
}

/// The value that follows the name `key`.
fn assigned(text: &[u8], key: Range<usize>) -> Option<Assignment> {
    let Range { start, mut end } = key;
    let mut found = link::after_key(text, start, end)?;
    found.syntax = refine(text, start, found.syntax);
    let read = value::read(text, end, &found)?;
    let mut name = text.get(start..end).unwrap_or_default();
    if is_no_name(text, start, name, &found) {
        return None;
    }
    if found.syntax == Syntax::Call {
        // `getSecret("name")`: what is between the parentheses says which.
        if is_getter(&name.to_ascii_lowercase()) {
            return None;
        }
        if let Some(compared) = reversed::compared(name) {
            (name, end, found.syntax) = (&name[..compared], start + compared, Syntax::Compare);
        }
    }
    let kind = kind_of(name, found.syntax, text, start)?;
    let evidence = gather(text, &(start..end), &read, found.syntax, found.key_quote != Quote::None);
    let value = without_scheme(text, read.range.clone())?;
    let close = usize::from(read.quote != Quote::None) + usize::from(read.escapes);
    let whole = start..(read.range.end + close).min(text.len());
    let mut found = Assignment { key: start..end, value, whole, kind, evidence };
    encoded::mark(text, &mut found);
    Some(found)
}

/// The value without the scheme of a header (`token …`); None where a trigger of its own (`Bearer …`,
/// `Basic …`) finds what follows the scheme.
fn without_scheme(text: &[u8], value: Range<usize>) -> Option<Range<usize>> {
    let body = text.get(value.clone()).unwrap_or_default();
    let scheme = body.iter().position(|&b| b == b' ').unwrap_or(body.len());
    let is = |name: &[u8]| body[..scheme].eq_ignore_ascii_case(name);
    if is(b"bearer") || is(b"basic") {
        return None;
    }
    if [b"env:".as_slice(), b"file:", b"fd:"].iter().any(|source| body.starts_with(source)) {
        return None; // openssl's other sources of a password
    }
    if body.starts_with(b"pass:") && body.len() > 8 {
        return Some(value.start + 5..value.end); // openssl's `-password pass:…`
    }
    let skip = scheme + body[scheme..].iter().take_while(|b| **b == b' ').count();
    if (is(b"token") || is(b"apikey")) && body.len() > skip + 3 {
        return Some(value.start + skip..value.end);
    }
    Some(value)
}

/// The end of the name that goes on at `at`; None when it goes on for longer than names do.
fn name_end(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at..).unwrap_or_default();
    let rest = &rest[..rest.len().min(KEY_REACH)];
    let mut n = rest.iter().position(|&b| !in_name(b)).unwrap_or(rest.len());
    if n == KEY_REACH {
        return None;
    }
    if rest[..n].iter().any(|&b| b >= 0x80) {
        // Full-width punctuation ends a name too.
        let wide = rest[..n]
            .windows(3)
            .position(|w| matches!(w, [0xef, 0xbc, 0x9a | 0x9d | 0x8c] | [0xe3, 0x80, _]));
        n = wide.unwrap_or(n);
    }
    while n > 0 && matches!(rest[n - 1], b'.' | b'-') {
        n -= 1;
    }
    Some(at + n)
}

/// The beginning of the name that holds the byte at `at`; None when it begins farther back than names do.
fn name_start(text: &[u8], at: usize) -> Option<usize> {
    let head = before(text, at, KEY_REACH);
    match head.iter().rposition(|&b| !in_name(b)) {
        Some(n) => Some(at - (head.len() - n - 1)),
        None if head.len() < KEY_REACH => Some(at - head.len()),
        None => None,
    }
}

/// A look at the next two bytes, which settles most hits.
fn could_link(text: &[u8], at: usize) -> bool {
    let Some(&b) = text.get(at) else { return false };
    match b {
        b')' | b';' | b'.' | b'}' | b'/' | b'#' | b'%' | b'^' | b'@' | b'+' | b'~' => false,
        b'{' => matches!(text.get(at + 1), Some(b'"' | b'\'')) || declared::has_accessors(text, at),
        b'[' => declared::is_array(text, at),
        b' ' if text.get(at + 1) == Some(&b'{') => declared::has_accessors(text, at + 1),
        b' ' => !matches!(
            text.get(at + 1),
            Some(b'-' | b'+' | b'}' | b'&' | b')' | b'(' | b'/' | b'*' | b'%' | b';')
        ),
        b',' => matches!(text.get(at + 1), Some(b' ' | b'"' | b'\'' | b'\n')),
        b'(' => {
            matches!(
                text.get(at + 1),
                Some(
                    b'"' | b'\''
                        | b'`'
                        | b'@'
                        | b'\n'
                        | b'b'
                        | b'n'
                        | b'S'
                        | b'['
                        | b'B'
                        | b' '
                        | b'u'
                        | b'r'
                )
            ) || declared::returns_literal(text, at)
        }
        _ => true,
    }
}

/// `=` in a URL's query, a form or a connection string is another syntax.
fn refine(text: &[u8], start: usize, syntax: Syntax) -> Syntax {
    if syntax != Syntax::Assign {
        return syntax;
    }
    let line = line_before(text, start, 80);
    match line.last() {
        Some(b'?' | b'&') => Syntax::UrlQuery,
        Some(b';') => Syntax::Connection,
        Some(b' ') if line.ends_with(b"; ") && line.contains(&b'=') => Syntax::Connection,
        _ => syntax,
    }
}

/// Names that only look like ones: parts of an ARN, results of Go's tests, the way to log in of a mail URL.
fn is_no_name(text: &[u8], start: usize, name: &[u8], link: &link::Link) -> bool {
    let before = before(text, start, 100);
    let word = before.rsplit(|&b| b <= b' ' || matches!(b, b'"' | b'\'' | b'`')).next().unwrap_or_default();
    before.ends_with(b"--- ")
        || word.starts_with(b"arn:") && link.syntax == Syntax::Colon
        || name.eq_ignore_ascii_case(b"key") && ends_caseless(before.trim_ascii_end(), b"public")
        || name.eq_ignore_ascii_case(b"key") && link.syntax == Syntax::Element && names_member(text, link.at)
        // Badges show whoever reads the page how the tests went.
        || link.syntax == Syntax::UrlQuery && contains(word, b"/badge")
        || before.ends_with(b"${") && !before.ends_with(b"@Value(\"${") // the name of a variable; its default is read with what it is assigned to
        || name == b"PASS" && before.ends_with(b"\t")
        // RFC 5092: `imap://user;AUTH=PLAIN@host`
        || name.eq_ignore_ascii_case(b"auth") && link.syntax == Syntax::Connection && contains(word, b"://")
}

/// Whether the element at `at` is the name of a member in Apple's property lists, whose value is the next element.
fn names_member(text: &[u8], at: usize) -> bool {
    let mut c = Cursor::new(text, at, VALUE_REACH);
    c.take_while(|b| b != b'<');
    if !c.eat(b"</key>") {
        return false;
    }
    c.white();
    let values = [
        b"<string".as_slice(),
        b"<true",
        b"<false",
        b"<dict",
        b"<array",
        b"<integer",
        b"<data",
        b"<date",
        b"<real",
    ];
    values.iter().any(|element| c.rest().starts_with(element))
}

/// The kind that a name promises; None for names that promise something else.
fn kind_of(name: &[u8], syntax: Syntax, text: &[u8], start: usize) -> Option<Kind> {
    let groups = words::groups_in(name);
    let has = |group| groups & bit(group) != 0;
    if is_public_by_design(name) {
        return None;
    }
    let password = has(Group::Password) || has(Group::Pass) || has(Group::Pwd) || has(Group::Phrase);
    let glued = |part: &[u8]| contains_caseless(name, part);
    let password = password || (glued(b"passw") && !has(Group::Secret));
    Some(match syntax {
        Syntax::Sql if password => Kind::SqlPassword,
        // `CREATE LOGIN … WITH PASSWORD = '…'`
        Syntax::Assign if password && link::sql_before(text, start) => Kind::SqlPassword,
        Syntax::Colon if name == b"pass" && openssl_before(text, start) => Kind::CliPassword,
        Syntax::Connection => Kind::ConnectionString,
        _ if password && name.starts_with(b"-") && is_flag_for_password(name) => Kind::CliPassword,
        _ if password => Kind::Password,
        _ if has(Group::Token) => Kind::Token,
        _ if has(Group::Secret) || has(Group::Crypto) && has(Group::Key) => Kind::Secret,
        _ if has(Group::ApiKey) || has(Group::Key) => Kind::ApiKey,
        _ if has(Group::Header)
            || glued(b"sess")
            || name.eq_ignore_ascii_case(b"sid")
            || name.ends_with(b".sid") =>
        {
            Kind::SessionCookie
        }
        _ if glued(b"secret") => Kind::Secret,
        _ if glued(b"token") || glued(b"auth") || has(Group::Credential) => Kind::Token,
        _ if glued(b"key") || glued(b"private") => Kind::ApiKey,
        // `mypass`, `proxypass`; not `passport`, `passing`, `compass`.
        _ if glued(b"pwd") || ends_with_pass(name) => Kind::Password,
        _ => return None,
    })
}

/// Names of what looks like a credential and is none, whoever writes it: the handshake of HashiCorp's go-plugin ("not a
/// security measure"), the header with which Postman tells one request from the other, Xcode's keys of identifiers, and
/// what tells of an error.
fn is_public_by_design(name: &[u8]) -> bool {
    contains_caseless(name, b"magiccookie")
        || contains_caseless(name, b"magic_cookie")
        || name.eq_ignore_ascii_case(b"postman-token")
        || ends_caseless(name, b"identifierkey")
        || ends_caseless(name, b"_error")
}

/// Whether a word of the name ends with `pass` and is no other word.
fn ends_with_pass(name: &[u8]) -> bool {
    let mut found = false;
    words::each_word(name, |word| {
        let other = [b"compass".as_slice(), b"bypass", b"surpass", b"trespass", b"overpass", b"underpass"]
            .contains(&word);
        found |= word.ends_with(b"pass") && !other;
    });
    found
}

/// `--password`, `--db-pass`; not `--ask-pass`, `--password-file`.
fn is_flag_for_password(name: &[u8]) -> bool {
    let last = words::groups_of_last(name);
    let secret = bit(Group::Password) | bit(Group::Pass) | bit(Group::Pwd) | bit(Group::Phrase);
    last & secret != 0 && words::groups_in(name) & (bit(Group::Reset) | bit(Group::Bool)) == 0
}

/// `-passin pass:…`, `-passout pass:…` of openssl.
fn openssl_before(text: &[u8], start: usize) -> bool {
    [b"-passin ".as_slice(), b"-passout ", b"-password ", b"-pass ", b"-passwd "]
        .iter()
        .any(|flag| before(text, start, 12).ends_with(flag))
}
