//! Passwords that only their place tells: arguments of calls (`getConnection(url, user, "…")`), words of commands
//! (`htpasswd -b file user …`), what is piped into one (`echo … | passwd --stdin`), `user/…` of Oracle.

use std::ops::Range;

use super::cursor::{Cursor, before, is_word, line_before, starts_caseless};
use super::evidence::{Flags, Quote, Syntax, Wrapper};
use super::gather::gather;
use super::link::{Link, quote};
use super::literal::quoted;
use super::reversed;
use super::value::Value;
use super::{Assignment, Kind, VALUE_REACH};

/// Bytes of a line before a command in which what is piped into it stands.
const PIPED_REACH: usize = 140;

/// The argument `index` (0-based) of the call whose opening parenthesis ends at `end`, if it is a literal.
pub(super) fn of_call(
    text: &[u8],
    at: usize,
    end: usize,
    index: usize,
    kind: Kind,
    out: &mut Vec<Assignment>,
) {
    let mut c = Cursor::new(text, end, VALUE_REACH);
    for _ in 0..index {
        c.white();
        if !skip_argument(&mut c) {
            return;
        }
    }
    c.white();
    skip_conversion(&mut c);
    let (q, escapes) = quote(&mut c);
    if !matches!(q, Quote::Double | Quote::Single | Quote::Back) {
        return;
    }
    let link = Link { syntax: Syntax::Argument, at: c.at, key_quote: Quote::None };
    let Some(read) = quoted(text, c.at, q, escapes, &link, Wrapper::None, Flags::default()) else { return };
    let body = text.get(read.range.clone()).unwrap_or_default();
    if body.iter().any(u8::is_ascii_whitespace) {
        return;
    }
    // The name of the call may begin before the trigger.
    let name = before(text, at, 24).iter().rev().take_while(|&&b| is_word(b)).count();
    push(text, at - name..end - 1, read, kind, Syntax::Argument, out);
}

/// Steps over what makes bytes or an option of a literal: `Some(`, `[]byte(`, `Encoding.UTF8.GetBytes(`, `b`.
fn skip_conversion(c: &mut Cursor<'_>) {
    const CONVERSIONS: [&[u8]; 9] = [
        b"Some(",
        b"@",
        b"[]byte(",
        b"b",
        b"bytes(",
        b"Buffer.from(",
        b"Encoding.UTF8.GetBytes(",
        b"Encoding.ASCII.GetBytes(",
        b"System.Text.Encoding.UTF8.GetBytes(",
    ];
    let behind = |name: &[u8]| {
        let mut probe = *c;
        (probe.eat(name) && matches!(probe.peek(), Some(b'"' | b'\'' | b'`' | b' ' | b'\n'))).then_some(probe)
    };
    if let Some(mut literal) = CONVERSIONS.iter().find_map(|name| behind(name)) {
        literal.white();
        *c = literal;
    }
}

/// Java's `"…".toCharArray()`, whose quote and name stand at `at`: passwords are held so, and so are alphabets.
pub(super) fn chars(text: &[u8], at: usize, end: usize, out: &mut Vec<Assignment>) {
    let Some(read) = reversed::literal_until(text, at + 1) else { return };
    let body = text.get(read.range.clone()).unwrap_or_default();
    let letters = body.iter().any(u8::is_ascii_alphabetic);
    if letters && body.iter().any(|b| b.is_ascii_digit() || b.is_ascii_punctuation()) {
        push(text, at + 2..end - 1, read, Kind::Password, Syntax::Argument, out);
    }
}

/// Steps over an argument and the comma after it: a literal, a name, or what stands in brackets.
fn skip_argument(c: &mut Cursor<'_>) -> bool {
    let mut depth = 0usize;
    while let Some(b) = c.peek() {
        c.bump(1);
        match b {
            b'"' | b'\'' | b'`' => {
                c.take_while(|other| other != b && other != b'\n');
                if !c.eat(&[b]) {
                    return false;
                }
            }
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' if depth == 0 => return false,
            b')' | b']' | b'}' => depth -= 1,
            b',' if depth == 0 => return true,
            b';' => return false,
            b'\n' if depth == 0 => return false,
            _ => {}
        }
    }
    false
}

/// A command whose words are looked at, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// `htpasswd -b FILE USER PASSWORD`, `htpasswd -nb USER PASSWORD`.
    Htpasswd,
    /// `net user USER PASSWORD`.
    NetUser,
    /// `net use DRIVE: \\HOST\SHARE PASSWORD /user:USER`; the drive and the user may be left out.
    NetUse,
    /// `rabbitmqctl add_user USER PASSWORD`.
    Rabbit,
    /// `wpa_passphrase NETWORK PASSWORD`.
    Wifi,
    /// `mysqladmin … password PASSWORD`.
    MysqlAdmin,
}

/// The password among the words of a command whose name, and a blank, end at `end`.
pub(super) fn of_command(text: &[u8], at: usize, end: usize, command: Command, out: &mut Vec<Assignment>) {
    let mut c = Cursor::new(text, end, VALUE_REACH);
    if !begins_command(text, at) {
        return;
    }
    let (mut words, mut options) = (Vec::new(), Vec::new());
    while let Some(word) = word(&mut c).filter(|_| words.len() < 4) {
        let body = text.get(word.range.clone()).unwrap_or_default();
        match body {
            [b'-', rest @ ..] if word.quote == Quote::None => options.extend_from_slice(rest),
            [b'/', ..] if command == Command::NetUse => {}
            _ => words.push(word),
        }
    }
    let body = |n: usize| words.get(n).and_then(|word| text.get(word.range.clone())).unwrap_or_default();
    let says = |n: usize, names: &[&[u8]]| names.contains(&body(n));
    let index = match command {
        Command::Htpasswd if !options.contains(&b'b') => return,
        Command::Htpasswd => 2 - usize::from(options.contains(&b'n')),
        Command::NetUser | Command::Wifi => 1,
        Command::NetUse => match (0..2).find(|&n| body(n).starts_with(b"\\\\")) {
            Some(share) => share + 1,
            None => return,
        },
        Command::Rabbit if says(0, &[b"add_user", b"change_password"]) => 2,
        Command::MysqlAdmin => match (0..3).find(|&n| says(n, &[b"password"])) {
            Some(n) => n + 1,
            None => return,
        },
        Command::Rabbit => return,
    };
    let Some(read) = words.into_iter().nth(index) else { return };
    if text.get(read.range.start).is_some_and(|b| matches!(b, b'/' | b'*' | b'$')) || read.range.len() < 3 {
        return;
    }
    let name = text.get(at..end).unwrap_or_default().iter().take_while(|&&b| b != b' ').count();
    push(text, at..at + name, read, Kind::CliPassword, Syntax::Flag, out);
}

/// Whether a command can begin at `at`: nothing but a prompt, `sudo`, `RUN` or the end of another stands before it.
fn begins_command(text: &[u8], at: usize) -> bool {
    let line = line_before(text, at, 48).trim_ascii_end();
    let last = line.rsplit(|&b| b == b' ').next().unwrap_or_default();
    matches!(last, b"" | b"sudo" | b"RUN" | b"exec" | b"then" | b"do" | b"run:" | b"-")
        || last.last().is_some_and(|b| b"$#;&|(\"'`>/\\".contains(b))
}

/// One word of a shell's line; its quotes, if it has any, are not part of it.
fn word(c: &mut Cursor<'_>) -> Option<Value> {
    c.blanks();
    let (quote, mark) = match c.peek()? {
        b'"' => (Quote::Double, b'"'),
        b'\'' => (Quote::Single, b'\''),
        _ => (Quote::None, 0),
    };
    c.bump(usize::from(quote != Quote::None));
    let start = c.at;
    let length = match quote {
        Quote::None => {
            c.take_while(|b| b > b' ' && !matches!(b, b'"' | b'\'' | b'`' | b'<' | b'>' | b'|' | b';' | b')'))
        }
        _ => c.take_while(|b| b != mark && b != b'\n'),
    }
    .len();
    let range = start..start + length;
    if quote != Quote::None && !c.eat(&[mark]) || length == 0 {
        return None;
    }
    Some(Value::new(range, quote))
}

/// `echo '…' | passwd --stdin`, `echo 'user:…' | chpasswd`: what is piped into the command at `at`.
pub(super) fn piped(text: &[u8], at: usize, end: usize, out: &mut Vec<Assignment>) {
    let line = line_before(text, at, PIPED_REACH);
    let Some(pipe) = line.iter().rposition(|&b| b == b'|') else { return };
    let from = at - line.len();
    let echo = [b"echo ".as_slice(), b"printf "]
        .iter()
        .filter_map(|name| Some(memchr::memmem::rfind(&line[..pipe], name)? + name.len()))
        .max();
    let Some(echo) = echo else { return };
    let mut c = Cursor::new(text, from + echo, pipe - echo);
    let mut last = None;
    for _ in 0..3 {
        let Some(word) = word(&mut c) else { break };
        if text.get(word.range.start) != Some(&b'-') {
            last = Some(word);
        }
    }
    let Some(mut read) = last else { return };
    let body = text.get(read.range.clone()).unwrap_or_default();
    if text.get(at..end).is_some_and(|name| starts_caseless(name, b"chpasswd")) {
        let Some(colon) = body.iter().position(|&b| b == b':') else { return };
        read.range.start += colon + 1;
    }
    while text.get(read.range.clone()).is_some_and(|body| body.ends_with(b"\\n")) {
        read.range.end -= 2;
    }
    let body = text.get(read.range.clone()).unwrap_or_default();
    if body.len() >= 3 && !matches!(body[0], b'$' | b'`' | b'%') {
        let key = from + echo - 5..from + echo - 1;
        push(text, key, read, Kind::CliPassword, Syntax::Flag, out);
    }
}

/// Oracle's `user/password@database`, as `sqlplus` and `jdbc:oracle:thin:` have it.
pub(super) fn slash_pair(text: &[u8], end: usize, out: &mut Vec<Assignment>) {
    let mut c = Cursor::new(text, end, VALUE_REACH);
    for _ in 0..4 {
        c.blanks();
        if c.peek() == Some(b'-') {
            c.take_while(|b| b > b' ');
        }
    }
    quote(&mut c);
    let start = c.at;
    let user = c.take_while(|b| is_word(b) || matches!(b, b'.' | b'-' | b'#'));
    let key = start..start + user.len();
    if user.is_empty() || !c.eat(b"/") {
        return;
    }
    let from = c.at;
    let password =
        c.take_while(|b| b > b' ' && !matches!(b, b'@' | b'"' | b'\'' | b'`' | b'/' | b'<' | b'$'));
    let read = Value::new(from..from + password.len(), Quote::None);
    if password.len() >= 3 && c.peek() == Some(b'@') {
        push(text, key, read, Kind::CliPassword, Syntax::Flag, out);
    }
}

fn push(text: &[u8], key: Range<usize>, read: Value, kind: Kind, syntax: Syntax, out: &mut Vec<Assignment>) {
    let evidence = gather(text, &key, &read, syntax, false);
    let whole = key.start.min(read.range.start)..key.end.max(read.range.end);
    out.push(Assignment { key, value: read.range, whole, kind, evidence });
}
