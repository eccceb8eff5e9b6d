//! Facts that the verdict relies on, each by itself; whole verdicts are in `tests/suite/generic_corpus`.

use proptest::prelude::*;

use super::filekind::{FileKind, Language, Role};
use super::generic::judge;
use super::placeholder::{is_identifier, placeholder};
use super::reference::reference;
use crate::matcher::generic::{Evidence, Kind};

#[test]
fn placeholders_have_named_reasons() {
    for (value, reason) in [
        ("", "empty"),
        ("<your-token>", "in-brackets"),
        ("[secret]", "in-brackets"),
        ("********", "masked"),
        ("xxxx-xxxx-xxxx", "masked"),
        ("abc...", "masked"),
        ("my-example-key", "example-word"),
        ("CHANGE_ME", "example-word"),
        ("aaaaaaaa", "repeated"),
        ("deadbeefdeadbeef", "repeated"),
        ("q7w3eRRRRRRRRm2", "repeated"),
        ("eHh4eHh4eHh4eHh4", "repeated"),
        ("zq_eHh4eHh4eHh4eHh4", "repeated"),
        ("q7w0123456789e3", "sequence"),
        ("abc-1234567890", "sequence"),
        ("12345678", "sequence"),
        ("abcdefgh", "sequence"),
        ("qwerty", "sequence"),
        ("9876543", "sequence"),
        ("wvq-12345678", "sequence"),
        ("q7w3e7777777777777m2", "repeated"),
        ("password", "placeholder-words"),
        ("secretToken1", "placeholder-words"),
        ("test_user", "placeholder-words"),
        ("my-app-x", "placeholder-words"),
        ("a-b-c", "placeholder-words"),
    ] {
        assert_eq!(placeholder(value.as_bytes()), Some(reason), "{value}");
    }
}

#[test]
fn values_that_people_or_machines_choose_are_no_placeholders() {
    for value in [
        "Marigold417",
        "hf7Kq2mPz0",
        "9f8a1c0e5b7d42639f01",
        "tr0ub4dor&3",
        "correct-horse-42x",
        "b7!kk",
        "xK9!mN2$",
        "a$b%cK93",
        "p(8)K]2x{9q",
        "<q7Kq2mPz0",
        "q7Kq2mPz0>",
        "[q7Kq2mPz0",
        "q7w3e777777777777m2",
        "initofme",
    ] {
        assert_eq!(placeholder(value.as_bytes()), None, "{value}");
    }
}

#[test]
fn references_have_named_reasons() {
    for (value, reason) in [
        ("${DB_PASSWORD}", "variable"),
        ("$(database-url)", "variable"),
        ("$PASSWORD", "variable"),
        ("%PASSWORD%", "variable"),
        ("#{password}", "variable"),
        ("@DB_PASSWORD@", "variable"),
        ("__DB_PASSWORD__", "variable"),
        ("[a-z0-9]{8,12}", "pattern"),
        ("(ab|cd){3}", "pattern"),
        ("a-zA-Z0-9+", "pattern"),
        ("{{ vault_password }}", "template"),
        ("${{ secrets.TOKEN }}", "template"),
        ("<%= token %>", "template"),
        ("process.env.TOKEN", "environment"),
        ("os.environ['TOKEN']", "environment"),
        ("arn:aws:secretsmanager:eu-west-1:1:secret:x", "secret-store"),
        ("op://vault/item/password", "secret-store"),
        ("@Microsoft.KeyVault(SecretUri=x)", "secret-store"),
        ("ENC(abc=)", "encrypted"),
    ] {
        assert_eq!(reference(value.as_bytes(), b"", b""), Some(reason), "{value}");
    }
    assert_eq!(reference(b"prod/db", b"x = getSecret('", b"')"), Some("looked-up"));
    assert_eq!(reference(b"prod/db", b"x = getSecret(name, ", b")"), Some("looked-up"));
    assert_eq!(
        reference(b"hf7Kq2mPz0", b"x = getSecret(name) or '", b"'"),
        None,
        "a literal beside a look-up"
    );
    for value in [
        "m{{h}o)w${e]n",
        "a${b]c",
        "Marigold417",
        "pa$$word9x",
        "50%off%",
        "a_b",
        "$2y$10$abcdefghij",
        "a]{b}c9",
        "m8){2x",
    ] {
        assert_eq!(reference(value.as_bytes(), b"", b""), None, "{value}");
    }
}

#[test]
fn paths_tell_kinds_of_files() {
    for (path, language, role) in [
        ("src/app.py", Language::Python, Role::Plain),
        (".env.production", Language::Config, Role::Plain),
        (".env.example", Language::Config, Role::Template),
        ("config.yml.example", Language::Yaml, Role::Template),
        ("web/package-lock.json", Language::Json, Role::Generated),
        ("node_modules/x/index.js", Language::Script, Role::Generated),
        ("config/locales/de.yml", Language::Yaml, Role::Translation),
        ("vendor/x/y.go", Language::Go, Role::Vendored),
        ("pkg/x_test.go", Language::Go, Role::UnitTest),
        ("tests/test_x.py", Language::Python, Role::UnitTest),
        ("src/XTest.java", Language::Jvm, Role::UnitTest),
        ("test/config.yml", Language::Yaml, Role::Test),
        ("docs/setup.md", Language::Prose, Role::Example),
        ("Dockerfile", Language::Shell, Role::Plain),
        ("no-extension", Language::Unknown, Role::Plain),
        ("", Language::Unknown, Role::Plain),
    ] {
        assert_eq!(FileKind::from_path(path.as_bytes()), FileKind { language, role }, "{path}");
    }
}

proptest! {
    /// Whatever the value and the path are, there is a verdict with a reason.
    #[test]
    fn every_value_gets_a_verdict(value in proptest::collection::vec(any::<u8>(), 0..400), path in proptest::collection::vec(any::<u8>(), 0..120), kind in proptest::sample::select(Kind::ALL)) {
        let judgement = judge(kind, &value, &Evidence::default(), FileKind::from_path(&path));
        prop_assert!(!judgement.reasons.is_empty());
        prop_assert_eq!(judge(kind, &value, &Evidence::default(), FileKind::from_path(&path)), judgement, "the same again");
    }
}

/// One in which no family of features moves the score by much.
#[test]
fn a_verdict_of_many_small_moves_has_a_reason_too() {
    let value = b"{\0a\0aA{aAa\0aAa aAa{abA{a\0agD|BCE\x10a0hc1\\\x03\x04\x11\x01\x05d\x06ij\x07\x08A2e";
    let judgement = judge(Kind::ConnectionString, value, &Evidence::default(), FileKind::UNKNOWN);
    assert!(judgement.confidence.is_some() && !judgement.reasons.is_empty(), "{judgement:?}");
}

#[test]
fn names_in_code_are_told_from_what_is_drawn_at_random() {
    for name in [
        "MAX_KEY_LENGTH",
        "ISO_8601_TIME_FORMAT_PATTERN",
        "D3D12_MEMORY_SEGMENT_GROUP",
        "super::super::foundation::",
        "getApiKeyV2",
        "K8SContainerStatusReasonCreating",
        "linodeLabelPublicIPv4RDNS",
        "oidKeyUsageHTTPServer",
        "DeviceTokenHandler",
        "some/path/to.file",
    ] {
        assert!(is_identifier(name.as_bytes()), "{name}");
    }
    for value in [
        "9f8a1c0e5b7d42639f01",
        "hf7Kq2mPz0Lw8vXtB3nR",
        "qPwLzXmKvBnRtYhGdSfA",
        "A1B2-C3D4-E5F6-G7H8",
        "ABCD-1234-EFGH-5678",
        "abcdefgh",
    ] {
        assert!(!is_identifier(value.as_bytes()), "{value}");
    }
}

/// What a built-in rule says of a value in a file.
fn of_rule(id: &str, value: &str, path: &str) -> (Option<crate::finding::Confidence>, Vec<&'static str>) {
    let rules = crate::rules::builtin();
    let rule = rules.iter().find(|rule| rule.id == id).unwrap_or_else(|| panic!("no rule {id}"));
    let judgement = super::pattern::judge(rule, value.as_bytes(), FileKind::from_path(path.as_bytes()));
    (judgement.confidence, judgement.reasons)
}

#[test]
fn what_a_test_makes_for_itself_is_low_there() {
    use crate::finding::Confidence::{Low, Medium};
    let key = "9f8a1c0e5b7d4263".repeat(3) + "4b7d90ce1f5a8826";
    let (confidence, _) = of_rule("rails-secret-key-base", &key, "config/secrets.yml");
    assert!(confidence >= Some(Low));
    let drawn = "9f8a1c0e5b7d42634b7d90ce1f5a88260c5e7a9b1d3f486275a0c2e4968b1d3f";
    assert_eq!(of_rule("rails-secret-key-base", drawn, "config/secrets.yml").0, Some(Medium));
    let (confidence, reasons) = of_rule("rails-secret-key-base", drawn, "test/dummy/config/secrets.yml");
    assert_eq!((confidence, reasons.last()), (Some(Low), Some(&"made-for-a-test")));
    let (confidence, reasons) = of_rule("rails-secret-key-base", drawn, "docs/config/secrets.yml");
    assert_eq!((confidence, reasons.last()), (Some(Low), Some(&"made-for-an-example")));
    assert!(!of_rule("rails-secret-key-base", drawn, "config/secrets.yml").1.contains(&"known-prefix"));
    let intent = format!("pi_{}_secret_{}", "3Nq7Rt2LkdIw0HuKcXyP1vZa", "9sYb4DfT6mGh8JnE5oWi2uQxR");
    assert_eq!(of_rule("stripe-payment-intent-secret", &intent, "app/pay.rb").0, Some(Medium));
    let (confidence, reasons) = of_rule("stripe-payment-intent-secret", &intent, "spec/vcr/pay.yml");
    assert_eq!((confidence, reasons.last()), (Some(Low), Some(&"expired")));
}

/// Beside its documented shape a context rule takes what looks like a key: a name of a variable does not.
#[test]
fn names_are_no_keys_of_another_shape() {
    let id = "twitch-chat-token";
    assert_eq!(of_rule(id, "transactionV2Enabled", "a.java"), (None, vec!["identifier"]));
    assert!(of_rule(id, "transactionV2Enable", "a.java").0.is_some(), "shorter than such keys are");
    assert!(of_rule(id, "hf7Kq2mPz0Lw8vXtB3nR", "a.java").0.is_some());
    assert!(of_rule(id, "oauth:abcdefghijklmnopqrstuvwxyz", "a.java").0.is_some(), "the documented shape");
    assert_eq!(of_rule("temporal-credential", "ISO_8601_TIME_FORMAT_PATTERN", "a.java").0, None);
}

#[test]
fn a_word_is_a_password_where_nothing_else_stands() {
    use crate::finding::Confidence::{Low, Medium};
    assert_eq!(of_rule("pgpass-password", "secret", ".pgpass").0, Some(Medium));
    assert_eq!(of_rule("pgpass-password", "secret", "docs/.pgpass").0, Some(Low));
    assert_eq!(of_rule("pgpass-password", "********", ".pgpass").0, Some(Low));
}

#[test]
fn a_checksum_decides_how_sure_a_finding_is() {
    use crate::finding::Confidence::{High, Medium};
    let own = "kR7mQ2vXz9Lw4TnB8sYc1HpJ6dFg0e";
    let partial = format!("gh{}_{own}", "p");
    let sum = crate::matcher::checksum::complete("github", &partial).unwrap();
    let (confidence, reasons) = of_rule("github-pat", &format!("{partial}{sum}"), "a.py");
    assert_eq!((confidence, &reasons[..]), (Some(High), &["checksum-valid"][..]));
    let wrong: String = sum.chars().map(|c| if c == '7' { '8' } else { '7' }).collect();
    let (confidence, reasons) = of_rule("github-pat", &format!("{partial}{wrong}"), "a.py");
    assert_eq!((confidence, &reasons[..]), (Some(Medium), &["checksum-wrong", "known-prefix"][..]));
}

#[test]
fn only_what_a_test_makes_is_low_in_tests() {
    use crate::finding::{Category, Confidence};
    let drawn = "hf7Kq2mPz0Lw8vXtB3nRq9Yd";
    let mut connections = 0;
    for rule in crate::rules::builtin().iter().filter(|rule| rule.checksum.is_empty()) {
        let tagged = rule.tags.iter().any(|tag| ["self-made", "short-lived"].contains(&tag.as_ref()));
        let low = |path: &str| {
            let judged = super::pattern::judge(rule, drawn.as_bytes(), FileKind::from_path(path.as_bytes()));
            judged.confidence == Some(Confidence::Low) && judged.reasons.contains(&"made-for-a-test")
        };
        assert!(!low("src/x.go"), "{}", rule.id);
        if rule.category == Category::ConnectionString {
            connections += 1;
            assert!(low("pkg/x_test.go"), "{}", rule.id);
        } else if !tagged {
            assert!(!low("pkg/x_test.go") && !low("test/config.yml"), "{}", rule.id);
            let file = FileKind::from_path(b"docs/config.yml");
            let judged = super::pattern::judge(rule, drawn.as_bytes(), file);
            assert!(!judged.reasons.contains(&"made-for-an-example"), "{}", rule.id);
        }
    }
    assert!(connections > 0);
}

#[test]
fn extensions_tell_languages() {
    for (name, language) in [
        ("a.tsx", Language::Script),
        ("a.rake", Language::Ruby),
        ("a.pyi", Language::Python),
        ("a.go", Language::Go),
        ("a.PHP", Language::Php),
        ("a.kt", Language::Jvm),
        ("a.hpp", Language::CFamily),
        ("a.rs", Language::Code),
        ("a.ps1", Language::Shell),
        ("a.yml", Language::Yaml),
        ("a.tfstate", Language::Json),
        ("a.properties", Language::Config),
        ("a.csproj", Language::Xml),
        ("a.scss", Language::Markup),
        ("a.rst", Language::Prose),
        ("a.ddl", Language::Sql),
        ("a.ipynb", Language::Data),
        ("a.php.bak", Language::Php),
        ("a.bak", Language::Config),
        (".env", Language::Config),
        ("Makefile", Language::Shell),
        ("Gemfile", Language::Ruby),
        ("a.xyz", Language::Unknown),
    ] {
        assert_eq!(FileKind::from_path(name.as_bytes()).language, language, "{name}");
    }
}

/// The gate turns candidates away before the trees see them, but not statements that take nothing but a password.
#[test]
fn the_gate_is_not_for_statements() {
    use super::features::vector;
    use super::model::Model;
    use crate::matcher::generic::{Quote, Syntax};
    let evidence = Evidence { syntax: Syntax::Sql, quote: Quote::Single, ..Evidence::default() };
    let file = FileKind { language: Language::Sql, role: Role::Plain };
    let mut turned_away = 0;
    for value in ["marigold", "sunshine", "hunter", "tiger12", "welkom", "abc.def", "Moin-Moin"] {
        let judgement = judge(Kind::SqlPassword, value.as_bytes(), &evidence, file);
        assert!(judgement.confidence >= Some(crate::finding::Confidence::Medium), "{value} {judgement:?}");
        let seen = vector(Kind::SqlPassword, value.as_bytes(), &evidence, file, None);
        turned_away += usize::from(!Model::built_in().passes_gate(&seen));
    }
    assert!(turned_away > 0, "none of these tells anything about the gate");
}

mod rules_tests;
mod values_tests;

/// The file of a model: the least scores of the gate and the levels, and trees with the feature, number and right branch
/// of each node (255 is a leaf, and the number its weight). The first tree is the gate.
pub(super) fn model_file(least: [i32; 4], trees: &[&[(u8, i16, u8)]]) -> Vec<u8> {
    let mut file = b"STM2".to_vec();
    for number in [super::features::COUNT as u16, 1, trees.len() as u16, 0] {
        file.extend(number.to_le_bytes());
    }
    least.iter().for_each(|score| file.extend(score.to_le_bytes()));
    for tree in trees {
        file.push(tree.len() as u8);
        for &(feature, number, right) in *tree {
            let [low, high] = number.to_le_bytes();
            file.extend([feature, low, high, right]);
        }
    }
    file
}
