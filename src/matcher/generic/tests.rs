//! Every fast path here has a slow twin or a property that it must keep.

use proptest::prelude::*;

use super::*;
use crate::matcher::work;

/// All candidates of a text, found the slow way: every trigger tried at every place.
fn all(text: &[u8]) -> Vec<Assignment> {
    let mut found = Vec::new();
    for (at, trigger) in hits(text) {
        at_hit(text, at, trigger, &mut found);
    }
    dedup(&mut found);
    found
}

fn hits(text: &[u8]) -> Vec<(usize, usize)> {
    let mut hits = Vec::new();
    for at in 0..text.len() {
        for (i, trigger) in TRIGGERS.iter().enumerate() {
            if text[at..].get(..trigger.len()).is_some_and(|w| w.eq_ignore_ascii_case(trigger.as_bytes())) {
                hits.push((at, i));
            }
        }
    }
    hits
}

fn values(text: &str) -> Vec<(&'static str, String)> {
    all(text.as_bytes()).iter().map(|a| (a.kind.id(), text[a.value.clone()].to_owned())).collect()
}

#[track_caller]
fn check(text: &str, kind: Kind, value: &str) {
    let found = values(text);
    assert!(found.contains(&(kind.id(), value.to_owned())), "{text}\n{found:?}");
}

#[track_caller]
fn check_none(text: &str) {
    assert_eq!(values(text), [], "{text}");
}

#[test]
fn triggers_are_short_lower_case_literals() {
    for trigger in TRIGGERS {
        assert!((3..=16).contains(&trigger.len()), "{trigger}");
        assert_eq!(*trigger, trigger.to_ascii_lowercase());
    }
}

#[test]
fn kinds_know_their_ids() {
    for (i, kind) in Kind::ALL.iter().enumerate() {
        assert_eq!(kind.index(), i);
        assert_eq!(Kind::ALL.iter().position(|other| other.id() == kind.id()), Some(i));
    }
}

#[test]
fn evidence_is_small() {
    assert!(size_of::<Evidence>() <= 64);
}

#[test]
fn links_of_many_syntaxes() {
    for text in [
        "password = 'qx77vv'",
        "password: qx77vv",
        "\"password\" => \"qx77vv\"",
        "password := `qx77vv`",
        "password: String = \"qx77vv\"",
        "password string = \"qx77vv\"",
        "set_password(\"qx77vv\")",
        "<password>qx77vv</password>",
        "password == 'qx77vv'",
        "\"password\", \"qx77vv\"",
        "name: password\n  value: qx77vv",
        "<key>password</key>\n<string>qx77vv</string>",
        "\\\"password\\\":\\\"qx77vv\\\"",
        "&quot;password&quot;: &quot;qx77vv&quot;",
        "password: |\n  qx77vv\n",
        "x['password'] = 'qx77vv'",
        "password ||= 'qx77vv'",
        "password=Some(new Text(\"qx77vv\"))",
        "?password=qx77vv&x=1",
        "password:\n    \"qx77vv\"",
        "password: &anchor qx77vv",
        "password: !!str qx77vv",
        "password = u'qx77vv'",
        "password = \"\"\"qx77vv\"\"\"",
        "password = x || 'qx77vv'",
        "password = os.getenv('A', 'qx77vv')",
        "the password is 'qx77vv'",
        "| password | qx77vv |",
        "密码：qx77vv",
        "char password[] = \"qx77vv\"",
        "char password[MAX] = { \"qx77vv\" }",
        "func getPassword() string { return \"qx77vv\" }",
        "def password(self):\n    return 'qx77vv'",
        "password for the admin: qx77vv",
        "  password qx77vv\n",
    ] {
        check(text, Kind::Password, "qx77vv");
    }
}

#[test]
fn blanks_are_as_many_as_somebody_typed() {
    check("name: password\nvalue:'qx77vv'", Kind::Password, "qx77vv");
    check("authorization: token  qx77vvqx77", Kind::Token, "qx77vvqx77");
    check("authorization: token qx77vvqx77", Kind::Token, "qx77vvqx77");
}

#[test]
fn a_literal_may_hold_a_literal() {
    for text in ["(\"PASSWORD\", \"\\\"qx77vvqx\\\"\")", "PASSWORD: '\"qx77vvqx\"'"] {
        check(text, Kind::Password, "qx77vvqx");
    }
}

#[test]
fn a_literal_may_come_before_what_it_is_compared_with() {
    for text in [
        "if (\"qx77vv\" == password) {",
        "if ('qx77vv' !== user.password && x)",
        "\"qx77vv\".equals(password)",
        "\"qx77vv\".equalsIgnoreCase(getPassword())",
        "password.equals(\"qx77vv\")",
    ] {
        check(text, Kind::Password, "qx77vv");
        let found = all(text.as_bytes());
        assert!(found.iter().all(|a| a.evidence.syntax == Syntax::Compare), "{text}");
    }
    for text in [
        "\"qx77vv\" + password)",
        "\"\" == password)",
        "f(\"a\", b == password)",
        "\"two words\" == password)",
        "\"qx77vv\" == password_of(x)",
        "it's x\" == password)",
    ] {
        check_none(text);
    }
}

#[test]
fn marks_of_a_password_are_no_notation() {
    let odd = "k}{w3%r[o)p$T9v!";
    for text in [format!("password={odd}"), format!("password: {odd}\n"), format!("password := {odd},\n")] {
        check(&text, Kind::Password, odd);
    }
    check("password: m(3]w%r{o)p$T9v!\n", Kind::Password, "m(3]w%r{o)p$T9v!");
    check("password:!Dd5G4s9", Kind::Password, "!Dd5G4s9");
    check("password: !Dd5G4s9\n", Kind::Password, "!Dd5G4s9");
    for text in
        ["password: !vault |\n", "password: !reset\n", "password = f(a[0], {b: 1})", "password=g(x)[0]{y}"]
    {
        check_none(text);
    }
}

#[test]
fn statements_commands_urls_and_headers() {
    // Put together here, so that no scanner takes this file for a leak.
    let (pw, token) = ("qx77vv", "abcdef123456");
    let basic = data_encoding::BASE64.encode(format!("bob:{pw}").as_bytes());
    check("CREATE user x identified by 'qx77vv'", Kind::SqlPassword, "qx77vv");
    check("ALTER ROLE x WITH PASSWORD 'qx77vv'", Kind::SqlPassword, "qx77vv");
    check("run --password qx77vv", Kind::CliPassword, "qx77vv");
    check(&["curl", "-u", &format!("bob:{pw}"), "http://h/"].join(" "), Kind::CliPassword, "qx77vv");
    check("mysql -uroot -pqx77vv db", Kind::CliPassword, "qx77vv");
    check(&format!("http://bob:{pw}@host/"), Kind::UrlCredentials, "qx77vv");
    check(&format!("http://bob:q@{pw}@host/"), Kind::UrlCredentials, &format!("q@{pw}"));
    check(&format!("Server=a;Pwd={pw};"), Kind::ConnectionString, "qx77vv");
    check(&format!("Authorization: Bearer {token}"), Kind::BearerToken, token);
    check(&format!("Authorization: Basic {basic}"), Kind::BasicAuth, &basic);
    check("--from-literal=a=qx77vv", Kind::Secret, "qx77vv");
}

#[test]
fn values_in_base64_are_read_where_data_is_encoded() {
    let says = |text: &str| {
        let found = all(text.as_bytes());
        let plain = |a: &Assignment| plain(&text.as_bytes()[a.value.clone()], &a.evidence).into_owned();
        found.iter().map(|a| String::from_utf8_lossy(&plain(a)).into_owned()).collect::<Vec<_>>()
    };
    let encode = |text: &str| data_encoding::BASE64.encode(text.as_bytes());
    for text in ["Gr4nite", "Gr4nite-17-stone", "пароль7"] {
        let value = encode(text);
        assert_eq!(says(&format!("data:\n  token: {value}\n")), [text]);
        assert_eq!(says(&format!("{{\"data\":{{\"password\":\"{value}\"}}}}")), [text]);
    }
    let long = encode("Gr4nite-17-stone");
    assert_eq!(says(&format!("password: {long}")), ["Gr4nite-17-stone"], "nobody makes passwords so");
    assert_eq!(says(&format!("token: {long}")), [long.as_str()], "tokens are made so");
    assert_eq!(says("data:\n  token: abcdefgh\n"), ["abcdefgh"], "it says no text");
    let document = encode("{\"a\": 1, \"b\": 2}");
    assert_eq!(says(&format!("data:\n  token: {document}\n")), [document.as_str()]);
}

#[test]
fn defaults_and_members_are_values_and_names_are_not() {
    check("PASSWORD=\"${PASSWORD:-qx77vv}\"", Kind::Password, "qx77vv");
    check("PASSWORD=${PASSWORD-qx77vv}", Kind::Password, "qx77vv");
    check("password=${a.b:qx77vv}", Kind::Password, "qx77vv");
    check("\"password\": {\"value\": \"qx77vv\"}", Kind::Password, "qx77vv");
    check("string Password { get; set; } = \"qx77vv\"", Kind::Password, "qx77vv");
    check("string Password{get;set;}=\"qx77vv\"", Kind::Password, "qx77vv");
    check("ENV PASSWORD qx77vv", Kind::Password, "qx77vv");
    check("oauth_token=qx77vv&page=2", Kind::Token, "qx77vv");
    for text in [
        "PASSWORD=${PASSWORD:?qx77vv}",
        "PASSWORD=${PASSWORD:+qx77vv}",
        "\"password\": {\"reference\": {\"a\": 1}}",
        "password { color: red }",
        "--password   Force it",
        "openssl -pass env:qx77vv",
        "arn:aws:x:y:secret:prod/a1",
        "getSecret(\"qx77vv\")",
        "mongo -p 27017:27017",
    ] {
        check_none(text);
    }
}

#[test]
fn code_without_a_literal_is_no_candidate() {
    for text in [
        "password)",
        "token.next()",
        "getPassword()",
        "password: config.password,",
        "token = next_token();",
        "fn f(password: String)",
        "password;",
        "passwords.iter()",
        "secret::Key",
        "http://host/path@x",
        "mkdir -p build",
        "docker run -u 1000:1000",
        "basic usage of it",
        "passenger: yes",
        "token = $TOKEN",
        "identified by its name",
        "if password == other.password {",
        "http://host:80/",
    ] {
        check_none(text);
    }
}

#[test]
fn a_value_that_two_triggers_lead_to_comes_out_once() {
    for text in [
        "api_secret_token_key = \"qx77vvqx77zz\"",
        "Authorization: Bearer qx77vvqx77zz",
        "PASSWORD_TOKEN='a1b2c3d4'",
    ] {
        let mut each = Vec::new();
        for (at, trigger) in hits(text.as_bytes()) {
            at_hit(text.as_bytes(), at, trigger, &mut each);
        }
        let of_one_kind: Vec<_> = each.iter().filter(|a| a.kind == each[0].kind).collect();
        assert!(of_one_kind.iter().all(|a| *a == of_one_kind[0]), "{text}");
        assert_eq!(all(text.as_bytes()).len(), 1, "{text}");
    }
}

#[test]
fn what_does_not_belong_to_the_trigger_is_not_read() {
    let nothing = |text: &[u8], at, trigger| {
        let mut out = Vec::new();
        at_hit(text, at, trigger, &mut out);
        assert!(out.is_empty());
    };
    nothing(b"password='x1y2z3'", usize::MAX, 0);
    nothing(b"password='x1y2z3'", 400, 0);
    nothing(b"password='x1y2z3'", 0, usize::MAX);
    nothing(b"", 0, 0);
}

/// Pieces that assignments are made of, to be put together in any order.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        proptest::sample::select(TRIGGERS).prop_map(|t| t.as_bytes().to_vec()),
        proptest::sample::select(
            &[
                "=",
                ": ",
                "\"",
                "'",
                "\\\"",
                "`",
                " ",
                "\n",
                "(",
                ")",
                "[",
                "{",
                "<",
                ">",
                "</",
                ",",
                ";",
                "|",
                "->",
                "=>",
                ":=",
                "@",
                "://",
                "user:",
                "host",
                "value",
                "name: ",
                "&",
                "?",
                "$",
                "${X}",
                "password",
                "kty",
                "\"d\":\"",
                "CREATE USER x ",
                "mysql ",
                "curl ",
                "-- ",
                "new ",
                "\t",
                "\r\n",
                "：",
                "é",
                "#",
            ][..]
        )
        .prop_map(|t| t.as_bytes().to_vec()),
        "[a-zA-Z0-9_.+/=-]{1,40}".prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 1..6),
        Just(vec![b'x'; 300]),
        Just(vec![b' '; 120]),
    ];
    proptest::collection::vec(piece, 1..40).prop_map(|p| p.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// What a history scan relies on: bytes out of reach change nothing.
    #[test]
    fn the_result_depends_on_what_is_in_reach_only(text in pieces(), before in pieces(), after in pieces()) {
        for (at, trigger) in hits(&text) {
            let mut whole = Vec::new();
            at_hit(&text, at, trigger, &mut whole);
            let lo = at.saturating_sub(REACH_BACK);
            let hi = (at + REACH_FORWARD).min(text.len());
            // Other bytes before the reach, and after it where the text goes on.
            let mut other = if lo > 0 { before.clone() } else { Vec::new() };
            let shift = other.len();
            other.extend_from_slice(&text[lo..hi]);
            if hi < text.len() {
                other.extend_from_slice(&after);
                other.push(b'x');
            }
            let mut part = Vec::new();
            at_hit(&other, shift + at - lo, trigger, &mut part);
            for a in &mut part {
                for range in [&mut a.key, &mut a.value, &mut a.whole] {
                    *range = range.start + lo - shift..range.end + lo - shift;
                }
            }
            prop_assert_eq!(&whole, &part, "trigger {} at {}", TRIGGERS[trigger], at);
        }
    }

    /// No text makes it panic, and what comes out lies inside the text and the reach.
    #[test]
    fn candidates_lie_in_the_text(text in pieces()) {
        for (at, trigger) in hits(&text) {
            let mut found = Vec::new();
            at_hit(&text, at, trigger, &mut found);
            for a in found {
                prop_assert!(!a.value.is_empty() && a.value.end <= text.len() && a.key.end <= text.len() && a.whole.end <= text.len());
                prop_assert!(a.whole.start <= a.key.start && a.whole.end >= a.value.end);
                prop_assert!(a.value.end <= at + REACH_FORWARD && a.key.start + REACH_BACK >= at);
            }
        }
    }
}

/// Texts made to be slow, about `size` bytes each: many keys on one line, open quotes, keys and values without end,
/// nested objects, binary data.
fn hostile(size: usize) -> Vec<(&'static str, Vec<u8>)> {
    let mut texts: Vec<(&str, Vec<u8>)> = [
        "key=",
        "key=aaaaaa",
        "password=\"",
        "\"password\":",
        "{\"password\":[",
        "http://a:b",
        "http://a:b@c/",
        "{\"kty\":",
        "'",
        "\\\"token\\\":\\\"",
        "\\\\\\\"password\\\\\\\":",
        "password ",
        "password=(",
        "password: x || y or ",
        "<password>",
        "<password ",
        "| password |",
        "(token(",
        "mysql -p -p ",
        "curl -u a:b ",
        "IDENTIFIED BY '",
        "ALTER USER a PASSWORD ",
        "basic YWFhYWFh",
        "password=${password:-",
        "secret\n",
        "--from-literal=",
        "密码：",
    ]
    .into_iter()
    .map(|unit| (unit, unit.repeat(size / unit.len()).into_bytes()))
    .collect();
    let long = |head: &str, fill: &str, tail: &str| {
        [head.as_bytes(), fill.repeat(size / fill.len()).as_bytes(), tail.as_bytes()].concat()
    };
    texts.push(("a key without end", long("", "secretkey", "='x1y2z3w4'")));
    texts.push(("a value without end", long("password='", "Gr4nite", "'")));
    texts.push(("a bare value without end", long("password=", "Gr4nite", "")));
    texts.push(("a file as a value", long("password='''", "a = b; # c\n", "'''")));
    texts.push(("blanks without end", long("password", " ", "= 'x1y2z3w4'")));
    texts.push(("backslashes without end", long("password=", "\\", "\"x\"")));
    texts.push(("bytes of every kind", (0..size).map(|i| (i * 7 + i / 256) as u8).collect()));
    texts
}

/// Bytes looked at, candidates, and hits.
fn work_on(text: &[u8]) -> (usize, usize, usize) {
    let triggers = aho_corasick::AhoCorasick::builder().ascii_case_insensitive(true).build(TRIGGERS).unwrap();
    let (mut out, mut hits) = (Vec::new(), 0);
    work::take();
    for hit in triggers.find_overlapping_iter(text) {
        let before = out.len();
        at_hit(text, hit.start(), hit.pattern().as_usize(), &mut out);
        assert!(out.len() - before <= 1, "one candidate for a hit");
        hits += 1;
    }
    assert!(out.iter().all(|a| a.value.len() <= VALUE_REACH && a.whole.len() <= REACH_BACK + REACH_FORWARD));
    (work::take(), out.len(), hits)
}

#[test]
fn work_is_bounded_by_reach_not_by_the_text() {
    const SIZE: usize = 30_000;
    for ((name, once), (_, twice)) in hostile(SIZE).into_iter().zip(hostile(2 * SIZE)) {
        let (one, two) = (work_on(&once), work_on(&twice));
        assert!(two.0 <= 2 * one.0 + 20_000, "{name}: {} and {} bytes", one.0, two.0);
        assert!(two.1 <= 2 * one.1 + 20 && two.2 <= 2 * one.2 + 20, "{name}: {one:?} and {two:?}");
        assert!(one.0 <= one.2 * 4 * (REACH_BACK + REACH_FORWARD), "{name}: {one:?}");
    }
}

#[test]
fn what_repeats_is_a_glance_for_each_hit_and_no_more_candidates() {
    const SIZE: usize = 30_000;
    let more = [
        "-p x1y2z3w4 ",
        "sshpass -p x1y2z3w4 ",
        "://user:Gr4nite@host/",
        "Server=a;Password=Gr4nite;",
        "key=",
    ];
    let more = more.into_iter().flat_map(|unit| [unit.to_owned(), format!("{unit}\n")]);
    let long = |size: usize| more.clone().map(move |unit| unit.repeat(size / unit.len()).into_bytes());
    let texts = |size: usize| hostile(size).into_iter().map(|(_, text)| text).chain(long(size));
    for (once, twice) in texts(SIZE).zip(texts(2 * SIZE)) {
        let (one, two) = (work_on(&once), work_on(&twice));
        let name = String::from_utf8_lossy(&once[..60]);
        assert!(two.1 <= one.1 + 2, "{name}: {one:?} and {two:?}");
        assert!(two.0 <= one.0 + 160 * (two.2 - one.2) + 2_000, "{name}: {one:?} and {two:?}");
    }
}

#[test]
fn chains_of_assignments_are_one_look_each_and_no_candidates() {
    for unit in ["key=", "key=aaaaaa", "token=x,y="] {
        let text = unit.repeat(20_000);
        let (bytes, candidates, hits) = work_on(text.as_bytes());
        assert!(hits >= 20_000 && bytes <= hits * 600, "{unit}: {bytes} bytes for {hits} hits");
        assert!(candidates <= 100, "{unit}: {candidates}");
    }
}

/// What the verdict relies on to tell defaults, places and examples.
#[test]
fn facts_about_a_value_are_noted() {
    let has = |text: &str, value: &str, flag: u32| {
        let found = all(text.as_bytes());
        let found = found.iter().find(|a| &text[a.value.clone()] == value);
        found.unwrap_or_else(|| panic!("{value} in {text}")).evidence.flags.has(flag)
    };
    assert!(has("password = os.getenv(\"PW\") or \"qx77vv\"", "qx77vv", Flags::FALLBACK));
    assert!(!has("password = \"qx77vv\"", "qx77vv", Flags::FALLBACK));
    for (host, example) in [("localhost", true), ("example.com", true), ("db.corp.net", false)] {
        let text = format!("postgres://user:qx77vv9Zt@{host}/db");
        assert_eq!(has(&text, "qx77vv9Zt", Flags::EXAMPLE_HOST), example, "{host}");
    }
}

#[test]
fn statements_and_commands_have_their_own_forms() {
    check("ALTER USER scott IDENTIFIED BY VALUES 'qx77vv'", Kind::SqlPassword, "qx77vv");
    check("ALTER USER scott IDENTIFIED BY PASSWORD 'qx77vv'", Kind::SqlPassword, "qx77vv");
    check("curl -u alice:qx77vv https://x.invalid/", Kind::CliPassword, "qx77vv");
    check_none("chown -u alice:qx77vv file");
    check("kubectl create secret generic a --from-literal=db='qx77vv' --dry-run", Kind::Secret, "qx77vv");
    check("Authorization: Basic dTpxeDc3", Kind::BasicAuth, "dTpxeDc3");
    check("Authorization: Bearer qx77vv", Kind::BearerToken, "qx77vv");
    check("password = 'q7v'", Kind::Password, "q7v");
}

mod arguments_tests;
mod commands_tests;
mod evidence_tests;
mod languages_tests;
mod members_tests;
mod places_tests;
mod syntaxes_tests;
