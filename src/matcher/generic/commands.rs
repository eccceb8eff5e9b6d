//! Secrets on command lines and in statements: `curl -u`, `mysql -p`, `IDENTIFIED BY`, `ConvertTo-SecureString`, `--from-literal`.

use std::ops::Range;

use super::cursor::{Cursor, before, contains, is_word, starts_caseless};
use super::evidence::{Flags, Quote, Syntax, Wrapper};
use super::gather::gather;
use super::link::{quote, sql_before};
use super::reversed;
use super::value::Value;
use super::{Assignment, Kind, VALUE_REACH};

/// `-u user:password`, `--user=user:password`, `"-u", "user:password"`; `-U user%password` of Samba.
pub(super) fn user_flag(text: &[u8], at: usize, end: usize, out: &mut Vec<Assignment>) {
    let proxy = text.get(at).is_some_and(|b| b.eq_ignore_ascii_case(&b'p'));
    if before(text, at, 1).iter().any(|&b| is_word(b) || b == b'-' && !proxy) {
        return;
    }
    let mut c = Cursor::new(text, end, VALUE_REACH);
    let in_list = matches!(text.get(end - 1), Some(b'"' | b'\''));
    let joined = if in_list { c.eat(b",") } else { c.eat(b"=") || text.get(end - 1) == Some(&b' ') };
    if !joined && (in_list || c.blanks() == 0) {
        return;
    }
    c.blanks();
    let quoted = quote(&mut c).0 != Quote::None;
    let from = c.at;
    let pair = c.take_while(|b| {
        b > b' ' && !matches!(b, b'"' | b'\'' | b'`' | b'<' | b'>' | b'|' | b')' | b'\\' | b',')
    });
    let samba = memchr::memchr(b'%', pair).filter(|_| is_command(text, at, SAMBA_COMMANDS));
    let Some(colon) = samba.or_else(|| memchr::memchr(b':', pair)) else {
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
    let is_proxy = text.get(at..end).is_some_and(|flag| flag.eq_ignore_ascii_case(b"proxy-user"));
    if !is_proxy && samba.is_none() && !is_command(text, at, USER_COMMANDS) {
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
    b"influx",
    b"kinit",
    b"xfreerdp",
    b"cqlsh",
    b"clickhouse",
    b"docker push",
    b"smbmap",
    b"registry login",
    b"skopeo",
];
/// Commands whose `-P` takes one.
const LARGE_COMMANDS: &[&[u8]] =
    &[b"zip", b"ipmitool", b"sqlcmd", b"bcp ", b"mosquitto", b"tsql", b"isql", b"rar "];
/// Commands whose `-w` takes one.
const LDAP_COMMANDS: &[&[u8]] =
    &[b"ldapsearch", b"ldapadd", b"ldapmodify", b"ldapdelete", b"ldapwhoami", b"ldappasswd", b"ldapcompare"];
/// Commands whose `-k` takes one.
const OPENSSL_COMMANDS: &[&[u8]] = &[b"openssl enc", b"openssl aes", b"openssl des"];
/// Commands whose `-a` takes one.
const REDIS_COMMANDS: &[&[u8]] = &[b"redis-cli", b"redis-benchmark"];
/// Commands whose `-U` takes `user%password`.
const SAMBA_COMMANDS: &[&[u8]] = &[b"smbclient", b"rpcclient", b"winexe", b"smbget", b"pth-"];

/// `mysql -psecret`, `docker login -p secret`.
pub(super) fn short_flag(text: &[u8], at: usize, end: usize, out: &mut Vec<Assignment>) {
    let flag = text.get(at..end).unwrap_or_default();
    let in_list = matches!(flag, [.., b'"' | b'\'']);
    // `mkdir -p dir`, `-path`: the command decides, and it stands before.
    let commands = match flag.get(2) {
        Some(b'p') => PASSWORD_COMMANDS,
        Some(b'P') => LARGE_COMMANDS,
        Some(b'w') => LDAP_COMMANDS,
        Some(b'a') => REDIS_COMMANDS,
        Some(b'k') => OPENSSL_COMMANDS,
        _ => return,
    };
    let mut c = Cursor::new(text, end, VALUE_REACH);
    if in_list && !c.eat(b",") {
        return;
    }
    let blanks = c.blanks() + usize::from(flag.ends_with(b" ") || in_list);
    let (q, _) = quote(&mut c);
    if in_list && q == Quote::None {
        return;
    }
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
        || !is_command(text, at, commands)
    {
        return;
    }
    let mysql = !in_list && is_command(text, at, &[b"mysql", b"mariadb"]);
    // mysql reads `-p name` as a prompt and the name of a database; the password follows without a blank.
    if mysql != (blanks == 0) && !is_command(text, at, &[b"7z", b"sshpass"]) {
        return;
    }
    push(text, at + 1..end, from..from + word.len(), q, Kind::CliPassword, Syntax::Flag, out);
}

/// `27017:27017`: the ports of a container.
fn is_port_mapping(word: &[u8]) -> bool {
    word.contains(&b':') && word.iter().all(|b| b.is_ascii_digit() || matches!(b, b':' | b'.'))
}

/// Whether one of the commands stands on the line before `at`, or on lines before that go on.
fn is_command(text: &[u8], at: usize, commands: &[&[u8]]) -> bool {
    let line = command_before(text, at + 1);
    commands.iter().any(|command| contains(line, command))
        || commands.contains(&b"--user".as_slice()) && text.get(at..at + 6) == Some(b"--user")
}

/// The part of a command before `at`: back to the end of a line that does not end with a shell's mark that it goes on.
fn command_before(text: &[u8], at: usize) -> &[u8] {
    let head = before(text, at, 180);
    let mut start = head.len();
    loop {
        let Some(line_end) = memchr::memrchr(b'\n', &head[..start]) else { return head };
        let line = head[..line_end].trim_ascii_end();
        if !matches!(line.last(), Some(b'\\' | b'`' | b'^')) {
            return &head[line_end + 1..];
        }
        start = line_end;
    }
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
        _ => c.take_while(|b| b >= b' ' && !matches!(b, b'"' | b'\'' | b'`')),
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

/// `ConvertTo-SecureString "secret" -AsPlainText`, `ConvertTo-SecureString secret -AsPlainText`,
/// `"secret" | ConvertTo-SecureString -AsPlainText`.
pub(super) fn secure_string(text: &[u8], at: usize, end: usize, out: &mut Vec<Assignment>) {
    if let Some(piped) = reversed::piped(text, at) {
        push(text, at..end, piped.range, piped.quote, Kind::CliPassword, Syntax::Flag, out);
        return;
    }
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
    let word = match q {
        Quote::None => c.take_while(|b| b > b' ' && !matches!(b, b'"' | b'\'' | b';' | b'|' | b')')),
        _ => c.take_while(|b| b >= b' ' && !matches!(b, b'"' | b'\'')),
    };
    // A word without quotes is the text itself, if it is no variable and the command says that a text comes.
    c.blanks();
    let told = q != Quote::None
        || !matches!(word, [b'$' | b'(' | b'<' | b'{' | b'[', ..]) && starts_caseless(c.rest(), b"-asplain");
    if told && word.len() >= 3 {
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
