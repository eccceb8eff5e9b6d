//! What is known of patterns.

use super::*;

fn literals(pattern: &str) -> Vec<(String, bool, u32, Option<u32>)> {
    analyse(&parse(pattern).unwrap(), &[])
        .anchors
        .into_iter()
        .map(|a| (String::from_utf8(a.literal.into_owned()).unwrap(), a.fold, a.before_min, a.before_max))
        .collect()
}

#[test]
fn a_prefix_is_found_with_its_place() {
    assert_eq!(literals(r"\b(ghp_[A-Za-z0-9]{36})\b"), [("ghp_".to_owned(), false, 0, Some(0))]);
    assert_eq!(literals(r"(?:^|[^a-z])(tok_live_[a-z]{4})"), [("tok_live_".to_owned(), false, 0, Some(1))]);
}

#[test]
fn small_classes_and_alternations_become_several_literals() {
    let found = literals(r"gh[ps]_[a-z]{36}|github_pat_\w{22}");
    assert_eq!(found.iter().map(|l| l.0.as_str()).collect::<Vec<_>>(), ["ghp_", "ghs_", "github_pat_"]);
}

#[test]
fn case_is_folded_where_the_pattern_ignores_it() {
    assert_eq!(literals(r"(?i)algolia.{0,20}[a-f0-9]{32}"), [("algolia".to_owned(), true, 0, Some(0))]);
}

#[test]
fn the_token_bytes_that_follow_are_counted() {
    let tails = |p: &str| analyse(&parse(p).unwrap(), &[]).anchors.iter().map(|a| a.tail).collect::<Vec<_>>();
    assert_eq!(tails(r"\bgh(?:p_[A-Za-z0-9]{36})\b"), [40]);
    assert_eq!(tails(r"\bSK[ab]{30}_x\."), [34, 34]);
    assert_eq!(tails(r"(?:tok_live_[a-z]{4}[.][a-z]{9})x"), [13]);
    assert_eq!(tails(r"(?:tok_live_|tok.test_)[a-z]{4,9}[0-9]{3}[.]"), [12, 16]);
    assert_eq!(tails(r"(?i)algolia.{0,20}[a-f0-9]{32}"), [7]);
    assert_eq!(tails(r"(?i)algolia[a-z0-9]?-[a-f0-9]{32}"), [40]);
    assert_eq!(tails(r"(?:algolia-[a-z]{3}){2}[a-z]{40}"), [11], "which of the two is not known");
}

#[test]
fn what_is_optional_is_not_required() {
    assert_eq!(literals(r"(?:password)?[a-z]{8}"), []);
    assert_eq!(literals(r"(?:abcdef|[a-z]+)[0-9]"), []);
}

#[test]
fn runs_are_found() {
    let run = |p: &str| analyse(&parse(p).unwrap(), &[]).run;
    let hex = run(r"(?i)acme.{0,20}[=:]\s{0,3}([a-f0-9]{32})\b").unwrap();
    assert_eq!(hex.min, 32);
    assert!(hex.has(b'f') && !hex.has(b'g'));
    let uuid = run("x [0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12} y").unwrap();
    assert!(uuid.min == 36 && uuid.has(b'-') && !uuid.has(b' '));
    let either = run("a=(?:[0-9]{10}|[a-f]{20});").unwrap();
    assert!(either.min == 10 && either.has(b'a') && either.has(b'0'));
    assert_eq!(run("foobar.*"), None);
    for (text, found) in
        [("..0123456789..", true), ("012345678.0123", false), ("0123456789", true), ("", false)]
    {
        let digits = Run {
            class: {
                let mut c = [0; 4];
                runs::add_range(&mut c, b'0', b'9');
                c
            },
            min: 10,
            digit: false,
        };
        assert_eq!(digits.look_in(text.as_bytes()).0, found, "{text}");
    }
}

#[test]
fn words_are_what_every_match_holds() {
    let words = |p: &str| {
        let text = |w: &Word| String::from_utf8(w.text.to_vec()).unwrap();
        let of =
            |w: &Word| [text(w)].into_iter().chain(w.others.iter().map(text)).collect::<Vec<_>>().join("|");
        analyse(&parse(p).unwrap(), &[]).words.iter().map(of).collect::<Vec<_>>()
    };
    assert_eq!(words(r"(?i)machine\s+(\S+)\s+Login\s+x\s+password "), ["machine", "login"]);
    assert_eq!(
        words(r"insert (?:a,pass(?:word|wd)?,|b,,passphrase)?x+pass(?:word|wd)?@y"),
        ["pass@y|passwd@y|password@y"]
    );
    assert_eq!(words(r"connect (?:\d+passwd|[a-z]*passwdx)="), [r"passwd", "="]);
    assert_eq!(words(r"connect (?:\d+:passwd|[a-z]+)="), ["="]);
    assert_eq!(words(r"connect (?:now!)?[a-z]+"), Vec::<String>::new());
    assert_eq!(words(r"connect (?:now!){2,}[a-z]+"), ["now!"]);
    assert_eq!(words(r"(?i)link://[a-z]+(?:x/hooks/|[0-9]+[?]token=)\S+"), ["?token=|x/hooks/"]);
    assert_eq!(words(r"(?i)link://[a-z]+;(?:password|pwd)[ ]?=\S+"), [";password=|;password =|;pwd=|;pwd ="]);
    assert_eq!(words(r"(?i)link://[a-z]+(?:password|p|[0-9])\S+"), Vec::<String>::new());
}

#[test]
fn bounds_are_known() {
    let a = analyse(&parse(r"x{3,5}foobar[0-9]{1,4}").unwrap(), &[]);
    assert_eq!(a.max_len, Some(15));
    assert_eq!((a.anchors[0].before_min, a.anchors[0].before_max), (3, Some(5)));
    assert_eq!(analyse(&parse("foobar.*").unwrap(), &[]).max_len, None);
    assert!(analyse(&parse("(foobar)?").unwrap(), &[]).matches_empty);
}
