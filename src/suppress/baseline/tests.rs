use super::*;
use jiff::civil::date;

fn fingerprint(n: u64) -> String {
    Fingerprinter::new(Some(b"test"), None).of(&n.to_le_bytes())
}

fn draft(numbers: std::ops::Range<u64>) -> Draft {
    draft_at(Path::new("b.toml"), numbers)
}

fn draft_at(path: &Path, numbers: std::ops::Range<u64>) -> Draft {
    let mut draft = Draft::new(path, None).unwrap();
    let found = numbers.map(|n| Found {
        fingerprint: fingerprint(n),
        rule: "generic-secret".into(),
        places: vec![format!("src/file{n}.py"), "odd \"name\"\n\u{202e}".into()],
        ..Found::default()
    });
    draft.add(found, "Ann <ann@example.org>", date(2025, 11, 3));
    draft
}

fn load(text: &str) -> Result<Baseline, ConfigError> {
    Baseline::load(Path::new("b.toml"), text.as_bytes().to_vec())
}

#[test]
fn what_is_written_is_read() {
    let mut draft = draft(0..300);
    draft.set(Entry {
        fingerprint: fingerprint(7),
        rule: "r".into(),
        status: Decision::Accepted,
        reason: "until\tthe \\move".into(),
        by: "Bob".into(),
        on: Some(date(2025, 1, 2)),
        since: Some(date(2024, 1, 2)),
        expires: Some(date(2026, 1, 2)),
        places: vec!["a".into()],
        history: true,
        only_rules: vec!["r".into()],
        only_paths: vec!["tests/**".into()],
    });
    let text = draft.text();
    assert!(!text.contains('@'));
    let baseline = load(&text).unwrap();
    let quick: Vec<Entry> = baseline.entries().map(Result::unwrap).collect();
    assert!(baseline.rows.iter().all(|row| row.parsed.is_none()));
    assert_eq!(quick.len(), 300);
    assert_eq!(baseline.lookup(&fingerprint(7)).unwrap().unwrap(), *draft.get(&fingerprint(7)).unwrap());
    assert_eq!(baseline.lookup(&fingerprint(300)).unwrap(), None);

    // The slow twins agree, for entries and for the file.
    for row in &baseline.rows {
        let line = baseline.line(row);
        assert_eq!(
            quick::entry(line).unwrap_or_else(|| parse_line(line).unwrap()),
            parse_line(line).unwrap()
        );
    }
    let plain = "00112233445566778899aabbccddeeff = { rule = \"r\", status = \"real\", reason = \"é\", by = \"B\", on = 2025-01-02, since = 2024-01-02, expires = 2026-01-02, where = [\"a\", \"b\"], only_rules = [\"r\"], only_paths = [\"t/\"] }";
    assert_eq!(quick::entry(plain).unwrap(), parse_line(plain).unwrap());
    assert_eq!(quick::entry(plain).unwrap().line(), plain);
    // What the quick way takes, the parser takes, however a line is cut or changed.
    for at in 0..plain.len() {
        for change in ["", "\"", "\\", ",", "x", "0", " "] {
            let Some((before, after)) = plain.split_at_checked(at) else { continue };
            let Some(rest) = after.get(after.chars().next().map_or(0, char::len_utf8)..) else { continue };
            let changed = format!("{before}{change}{rest}");
            if let Some(entry) = quick::entry(&changed) {
                assert_eq!(parse_line(&changed).as_ref(), Ok(&entry), "{changed}");
            }
        }
    }
    let slow = Baseline::load_slowly(baseline.source.clone()).unwrap();
    assert!(slow.rows.iter().all(|row| row.parsed.is_some()));
    assert_eq!(slow.entries().map(Result::unwrap).collect::<Vec<_>>(), quick);
    // Writing again changes nothing, whichever way it was read.
    assert_eq!(Draft::open(&baseline).unwrap().text(), text);
    assert_eq!(Draft::open(&slow).unwrap().text(), text);
    assert_eq!(
        load(&text.replace('\n', "\r\n")).unwrap().entries().map(Result::unwrap).collect::<Vec<_>>(),
        quick
    );
}

#[test]
fn update_keeps_decisions_and_comments() {
    let text = draft(0..2).text();
    let first = fingerprint(0);
    let decided = text.replace(
        &format!("{first} = {{ rule = \"generic-secret\", status = \"undecided\""),
        &format!("# see ticket 7\n{first} = {{ rule = \"generic-secret\", status = \"false-positive\""),
    );
    assert_ne!(text, decided);
    let mut again = Draft::open(&load(&decided).unwrap()).unwrap();
    let known = |n| Found { fingerprint: fingerprint(n), rule: "other".into(), ..Found::default() };
    assert_eq!(again.add([known(0), known(1), known(2)], "", date(2030, 1, 1)), 1);
    let written = again.text();
    assert!(written.contains("# see ticket 7\n"));
    for line in decided.lines() {
        assert!(written.contains(line), "{line}");
    }
}

#[test]
fn hand_written_forms_are_read() {
    let fingerprint = fingerprint(1);
    let salt = "ab".repeat(32);
    let text = format!(
        "version=1\nsalt='{salt}'\n[entries.{fingerprint}]\nrule='r'\nstatus='accepted'\nexpires='2025-12-31'\n"
    );
    let entry = load(&text).unwrap().lookup(&fingerprint).unwrap().unwrap();
    assert_eq!(entry.expires, Some(date(2025, 12, 31)));
    assert!(!entry.expired(date(2025, 12, 31)));
    assert!(entry.expired(date(2026, 1, 1)));
    let mixed = format!("version = 1\nsalt = \"{salt}\"\n[entries]\n{fingerprint}={{rule=\"r\"}}\n");
    assert_eq!(load(&mixed).unwrap().lookup(&fingerprint).unwrap().unwrap().status, Decision::Undecided);
}

#[test]
fn damage_is_an_error_with_its_line() {
    let text = draft(0..3).text();
    let line_of =
        |needle: &str, text: &str| text.lines().position(|line| line.contains(needle)).unwrap() as u32 + 1;
    let one = fingerprint(1);
    // (what to replace, by what, part of the message, found by reading or by looking up)
    let cases = [
        ("version = 1", "version = 2", "version 2", true),
        (&one[..], &one[..31], "not a fingerprint", true),
        (&format!("{one} = {{ rule"), &format!("{one} = rule"), "", true),
        (&format!("{one} = {{ rule = "), &format!("{one} = {{ rule = = "), "", false),
        (
            &format!("{one} = {{ rule"),
            &format!("{one} = {{ rul"),
            "unknown field `rul`: did you mean `rule`?",
            false,
        ),
        (
            &format!("{one} = {{ rule = \"generic-secret\", status = \"un"),
            &format!("{one} = {{ rule = \"generic-secret\", status = \"u"),
            "did you mean `undecided`?",
            false,
        ),
    ];
    for (from, to, message, at_once) in cases {
        let damaged = text.replacen(from, to, 1);
        assert_ne!(text, damaged);
        let error = match load(&damaged) {
            Err(error) => {
                assert!(at_once, "{from} {error}");
                error
            }
            Ok(baseline) => baseline.lookup(&one).unwrap_err(),
        };
        assert!(error.message.contains(message), "{error}");
        assert_eq!(error.line, line_of(to, &damaged), "{error}");
    }
    assert!(load(" \n").unwrap_err().message.contains("empty"));
    assert!(load("{\"version\": \"1.5.0\"}").is_err());
    assert!(
        load(&text.replace("salt = \"", "salt = \"zz")).unwrap().fingerprinter(None).unwrap_err().line
            == line_of("salt", &text)
    );
}

#[test]
fn the_same_line_twice_is_one_two_decisions_are_an_error() {
    let text = draft(0..3).text();
    let line = text.lines().find(|line| line.starts_with(&fingerprint(1))).unwrap();
    let twice = text.replace(line, &format!("{line}\n{line}"));
    assert_eq!(load(&twice).unwrap().len(), 3);
    let other = line.replace("undecided", "rotated");
    let error = load(&text.replace(line, &format!("{line}\n{other}"))).unwrap_err();
    assert!(error.message.contains("second entry"), "{error}");
}

#[test]
fn keys_are_checked() {
    let keyed = Draft::new(Path::new("b"), Some(b"key")).unwrap();
    let baseline = load(&keyed.text()).unwrap();
    assert!(baseline.fingerprinter(None).is_err());
    assert!(baseline.fingerprinter(Some(b"other")).is_err());
    let made = baseline.fingerprinter(Some(b"key")).unwrap();
    assert_eq!(made.of(b"x"), keyed.fingerprinter(Some(b"key")).of(b"x"));
    assert!(load(&draft(0..1).text()).unwrap().fingerprinter(Some(b"key")).is_err());
}

#[test]
fn check_finds_what_is_out_of_date() {
    let today = date(2025, 12, 1);
    let mut draft = draft(0..4);
    let mut decide = |n, status, edit: fn(&mut Entry)| {
        let mut entry = draft.get(&fingerprint(n)).unwrap().clone();
        entry.status = status;
        edit(&mut entry);
        draft.set(entry);
    };
    decide(1, Decision::Accepted, |entry| entry.expires = Some(date(2025, 11, 30)));
    decide(2, Decision::Real, |entry| entry.since = Some(date(2025, 6, 1)));
    decide(3, Decision::Rotated, |entry| entry.since = Some(date(2020, 6, 1)));
    let baseline = load(&draft.text()).unwrap();
    let entries: Vec<Entry> = baseline.entries().collect::<Result<_, _>>().unwrap();
    let check = |options| check(&entries, options, today, |found| found != fingerprint(3));
    let none = CheckOptions::default();
    assert_eq!(check(none), []);
    assert!(
        matches!(&check(CheckOptions { stale: true, ..none })[..], [Check::Stale(entry)] if entry.fingerprint == fingerprint(3))
    );
    assert!(
        matches!(&check(CheckOptions { expired: true, ..none })[..], [Check::Expired(entry)] if entry.fingerprint == fingerprint(1))
    );
    assert!(
        matches!(&check(CheckOptions { undecided: true, ..none })[..], [Check::Undecided(entry)] if entry.fingerprint == fingerprint(0))
    );
    assert!(
        matches!(&check(CheckOptions { max_age: Some(90), ..none })[..], [Check::TooOld(entry, 183)] if entry.fingerprint == fingerprint(2))
    );
}

#[test]
fn reading_a_part_finds_what_reading_all_finds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("b.toml");
    let mut large = draft_at(&path, 0..3000);
    large.set(Entry { reason: "long ".repeat(2000), ..large.get(&fingerprint(17)).unwrap().clone() });
    large.write().unwrap();
    let whole = Baseline::read(&path).unwrap().unwrap();
    for first in (0..3200).step_by(40) {
        // A new one each time: after many lookups the whole file is read anyway.
        let ledger = Ledger::open(&path).unwrap().unwrap();
        for n in first..first + 40 {
            assert_eq!(
                ledger.lookup(&fingerprint(n)).unwrap(),
                whole.lookup(&fingerprint(n)).unwrap(),
                "{n}"
            );
            assert_eq!(ledger.lookup(&fingerprint(n)).unwrap().is_some(), n < 3000);
        }
    }
    assert_eq!(Ledger::open(&folder.path().join("no")).unwrap().map(|_| ()), None);
}

#[test]
fn a_file_that_is_not_sorted_is_read_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("b.toml");
    let text = draft(0..1000).text();
    let (head, entries) = text.split_once("[entries]\n").unwrap();
    let mut lines: Vec<&str> = entries.lines().collect();
    lines.reverse();
    std::fs::write(&path, format!("{head}[entries]\n{}\n", lines.join("\n"))).unwrap();
    for n in 0..50 {
        let ledger = Ledger::open(&path).unwrap().unwrap();
        assert!(ledger.lookup(&fingerprint(n)).unwrap().is_some(), "{n}");
    }
    let broken = text.replacen(" }\n", "\n", 1);
    std::fs::write(&path, broken).unwrap();
    let ledger = Ledger::open(&path).unwrap().unwrap();
    assert!(ledger.whole().is_err());
    assert!(ledger.lookup(&fingerprint(2000)).is_err(), "nothing is new while the file cannot be read whole");
}

/// In a file that somebody edited, a fingerprint may stand in the words of an earlier entry too.
#[test]
fn fingerprints_in_the_words_of_others_are_no_entries() {
    let (one, two) = ("0a".repeat(16), "0b".repeat(16));
    let text = format!(
        "version = 1\nsalt = \"{}\"\n[entries]\n\"{one}\" = {{ rule = \"r\", reason = \"as {two}\" }}\n{two}= {{ rule = \"s\" }}\n",
        "ab".repeat(32)
    );
    let baseline = load(&text).unwrap();
    assert_eq!(baseline.len(), 2);
    assert_eq!(baseline.lookup(&one).unwrap().unwrap().reason, format!("as {two}"));
    assert_eq!(baseline.lookup(&two).unwrap().unwrap().rule, "s");
}

#[test]
fn comments_and_anchors_are_told_apart() {
    let text = draft(0..1).text();
    let one = fingerprint(0);
    let remarks = ["# a", "#see", "#abcdef", "#", "#0", "# two  words"];
    let remarked = text.replace(&format!("{one} ="), &format!("{}\n{one} =", remarks.join("\n")));
    let again = Draft::open(&load(&remarked).unwrap()).unwrap().text();
    assert_eq!(again, remarked);
    let anchors = again.lines().filter(|line| line.len() == 3 && line.starts_with('#') && *line != "# a");
    assert_eq!(anchors.count(), 256, "no anchor is taken for a remark");
}

#[test]
fn places_are_recorded_in_order_and_once() {
    let mut draft = draft(0..0);
    let places = ["c", "a", "b", "a", "d"].map(str::to_owned).to_vec();
    let found = Found { fingerprint: fingerprint(0), places, ..Found::default() };
    assert_eq!(draft.add([found], "", date(2025, 1, 1)), 1);
    assert_eq!(draft.get(&fingerprint(0)).unwrap().places, ["a", "b", "c"]);
}

#[test]
fn entries_are_counted_and_removed() {
    let mut draft = draft(0..2);
    assert_eq!((draft.len(), draft.is_empty()), (2, false));
    let baseline = load(&draft.text()).unwrap();
    assert_eq!((baseline.len(), baseline.is_empty()), (2, false));
    assert!(baseline.contains(&fingerprint(1)) && !baseline.contains(&fingerprint(2)));
    assert_eq!(draft.remove(&fingerprint(1)).unwrap().fingerprint, fingerprint(1));
    assert_eq!(draft.remove(&fingerprint(1)), None);
    draft.remove(&fingerprint(0));
    assert_eq!((draft.len(), draft.is_empty()), (0, true));
    assert!(load(&draft.text()).unwrap().is_empty());
}

/// What keeps a baseline from being read is an error, never a baseline without entries.
#[test]
fn only_a_missing_file_is_no_baseline() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Baseline::read(&folder.path().join("no")).unwrap().is_none());
    assert!(Baseline::read(folder.path()).is_err());
    assert!(Ledger::open(folder.path()).is_err());
}

#[test]
fn a_short_salt_is_refused() {
    let of = |digits: usize| format!("version = 1\nsalt = \"{}\"\n[entries]\n", "ab".repeat(digits / 2));
    assert!(load(&of(32)).unwrap().fingerprinter(None).is_ok());
    assert!(load(&of(30)).unwrap().fingerprinter(None).is_err());
    assert!(Ledger::from(load(&of(30)).unwrap()).fingerprinter(None).is_err());
}

/// What somebody wrote as an escape into the header (fuzzer): the file can still be read after it was changed.
#[test]
fn a_header_is_written_as_it_was_read() {
    let text = "version = 1\nsalt = \"ab\\b\\\"cd\"\nkey_check = \"\\u0001\"\n\n[entries]\n";
    let draft = Draft::open(&load(text).unwrap()).unwrap();
    let again = load(&draft.text()).unwrap();
    assert_eq!(Draft::open(&again).unwrap().text(), draft.text());
}

/// A line that is nearly of the form we write is an error when the file is read, not only when its value is found.
#[test]
fn every_line_is_looked_at() {
    let text = draft(0..3).text();
    let one = fingerprint(1);
    for (from, to) in [
        (format!("{one} = {{ "), format!("{}g = {{ ", &one[..31])),
        (
            format!("{one} = {{ "),
            format!("{} = {{ ", one.to_uppercase().replace(|c: char| c.is_ascii_digit(), "A")),
        ),
        (format!("{one} = {{ "), format!("{one} = [ ")),
        (format!("{one} = {{ "), format!("{one} {{ ")),
    ] {
        let damaged = text.replacen(&from, &to, 1);
        assert_ne!(text, damaged);
        assert!(load(&damaged).is_err(), "{to}");
    }
}

#[test]
fn a_decision_that_is_recorded_again_changes_nothing() {
    let one = fingerprint(1);
    let by_hand = format!("{one} = {{ status = \"real\", rule = \"r\" }}");
    let text = draft(0..1).text() + &by_hand + "\n";
    let mut draft = Draft::open(&load(&text).unwrap()).unwrap();
    let entry = draft.get(&one).unwrap().clone();
    draft.set(entry.clone());
    assert!(draft.text().contains(&by_hand), "the line stays as somebody wrote it");
    draft.set(Entry { status: Decision::Rotated, ..entry });
    assert!(draft.text().contains(&format!("{one} = {{ rule = \"r\", status = \"rotated\" }}")));
}

/// A remark belongs to the entry below it, also across an empty line.
#[test]
fn remarks_keep_to_their_entries() {
    let text = draft(0..1).text();
    let one = fingerprint(0);
    let remarked = text.replace(&format!("{one} ="), &format!("# why\n\n# and so\n \n{one} ="));
    let again = Draft::open(&load(&remarked).unwrap()).unwrap().text();
    assert_eq!(again, text.replace(&format!("{one} ="), &format!("# why\n# and so\n{one} =")));
}

/// Mistakes are drawn under the words that they are made of.
#[test]
fn mistakes_have_exact_places() {
    let one = fingerprint(1);
    let at = |error: ConfigError| error.source_text.unwrap().text[error.span].to_owned();
    let salt = "0a".repeat(15);
    let short = format!("version = 1\nsalt = \"{salt}\"\n[entries]\n");
    assert_eq!(at(load(&short).unwrap().fingerprinter(None).unwrap_err()), salt);
    assert_eq!(at(load("# of\nversion = 2\nsalt = \"\"\n[entries]\n").unwrap_err()), "version");
    let with = |line: &str| load(&(draft(0..1).text() + line + "\n")).unwrap().lookup(&one).unwrap_err();
    let unknown = format!("{one} = {{ rule = \"r\", statu = \"real\" }}");
    assert_eq!(at(with(&unknown)), "statu");
    let wrong = format!("{one} = {{ rule = \"r\", status = \"reel\" }}");
    assert_eq!(at(with(&wrong)), wrong);
}

#[test]
fn entries_begin_behind_their_header() {
    for (text, expected) in [
        ("[entries]", Some(9)),
        ("[entries]\n", Some(10)),
        ("[entries]\r\nx", Some(11)),
        ("a\n[entries]\nx", Some(12)),
        ("a [entries]\nx", None),
        ("[entries] x\n", None),
        ("[entries.a]\n", None),
        ("", None),
    ] {
        assert_eq!(body_start(text), expected, "{text:?}");
    }
}

/// The quick way reads every field, each at most once and in their order; all else is left to the parser.
#[test]
fn the_quick_way_reads_every_field_once() {
    let fields = [
        "status = \"real\"",
        "reason = \"a\"",
        "by = \"b\"",
        "on = 2025-01-02",
        "since = 2024-01-02",
        "expires = 2026-01-02",
        "where = [\"c\"]",
        "history = true",
        "only_rules = [\"d\"]",
        "only_paths = [\"e\"]",
    ];
    let line = |fields: &[&str]| {
        let fields: String = fields.iter().map(|field| format!(", {field}")).collect();
        format!("{} = {{ rule = \"r\"{fields} }}", fingerprint(1))
    };
    for (i, field) in fields.iter().enumerate() {
        let one = line(&[field]);
        assert_eq!(quick::entry(&one), Some(parse_line(&one).unwrap()), "{one}");
        assert_eq!(quick::entry(&line(&[field, field])), None, "{field} twice");
        assert!(i == 0 || quick::entry(&line(&[field, fields[i - 1]])).is_none(), "{field} too late");
    }
    assert_eq!(quick::entry(&line(&fields)).unwrap().line(), line(&fields));
}
