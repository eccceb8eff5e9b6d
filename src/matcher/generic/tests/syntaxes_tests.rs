//! What joins a name to a value, at its borders: the text that is just read, and beside it the one that just is not.

use super::*;

/// From each text one value is read, joined to its name in this way.
#[track_caller]
fn check_reads(texts: &[(&str, Syntax, &str)]) {
    for &(text, syntax, value) in texts {
        let found = all(text.as_bytes());
        let found: Vec<_> = found.iter().map(|a| (a.evidence.syntax, &text[a.value.clone()])).collect();
        assert_eq!(found, [(syntax, value)], "{text}");
    }
}

/// From none of the texts anything is read.
#[track_caller]
fn check_silent(texts: &[&str]) {
    texts.iter().for_each(|text| check_none(text));
}

#[test]
fn operators_and_types() {
    check_reads(&[
        ("password ?= qx77vv", Syntax::Assign, "qx77vv"),
        ("password ??= 'qx77vv'", Syntax::Assign, "qx77vv"),
        ("password?: 'qx77vv'", Syntax::Colon, "qx77vv"),
        ("password?: string = 'qx77vv'", Syntax::Assign, "qx77vv"),
        ("password xy = 'qx77vv'", Syntax::Assign, "qx77vv"),
        ("password: String= \"qx77vv\"", Syntax::Assign, "qx77vv"),
        ("password: &'static str = \"qx77vv\"", Syntax::Assign, "qx77vv"),
        ("password: xstatic = 'qx77vv'", Syntax::Assign, "qx77vv"),
        ("password: qx77vv # x", Syntax::Colon, "qx77vv"),
        ("password{'qx77vv'}", Syntax::Assign, "qx77vv"),
        ("`qx77vv`==password", Syntax::Compare, "qx77vv"),
        ("Dim password As String = \"qx77vv\"", Syntax::Assign, "qx77vv"),
        // One letter is no value, so the default behind it is.
        ("password: x || 'qx77vv'", Syntax::Colon, "qx77vv"),
        // The type is a word of at most 24 bytes.
        ("token abcdefghijklmnopqrstuvwx = 'qx77vv'", Syntax::Assign, "qx77vv"),
    ]);
    check_silent(&[
        "password?'qx77vv'",
        "'password'?: 'qx77vv'",
        "password x = 'qx77vv'",
        "password s= 'qx77vv'",
        "password,'qx77vv'",
        "password =~ 'qx77vv'",
        "password:: 'qx77vv'",
        "'password'('qx77vv')",
        "'password'() { return 'qx77vv' }",
        "'password'{'qx77vv'}",
        "password(x or 'qx77vv')",
        "password. 'qx77vv'",
        "password, 'qx77vv'",
        "token abcdefghijklmnopqrstuvwxy = 'qx77vv'",
        "password as.String = 'qx77vv'",
        // A pattern, and a member of a module: neither is a password of odd marks.
        "password=~m(3]w%r{o)p$T9v!",
        "password::m(3]w%r{o)p$T9v!",
        // Subscripts, of what is looked up and of a field.
        "password = lookup<String>['x']",
        "x[password]).type('qx77vv')",
        "password = env.QX77",
    ]);
    check_reads(&[
        ("password = !m(3]w%r{o)p$T9v!", Syntax::Assign, "!m(3]w%r{o)p$T9v!"),
        // Nothing is looked up in it, and a value ends at an angle bracket.
        ("password = abc12!<x>[9", Syntax::Assign, "abc12!"),
    ]);
}

#[test]
fn options_of_commands() {
    check_reads(&[
        ("--password |abc", Syntax::Flag, "|abc"),
        ("--password ?abc", Syntax::Flag, "?abc"),
        ("--password 1.23x", Syntax::Flag, "1.23x"),
        ("--password [qx77vv]", Syntax::Flag, "[qx77vv"),
        ("--password qx77vv,x", Syntax::Flag, "qx77vv,x"),
        ("--password qx77vv)x", Syntax::Flag, "qx77vv"),
        ("--password qx77vv]x", Syntax::Flag, "qx77vv"),
        ("--password qx77vv}x", Syntax::Flag, "qx77vv"),
        ("args: [x, --password, qx77vv, y]", Syntax::Flag, "qx77vv"),
        ("[x] [--password, qx77vv]", Syntax::Flag, "qx77vv"),
        ("- --password\n- qx77vv", Syntax::Flag, "qx77vv"),
        ("(\"--password\", default=\"qx77vv\")", Syntax::Indirect, "qx77vv"),
        ("-password pass:qx77", Syntax::Flag, "qx77"),
        ("--ask-pass qx77vv", Syntax::Flag, "qx77vv"),
    ]);
    check_silent(&[
        "--password (qx77vv)",
        "--password $ab$",
        "--password .$abc",
        "--password +abc",
        "--password {qx77vv1",
        "--password\nqx77vv",
        "- --password\n- --other",
        "x --password, qx77vv",
        "[a] --password, qx77vv",
        "[--password, --user, x]",
        "[--password,qx77vv]",
        "[--password,\tqx77vv]",
        "[ --password,'qx77vv']",
        "(\"password\", default=\"qx77vv\")",
    ]);
    let kind = |text: &str| all(text.as_bytes()).first().map(|a| a.kind);
    assert_eq!(kind("--db_pass qx77vv"), Some(Kind::CliPassword));
    assert_eq!(kind("--ask-pass qx77vv"), Some(Kind::Password), "no command takes it there");
    assert_eq!(kind("-passin pass:qx77vv"), Some(Kind::CliPassword), "of openssl");
    assert_eq!(kind("pass:qx77vv"), Some(Kind::Password));
    assert_eq!(kind("-passin mykey:qx77vv"), Some(Kind::ApiKey));
}

#[test]
fn words_and_settings() {
    check_reads(&[
        ("password qx77vv\n", Syntax::Space, "qx77vv"),
        ("  password qx77vv", Syntax::Space, "qx77vv"),
        ("password f'qx77vv'", Syntax::Space, "qx77vv"),
        ("set -gx TOKEN qx77vv1", Syntax::Assign, "qx77vv1"),
        ("password by 'qx77vv'", Syntax::Prose, "qx77vv"),
        ("the password is qx77vv1", Syntax::Prose, "qx77vv1"),
        ("password native_password 'qx77vv'", Syntax::Sql, "qx77vv"),
    ]);
    check_silent(&[
        "password qx77v\n",
        "password qxvvww\n",
        "password 777777\n",
        "password qx77vv x\n",
        "x password qx77vv\n",
        "token qx77vv\n",
        "set PASSWORD qx77vv",
        "password is'qx77vv'",
        "the 'password'is 'qx77vv'",
        "password @'qx77vv'",
        "token f\"qx77vv\"",
    ]);
}

#[test]
fn statements_of_sql() {
    check_reads(&[
        ("alter user x password foo by qx77vv1;", Syntax::Sql, "qx77vv1"),
        ("y;\nCREATE USER bob\n  LOGIN\n  PASSWORD qx77vv;", Syntax::Sql, "qx77vv"),
        ("select 1\nCREATE USER bob\n  PASSWORD qx77vv;", Syntax::Sql, "qx77vv"),
        ("alter user x password set_password 'qx77vv'", Syntax::Sql, "qx77vv"),
    ]);
    check_silent(&[
        "x with caching_password plugin by 'qx77vv'",
        "alter user x password foo to 'qx77vv'",
        "alter user x password of our choice",
        "alter user x token qx77vv1",
        "create user x passing 'qx77vv'",
        "create user x password 、qx77vv;",
        "identified by qx77vv;",
    ]);
    // A statement begins with its own line: what the lines before speak of is not looked at.
    for text in ["user \ncreate a\n password qx77vv;", "\n\n\n\n\nuser \ncreate a\n password qx77vv;"] {
        assert_eq!(values(text), [("generic-password", "qx77vv".to_owned())], "{text}");
    }
    check_reads(&[("#create user a\npassword qx77vv;", Syntax::Sql, "qx77vv")]);
}

#[test]
fn tables_and_markup() {
    check_reads(&[
        ("|PASSWORD|qx77vv|", Syntax::Cell, "qx77vv"),
        ("a\n|PASSWORD|qx77vv|", Syntax::Cell, "qx77vv"),
        ("<x password>qx77vv<", Syntax::Element, "qx77vv"),
        ("name: password\n  value:\"qx77vv\"", Syntax::Indirect, "qx77vv"),
        ("name: password\n  value= qx77vv", Syntax::Indirect, "qx77vv"),
    ]);
    check_silent(&[
        "password|qx77vv1",
        "A|PASSWORD|qx77vv",
        "< password>qx77vv<",
        "<1 password>qx77vv<",
        "<a> password>qx77vv<",
        "<x>password</x></y>qx77vv<",
        "<x>password<x><y>qx77vv</y>",
        "password: <![CDATA[qx77vv]]>",
        "name: password\n  value:qx77vv",
        "x: password\n  value: qx77vv",
        // The quote around the name is not closed.
        "variable \"password\t{\n  default = 'qx77vv'\n}",
    ]);
}

#[test]
fn queries_and_connections() {
    check_reads(&[
        ("?token=qx77vv1", Syntax::UrlQuery, "qx77vv1"),
        ("a=b; token=qx77vv1", Syntax::Connection, "qx77vv1"),
        ("x://h;token=qx77vv1", Syntax::Connection, "qx77vv1"),
        ("ab; token=qx77vv1", Syntax::Assign, "qx77vv1"),
        ("password=qx77vv&x=1", Syntax::Assign, "qx77vv"),
        ("password=qx77vv&=1", Syntax::Assign, "qx77vv&=1"),
    ]);
    check_silent(&[
        "?password=[qx77vv1",
        "?password=(qx77vv)",
        "?password=a1b&",
        "?password=k}{w3%r[o)p$T9v!",
    ]);
}

#[test]
fn values_on_the_next_line() {
    check_reads(&[
        ("password:\n  - qx77vv", Syntax::Colon, "qx77vv"),
        ("password =\n 'qx77vv'", Syntax::Assign, "qx77vv"),
        ("<password>\n  qx77vv</password>", Syntax::Element, "qx77vv"),
        ("setPassword(\n  new X('qx77vv'))", Syntax::Call, "qx77vv"),
        ("password: -abc", Syntax::Colon, "-abc"),
    ]);
    check_silent(&[
        "password:\n qx77vv",
        "password:\n  -qx77vv",
        "password =\n - 'qx77vv'",
        "password = |\n  qx77vv\n",
        "password: - qx77vv",
    ]);
}

#[test]
fn values_without_quotes_end_where_their_syntax_ends() {
    check_reads(&[
        ("password: ab.cd", Syntax::Colon, "ab.cd"),
        ("password=ab.cd,", Syntax::Assign, "ab.cd"),
        ("password: a1.cd,", Syntax::Colon, "a1.cd"),
        ("password: qx77vv.", Syntax::Colon, "qx77vv"),
        ("password=1.234", Syntax::Assign, "1.234"),
        ("password=a1b2", Syntax::Assign, "a1b2"),
        ("password: q7v\n", Syntax::Colon, "q7v"),
        ("password=$a$b", Syntax::Assign, "$a$b"),
        ("password=$1abc", Syntax::Assign, "$1abc"),
        ("password = $@qx77vv", Syntax::Assign, "qx77vv"),
        ("password: [qx77vv1]", Syntax::Colon, "qx77vv1"),
        ("password: Token qx77vv1", Syntax::Colon, "qx77vv1"),
        ("Authorization: ApiKey qx77vv1", Syntax::Colon, "qx77vv1"),
        ("Authorization = Token qx77vv1", Syntax::Assign, "Token"),
        ("authorization: Token\nqx77vv", Syntax::Colon, "Token"),
    ]);
    check_silent(&[
        "password: ab.cd,",
        "password: ab?.cd,",
        "password = ab.cd",
        "password: qx77vv..",
        "password: qx77vv{",
        "password=1.23",
        "password=a1b",
        "password=$ab",
        "'password': [qx77vv1]",
        "password:&x qx77vv",
        "password = \\&quot;qx77vv&quot;",
        "password = ${X:-qx 7vv}",
    ]);
    // Names that are assigned to, one after the other, are data; padding is not.
    let chain = |n: usize| format!("password={}{}", "k=".repeat(n), "x".repeat(300));
    assert_eq!((values(&chain(6)).len(), values(&chain(7)).len()), (1, 0));
}

#[test]
fn calls_around_a_literal_have_short_names() {
    let read =
        |n: usize, open: &str| !values(&format!("password = {}{open}'qx77vv'", "x".repeat(n))).is_empty();
    assert_eq!((read(64, "("), read(65, "(")), (true, false));
    let found = |n: usize| values(&format!("password = {}{{'qx77vv'}}", "x".repeat(n)))[0].1.len();
    assert_eq!((found(40), found(41)), (6, 41), "a constructor, and a word with a bracket behind it");
}

#[test]
fn what_of_a_literal_is_the_value() {
    let odd = "\\".repeat(7);
    check_reads(&[
        (&format!("password = {odd}\"qx77vv{odd}\""), Syntax::Assign, "qx77vv"),
        ("password = '  qx77vv  '", Syntax::Assign, "qx77vv"),
        ("password = 'a b c d e f1'", Syntax::Assign, "a b c d e f1"),
        ("{\\\"password\\\": {\\\"value\\\": \\\"qx77vv\\\"}}", Syntax::Colon, "qx77vv"),
        ("password = '{\"id\": \"qx77vv\"}'", Syntax::Assign, "{\"id\": \"qx77vv\"}"),
        ("password = '{\"id\": \"qx77vvqx\"}'", Syntax::Assign, "qx77vvqx"),
        ("password = '{\"a\": \"abcdefgh\", \"b\": \"ijklmnop\"}'", Syntax::Assign, "abcdefgh"),
        ("password = '{\"a\": \"abcdefgh\", \"b\": \"ijklmnopq\"}'", Syntax::Assign, "ijklmnopq"),
        ("password = 'x\"qx77vvqx\"'", Syntax::Assign, "x\"qx77vvqx\""),
        // No default of a variable: what is written is the value.
        ("password = \"${X:-}\"", Syntax::Assign, "${X:-}"),
        ("password = \"${X:-$Y}\"", Syntax::Assign, "${X:-$Y}"),
        ("password = \"${-qx77vv}\"", Syntax::Assign, "${-qx77vv}"),
    ]);
    let even = "\\".repeat(8);
    check_silent(&[
        &format!("password = {even}\"qx77vv{even}\""),
        "password = 'a b c d e f g1'",
        "password = \\\"\"\"qx77vv\\\"",
        "password: 'static",
        "password = '   '",
        "password = &quot;qx\n77vv&quot;",
        "password = \"${X:-qx\n77vv}\"",
    ]);
    // A literal that does not end within reach is one long word, or no literal.
    let long = "qx7v".repeat(80);
    assert_eq!(values(&format!("password='{long}")), [("generic-password", long[..VALUE_REACH].to_owned())]);
    assert_eq!(values(&format!("password='{} {long}", &long[..200])), []);
    assert_eq!(values(&format!("password='{}", &long[..200])), []);
}

#[test]
fn the_scheme_of_a_header_is_no_part_of_the_value() {
    check_reads(&[
        ("token='token q7v1'", Syntax::Assign, "q7v1"),
        ("token='apikey   qx77vv1'", Syntax::Assign, "qx77vv1"),
        ("token='token q7v'", Syntax::Assign, "token q7v"),
        ("token='x qx77vv1'", Syntax::Assign, "x qx77vv1"),
    ]);
    check_silent(&["token='Basic qx77vv1'", "-password env:qx77vv"]);
    assert!(
        values("-password pass:qx7").contains(&("cli-password", "pass:qx7".to_owned())),
        "too short for one"
    );
}

#[test]
fn names_that_only_look_like_ones() {
    check_reads(&[
        ("PASS: qx77vv1", Syntax::Colon, "qx77vv1"),
        (" PASS=qx77vv1", Syntax::Assign, "qx77vv1"),
        ("arn:aws:x secret:qx77vv1", Syntax::Colon, "qx77vv1"),
        ("'arn:aws:x:secret=qx77vv1'", Syntax::Assign, "qx77vv1"),
        ("mypass='qx77vv'", Syntax::Assign, "qx77vv"),
        // The second byte of `р` is 0x80, the least that belongs to a name in another script.
        ("пароль_сервера: qx77vv", Syntax::Colon, "qx77vv"),
        ("密码：'qx77vv'", Syntax::Colon, "qx77vv"),
        ("secretx='qx77vv'", Syntax::Assign, "qx77vv"),
    ]);
    check_silent(&["\tPASS=qx77vv1", "arn:aws:x:secret:qx77vv1", "bypass='qx77vv'", "passing='qx77vv'"]);
    let name = |n: usize| !values(&format!("{}password='qx77vv'", "x".repeat(n))).is_empty();
    assert!(name(KEY_REACH - 1) && !name(KEY_REACH), "too long for a name");
    // The same behind the trigger, which is `pass` here.
    let name = |n: usize| !values(&format!("password{}='qx77vv'", "_".repeat(n - 4))).is_empty();
    assert!(name(KEY_REACH - 1) && !name(KEY_REACH), "too long for a name");
}

#[test]
fn an_assignment_reaches_from_its_key_to_the_closing_quote() {
    for (text, whole) in [
        ("f(password{'qx77vv'})", "password{'qx77vv'"),
        ("f(password ?= qx77vv)", "password ?= qx77vv"),
        ("f(password = \\'qx77vv\\')", "password = \\'qx77vv\\'"),
        ("f(`qx77vv` == password)", "`qx77vv` == password"),
        ("f(\"http://qx77vvqx77vvqx77vv12@host\")", "http://qx77vvqx77vvqx77vv12@"),
    ] {
        let found = all(text.as_bytes());
        let found: Vec<_> = found.iter().map(|a| &text[a.whole.clone()]).collect();
        assert_eq!(found, [whole], "{text}");
    }
    assert!(all(b"'password': 'qx77vv'")[0].evidence.flags.has(Flags::KEY_QUOTED));
}

#[test]
fn credentials_in_urls() {
    let at = |credentials: &str, host: &str| format!("http://{credentials}@{host}");
    for (credentials, value) in [
        ("bob:qx77vv", Some("qx77vv")),
        ("bob:q@x77vv", Some("q@x77vv")),
        ("qx77vvqx77vvqx77vv12", Some("qx77vvqx77vvqx77vv12")),
        ("bob", None),
        ("qxvvqxvvqxvvqxvvqxvv", None),
        ("qx77vvqx77vvqx7", None),
    ] {
        let text = at(credentials, "host/");
        let found = values(&text);
        assert_eq!(found.first().map(|(_, found)| found.as_str()), value, "{text}");
    }
    check_silent(&["http://bob@h", "http://bob:@h"]);
    let long = "qx7v".repeat(80);
    assert_eq!(values(&at(&format!("{long}:qx77vv"), "host/")), [], "no user has such a name");
}

#[test]
fn values_in_base64_have_whole_groups_and_say_enough() {
    let encoded = |text: &str| all(text.as_bytes()).iter().any(|a| a.evidence.flags.has(Flags::ENCODED));
    let encode = |text: &str| data_encoding::BASE64.encode(text.as_bytes());
    let data = |value: &str| format!("data:\n  token: {value}\n");
    assert!(encoded(&data(&encode("Gr4nit"))), "eight characters");
    assert!(!encoded(&data(&encode("Gr4"))) && !encoded(&data("R3I0bml")));
    assert!(!encoded(&format!("xdata:\n  token: {}\n", encode("Gr4nit"))), "another word");
    assert!(encoded(&format!("password: {}", encode("Gr4nite"))), "it is padded");
}

#[test]
fn users_hosts_and_schemes_of_urls() {
    let key = |text: &str| all(text.as_bytes()).first().map(|a| text[a.key.clone()].to_owned());
    let url = |rest: &str| format!("f(http://{rest}");
    assert_eq!(key(&url("bob:qx77vv@db/")).as_deref(), Some("bob"));
    assert_eq!(key(&url("qx77vvqx77vvqx77@db/")).as_deref(), Some("http"), "sixteen characters are no user");
    for host in ["", " x", "\"", "'", "`", "/x"] {
        assert_eq!(key(&url(&format!("bob:qx77vv@{host}"))), None, "{host}");
    }
    let touches =
        |host: &str| all(url(&format!("bob:qx77vv@{host}")).as_bytes())[0].evidence.flags.has(Flags::TOUCHES);
    assert!(touches("$HOST/") && touches("%s") && touches("{host}") && !touches("h$/"));
}

#[test]
fn addresses_of_drivers() {
    let read = |pair: &str| {
        let text = format!("\"{pair}@tcp(db:3306)/x\"");
        let found = all(text.as_bytes());
        found
            .first()
            .map(|a| [a.key.clone(), a.value.clone(), a.whole.clone()].map(|part| text[part].to_owned()))
    };
    assert_eq!(read("bob:qx77vv"), Some(["bob", "qx77vv", "bob:qx77vv"].map(str::to_owned)));
    assert_eq!(read("dsn=bob:qx77vv"), Some(["bob", "qx77vv", "bob:qx77vv"].map(str::to_owned)));
    assert_eq!(read("bob:q@x77vv"), Some(["bob", "q@x77vv", "bob:q@x77vv"].map(str::to_owned)));
    for pair in [":qx77vv", "bob:", "bob", "%s:qx77vv"] {
        assert_eq!(read(pair), None, "{pair}");
    }
}
