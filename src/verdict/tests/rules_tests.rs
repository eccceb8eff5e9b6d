//! What is said of values that rules with a pattern found.

use data_encoding::BASE64;

use super::*;
use crate::finding::Confidence::{High, Low};
use crate::rules::Others;

/// A DER element.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    [&[tag, 0x82, (length >> 8) as u8, length as u8], content].concat()
}

#[test]
fn short_keys_of_rsa_keep_nothing_secret() {
    let key = |first: &[u8]| {
        let drawn = (0..127).map(|i| (i * 37 + 11) as u8 | 1);
        let modulus: Vec<u8> = first.iter().copied().chain(drawn).collect();
        let key = der(0x30, &[der(2, &[0]), der(2, &modulus), der(2, &[1, 0, 1])].concat());
        let label = "PRIVATE";
        format!("-----BEGIN RSA {label} KEY-----\n{}\n-----END RSA {label} KEY-----", BASE64.encode(&key))
    };
    let short = (Some(Low), vec!["key-too-short"]);
    assert_eq!(of_rule("private-key", &key(&[]), "a.pem"), short, "127 bytes");
    assert_eq!(of_rule("private-key", &key(&[0, 0x80]), "a.pem"), (Some(High), vec!["checksum-valid"]));
    // Other rules do not ask.
    let of_other = of_rule("github-pat", &key(&[]), "a.pem");
    assert_ne!(of_other, short);
}

#[test]
fn only_what_expires_by_itself_has_expired_in_tests() {
    let token = format!("gh{}_kR7mQ2vXz9Lw4TnB8sYc1HpJ6dFg0e", "p");
    for path in ["spec/x.yml", "a_test.go", "docs/x.yml"] {
        assert!(!of_rule("github-pat", &token, path).1.contains(&"expired"), "{path}");
    }
}

#[test]
fn a_prefix_is_no_part_of_what_was_drawn() {
    let own = "q7w3eRRRRRRRRm2";
    let stands_for = |id: &str, value: &str| of_rule(id, value, "a.py").1.contains(&"repeated");
    assert!(stands_for("github-pat", &format!("gh{}_{own}", "p")));
    let rules = crate::rules::builtin();
    let id = |is: &dyn Fn(&crate::rules::Rule) -> bool| {
        rules.iter().find(|rule| rule.checksum.is_empty() && is(rule)).map(|rule| rule.id.clone())
    };
    let context = id(&|rule| rule.prefix == 0 && rule.context.is_some()).unwrap();
    assert!(stands_for(&context, own), "drawn from its first byte on");
    let plain = id(&|rule| rule.prefix == 0 && rule.context.is_none()).unwrap();
    assert!(!stands_for(&plain, own), "nobody knows what it begins with");
    // It may begin as a variable does; and what follows a prefix is no place of a secret.
    let token = format!("$aa{}_{}", "ct", "hf7Kq2mPz0Lw8vXtB3nRq9Yd".repeat(3));
    assert!(of_rule("asaas-api-key", &token, "a.py").0.is_some());
    assert!(of_rule("github-pat", &format!("gh{}_env.X7q2mPz0Lw8v", "p"), "a.py").0.is_some());
    assert_eq!(of_rule(&plain, "$NAME", "a.py"), (None, vec!["variable"]));
}

/// Rules that read credentials in base64 ask what these say; only what somebody typed says it.
#[test]
fn a_pair_may_only_show_its_form() {
    let rules = crate::rules::builtin();
    let plain = rules.iter().find(|rule| rule.checksum.is_empty() && rule.prefix == 0).unwrap();
    let stands_for =
        |pair: &str| of_rule(&plain.id, &BASE64.encode(pair.as_bytes()), "a.py").1.contains(&"placeholder");
    assert!(stands_for("username:password"));
    assert!(!stands_for("username:q8Zr3xWn5Kt"));
    assert!(!stands_for("\u{fc}sername:password"), "bytes drawn at random may be UTF-8");
}

#[test]
fn names_in_code_are_no_values_of_rules_that_take_any() {
    let rules = crate::rules::builtin();
    let mut seen = [0; 2];
    for rule in rules.iter().filter(|rule| rule.checksum.is_empty() && rule.prefix == 0) {
        let Some(context) = &rule.context else { continue };
        let (any, shapeless) = (context.others == Others::Any, context.value.is_empty());
        let judged = of_rule(&rule.id, "getApiKeyV2Handler", "a.py");
        assert_eq!(judged == (None, vec!["identifier"]), any || shapeless, "{}", rule.id);
        seen[0] += usize::from(any && !shapeless);
        seen[1] += usize::from(!any);
    }
    assert!(seen.iter().all(|&n| n > 0), "{seen:?}");
}
