//! Names that stand in markup, blocks, forms and objects, and the kinds that names promise.

use super::*;

/// From each text this one value is read, joined to its name in this way.
#[track_caller]
fn check_reads(syntax: Syntax, texts: &[&str]) {
    for text in texts {
        let found = all(text.as_bytes());
        let found: Vec<_> = found.iter().map(|a| (a.evidence.syntax, &text[a.value.clone()])).collect();
        assert_eq!(found, [(syntax, "qx77vv")], "{text}");
    }
}

#[track_caller]
fn check_silent(texts: &[&str]) {
    texts.iter().for_each(|text| check_none(text));
}

#[test]
fn attributes_stand_between_a_name_and_its_value() {
    check_reads(
        Syntax::Indirect,
        &[
            "<x name=\"password\" value=\"qx77vv\">",
            "<x name=\"password\" data-x=\"1\" value=\"qx77vv\">",
            "<x name=\"password\" xml:lang=\"1\" value=\"qx77vv\">",
            "<x name=\"password\" type='text' a=\"b\" content=\"qx77vv\">",
            "<x name=\"password\" default=\"qx77vv\">",
        ],
    );
    check_reads(
        Syntax::Element,
        &[
            "<x name=\"password\" type=\"text\">qx77vv</x>",
            "<password><![CDATA[qx77vv]]></password>",
            // Put together, so that no scanner takes this file for a leak.
            &["<password><value>", "qx77vv</value></password>"].concat(),
        ],
    );
    check_silent(&[
        "<x id=\"password\" type=\"text\">qx77vv</x>",
        "<x name=\"password\" type=\"text\" checked=\"qx77vv\">",
        "<x name=\"password\" a=1 b value=\"qx77vv\">",
        "<x name=\"password\" a.b=\"1\" value=\"qx77vv\">",
        "<password><b>qx77vv</b></password>",
    ]);
}

#[test]
fn variables_of_terraform_have_defaults() {
    check_reads(
        Syntax::Indirect,
        &[
            "variable \"password\" {\n  default = \"qx77vv\"\n}",
            "variable \"password\" {\n  type = string\n  default = \"qx77vv\"\n}",
        ],
    );
    check_silent(&[
        "resource \"password\" {\n  default = \"qx77vv\"\n}",
        "variable \"password\" {\n  validation {\n  default = \"qx77vv\"\n}",
        "variable \"password\" {\n  type = string }\n  default = \"qx77vv\"\n}",
    ]);
}

#[test]
fn fields_and_members_are_pairs() {
    check_reads(
        Syntax::Pair,
        &[
            "$('#password').type('qx77vv')",
            "(By.ID, \"password\").send_keys(\"qx77vv\")",
            "'password', 'value' => 'qx77vv'",
            "('password', 'default' => 'qx77vv')",
        ],
    );
    check_silent(&["$('#password').foo('qx77vv')", "('password', 'label' => 'qx77vv')"]);
}

#[test]
fn comparisons_and_conversions() {
    check_reads(Syntax::Compare, &["password != 'qx77vv'", "password !== 'qx77vv'"]);
    check_reads(Syntax::Assign, &["password = []byte(\"qx77vv\")"]);
    check_reads(Syntax::Colon, &["@Value(\"${password:qx77vv}\")"]);
    check_reads(Syntax::Sql, &["create user x identified by qx77vv account lock"]);
    check_silent(&[
        "password ! 'qx77vv'",
        // A name ends with no dash or dot.
        "password- = 'qx77vv'",
        // What the variable is called; its default is read with what it is assigned to.
        "\"${password:qx77vv}\"",
        // Three literals, of which the quote closes the first.
        "'--password='.$row['user']",
    ]);
    assert_eq!(values("password = `''qx77vv`"), [("generic-password", "''qx77vv".to_owned())]);
}

#[test]
fn names_promise_kinds() {
    for (text, kind) in [
        ("CREATE LOGIN x WITH PASSWORD = 'qx77vv'", Kind::SqlPassword),
        ("secret_token='qx77vv'", Kind::Token),
        ("session_key='qx77vv'", Kind::ApiKey),
        ("sid=qx77vv", Kind::SessionCookie),
        ("connect.sid=qx77vv", Kind::SessionCookie),
        ("sessionid='qx77vv'", Kind::SessionCookie),
        ("cookie='qx77vv'", Kind::SessionCookie),
        // A file's name, and a number: no command takes a password there.
        ("--password-file qx77vv", Kind::Password),
        ("--password-length qx77vv", Kind::Password),
    ] {
        assert_eq!(values(text), [(kind.id(), "qx77vv".to_owned())], "{text}");
    }
    let named = kinds(&|id| (id == Kind::ApiKey.id()).then_some(7));
    assert_eq!(named.len(), Kind::ALL.len());
    assert_eq!(named[Kind::ApiKey.index()], Some(7));
}
