//! Each reason by itself, where it holds and where it just does not; and what scores lead to, by trees made for it.

use super::*;

const PYTHON: FileKind = FileKind { language: Language::Python, role: Role::Plain };
const C: FileKind = FileKind { language: Language::CFamily, role: Role::Plain };

fn flags(set: &[u32]) -> Flags {
    let mut flags = Flags::default();
    set.iter().for_each(|&flag| flags.set(flag));
    flags
}

fn table(is: fn(&[u8]) -> bool, yes: &[&str], no: &[&str]) {
    yes.iter().for_each(|value| assert!(is(value.as_bytes()), "{value}"));
    no.iter().for_each(|value| assert!(!is(value.as_bytes()), "{value}"));
}

#[test]
fn what_no_secret_is_has_a_form() {
    table(
        is_charset,
        &["utf-8", "UTF-16BE", "latin1", "iso-8859-15", "cp1252"],
        &["utf-16be8", "latin-words"],
    );
    table(is_path_of_names, &["a.b.c1", "_a.b", "A._b"], &["ab", "1.b", "a.2", "a..b"]);
    table(
        is_name_in_go,
        &["x509.ExtKeyUsageServerAuth", "oidExtKeyUsageRecovery21"],
        &[
            "x509.extKeyUsage",
            "config.word1",
            "X509.Ext",
            "hunter2word",
            "oidExtKeyUsageRecovery2",
            "DenverSummer1",
            "tls.Key Usage",
            "qPwLzXmKvBnRtYhGdSfA",
        ],
    );
    let long = |n: usize| is_path_of_names(format!("a.{}", "b".repeat(n)).as_bytes());
    assert!(long(40) && !long(41), "no name is longer");
    table(
        is_number,
        &["0x1f", "0X1F_00UL", "123", "1_000", "7u", "12u64", "12i128", "3L"],
        &["", "u8", "0x1g", "12px", "12usize", "abc"],
    );
    table(
        is_constant,
        &["CLIENT_AUTH", "RSA_2048", "TOKEN"],
        &["2048", "2048_RSA", "A1_B", "TOKEN1", "Token", "A_b"],
    );
    table(
        is_foreign_to_tokens,
        &["a b", "a(b", "x,y", "ns:CamelCasedWords"],
        &[
            "ab:c",
            "ns:CamelCase",
            "ns:CamelCaseWords",
            "CamelCasedWords",
            "ns:CamelCAsedWordsOfMany",
            "ns:Camel1CasedWordsHere",
        ],
    );
}

#[test]
fn a_bare_word_is_an_identifier_only_where_code_has_expressions() {
    let code = Evidence {
        syntax: Syntax::Assign,
        next: class(b'\n'),
        flags: flags(&[Flags::SPACED]),
        ..Evidence::default()
    };
    let is = |value: &str, edit: &dyn Fn(&mut Evidence), file: FileKind| {
        let mut evidence = code;
        edit(&mut evidence);
        is_identifier_in_code(value.as_bytes(), &evidence, file)
    };
    let word = "other_password";
    assert!(is(word, &|_| (), PYTHON));
    assert!(!is(word, &|_| (), FileKind { language: Language::Go, ..PYTHON }), "raw strings");
    assert!(!is(word, &|_| (), FileKind { language: Language::Yaml, ..PYTHON }), "no code");
    assert!(!is(word, &|e| e.quote = Quote::Double, PYTHON), "a literal");
    assert!(!is(word, &|e| e.flags = Flags::default(), PYTHON), "neither spaced nor closed");
    for flag in [Flags::INSIDE, Flags::COMMENT, Flags::BLOCK, Flags::FALLBACK] {
        assert!(!is(word, &|e| e.flags.set(flag), PYTHON), "{flag:b}");
    }
    assert!(is("1234", &|e| e.flags.set(Flags::COMMENT), PYTHON), "a number in a comment");
    assert!(!is("hunter2x", &|_| (), PYTHON), "a digit in it");
    assert!(is("hunter2x", &|e| e.next = class(b';'), PYTHON), "closed as a statement is");
    assert!(is("a.b1.c", &|_| (), PYTHON) && is("0x1f", &|_| (), PYTHON));
    assert!(!is("pass word", &|_| (), PYTHON) && !is("pass#word", &|_| (), PYTHON));
    let colon = |next: u8| move |e: &mut Evidence| (e.syntax, e.next) = (Syntax::Colon, class(next));
    assert!(is(word, &colon(b','), PYTHON) && !is(word, &colon(b'\n'), PYTHON));
}

#[test]
fn single_quotes_of_c_hold_one_character() {
    let evidence = Evidence { quote: Quote::Single, ..Evidence::default() };
    let never = |value: &[u8], evidence: &Evidence, file| never(value, evidence, file);
    assert_eq!(never(b"vx9kq", &evidence, C), Some("no-literal-of-the-language"));
    assert_eq!(never(b"vx9k", &evidence, C), None, "as many as a number holds");
    assert_eq!(never(b"vx9kq", &evidence, PYTHON), None);
    for flag in [Flags::INSIDE, Flags::COMMENT] {
        assert_eq!(never(b"vx9kq", &Evidence { flags: flags(&[flag]), ..evidence }, C), None);
    }
}

#[test]
fn what_is_looked_up_is_never_weighed_but_its_default_is() {
    let evidence = Evidence { quote: Quote::Double, wrapper: Wrapper::Reference, ..Evidence::default() };
    assert_eq!(never(b"Vx9kq2mTr", &evidence, PYTHON), Some("looked-up"));
    let default = Evidence { flags: flags(&[Flags::FALLBACK]), ..evidence };
    assert_eq!(never(b"Vx9kq2mTr", &default, PYTHON), None);
    assert_eq!(never(b"********", &default, PYTHON), Some("masked"));
    assert_eq!(never(b"my-example-key", &default, PYTHON), None, "that one is weighed");
}

#[test]
fn statements_count_unless_they_are_prose_or_arguments() {
    let quoted = Evidence { syntax: Syntax::Sql, quote: Quote::Single, ..Evidence::default() };
    let bare = Evidence { quote: Quote::None, ..quoted };
    let is = |kind, value: &[u8], e: &Evidence, file, score| is_statement(kind, value, e, file, score);
    let sql = FileKind { language: Language::Sql, role: Role::Plain };
    assert!(is(Kind::SqlPassword, b"hunter", &quoted, sql, PLAIN_STATEMENT + 1));
    assert!(!is(Kind::SqlPassword, b"hunter", &quoted, sql, PLAIN_STATEMENT));
    assert!(is(Kind::SqlPassword, b"hunter", &bare, sql, BARE_STATEMENT + 1));
    assert!(!is(Kind::SqlPassword, b"hunter", &bare, sql, BARE_STATEMENT));
    assert!(is(Kind::CliPassword, b"hunter", &bare, sql, PLAIN_STATEMENT + 1), "of a command");
    let argument = Evidence { syntax: Syntax::Argument, ..quoted };
    assert!(!is(Kind::CliPassword, b"hunter", &argument, sql, BARE_STATEMENT));
    for other in [&b"/Users/x"[..], b"x%s"] {
        assert!(!is(Kind::SqlPassword, other, &quoted, sql, 0));
    }
    let told = Evidence { flags: flags(&[Flags::MORE]), ..bare };
    assert!(!is(Kind::SqlPassword, b"option", &told, sql, 0), "more words follow");
    assert!(!is(Kind::SqlPassword, b"option", &bare, PYTHON, 0), "a word of a comment in code");
    assert!(is(Kind::SqlPassword, b"0ption", &told, sql, 0));
    let told = Evidence { flags: flags(&[Flags::MORE]), ..quoted };
    assert!(is(Kind::SqlPassword, b"option", &told, sql, 0), "in quotes it is no prose");
}

#[test]
fn some_syntaxes_are_granted_what_the_trees_have_not_seen() {
    let of = |syntax| allowance(&Evidence { syntax, ..Evidence::default() }, None);
    assert_eq!(of(Syntax::Element), model::SCALE);
    assert_eq!(of(Syntax::Connection), 2 * model::SCALE);
    assert!(of(Syntax::Url) > 0 && of(Syntax::Url) < model::SCALE && of(Syntax::Jwk) == of(Syntax::Url));
    assert_eq!(of(Syntax::Url), 614, "six tenths");
    assert_eq!(of(Syntax::Assign), 0);
    let url = Evidence { syntax: Syntax::Connection, ..Evidence::default() };
    assert_eq!(allowance(&url, Some("masked")), 0, "nothing for placeholders");
}

#[test]
fn caps_have_named_reasons() {
    let list = Evidence {
        syntax: Syntax::Colon,
        next: class(b'"'),
        flags: flags(&[Flags::INSIDE]),
        ..Evidence::default()
    };
    let of = |kind, value: &[u8], e: &Evidence, file| cap(kind, value, e, file, None);
    assert_eq!(of(Kind::Password, b"required", &list, PYTHON), Some("list-of-words"));
    for (evidence, file) in [
        (Evidence { next: class(b','), ..list }, PYTHON),
        (Evidence { syntax: Syntax::Assign, ..list }, PYTHON),
        (Evidence { flags: flags(&[Flags::INSIDE, Flags::SPACED]), ..list }, PYTHON),
        (Evidence { flags: Flags::default(), ..list }, PYTHON),
        (list, FileKind { language: Language::Yaml, role: Role::Plain }),
    ] {
        assert_eq!(of(Kind::Password, b"required", &evidence, file), None, "{evidence:?}");
    }
    let drawn = &b"Vx9kq2m"[..];
    assert_eq!(of(Kind::Password, drawn, &list, PYTHON), None);
    let tests = FileKind { role: Role::UnitTest, ..PYTHON };
    assert_eq!(of(Kind::Password, drawn, &list, tests), Some("unit-test"));
    let header = Evidence { syntax: Syntax::Header, ..Evidence::default() };
    let pair = |text: &str| data_encoding::BASE64.encode(text.as_bytes());
    for (text, reason) in [
        ("aladdin:Vx9kq2mTr7", None),
        ("Vx9kq2mTr7w", Some("no-user-and-password")),
        ("admin:password", Some("placeholder")),
    ] {
        assert_eq!(of(Kind::BasicAuth, pair(text).as_bytes(), &header, PYTHON), reason, "{text}");
    }
    for (kind, value, reason) in [
        (Kind::Token, &b"RSA_2048"[..], Some("constant")),
        (Kind::Token, b"a(b)c", Some(FOREIGN)),
        (Kind::Secret, b"a(b)c", None),
    ] {
        assert_eq!(of(kind, value, &Evidence::default(), PYTHON), reason);
    }
}

/// Names of these groups.
fn named(groups: &[Group]) -> Evidence {
    Evidence { name: groups.iter().fold(0, |set, &group| set | bit(group)), ..Evidence::default() }
}

#[test]
fn what_is_never_weighed_has_a_reason() {
    let of = |value: &str, e: &Evidence, file| never(value.as_bytes(), e, file);
    let drawn = "Vx9kq2mTr";
    let call =
        Evidence { wrapper: Wrapper::Call, next: class(b','), quote: Quote::Double, ..Evidence::default() };
    assert_eq!(of(drawn, &call, PYTHON), Some("argument-of-a-call"));
    assert_eq!(of(drawn, &Evidence { next: class(b'\n'), ..call }, PYTHON), None);
    assert_eq!(of(drawn, &Evidence { wrapper: Wrapper::Constructor, ..call }, PYTHON), None);
    assert_eq!(of(drawn, &named(&[Group::Digest]), PYTHON), Some(DIGEST));
    assert_eq!(of(drawn, &named(&[Group::Digest, Group::Password]), PYTHON), Some(DIGEST));
    assert_eq!(of(drawn, &named(&[Group::Digest, Group::Key]), PYTHON), None, "a key for it");
    let of_a_url = Evidence { syntax: Syntax::Url, ..named(&[Group::Digest]) };
    assert_eq!(of(drawn, &of_a_url, PYTHON), None, "a user's name");
    let says_name = Evidence { flags: flags(&[Flags::SAYS_NAME]), ..Evidence::default() };
    assert_eq!(of(drawn, &says_name, PYTHON), Some("variable-of-that-name"));
    assert_eq!(of(drawn, &Evidence { quote: Quote::Double, ..says_name }, PYTHON), None);
    assert_eq!(of(drawn, &Evidence::default(), PYTHON), None);
    assert_eq!(of(drawn, &says_name, FileKind { language: Language::Yaml, ..PYTHON }), None);
}

#[test]
fn odd_marks_count_in_literals_and_where_no_code_is() {
    let odd = &b"k}{w3%r[o)p$T9v!"[..];
    let yaml = FileKind { language: Language::Yaml, ..PYTHON };
    let markup = FileKind { language: Language::Markup, ..PYTHON };
    let literal = Evidence { quote: Quote::Double, ..Evidence::default() };
    let bare = Evidence::default();
    let is = |value: &[u8], e: &Evidence, file| is_of_odd_marks(Kind::Token, value, e, file);
    assert!(is(odd, &literal, PYTHON) && is(odd, &literal, markup) && is(odd, &bare, yaml));
    assert!(!is(odd, &bare, PYTHON) && !is(odd, &bare, markup), "code, and what is written in it");
    assert!(!is(b"Vx9kq2mTr", &literal, PYTHON), "none of them");
    assert!(!is(odd, &Evidence { syntax: Syntax::Url, ..literal }, yaml), "nobody names it");
    assert!(!is(odd, &literal, FileKind { role: Role::UnitTest, ..PYTHON }));
}

#[test]
fn caps_of_kinds_have_borders() {
    let of = |kind, value: &str, e: &Evidence| cap(kind, value.as_bytes(), e, PYTHON, None);
    let plain = Evidence::default();
    // None of these is base64.
    for (value, reason) in [
        ("ab-cd_ef", Some("no-user-and-password")),
        ("ab-cd_e1", None),
        ("ab-cd_e=", None),
        ("ab-cd_1=", None),
    ] {
        assert_eq!(of(Kind::BasicAuth, value, &plain), reason, "{value}");
    }
    assert_eq!(of(Kind::Token, "ABCDEFGH_IJKLMNOP_QR", &plain), Some("constant"));
    assert_eq!(of(Kind::Token, "ABCDEFGH_IJKLMNOP_QRS", &plain), None, "too long for one");
    let choice = Some("choice-of-a-setting");
    assert_eq!(of(Kind::Token, "required", &named(&[Group::Header])), choice);
    assert_eq!(of(Kind::Token, "required", &named(&[Group::Header, Group::Token])), None);
    assert_eq!(of(Kind::Secret, "required", &named(&[Group::Header])), None);
    assert_eq!(of(Kind::Token, "requir3d", &named(&[Group::Header])), None);
    let uuid = "01234567-89ab-cdef-0123-456789abcdef";
    assert_eq!(of(Kind::SessionCookie, uuid, &plain), Some("identifier"));
    assert_eq!((of(Kind::Secret, uuid, &plain), of(Kind::SessionCookie, "Vx9kq2mTr", &plain)), (None, None));
    assert_eq!(of(Kind::Token, "Vx9kq2mTr", &named(&[Group::Csrf])), Some("csrf-token"));
    assert_eq!(of(Kind::Token, "Vx9kq2mTr", &named(&[Group::Csrf, Group::Secret])), None);
    assert_eq!(of(Kind::Token, "Vx9kq2mTr", &named(&[Group::Build])), Some("key-of-a-package"));
    assert_eq!(of(Kind::Secret, "Vx9kq2mTr", &named(&[Group::Build])), None);
    assert_eq!(of(Kind::ApiKey, "Vx9kq2mTr", &named(&[Group::Public])), Some("public-key"));
    assert_eq!(of(Kind::Secret, "Vx9kq2mTr", &named(&[Group::Public])), None);
    assert_eq!(
        (of(Kind::Secret, r"a\b\c7", &plain), of(Kind::Secret, r"a\b7", &plain)),
        (Some("path"), None)
    );
    let pair = Evidence { syntax: Syntax::Pair, ..plain };
    assert_eq!(of(Kind::Secret, "Marigold", &pair), Some("list-of-words"));
    assert_eq!(
        (of(Kind::CliPassword, "Marigold", &pair), of(Kind::Secret, "Marigold7", &pair)),
        (None, None)
    );
}

/// A model by which every value has this score, after a gate that lets those through whose score is no less than 0.
/// The trees could have come to far less, until the last look; then to one less.
fn scored(gate: i16, score: i16) -> Model {
    const LENGTH: u8 = 13;
    let gate = [(255, gate, 0)];
    let far = [(LENGTH, 0, 2), (255, -9000, 0), (255, score - 1, 0)];
    let last = [(LENGTH, 0, 2), (255, 0, 0), (255, 1, 0)];
    let mut trees: Vec<&[(u8, i16, u8)]> = vec![&gate, &far];
    trees.extend([&[(255, 0, 0)][..]; 15]);
    trees.push(&last);
    Model::read(&crate::verdict::tests::model_file([0, 100, 200, 300], &trees)).unwrap()
}

#[test]
fn levels_begin_at_their_scores() {
    use Confidence::{High, Low, Medium};
    let literal = Evidence { quote: Quote::Double, ..Evidence::default() };
    let of = |gate, score, e: &Evidence| {
        judge_by(&scored(gate, score), Kind::Password, b"Vx9kq2mTr", e, FileKind::UNKNOWN)
    };
    for (score, confidence) in [
        (99, None),
        (100, Some(Low)),
        (199, Some(Low)),
        (200, Some(Medium)),
        (299, Some(Medium)),
        (300, Some(High)),
    ] {
        assert_eq!(of(0, score, &literal).confidence, confidence, "{score}");
        assert_eq!(of(-1, score, &literal), Judgement::drop("unlikely"), "turned away at the gate");
        // Credentials in a URL are granted something, and see no gate.
        let url = Evidence { syntax: Syntax::Url, ..Evidence::default() };
        assert_eq!(of(-1, score - 614, &url).confidence, confidence, "{score} with what is granted");
    }
}

#[test]
fn a_confidence_without_reasons_is_the_same() {
    let url = Evidence { syntax: Syntax::Connection, quote: Quote::Double, ..named(&[Group::Password]) };
    let mut reported = 0;
    for value in [&b"Vx9kq2mTr7wLpz4"[..], b"${DB}", b"password", b"********"] {
        let judged = judge(Kind::ConnectionString, value, &url, FileKind::UNKNOWN).confidence;
        assert_eq!(confidence(Kind::ConnectionString, value, &url, FileKind::UNKNOWN), judged);
        reported += usize::from(judged.is_some());
    }
    assert!(reported > 0);
}

#[test]
fn what_limits_the_confidence_is_named_where_it_does() {
    let tests = FileKind { role: Role::UnitTest, ..PYTHON };
    let literal = Evidence { quote: Quote::Double, ..Evidence::default() };
    let of = |score, e: &Evidence| judge_by(&scored(0, score), Kind::Secret, b"Vx9kq2mTr", e, tests);
    for (score, first) in [(150, false), (250, true), (350, true)] {
        let judgement = of(score, &literal);
        assert_eq!(judgement.confidence, Some(Confidence::Low), "{score}");
        assert_eq!(judgement.reasons[0] == "unit-test", first, "{score}: {judgement:?}");
    }
    let digest = named(&[Group::Digest, Group::Key]);
    let of = |score| judge_by(&scored(0, score), Kind::Secret, b"Vx9kq2mTr", &digest, FileKind::UNKNOWN);
    assert_eq!(of(250), Judgement::drop(DIGEST));
    assert_eq!(of(150).confidence, Some(Confidence::Low));
}

#[test]
fn odd_marks_need_no_score() {
    let literal = Evidence { quote: Quote::Double, ..Evidence::default() };
    let of = |value: &[u8]| judge_by(&scored(-1, -5000), Kind::Secret, value, &literal, PYTHON);
    let judgement = of(b"k}{w3%r[o)p$T9v!");
    assert_eq!(
        (judgement.confidence, judgement.reasons[0]),
        (Some(Confidence::Medium), "marks-of-no-notation")
    );
    assert_eq!(of(b"k}{w3%r[o)p$T9v!dummy"), Judgement::drop("example-word"));
    assert_eq!(of(b"Vx9kq2mTr"), Judgement::drop("unlikely"));
}

#[test]
fn statements_are_told_by_scores_of_their_own() {
    let plain = (PLAIN_STATEMENT + 1) as i16;
    let bare = (BARE_STATEMENT + 1) as i16;
    let quoted = Evidence { syntax: Syntax::Sql, quote: Quote::Single, ..Evidence::default() };
    let of = |score, kind, value: &str, e: &Evidence| {
        judge_by(&scored(-1, score), kind, value.as_bytes(), e, FileKind::UNKNOWN).confidence
    };
    let medium = Some(Confidence::Medium);
    assert_eq!(of(plain, Kind::SqlPassword, "Vx9kq2mTr", &quoted), medium);
    assert_eq!(of(plain - 1, Kind::SqlPassword, "Vx9kq2mTr", &quoted), None);
    let unquoted = Evidence { quote: Quote::None, ..quoted };
    assert_eq!(of(bare, Kind::SqlPassword, "Vx9kq2mTr", &unquoted), medium);
    assert_eq!(of(bare - 1, Kind::SqlPassword, "Vx9kq2mTr", &unquoted), None);
    // An argument is told by its place, whatever kind it is of; others are not.
    let argument = Evidence { syntax: Syntax::Argument, ..quoted };
    assert_eq!(of(bare, Kind::Password, "Vx9kq2mTr", &argument), medium);
    assert_eq!(of(bare, Kind::Password, "Vx9kq2mTr", &Evidence { syntax: Syntax::Pair, ..quoted }), None);
    // Words with a digit and a capital obey the rules for passwords; other placeholders are none.
    assert_eq!(of(plain, Kind::SqlPassword, "Password1", &quoted), medium);
    assert_eq!(of(plain, Kind::SqlPassword, "password1", &quoted), None);
    assert_eq!(of(plain, Kind::SqlPassword, "Placeholder1x", &quoted), None);
}

/// Credentials that say themselves that they are none, certificates in base64, what is left out, patterns.
#[test]
fn values_that_tell_of_a_value() {
    use data_encoding::BASE64;
    let evidence = Evidence { quote: Quote::Double, ..Evidence::default() };
    let of = |value: &[u8]| judge(Kind::Token, value, &evidence, PYTHON).reasons;
    let pair = BASE64.encode(b"username:password");
    assert!(of(pair.as_bytes()).contains(&"placeholder") || of(pair.as_bytes()) == ["unlikely"], "{pair}");
    assert_eq!(cap(Kind::Token, pair.as_bytes(), &evidence, PYTHON, None), Some("placeholder"));
    let other = BASE64.encode(b"username:q8Zr3xWn5Kt");
    assert_eq!(cap(Kind::Token, other.as_bytes(), &evidence, PYTHON, None), None);
    assert_eq!(of(BASE64.encode(b"-----BEGIN CERTIFICATE-----\n").as_bytes()), ["armour-in-base64"]);
    assert_eq!(of(b"Lou...bzg=="), ["masked"]);
    assert_eq!(of(b"?i)-+BEGIN(.*)PRIVATE"), ["pattern"]);
    assert_eq!(of(b"urn:k8s:secret:name:key1"), ["secret-store"]);
    assert_eq!(of(b"id=GITHUB_TOKEN,env=GITHUB_TOKEN"), ["secret-store"]);
    assert_eq!(of(b"Purple1/v4/45/50/9d/45509d39/pr_source.png"), ["path"]);
}
