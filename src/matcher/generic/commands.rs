//! Secrets on command lines and in statements: `curl -u`, `mysql -p`, `IDENTIFIED BY`, `ConvertTo-SecureString`, `--from-literal`.

use std::ops::Range;

use super::cursor::{Cursor, before, is_word, line_before};
use super::evidence::{Flags, Quote, Syntax, Wrapper, gather};
use super::link::{quote, sql_before};
use super::value::Value;
use super::{Assignment, Kind, VALUE_REACH};

/// `-u user:password`, `--user=user:password`.
pub(super) fn user_flag(text: &[u8], at: usize, end: usize, out: &mut Vec<Assignment>) {
    if before(text, at, 1).iter().any(|&b| is_word(b) || b == b'-') {
        return;
    }
    let mut c = Cursor::new(text, end, VALUE_REACH);
    if !c.eat(b"=") && text.get(end - 1) != Some(&b' ') && c.blanks() == 0 {
        return;
    }
    c.blanks();
    let quoted = quote(&mut c).0 != Quote::None;
    let from = c.at;
    let pair = c.take_while(|b| {
        b > b' ' && !matches!(b, b'"' | b'\'' | b'`' | b'<' | b'>' | b'|' | b')' | b'\\' | b',')
    });
    let Some(colon) = pair.iter().position(|&b| b == b':') else {
        return;
    };
    let value = from + colon + 1..from + pair.len();
    // `-u http://…` and `docker run -u 1000:1000` are no credentials.
    if colon == 0
        || value.len() < 3
        || pair[..colon].contains(&b'{')
        || pair.starts_with(b"system:") // users of Kubernetes
        || pair[colon + 1..].starts_with(b"//")
        || pair.iter().all(|b| b.is_ascii_digit() || *b == b':')
    {
        return;
    }
    if !is_command(text, at, USER_COMMANDS) {
        return;
    }
    push(
        text,
        from..from + colon,
        value,
        if quoted { Quote::Single } else { Quote::None },
        Kind::CliPassword,
        Syntax::Flag,
        out,
    );
}

/// Commands whose `-u` takes `user:password`.
const USER_COMMANDS: &[&[u8]] = &[b"curl", b"http", b"wget", b"nuxeo", b"ab ", b"hey", b"--user", b"-X "];
/// Commands whose `-p` takes a password.
const PASSWORD_COMMANDS: &[&[u8]] = &[
    b"mysql",
    b"mariadb",
    b"sshpass",
    b"docker login",
    b"podman login",
    b"helm registry",
    b"oc login",
    b"az login",
    b"cf login",
    b"mongo",
    b"7z",
    b"nerdctl login",
    b"htpasswd",
    b"influx",
    b"kinit",
    b"xfreerdp",
    b"cqlsh",
    b"clickhouse",
    b"docker push",
];

/// `mysql -psecret`, `docker login -p secret`.
pub(super) fn short_flag(text: &[u8], at: usize, end: usize, out: &mut Vec<Assignment>) {
    // `mkdir -p dir`, `-path`: the command decides, and it stands before.
    if !is_command(text, at, PASSWORD_COMMANDS) {
        return;
    }
    let mut c = Cursor::new(text, end, VALUE_REACH);
    let mysql = is_command(text, at, &[b"mysql", b"mariadb"]);
    let blanks = c.blanks();
    // mysql reads `-p name` as a prompt and the name of a database; the password follows without a blank.
    if mysql != (blanks == 0) && !is_command(text, at, &[b"7z", b"influx", b"sshpass"]) {
        return;
    }
    let (q, _) = quote(&mut c);
    let from = c.at;
    let word =
        c.take_while(|b| b > b' ' && !matches!(b, b'"' | b'\'' | b'`' | b'<' | b'>' | b'|' | b')' | b'\\'));
    if word.ends_with(b".")
        || word.len() < 3
        || !word[0].is_ascii()
        || is_port_mapping(word)
        || word.starts_with(b"-")
        || word.contains(&b'/') && word.contains(&b'.')
        || word.starts_with(b"assw")
        || word.starts_with(b"$")
    {
        return;
    }
    push(text, at + 1..end, from..from + word.len(), q, Kind::CliPassword, Syntax::Flag, out);
}

/// `27017:27017`: the ports of a container.
fn is_port_mapping(word: &[u8]) -> bool {
    word.contains(&b':') && word.iter().all(|b| b.is_ascii_digit() || matches!(b, b':' | b'.'))
}

/// Whether one of the commands stands on the line before `at`.
fn is_command(text: &[u8], at: usize, commands: &[&[u8]]) -> bool {
    let line = line_before(text, at + 1, 140);
    commands.iter().any(|command| line.windows(command.len()).any(|w| w == *command))
        || commands.contains(&b"--user".as_slice()) && text.get(at..at + 6) == Some(b"--user")
}

/// `IDENTIFIED BY 'secret'`.
pub(super) fn identified_by(text: &[u8], at: usize, end: usize, out: &mut Vec<Assignment>) {
    let mut c = Cursor::new(text, end, VALUE_REACH);
    c.blanks();
    if c.eat_caseless(b"values") || c.eat_caseless(b"password") {
        c.blanks();
    }
    let (q, _) = quote(&mut c);
    let from = c.at;
    let word = match q {
        Quote::None => c.take_while(|b| b > b' ' && !matches!(b, b';' | b',' | b')' | b'"' | b'\'' | b'`')),
        _ => c.take_while(|b| b > b' ' && !matches!(b, b'"' | b'\'' | b'`')),
    };
    // "identified by its name" is prose; SQL speaks of a user before, or shouts and quotes.
    let capitals = text.get(at..at + 10) == Some(b"IDENTIFIED");
    if !(sql_before(text, at) || q != Quote::None && capitals) {
        return;
    }
    if word.len() >= 3 {
        push(text, at..end, from..from + word.len(), q, Kind::SqlPassword, Syntax::Sql, out);
    }
}

/// `ConvertTo-SecureString "secret" -AsPlainText`.
pub(super) fn secure_string(text: &[u8], at: usize, end: usize, out: &mut Vec<Assignment>) {
    let mut c = Cursor::new(text, end, VALUE_REACH);
    c.eat_caseless(b"string");
    let mut blanks = c.blanks();
    while blanks > 0 && c.peek() == Some(b'-') {
        c.take_while(|b| b.is_ascii_alphabetic() || b == b'-');
        blanks = c.blanks();
    }
    if !c.eat(b"(") && blanks == 0 {
        return; // a quote that follows at once closes one around the name
    }
    let (q, _) = quote(&mut c);
    let from = c.at;
    let word = c.take_while(|b| b >= b' ' && !matches!(b, b'"' | b'\''));
    if q != Quote::None && word.len() >= 3 {
        push(text, at..end, from..from + word.len(), q, Kind::CliPassword, Syntax::Flag, out);
    }
}

/// `--from-literal=name=secret`.
pub(super) fn from_literal(text: &[u8], end: usize, out: &mut Vec<Assignment>) {
    let mut c = Cursor::new(text, end, VALUE_REACH);
    if !c.eat(b"=") && c.blanks() == 0 {
        return;
    }
    let outer = quote(&mut c).0;
    let key_at = c.at;
    let name = c.take_while(|b| is_word(b) || b == b'-' || b == b'.');
    if name.is_empty() || !c.eat(b"=") {
        return;
    }
    let (inner, _) = quote(&mut c);
    let from = c.at;
    let word = c.take_while(|b| b > b' ' && !matches!(b, b'"' | b'\'' | b'`' | b'\\'));
    if word.len() >= 3 {
        push(
            text,
            key_at..key_at + name.len(),
            from..from + word.len(),
            outer.max(inner),
            Kind::Secret,
            Syntax::Flag,
            out,
        );
    }
}

fn push(
    text: &[u8],
    key: Range<usize>,
    value: Range<usize>,
    quote: Quote,
    kind: Kind,
    syntax: Syntax,
    out: &mut Vec<Assignment>,
) {
    let mut flags = Flags::default();
    flags.set_if(Flags::CUT, value.len() >= VALUE_REACH - 16);
    let read = Value { range: value.clone(), quote, escapes: 0, wrapper: Wrapper::None, flags };
    let evidence = gather(text, &key, &read, syntax, false);
    out.push(Assignment { whole: key.start..value.end, key, value, kind, evidence });
}
