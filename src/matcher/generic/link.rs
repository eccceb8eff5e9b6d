//! What joins a name to its value: `=`, `: `, `=>`, `","`, `>`, ` `, …

use super::LINK_REACH;
use super::cursor::{
    Cursor, before, contains, contains_caseless, ends_caseless, is_blank, is_word, line_before,
    starts_caseless,
};
use super::declared;
use super::evidence::{Quote, Syntax};

/// A link that was recognised.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub syntax: Syntax,
    /// Where the value may begin.
    pub at: usize,
    /// The quote that closes the key, if one does.
    pub key_quote: Quote,
}

/// Reads the closing quote of a key: `"`, `'`, `` ` ``, escaped ones, and HTML's entities.
pub(super) fn quote(c: &mut Cursor<'_>) -> (Quote, u8) {
    let mut probe = *c;
    let escapes = probe.take_while(|b| b == b'\\').len();
    if escapes > 7 {
        return (Quote::None, 0);
    }
    let found = match probe.peek() {
        Some(b'"') => (Quote::Double, 1),
        Some(b'\'') => (Quote::Single, 1),
        Some(b'`') => (Quote::Back, 1),
        Some(b'&') if escapes == 0 => entity(probe.rest()),
        _ => (Quote::None, 0),
    };
    if found.0 == Quote::None {
        return (Quote::None, 0);
    }
    probe.bump(found.1);
    *c = probe;
    (found.0, escapes as u8)
}

/// HTML's ways to write a quote, and their length.
fn entity(text: &[u8]) -> (Quote, usize) {
    for name in [b"&quot;".as_slice(), b"&#34;", b"&#39;", b"&#x27;"] {
        if text.starts_with(name) {
            return (Quote::Entity, name.len());
        }
    }
    (Quote::None, 0)
}

/// What follows the key `text[start..end]`, if it is something that can give it a value.
pub(super) fn after_key(text: &[u8], start: usize, end: usize) -> Option<Link> {
    let mut c = Cursor::new(text, end, LINK_REACH);
    // The byte after most names in code ends the matter: `token)`, `token;`, `token[`.
    match c.peek()? {
        b'=' | b':' | b'"' | b'\'' | b'`' | b' ' | b'\t' | b'(' | b'{' | b'>' | b'|' | b']' | b'\\'
        | b'&' | b'!' | b'<' | b'*' | b',' | b'\n' | b'\r' | b'?' | b'[' | 0xef | 0xe3 => {}
        _ => return None,
    }
    let (key_quote, _) = quote(&mut c);
    let quoted = key_quote != Quote::None;
    let link = |syntax, c: &Cursor<'_>| Some(Link { syntax, at: c.at, key_quote });
    c.eat(b"]");
    c.eat(b"**");
    let blanks = c.blanks();
    if !quoted && (declared::accessors(&mut c) || declared::array(&mut c)) {
        c.blanks();
    }
    let b = c.peek()?;
    match b {
        b'=' => equals(&mut c).and_then(|syntax| link(syntax, &c)),
        b':' => colon(&mut c, quoted).and_then(|syntax| link(syntax, &c)),
        0xef if c.eat("\u{ff1a}".as_bytes()) || c.eat("\u{ff1d}".as_bytes()) => link(Syntax::Colon, &c),
        0xe3 | 0xef => None,
        b'!' if !quoted && c.nth(1) == Some(b':') => {
            c.bump(1); // TypeScript: `password!: string = …`
            colon(&mut c, quoted).and_then(|syntax| link(syntax, &c))
        }
        b'!' if c.eat(b"!=") => {
            c.eat(b"=");
            link(Syntax::Compare, &c)
        }
        b'|' if c.eat(b"||=") => link(Syntax::Assign, &c),
        b'|' if c.nth(1) != Some(b'|') && is_cell(text, start) => {
            c.bump(1);
            link(Syntax::Cell, &c)
        }
        b'?' if c.eat(b"?=") || c.eat(b"??=") => link(Syntax::Assign, &c),
        b'?' if !quoted && c.nth(1) == Some(b':') => {
            c.bump(1);
            colon(&mut c, quoted).and_then(|syntax| link(syntax, &c))
        }
        b'(' if !quoted && blanks == 0 && declared::return_of_literal(&mut c) => link(Syntax::Assign, &c),
        b'(' if !quoted && blanks == 0 => {
            c.bump(1);
            link(Syntax::Call, &c)
        }
        b',' if !quoted && text.get(start) == Some(&b'-') => {
            c.bump(1);
            next_argument(&mut c, text, start).and_then(|()| link(Syntax::Flag, &c))
        }
        b'{' if !quoted && blanks == 0 && matches!(c.nth(1), Some(b'"' | b'\'')) => {
            c.bump(1);
            link(Syntax::Assign, &c)
        }
        b'{' if quoted => default_in_block(&mut c, text, start).and_then(|()| link(Syntax::Indirect, &c)),
        b')' if quoted => typed_into(&mut c).and_then(|()| link(Syntax::Pair, &c)),
        b',' if quoted && text.get(start) == Some(&b'-') && default_of_option(&mut c) => {
            link(Syntax::Indirect, &c)
        }
        b',' if quoted || is_atom(text, start) => {
            c.bump(1);
            indirect(&mut c, text, start).or_else(|| link(Syntax::Pair, &c))
        }
        b'>' if in_tag(text, start) => {
            c.bump(1);
            link(Syntax::Element, &c)
        }
        b'<' if !quoted && (c.eat(b"<-") || c.eat(b"<<-")) => {
            // R; Go's and Haskell's arrows lead to no literal.
            c.blanks();
            matches!(c.peek(), Some(b'"' | b'\'')).then(|| link(Syntax::Assign, &c)).flatten()
        }
        b'<' if c.nth(1) == Some(b'/') => closing_tag(&mut c).and_then(|()| link(Syntax::Element, &c)),
        b'\n' | b'\r' if text.get(start) == Some(&b'-') => {
            list_item(&mut c).and_then(|()| link(Syntax::Flag, &c))
        }
        b'\n' | b'\r' => indirect(&mut c, text, start),
        _ if blanks > 0 => after_blank(&mut c, text, start, end, quoted).and_then(|syntax| link(syntax, &c)),
        _ => None,
    }
}

/// Whether a name without quotes is the first of a pair: Ruby's `:password, …`, Erlang's `{password, …}` and
/// `-define(PASSWORD, …)`.
fn is_atom(text: &[u8], start: usize) -> bool {
    let head = before(text, start, 8);
    [b":".as_slice(), b"{", b"-define("].iter().any(|mark| head.ends_with(mark))
}

/// `=`, `==`, `===`, `=>`; not `=~`.
fn equals(c: &mut Cursor<'_>) -> Option<Syntax> {
    c.bump(1);
    match c.peek()? {
        b'=' => {
            c.bump(1);
            c.eat(b"=");
            Some(Syntax::Compare)
        }
        b'>' => {
            c.bump(1);
            Some(Syntax::Arrow)
        }
        b'~' => None,
        _ => Some(Syntax::Assign),
    }
}

/// `:`, `:=`, and `: Type =`; not `::`.
fn colon(c: &mut Cursor<'_>, quoted: bool) -> Option<Syntax> {
    c.bump(1);
    match c.peek()? {
        b':' => return None,
        b'=' => {
            c.bump(1);
            return Some(Syntax::Assign);
        }
        _ => {}
    }
    c.eat(b"**");
    if !quoted {
        let mut typed = *c;
        typed.blanks();
        let name = typed.take_while(|b| {
            is_word(b) || matches!(b, b'.' | b'<' | b'>' | b'?' | b'&' | b'\'' | b'[' | b']')
        });
        if (1..=40).contains(&name.len()) && name[0] != b'\'' {
            let apart = typed.blanks() > 0;
            if !apart && name.ends_with(b"static") {
                return Some(Syntax::Colon);
            }
            if name.ends_with(b"'static") {
                typed.take_while(|b| is_word(b) || b == b' ');
            }
            // `token: 5f3a…= is …`: what touches the `=` and has a digit is no type, but a value and its padding.
            if (apart || !name.iter().any(u8::is_ascii_digit))
                && typed.peek() == Some(b'=')
                && !matches!(typed.nth(1), Some(b'=' | b'>' | b'~'))
                && typed.nth(1) == Some(b' ')
            {
                typed.bump(1);
                *c = typed;
                return Some(Syntax::Assign);
            }
        }
    }
    Some(Syntax::Colon)
}

/// Steps to the next item of a list in YAML, behind a flag that is an item itself; it may not be another flag.
fn list_item(c: &mut Cursor<'_>) -> Option<()> {
    c.white();
    let item = c.eat(b"- ");
    c.blanks();
    (item && c.peek() != Some(b'-')).then_some(())
}

/// Steps to the next argument of a list without quotes, behind a flag: `[--password, …]` of YAML.
fn next_argument(c: &mut Cursor<'_>, text: &[u8], start: usize) -> Option<()> {
    let line = line_before(text, start, 100);
    let open = memchr::memrchr(b'[', line)?;
    let in_list = memchr::memrchr(b']', line).is_none_or(|close| close < open);
    (in_list && c.blanks() > 0 && c.peek() != Some(b'-')).then_some(())
}

/// Steps to the default of a variable in HCL: `variable "name" { default = …`.
fn default_in_block(c: &mut Cursor<'_>, text: &[u8], start: usize) -> Option<()> {
    if !line_before(text, start, 24).ends_with(b"variable \"") {
        return None;
    }
    c.bump(1);
    // Other attributes of the variable may come before it, a line each.
    for _ in 0..4 {
        c.white();
        if c.eat(b"default") {
            c.blanks();
            return c.eat(b"=").then_some(());
        }
        c.take_while(|b| !matches!(b, b'\n' | b'{' | b'}'));
        if c.peek() != Some(b'\n') {
            return None;
        }
    }
    None
}

/// Steps to the default of an option of a command line: `("--password", default=…`.
fn default_of_option(c: &mut Cursor<'_>) -> bool {
    let call = c.rest();
    let call = &call[..call.iter().position(|b| matches!(b, b')' | b'\n')).unwrap_or(call.len())];
    let name = b"default=";
    let Some(at) = memchr::memmem::find(call, name) else { return false };
    c.bump(at + name.len());
    true
}

/// Steps to what is typed into a field of that name: `('#password').type(…`, `(By.ID, "password").send_keys(…`.
fn typed_into(c: &mut Cursor<'_>) -> Option<()> {
    const VERBS: [&[u8]; 6] =
        [b").type(", b").fill(", b").send_keys(", b").sendKeys(", b").setValue(", b").val("];
    VERBS.iter().any(|verb| c.eat(verb)).then_some(())
}

/// What may stand between a key and its value when a blank comes first.
fn after_blank(c: &mut Cursor<'_>, text: &[u8], start: usize, end: usize, quoted: bool) -> Option<Syntax> {
    let key = text.get(start..end).unwrap_or_default();
    if key.starts_with(b"-") && !quoted {
        // In a list of options what is set apart from the name explains it.
        let apart = text.get(end..).is_some_and(|rest| rest.starts_with(b"  ") || rest.starts_with(b"\t"));
        return (!apart).then_some(Syntax::Flag);
    }
    let b = c.peek()?;
    if !quoted && sets_variable(text, start) && (is_word(b) || matches!(b, b'"' | b'\'')) {
        return Some(Syntax::Assign);
    }
    if !quoted && b == b'@' && c.nth(1) == Some(b'"') {
        return Some(Syntax::Space); // Objective-C's literals
    }
    if matches!(b, b'"' | b'\'') && !quoted {
        return Some(if sql_before(text, start) { Syntax::Sql } else { Syntax::Space });
    }
    if !is_word(b) {
        return None;
    }
    let word_at = *c;
    if !quoted && is_tag_name(text, start) {
        return inside_element(c);
    }
    if quoted && let Some(syntax) = attributes(c, text, start) {
        return Some(syntax);
    }
    *c = word_at;
    let word = c.take_while(is_word);
    if word.len() > 24 {
        *c = word_at;
        return spaced(c, text, start, quoted);
    }
    if word.eq_ignore_ascii_case(b"for") {
        if sets_password(c, text, start) {
            return Some(Syntax::Sql);
        }
        if !quoted && names_owner(c) {
            return Some(Syntax::Prose);
        }
    }
    let gap = c.blanks();
    if !quoted && word.eq_ignore_ascii_case(b"as") && gap > 0 {
        // Visual Basic's declaration: `password As String = "…"`
        c.take_while(|b| is_word(b) || b == b'.');
        c.blanks();
        return c.eat(b"=").then_some(Syntax::Assign).filter(|_| c.peek() != Some(b'='));
    }
    if !quoted && word.len() >= 2 && c.peek() == Some(b'=') && matches!(c.nth(1), Some(b' ')) {
        c.bump(1);
        return Some(Syntax::Assign); // Go: `password string = "…"`
    }
    if gap > 0 && matches!(c.peek(), Some(b'"' | b'\'' | b'`')) {
        let says =
            [b"is".as_slice(), b"was", b"as", b"to", b"of", b"by", b"with", b"be", b"equals", b"eq", b"set"];
        if says.iter().any(|s| word.eq_ignore_ascii_case(s)) {
            return Some(if word.eq_ignore_ascii_case(b"by") && sql_before(text, start) {
                Syntax::Sql
            } else {
                Syntax::Prose
            });
        }
        if word.eq_ignore_ascii_case(b"BY") || word.ends_with(b"_password") {
            return Some(Syntax::Sql);
        }
    }
    if gap > 0 && matches!(word, b"is" | b"IS" | b"ist" | b"est" | b"es") {
        return Some(Syntax::Prose);
    }
    if sql_before(text, start) && starts_caseless(c.rest(), b"by ") {
        c.bump(3);
        return Some(Syntax::Sql);
    }
    *c = word_at;
    spaced(c, text, start, quoted)
}

/// Whether the key is the name of an XML tag, behind its prefix if it has one: `<password`, `<wsse:Password`.
fn is_tag_name(text: &[u8], start: usize) -> bool {
    let head = before(text, start, 24);
    let head = match head {
        [prefix @ .., b':'] => prefix.trim_ascii_end().strip_suffix(name_at_end(prefix)).unwrap_or(prefix),
        _ => head,
    };
    head.ends_with(b"<")
}

/// The letters and digits at the end of `text`.
fn name_at_end(text: &[u8]) -> &[u8] {
    let length = text.iter().rev().take_while(|&&b| is_word(b)).count();
    &text[text.len() - length..]
}

/// Steps over the attributes of a tag to its value: what is in the element, or in an attribute of that name.
fn inside_element(c: &mut Cursor<'_>) -> Option<Syntax> {
    const MOST: usize = 4;
    for _ in 0..MOST {
        let name = c.take_while(|b| is_word(b) || matches!(b, b'-' | b':' | b'.'));
        if name.is_empty() || !c.eat(b"=") {
            return None;
        }
        if name.eq_ignore_ascii_case(b"value") {
            return Some(Syntax::Indirect);
        }
        if quote(c).0 == Quote::None {
            return None;
        }
        c.take_while(|b| !matches!(b, b'"' | b'\'' | b'<' | b'>' | b'\n'));
        quote(c);
        c.blanks();
        if c.eat(b">") {
            return Some(Syntax::Element);
        }
    }
    None
}

/// Steps over the attributes behind a name that is one itself, to the one that holds the value, or to what is in
/// the tag: `name="password" type="string" value=…`, `<setting name="token" …>`.
fn attributes(c: &mut Cursor<'_>, text: &[u8], start: usize) -> Option<Syntax> {
    const MOST: usize = 4;
    for _ in 0..MOST {
        let name = c.take_while(|b| is_word(b) || b == b'-' || b == b':');
        if name.is_empty() || !c.eat(b"=") {
            return None;
        }
        let is_value = starts_caseless(name, b"value") || starts_caseless(name, b"content");
        if is_value || name.eq_ignore_ascii_case(b"default") {
            return Some(Syntax::Indirect);
        }
        quote(c);
        c.take_while(|b| !matches!(b, b'"' | b'\'' | b'\\' | b'<' | b'>' | b'\n'));
        quote(c);
        c.blanks();
        if c.eat(b">") {
            let head = before(text, start, 8);
            let named = [b"name=\"".as_slice(), b"key=\"", b"name='", b"key='"];
            return named.iter().any(|attribute| head.ends_with(attribute)).then_some(Syntax::Element);
        }
    }
    None
}

/// Steps over whose password it is, and a colon: `password for the admin: …`.
fn names_owner(c: &mut Cursor<'_>) -> bool {
    const LONGEST: usize = 32;
    let mut probe = *c;
    let owner = probe.take_while(|b| is_word(b) || matches!(b, b' ' | b'@' | b'.' | b'-'));
    if !(2..=LONGEST).contains(&owner.len()) || !probe.eat(b":") {
        return false;
    }
    *c = probe;
    true
}

/// Steps behind the `=` or `TO` of `SET PASSWORD FOR 'user'@'host' = 'value'`.
fn sets_password(c: &mut Cursor<'_>, text: &[u8], start: usize) -> bool {
    if !ends_caseless(line_before(text, start, 24).trim_ascii_end(), b"set") {
        return false;
    }
    let mut probe = *c;
    probe.take_while(|b| !matches!(b, b'=' | b'\n' | b';' | b')'));
    let found = probe.eat(b"=");
    probe.blanks();
    if found && (starts_caseless(probe.rest(), b"password(")) {
        probe.bump(9);
    }
    if found {
        *c = probe;
    }
    found
}

/// `login x password y` of `.netrc`, `WITH PASSWORD y` of SQL, a line `password y` of a configuration.
fn spaced(c: &Cursor<'_>, text: &[u8], start: usize, quoted: bool) -> Option<Syntax> {
    if quoted {
        return None;
    }
    if !is_password_word(text, start) {
        return None;
    }
    if sql_before(text, start) {
        return Some(Syntax::Sql);
    }
    let login = contains(before(text, start, 100), b"login ");
    (login || is_setting(*c, text, start)).then_some(Syntax::Space)
}

/// Whether the line is the key and one word, which is none of a language: it has letters and digits.
fn is_setting(mut c: Cursor<'_>, text: &[u8], start: usize) -> bool {
    const LEAST: usize = 6;
    let word = c.take_while(|b| b.is_ascii_graphic());
    word.len() >= LEAST
        && matches!(c.peek(), None | Some(b'\r' | b'\n'))
        && word.iter().any(u8::is_ascii_digit)
        && word.iter().any(u8::is_ascii_alphabetic)
        && line_before(text, start, 40).trim_ascii().is_empty()
}

/// Whether a command before the key sets a variable of that name: `ENV NAME value` of a Dockerfile, fish's
/// `set -gx` and `set --export`, csh's `setenv`, Windows' `setx`, `%define` and `%global` of an RPM's spec.
fn sets_variable(text: &[u8], start: usize) -> bool {
    let line = line_before(text, start, 40).trim_ascii();
    let mut words = line.split(|&b| is_blank(b)).filter(|word| !word.is_empty());
    match words.next() {
        Some(b"ENV" | b"env" | b"setenv" | b"setx" | b"%define" | b"%global") => words.next().is_none(),
        Some(b"set") => words.clone().next().is_some() && words.all(|option| option.starts_with(b"-")),
        _ => false,
    }
}

/// Whether the key is the word itself, as in SQL and `.netrc`.
fn is_password_word(text: &[u8], start: usize) -> bool {
    let name = text.get(start..(start + 32).min(text.len())).unwrap_or_default();
    // MySQL's plugins: `IDENTIFIED WITH mysql_native_password BY '…'`.
    starts_caseless(name, b"pass") || contains_caseless(name, b"_password")
}

/// Whether the line before the key reads as an SQL statement about a user or a role.
pub(super) fn sql_before(text: &[u8], start: usize) -> bool {
    if !is_password_word(text, start)
        && !starts_caseless(text.get(start..).unwrap_or_default(), b"identified")
    {
        return false;
    }
    let line = statement_before(text, start);
    let has = |word: &[u8]| contains_caseless(line, word);
    (has(b"create ") || has(b"alter ") || has(b"grant "))
        && (has(b"user ")
            || has(b"role ")
            || has(b"login ")
            || has(b"identified")
            || has(b"group ")
            || has(b"connect to "))
        || has(b"set password ")
}

/// The line before the key, or the lines before it back to one that begins as an SQL statement does.
fn statement_before(text: &[u8], start: usize) -> &[u8] {
    let head = before(text, start, 140);
    let from = memchr::memrchr2(b';', b'#', head).map_or(0, |n| n + 1);
    let statement = &head[from..];
    let mut at = 0;
    for line in statement.split(|&b| b == b'\n') {
        let begins = |word: &[u8]| starts_caseless(line.trim_ascii_start(), word);
        if begins(b"create ") || begins(b"alter ") || begins(b"grant ") {
            return &statement[at..];
        }
        at += line.len() + 1;
    }
    line_before(text, start, 100)
}

/// Whether the key is the first thing in a cell of a Markdown table.
fn is_cell(text: &[u8], start: usize) -> bool {
    let line = line_before(text, start, 40);
    // `A|PASSWORD|B` is a choice of words, where no line or blank begins the table.
    let before = line.trim_ascii_end().strip_suffix(b"|");
    before.is_some_and(|cells| {
        cells.last().is_none_or(|&b| is_blank(b)) || cells.trim_ascii().starts_with(b"|")
    }) || line.trim_ascii_end().ends_with(b"| `")
        || line.ends_with(b"`")
}

/// Whether an XML tag is open before the key: `<password`, `<entry key="password"`.
fn in_tag(text: &[u8], start: usize) -> bool {
    let line = line_before(text, start, 100);
    match line.iter().rposition(|&b| b == b'<') {
        Some(n) => !line[n..].contains(&b'>') && line.get(n + 1).is_none_or(|b| b.is_ascii_alphabetic()),
        None => false,
    }
}

/// `</key>` and the opening tag of the value that follows it: `<string>`.
fn closing_tag(c: &mut Cursor<'_>) -> Option<()> {
    c.take_while(|b| b != b'>' && b != b'\n');
    if !c.eat(b">") {
        return None;
    }
    c.white();
    if !c.eat(b"<") || c.peek() == Some(b'/') {
        return None;
    }
    let tag = c.take_while(|b| b != b'>' && b != b'\n' && b != b'<');
    if tag.ends_with(b"/") || !c.eat(b">") {
        return None;
    }
    Some(())
}

/// `name: KEY` followed by `value: …`, in YAML, JSON and XML.
fn indirect(c: &mut Cursor<'_>, text: &[u8], start: usize) -> Option<Link> {
    let mut with = *c;
    with.white();
    if with.eat(b"with: ") {
        return Some(Link { syntax: Syntax::Indirect, at: with.at, key_quote: Quote::None }); // Capybara's fill_in
    }
    let mut named = before(text, start, 24);
    while let [head @ .., b'"' | b'\'' | b' ' | b'\\'] = named {
        named = head;
    }
    let [head @ .., b':' | b'='] = named else {
        return None;
    };
    let mut head = head;
    while let [rest @ .., b'"' | b'\'' | b'\\' | b' '] = head {
        head = rest;
    }
    if !(ends_caseless(head, b"name") || ends_caseless(head, b"key") || ends_caseless(head, b"id")) {
        return None;
    }
    let mut probe = *c;
    probe.white();
    probe.eat(b"- ");
    quote(&mut probe);
    if !probe.eat_caseless(b"value") {
        return None;
    }
    let (key_quote, _) = quote(&mut probe);
    probe.blanks();
    match probe.peek() {
        Some(b':') => {
            probe.bump(1);
            if !probe.peek().is_some_and(|b| is_blank(b) || matches!(b, b'"' | b'\'')) {
                return None;
            }
        }
        Some(b'=') => probe.bump(1),
        _ => return None,
    }
    Some(Link { syntax: Syntax::Indirect, at: probe.at, key_quote })
}
