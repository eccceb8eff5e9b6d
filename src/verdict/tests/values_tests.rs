//! Values at the borders of what stands for a secret: what just does, and beside it what just does not.

use super::*;
use crate::verdict::placeholder::{is_repeated, is_sequence};

#[track_caller]
fn check_placeholders(cases: &[(&str, Option<&str>)]) {
    for &(value, reason) in cases {
        assert_eq!(placeholder(value.as_bytes()), reason, "{value}");
    }
}

#[test]
fn masks_have_so_many_marks() {
    check_placeholders(&[
        ("q7v***", Some("masked")),
        ("q7v**k9", None),
        ("q7v?????k", Some("masked")),
        ("q7v????k9", None),
        ("q7m...", Some("masked")),
        ("q7m..", None),
        ("q7v\u{2022}9", Some("masked")),
        ("q7v\u{2026}9", Some("masked")),
        ("q7é9qm", None),
    ]);
}

#[test]
fn repetitions_are_whole_or_most_of_a_value() {
    for value in ["a", "aa", "abab", "abcabc", "abcabcab"] {
        assert!(is_repeated(value.as_bytes()), "{value}");
    }
    for value in ["ab", "aab", "ababa", "abcabca"] {
        assert!(!is_repeated(value.as_bytes()), "{value}");
    }
    let blocks = "zk".repeat(7);
    check_placeholders(&[
        // Fourteen bytes count, where they are three fifths of the value.
        (&format!("{blocks}w3j5h8p6d"), Some("repeated")),
        (&format!("{blocks}w3j5h8p6dqv"), None),
        // A stretch counts from its third time on.
        ("q7v9x2m4q7v9x2m", None),
        // A line of dashes counts as a stretch, not as one character; a margin counts for nothing.
        ("k--------", None),
        ("k--------------", Some("repeated")),
        ("k              k9", None),
        ("kAAAAAAAAq7", None),
    ]);
}

#[test]
fn sequences_are_whole_or_most_of_a_value() {
    // Four steps of five.
    assert!(is_sequence(b"abcdex") && !is_sequence(b"abcdx"));
    check_placeholders(&[
        ("q7v9k2m-abcdefgh", Some("sequence")),
        ("q7v9k2m4-abcdefgh", None),
        ("q7-abcdefg", None),
        ("qv-abc", None),
    ]);
}

#[test]
fn words_of_placeholders_cover_a_value() {
    let words = "theapplicationaccountthetesterme";
    assert_eq!(words.len(), 32, "no word is longer");
    let longest = format!("{words}-the-service-for-another-oneset");
    assert_eq!(longest.len(), 63);
    check_placeholders(&[
        // Short words stand at the end only.
        ("keymy", Some("placeholder-words")),
        ("tokey", None),
        ("passmeto", None),
        (words, Some("placeholder-words")),
        (&format!("{longest}."), Some("placeholder-words")),
        (&format!("{longest}.."), None),
        // Single letters are at most half of all.
        ("my-x-y", Some("placeholder-words")),
        ("my-x-y-z", None),
        // A number of four digits is none that was drawn; behind a word six are not.
        ("7183", Some("placeholder-words")),
        ("71835", None),
        ("my-718352", Some("placeholder-words")),
        ("my-7183529", None),
        // Scripts that do not set words apart.
        ("密码日本", Some("placeholder-words")),
        ("日本", None),
        ("密钥", None),
        ("my密码", None),
    ]);
}

#[test]
fn names_have_enough_letters_for_their_marks_and_digits() {
    for name in ["AB_AB", "AabCD", "abcAB", "getApiKeyForTheService12", "getApiKey1"] {
        assert!(is_identifier(name.as_bytes()), "{name}");
    }
    // What only long names may have: capitals before another word, and a letter left over.
    for name in ["oidKeyUsesHTTPServer", "oidKeyUsageHTTPGetUser", "K8SContainerStatusReasonCreating"] {
        assert!(is_identifier(name.as_bytes()), "{name}");
    }
    for value in ["oidKeyUseHTTPServer", "oidKeyUsageFileXServer", "K8SContainerStatusReasonCreatin"] {
        assert!(!is_identifier(value.as_bytes()), "{value}");
    }
    for value in ["a_b", "A_", "a/a.bak", "ABCDEF", "getApiKeyForTheServic12", "getApiKey12", "ABca", "axY"] {
        assert!(!is_identifier(value.as_bytes()), "{value}");
    }
}

#[test]
fn references_end_where_passwords_begin() {
    for (value, reason) in [
        // The least that names a store of its own.
        ("q7v9x2m4.vault.azure.net", "secret-store"),
        ("q7v9.secretmanager.googleapis", "secret-store"),
        ("a-zA-Z", "pattern"),
        ("$a.b", "variable"),
        ("$a:b", "variable"),
        ("$a-b", "variable"),
        ("$a->b", "variable"),
        ("%(name)s", "variable"),
        ("%a_b%", "variable"),
        ("%s", "variable"),
        ("%{name}", "variable"),
        ("{name}", "variable"),
        ("{a.b c}", "variable"),
        ("id=q7v9,src=x2m4", "secret-store"),
        ("id=q7v9,source=x2m4", "secret-store"),
    ] {
        assert_eq!(reference(value.as_bytes(), b"", b""), Some(reason), "{value}");
    }
    for value in [
        "q7v9x2m.vault.azure.net",
        "q7v9x2m4k.vault.azure.ne",
        "q7v9x2m4k8z1q7v9x2m4k8z1",
        "a-zq7v9",
        "q7v9{{}x}}",
        "q7{2}v",
        "$a!b",
        "$",
        "$7q",
        "@@",
        "%%",
        "%a-b%",
        "{a!b}",
        "id=q7v9x2m4k8z1",
        "q7v9x2m4,env=k8z1",
        "q7v9x2m4k8z1.png",
        "q7v9/x2m4k8z1.pn",
    ] {
        assert_eq!(reference(value.as_bytes(), b"", b""), None, "{value}");
    }
    for extension in ["png", "jpg", "jpeg", "gif", "svg", "webp", "mov", "mp4"] {
        let value = format!("Q7v9/x2m4k8z1/3.{extension}");
        assert_eq!(reference(value.as_bytes(), b"", b""), Some("path"), "{value}");
    }
}

#[test]
fn names_of_files_at_their_borders() {
    for (name, language, role) in [
        (".bak", Language::Unknown, Role::Plain),
        (".envrc", Language::Config, Role::Plain),
        // Git's own tests have a number of four digits, and a name.
        ("t1234-x.sh", Language::Shell, Role::UnitTest),
        ("t1234.sh", Language::Shell, Role::Plain),
        ("t.sh", Language::Shell, Role::Plain),
        ("s1234-x.sh", Language::Shell, Role::Plain),
        ("t1234-x.py", Language::Python, Role::Plain),
    ] {
        assert_eq!(FileKind::from_path(name.as_bytes()), FileKind { language, role }, "{name}");
    }
}
