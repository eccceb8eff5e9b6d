//! Where the parts of a candidate lie, and how far a value is looked for and read.

use super::*;

#[test]
fn a_key_is_what_the_value_is_for() {
    let member = "q7Kx".repeat(4);
    for (text, key) in [
        ("tbasicauth(u, 'qx77vv')", "tbasicauth"),
        ("x.jwt.sign(a, 'qx77vv')", "jwt.sign"),
        ("x = \"qx-77vv\".toCharArray()", "toCharArray"),
        ("if (password.equals('qx77vv'))", "password"),
        ("htpasswd -nb bob qx77vv", "htpasswd"),
        ("net user bob qx77vv", "net"),
        ("a; echo qx77vv | sudo -S x", "echo"),
        (&["sqlplus -s", "bob/qx77vv@db"].join(" "), "bob"),
        ("curl -u bob:qx77vv", "bob"),
        ("docker login -p qx77vv", "-p"),
        ("--from-literal=abc=qx77vv", "abc"),
        ("x: Bearer qx77vv1", "Bearer"),
        (&format!("{{\"x\":1,\"dp\":\"{member}\"}}"), "dp"),
        (&format!("{{\"x\":1,\"kty\":\"EC\",\"d\":\"{member}\"}}"), "d"),
    ] {
        let found = all(text.as_bytes());
        let found: Vec<_> = found.iter().map(|a| &text[a.key.clone()]).collect();
        assert_eq!(found, [key], "{text}");
        let name_len = all(text.as_bytes())[0].evidence.name_len;
        assert_eq!(usize::from(name_len), key.len(), "{text}");
    }
}

#[test]
fn credentials_of_sqlplus_hold_no_blank() {
    // Put together, so that no scanner takes this file for a leak.
    check(&["sqlplus", "bob/qx77vv@db"].join(" "), Kind::CliPassword, "qx77vv");
    check_none("sqlplus bob/qx7 7vv@db");
}

#[test]
fn the_scheme_of_a_header_is_told_from_a_value() {
    // What follows it in brackets is not read there, but the word is.
    assert_eq!(values("authorization: token (qx77vv)"), [("generic-token", "token".to_owned())]);
}

#[test]
fn quotes_around_a_user_and_a_password_are_told() {
    for (text, quote) in [("curl -u bob:qx77vv", Quote::None), ("curl -u 'bob:qx77vv'", Quote::Single)] {
        assert_eq!(all(text.as_bytes())[0].evidence.quote, quote, "{text}");
    }
}

/// What is read up to the end of what is looked at goes on, as far as anybody knows.
#[test]
fn long_values_are_cut() {
    let cut = |head: &str, length: usize| {
        let text = format!("{head}{}", &"q7Kx".repeat(80)[..length]);
        let found = all(text.as_bytes());
        assert_eq!(found.len(), 1, "{head}");
        found[0].evidence.flags.has(Flags::CUT)
    };
    for (head, least) in [
        ("--from-literal=a=", VALUE_REACH - 16),
        ("create user x identified by ", VALUE_REACH - 16),
        ("Bearer ", VALUE_REACH - 8),
        ("{\"kty\":\"EC\",\"d\":\"", VALUE_REACH),
    ] {
        assert!(!cut(head, least - 1) && cut(head, least), "{head}");
        assert!(!cut(head, 20), "{head}");
    }
}

/// A literal begins within [`LINK_REACH`] bytes from the end of its name, whatever stands between.
#[test]
fn a_literal_is_near_its_name() {
    for (name, middle) in
        [("password", " = ((("), ("password", "= {'value':"), ("x password", "  = {'value':")]
    {
        let read = |between: usize| {
            let blanks = " ".repeat(between - middle.len());
            !values(&format!("{name}{middle}{blanks}'qx77vv'")).is_empty()
        };
        assert!(read(LINK_REACH - 1) && !read(LINK_REACH), "{name}{middle}");
    }
}

/// Members of a key are sought as far behind `kty` as in front of it.
#[test]
fn a_member_is_near_its_key() {
    let member = "q7Kx".repeat(4);
    let read = |blanks: usize| {
        !values(&format!("{{\"kty\":\"EC\",{}\"d\":\"{member}\"}}", " ".repeat(blanks))).is_empty()
    };
    assert!(read(10) && !read(500));
}

#[test]
fn short_texts_in_base64_say_nothing() {
    for value in ["", "eDdx", "eDdxe", "eDdxeDd"] {
        assert_eq!(text_in_base64(value.as_bytes()), None, "{value}");
    }
    assert_eq!(text_in_base64(b"eDdxeDdx"), Some(b"x7qx7q".to_vec()));
}
