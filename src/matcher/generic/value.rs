//! The value behind a link: a literal in quotes, a bare word, the default of a look-up.

use std::ops::Range;

use super::LINK_REACH;
use super::bare::{bare, has_odd_marks};
use super::cursor::{Cursor, is_word};
use super::evidence::{Flags, Quote, Syntax, Wrapper};
use super::link::{Link, quote};
use super::literal::{Member, fallback, member_after, quoted};

/// A value that was read.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub range: Range<usize>,
    pub quote: Quote,
    pub escapes: u8,
    pub wrapper: Wrapper,
    pub flags: Flags,
}

impl Value {
    /// A value that nothing more is known of.
    pub fn new(range: Range<usize>, quote: Quote) -> Self {
        Value { range, quote, escapes: 0, wrapper: Wrapper::None, flags: Flags::default() }
    }
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
            // A template: what is in it is looked up, unless it is a literal.
            b'{' if c.nth(1) == Some(b'{') => {
                c.take_while(|b| matches!(b, b'{' | b'-'));
                c.blanks();
                if !matches!(c.peek(), Some(b'"' | b'\'' | b'`')) {
                    return None;
                }
            }
            b'[' if c.nth(1) == Some(b']') => c.bump(2), // Go's conversion `[]byte("…")`
            b'[' | b'(' | b'{' if link.syntax != Syntax::UrlQuery && link.syntax != Syntax::Flag => {
                c.bump(1);
                c.white();
                flags.set(Flags::BRACKET);
            }
            b'<' if c.rest().starts_with(b"<%= ENV") => c.bump(4), // Ruby's template: a look-up, and its default
            b'<' if link.syntax == Syntax::Element => {
                if !(c.eat(b"<![CDATA[") || c.eat(b"<value>")) {
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
            b'!' | b'&' if link.syntax == Syntax::Colon && c.at > link.at && skip_tag(&mut c) => {}
            // A password that looks like the beginning of a call, such as `m(3]…`.
            b if is_word(b) && has_odd_marks(c, link.syntax) => {
                return bare(text, c.at, link, wrapper, flags);
            }
            b if is_word(b) => {
                if matches!(c.nth(1), Some(b'"' | b'\''))
                    && matches!(b | 0x20, b'b' | b'r' | b'f' | b'u' | b'l' | b'n')
                {
                    flags.set_if(Flags::FORMAT, b | 0x20 == b'f');
                    c.bump(1);
                    continue;
                }
                if wrapper != Wrapper::None && c.eat(b"default=") {
                    wrapper = Wrapper::None; // `password = Field(default="…")`: the call only declares
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
    }
    Some(())
}

/// Steps over a tag or an anchor of YAML (`!vault`, `!!binary`, `&name`) and the blanks behind it. A password may begin
/// with such a mark, too: it is the last word of its line, and has a digit.
fn skip_tag(c: &mut Cursor<'_>) -> bool {
    let mut probe = *c;
    let word = probe.take_while(|b| !b.is_ascii_whitespace());
    probe.blanks();
    let named = word.get(1).is_some_and(|b| b.is_ascii_alphabetic() || *b == b'!');
    let last = matches!(probe.peek(), None | Some(b'\r' | b'\n'));
    if !named || last && word.iter().any(u8::is_ascii_digit) {
        return false;
    }
    *c = probe;
    true
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
