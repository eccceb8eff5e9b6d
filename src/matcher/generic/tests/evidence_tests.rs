//! What the surroundings say about a value: each fact where it holds, and beside it where it just does not.

use super::super::gather::{class, says};
use super::words::{Group, bit};
use super::*;

const VALUE: &str = "qx77vv";

/// The evidence for `value` in `text`.
#[track_caller]
fn evidence(text: &str, value: &str) -> Evidence {
    let found = all(text.as_bytes());
    let found = found.iter().find(|a| &text[a.value.clone()] == value);
    found.unwrap_or_else(|| panic!("{value} in {text}")).evidence
}

/// Each text in which `qx77vv` is found has the flag, or has it not.
#[track_caller]
fn check_flag(flag: u32, with: &[&str], without: &[&str]) {
    for (texts, wanted) in [(with, true), (without, false)] {
        for text in texts {
            assert_eq!(evidence(text, VALUE).flags.has(flag), wanted, "{text}");
        }
    }
}

#[test]
fn a_value_that_stands_there_again_is_noted_if_it_is_long_enough() {
    check_flag(
        Flags::AGAIN,
        &["f('qx77vv')\npassword = 'qx77vv'", "password = 'qx77vv'\nf('qx77vv')"],
        &["password = 'qx77vv'\nf('qx77v')"],
    );
    assert!(evidence("password = 'q7vx' + f('q7vx')", "q7vx").flags.has(Flags::AGAIN));
    assert!(!evidence("password = 'q7v' + f('q7v')", "q7v").flags.has(Flags::AGAIN), "by chance");
}

#[test]
fn blanks_around_the_mark_are_noted() {
    check_flag(
        Flags::SPACED,
        &["password = 'qx77vv'"],
        &["password= 'qx77vv'", "password : 'qx77vv'", "password: 'qx77vv'"],
    );
}

#[test]
fn a_value_says_its_name_by_its_letters() {
    for (name, value, same) in [
        ("password", "password", true),
        ("password", "Pass-Word.1", true),
        ("db_password", "password", true),
        ("password", "pas", true),
        ("password", "pa", false),
        ("pwd", "my pwd", true),
        ("pw", "my pw", false),
        ("token", "abcdefgh-token", true),
        ("token", "abcdefghi-token", false),
        ("token", "qx77vv", false),
    ] {
        assert_eq!(says(name.as_bytes(), value.as_bytes()), same, "{name} {value}");
    }
    check_flag(Flags::SAYS_NAME, &["qxvv_password = 'qx77vv'"], &["password = 'qx77vv'"]);
}

#[test]
fn a_user_counts_on_the_line_and_around_it() {
    let texts = [
        ("user = 'bob', password = 'qx77vv'", true, false),
        ("password = 'qx77vv', user = 'bob'", true, false),
        ("SET PASSWORD FOR 'user'@'h' = 'qx77vv'", true, false),
        ("user = 'bob'\npassword = 'qx77vv'", false, true),
        ("password = 'qx77vv'\nuser = 'bob'", false, true),
        ("one = 'bob'\npassword = 'qx77vv'", false, false),
    ];
    for (text, on_line, around) in texts {
        let found = evidence(text, VALUE);
        assert_eq!(found.line & bit(Group::User) != 0, on_line, "{text}");
        assert_eq!(found.around & bit(Group::User) != 0, around, "{text}");
        assert_eq!(found.flags.has(Flags::USER_NEAR), on_line || around, "{text}");
    }
}

#[test]
fn places_are_counted_from_the_line() {
    let place = |text: &str| {
        let found = evidence(text, VALUE);
        (found.column, found.tail, found.marks)
    };
    assert_eq!(place("password = 'qx77vv'"), (0, 1, 0));
    assert_eq!(place("a = 1;\n  password = 'qx77vv';\nb = 1"), (2, 2, 0));
    assert_eq!(place("a=1,b:2,password='qx77vv',c:3,d=4\n"), (8, 9, 4));
    let far = |n: usize| format!("password = 'qx77vv'{}", "x".repeat(n));
    assert_eq!(place(&far(62)), (0, 63, 0));
    assert_eq!(place(&far(64)), (0, 64, 0));
}

#[test]
fn neighbours_are_known_by_their_class() {
    let classes = [
        "\n\r", " \t", "\"'`", ",", ";", ")]", "}", "([{", ".", ":=", "&?|", "-_$@", "</>", "\\", "#+%*",
        "azAZ09", "!^~\0",
    ];
    // `_` is also a letter of names, which are told by their other bytes.
    for (n, bytes) in classes.iter().enumerate() {
        for b in bytes.bytes() {
            assert_eq!(usize::from(class(b)), n, "{}", char::from(b));
        }
    }
    let around = |text: &str| {
        let found = evidence(text, VALUE);
        (found.previous, found.next)
    };
    assert_eq!(around("password = 'qx77vv'"), (class(b'\n'), class(b'\n')));
    assert_eq!(around("(password: 'qx77vv' )"), (class(b'('), class(b')')));
    assert_eq!(around(" password: qx77vv, x"), (class(b' '), class(b',')));
    assert_eq!(around("{\\\"password\\\": \\\"qx77vv\\\"}"), (class(b'"'), class(b'}')));
}

#[test]
fn where_a_name_stands_is_noted() {
    check_flag(
        Flags::FIRST,
        &["password = 'qx77vv'", "a\n  password = 'qx77vv'", "- password: qx77vv", "export password=qx77vv"],
        &["x password = 'qx77vv'", "-- password: qx77vv"],
    );
    check_flag(
        Flags::INSIDE,
        &["f(\"password = 'qx77vv'\")", "f('password = \"qx77vv\"')", "`password = 'qx77vv'`"],
        &["\"a\" password = 'qx77vv'", "f('a', password='qx77vv')"],
    );
    check_flag(
        Flags::SUBSCRIPT,
        &["x['password'] = 'qx77vv'", "['password'] = 'qx77vv'"],
        &["{'password': 'qx77vv'}", "'password': 'qx77vv'", "x[ password = 'qx77vv'"],
    );
    check_flag(Flags::KEY_QUOTED, &["'password': 'qx77vv'"], &["password: 'qx77vv'"]);
    check_flag(
        Flags::SIGIL,
        &["$password = 'qx77vv'", "@password = 'qx77vv'", ":password => 'qx77vv'"],
        &["password = 'qx77vv'", "x password = 'qx77vv'"],
    );
    check_flag(
        Flags::MEMBER,
        &["user.password = 'qx77vv'", "user->password = 'qx77vv'"],
        &["password = 'qx77vv'", "user>password = 'qx77vv'"],
    );
    check_flag(
        Flags::CAPITALS,
        &["PASSWORD = 'qx77vv'"],
        &["Password = 'qx77vv'", "password = 'qx77vv'", "密码：qx77vv"],
    );
    check_flag(
        Flags::DECLARED,
        &["const password = 'qx77vv'", "NSString password = 'qx77vv'", "char* password = 'qx77vv'"],
        &["x password = 'qx77vv'", "constant password = 'qx77vv'"],
    );
}

#[test]
fn what_a_line_is_is_noted() {
    check_flag(
        Flags::COMMENT,
        &["  # password = 'qx77vv'", "f(); // password = 'qx77vv'"],
        &["f(); password = 'qx77vv'", "http://h/password=qx77vv"],
    );
    check_flag(
        Flags::MARKUP,
        &["| password | qx77vv |", "$ run --password qx77vv", "> password: qx77vv", "see `password: qx77vv`"],
        &["run --password qx77vv", "a | password: qx77vv"],
    );
    let after = |n: usize| format!("password = 'qx77vv'{}", ";".repeat(n));
    check_flag(
        Flags::LAST,
        &["password = 'qx77vv'", "password = 'qx77vv';\nx", &after(62)],
        &["password = 'qx77vv' x", "password = 'qx77vv'.x;", &after(63)],
    );
    let behind = |n: usize| format!("{} password = 'qx77vv'", "x".repeat(n));
    check_flag(Flags::LONG_LINE, &[&behind(159)], &[&behind(158)]);
}

#[test]
fn what_is_added_to_a_literal_is_noted() {
    check_flag(
        Flags::JOINED,
        &[
            "password = \"qx77vv\" + x",
            "password = \"qx77vv\"%x",
            "password = 'qx77vv' . $x",
            "password = \"qx77vv\" << x",
            "f(\"password = \\\"qx77vv\\\" + x\")",
        ],
        &[
            "password = \"qx77vv\"",
            "password = \"qx77vv\", + x",
            "password = \"qx77vv\" < x",
            "password: qx77vv +x",
        ],
    );
}

#[test]
fn how_a_value_is_written_is_noted() {
    check_flag(
        Flags::BRACKET,
        &["password = ['qx77vv']"],
        &["password = 'qx77vv'", "password = f('qx77vv')"],
    );
    check_flag(Flags::BLOCK, &["password: |\n  qx77vv\n"], &["password: qx77vv\n"]);
    check_flag(Flags::FORMAT, &["password = f'qx77vv'"], &["password = u'qx77vv'"]);
    check_flag(
        Flags::MORE,
        &["password: qx77vv as usual"],
        &["password: qx77vv", "password: qx77vv # as usual", "password: qx77vv\nuser: bob"],
    );
    check_flag(Flags::TOUCHES, &["password: qx77vv\"x"], &["password: qx77vv \"x", "password: qx77vv"]);
    for quote in ["", "'"] {
        let long = format!("{}1", "qx7v".repeat(63));
        for (tail, cut) in [("2", false), ("2345", true)] {
            let value = format!("{long}{tail}");
            let seen = &value[..value.len().min(VALUE_REACH)];
            let text = format!("password={quote}{value}{quote}\n");
            assert_eq!(evidence(&text, seen).flags.has(Flags::CUT), cut, "{text}");
        }
    }
}

#[test]
fn flags_are_set_and_taken_away_one_by_one() {
    let mut flags = Flags::default();
    flags.set(Flags::MORE);
    flags.set(Flags::MORE);
    flags.set_if(Flags::CUT, true);
    flags.set_if(Flags::CUT, true);
    flags.set_if(Flags::BLOCK, false);
    flags.put(Flags::AGAIN, true);
    flags.put(Flags::AGAIN, true);
    flags.put(Flags::CUT, false);
    assert_eq!(flags.bits(), Flags::MORE | Flags::AGAIN);
    assert!(flags.has(Flags::MORE) && flags.has(Flags::AGAIN) && !flags.has(Flags::CUT));
}

/// What a call does with the literal in it.
#[test]
fn callees_are_told_apart() {
    for (callee, wrapper) in [
        ("", Wrapper::None),
        ("os.getenv", Wrapper::Reference),
        ("loadSecret", Wrapper::Reference),
        ("keyring.get_password", Wrapper::Reference),
        ("x::fetch_token", Wrapper::Reference),
        ("getString", Wrapper::Constructor),
        ("getChars", Wrapper::Constructor),
        ("b64decode", Wrapper::Decode),
        ("gettext", Wrapper::Reference),
        ("translate", Wrapper::Label),
        ("String.valueOf", Wrapper::Constructor),
        ("Some", Wrapper::Constructor),
        ("run", Wrapper::Call),
    ] {
        assert_eq!(Wrapper::of_callee(callee.as_bytes()), wrapper, "{callee}");
    }
    // Of a very long name its end counts.
    let long = |tail: &str| format!("env{}{tail}", "x".repeat(64));
    assert_eq!(Wrapper::of_callee(long("").as_bytes()), Wrapper::Call);
    assert_eq!(Wrapper::of_callee(long("Some").as_bytes()), Wrapper::Constructor);
}
