//! The cost of a scan, in bytes looked at: what an attacker writes must not make it more than a constant for each byte.

use super::{Engine, Options, Session};
use crate::finding::{Confidence, Location};
use crate::matcher::delta::Run;
use crate::matcher::{Scratch, work};
use crate::rules::RuleSet;
use crate::suppress::Policy;

/// Most bytes that are looked at for each byte of a text that its writer made as costly as he could.
const MOST: usize = 400;
/// The same for parts of JSON web tokens: each start is tried once for each rule, for which a whole window is counted; of that
/// a search reads no more than the first part.
const MOST_IN_TOKENS: usize = 12_000;

/// Texts that are over and over what begins something, or something whole; `#` is a number that differs each time.
const UNITS: &[&str] = &[
    "ordinary words of a text, and\n",
    "x",
    "0123456789abcdef",
    "\n\n",
    "\0a\0b",
    "\u{5bc6}\u{7801}",
    "pass=\"",
    "pass = \"v#\"\n",
    "token: v#,",
    "secret secret secret ",
    "pass",
    "api_key",
    "gh\u{70}_",
    "gh\u{70}_#",
    "AKI\u{41}",
    "AKI\u{41}#\n",
    "sk_liv\u{65}_",
    "xox\u{62}-1-2-",
    "AccountKe\u{79}=",
    "aws_secret_access_key = v#\n",
    "datadog ",
    "datadog #\n",
    "-----BEGIN RSA PRIVATE KEY-----\n",
    "-----BEGIN PRIVATE KEY-----\n#",
    "-----BEGIN PRIVATE KEY-----xxxxxxxxxxxxxxxxxxx-",
    "eyJ",
    "kty",
    "://",
    "://a:b@",
    "https://u#:p#@h/",
    "jdbc:mysql://h?pass\u{77}ord=",
    "Pass\u{77}ord=v#;",
    "<pass\u{77}ord>v#</pass\u{77}ord>",
    "INSERT INTO users (pass\u{77}ord) VALUES (",
    "Authorization: Basic ",
    "Authorization: Bearer v# ",
    "-p ",
    "--user a:b ",
    "\\x41",
    "\\u0041",
    "%41",
    "&#65;",
    "=41",
    "\"v#\" + \"w#\" + ",
    "\\\\\\\"",
    "H4sI",
    "data:;base64,",
    "{{",
    "${",
    "((((",
];

fn engine() -> Engine {
    let options = Options { min_confidence: Confidence::Low, ..Options::default() };
    Engine::new(RuleSet::builtin(), Policy::of_nothing(), options)
}

/// Bytes looked at in a file.
fn cost(engine: &Engine, text: &[u8]) -> usize {
    let mut session = Session::new(engine);
    work::take();
    session.examine_content(text, None, &Location { path: Some("a.txt".into()), ..Location::default() });
    work::take()
}

/// A text of about `size` bytes that is `unit` over and over.
fn repeated(unit: &str, size: usize) -> Vec<u8> {
    let number = |n: u64| format!("{:x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut text = String::new();
    for n in 0.. {
        if text.len() >= size {
            break;
        }
        text += &unit.replace('#', &number(n));
    }
    text.into_bytes()
}

/// Checks that a text of twice the size costs about twice as much, and how much for each byte.
#[track_caller]
fn check(engine: &Engine, name: &str, most: usize, text: impl Fn(usize) -> Vec<u8>) {
    const SIZE: usize = 1 << 16;
    let (one, two) = (text(SIZE), text(2 * SIZE));
    let (a, b) = (cost(engine, &one), cost(engine, &two));
    // The beginning and the end of a text cost less: windows are cut there.
    assert!(4 * b <= 9 * a, "{name:?}: {a} for {} bytes, {b} for {}", one.len(), two.len());
    assert!(b <= most * two.len(), "{name:?}: {} for each byte", b / two.len());
    assert!(b >= two.len(), "{name:?}: {b} for {} bytes cannot be", two.len());
}

#[test]
fn what_repeats_costs_a_constant_for_each_byte() {
    let engine = engine();
    for unit in UNITS {
        check(&engine, unit, MOST, |size| repeated(unit, size));
    }
    for unit in ["eyJ#.", ".ey"] {
        check(&engine, unit, MOST_IN_TOKENS, |size| repeated(unit, size));
    }
}

#[test]
fn encodings_in_encodings_cost_no_more_than_all_levels_of_them() {
    let engine = engine();
    for levels in [1, 2, 5, 9] {
        check(&engine, "base64 of base64", MOST, |size| {
            let mut text = repeated("some words, # and more\n", size);
            for _ in 0..levels {
                text = data_encoding::BASE64.encode(&text).into_bytes();
            }
            text
        });
    }
}

/// A thousand versions of a large file, each with another line, cost no more than three times one version.
#[test]
fn versions_cost_what_is_new_in_them() {
    const EDITS: usize = 1000;
    let (engine, mut scratch) = (engine(), Scratch::default());
    let matcher = engine.matcher();
    let mut text = repeated("    let total_# = price(item) + tax; // an ordinary line\n", 1 << 20);
    work::take();
    let mut seen = matcher.see(&text, &mut scratch, &mut |_, _| 0);
    let once = work::take();
    for edit in 0..EDITS {
        let at = text.len() / EDITS * edit;
        let line = format!("let edit_{edit} = \"pass: {edit}\";\n");
        let before = Run { src: 0, dst: 0, len: at };
        let after = Run { src: at, dst: at + line.len(), len: text.len() - at };
        text.splice(at..at, line.bytes());
        seen = matcher.see_delta(&text, &seen, &[before, after], &mut scratch, &mut |_, _| 0);
    }
    let versions = work::take();
    assert!(versions <= 2 * once, "{once} for the first version, {versions} for the others");
    assert!(versions >= EDITS * 20, "the new lines were looked at: {versions}");
}
