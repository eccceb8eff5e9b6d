//! What a declaration puts between a name and its value: accessors, the length of an array, the head of a function.

use super::LINK_REACH;
use super::cursor::{Cursor, is_word};

/// Steps over the accessors of a C# property: `{ get; private set; }`.
pub(super) fn accessors(c: &mut Cursor<'_>) -> bool {
    let mut probe = *c;
    if !probe.eat(b"{") {
        return false;
    }
    let inside = probe.take_while(|b| b.is_ascii_lowercase() || matches!(b, b' ' | b';'));
    let known = inside.trim_ascii().starts_with(b"get") && probe.eat(b"}");
    if known {
        *c = probe;
    }
    known
}

/// Whether the accessors of a C# property stand at `at`.
pub(super) fn has_accessors(text: &[u8], at: usize) -> bool {
    accessors(&mut Cursor::new(text, at, LINK_REACH))
}

/// Steps over the length of an array in C, before a `=`: `password[]`, `password[32]`.
pub(super) fn array(c: &mut Cursor<'_>) -> bool {
    let mut probe = *c;
    if !probe.eat(b"[") {
        return false;
    }
    probe.take_while(is_word);
    let closed = probe.eat(b"]");
    probe.blanks();
    let found = closed && probe.peek() == Some(b'=');
    if found {
        *c = probe;
    }
    found
}

/// Whether the length of an array, and a value for it, stand at `at`.
pub(super) fn is_array(text: &[u8], at: usize) -> bool {
    array(&mut Cursor::new(text, at, LINK_REACH))
}

/// Steps from the parentheses of a function to the literal that is all it returns: `getToken() string { return "…" }`.
pub(super) fn return_of_literal(c: &mut Cursor<'_>) -> bool {
    let mut probe = *c;
    if !(probe.eat(b"()") || probe.eat(b"(self)")) {
        return false;
    }
    // The type of what is returned, in languages that say it here, and the beginning of the body.
    probe.take_while(|b| is_word(b) || matches!(b, b' ' | b'-' | b'>' | b':' | b'&' | b'\''));
    probe.eat(b"{");
    probe.white();
    if !probe.eat(b"return ") {
        return false;
    }
    let found = matches!(probe.peek(), Some(b'"' | b'\'' | b'`'));
    if found {
        *c = probe;
    }
    found
}

/// Whether a function that returns a literal has its parentheses at `at`.
pub(super) fn returns_literal(text: &[u8], at: usize) -> bool {
    return_of_literal(&mut Cursor::new(text, at, LINK_REACH))
}
