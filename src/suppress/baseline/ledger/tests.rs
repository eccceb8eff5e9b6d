use super::*;
use crate::suppress::baseline::Draft;

fn fingerprint(n: u64) -> String {
    Fingerprinter::new(Some(b"test"), None).of(&n.to_le_bytes())
}

/// A baseline of so many entries, and the folder that it lies in.
fn baseline(entries: u64) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("b.toml");
    let mut draft = Draft::new(&path, None).unwrap();
    for n in 0..entries {
        draft.set(Entry { fingerprint: fingerprint(n), rule: "r".into(), ..Entry::default() });
    }
    draft.write().unwrap();
    (folder, path)
}

fn is_whole(ledger: &Ledger) -> bool {
    ledger.whole.get().is_some()
}

/// Every entry of a sorted file is found by reading a few blocks: the whole file is the way for all else only.
#[test]
fn every_entry_is_found_in_a_part() {
    let (_folder, path) = baseline(2000);
    let ledger = Ledger::open(&path).unwrap().unwrap();
    let whole = Baseline::read(&path).unwrap().unwrap();
    for n in 0..2000 {
        let found = ledger.probe(fingerprint(n).as_bytes());
        assert!(found.is_some(), "{n}");
        assert_eq!(found, whole.lookup(&fingerprint(n)).unwrap(), "{n}");
    }
    assert_eq!(ledger.probe(fingerprint(2000).as_bytes()), None);
    assert!(ledger.fingerprinter(None).is_ok());
    assert!(!is_whole(&ledger));
}

#[test]
fn small_files_are_read_whole() {
    let (_folder, path) = baseline(2000);
    let text = std::fs::read_to_string(&path).unwrap();
    // Where a line was cut off, the rest of it is a comment.
    for (size, at_once) in [(20_000, true), (SMALL as usize, true), (SMALL as usize + 1, false)] {
        let cut = text[..size - 5].rfind('\n').unwrap();
        let text = format!("{}\n#{}\n", &text[..cut], "x".repeat(size - cut - 3));
        assert_eq!(text.len(), size);
        std::fs::write(&path, text).unwrap();
        let ledger = Ledger::open(&path).unwrap().unwrap();
        assert_eq!((is_whole(&ledger), ledger.file.is_none()), (at_once, at_once), "{size}");
    }
}

/// After many lookups one more would cost as much as the whole file, which then answers all.
#[test]
fn after_many_lookups_the_file_is_read() {
    let (_folder, path) = baseline(1000);
    let ledger = Ledger::open(&path).unwrap().unwrap();
    for n in 0..u64::from(MANY) {
        assert!(ledger.lookup(&fingerprint(n)).unwrap().is_some());
        assert!(!is_whole(&ledger), "{n}");
    }
    assert!(ledger.lookup(&fingerprint(0)).unwrap().is_some());
    assert!(is_whole(&ledger));
}

#[test]
fn what_is_not_there_is_asked_of_the_whole_file() {
    let (_folder, path) = baseline(1000);
    let part = &fingerprint(1)[..10];
    for other in [&fingerprint(1000)[..], part, "", "nonsense"] {
        let ledger = Ledger::open(&path).unwrap().unwrap();
        assert_eq!(ledger.lookup(other).unwrap(), None, "{other}");
        assert!(is_whole(&ledger), "{other}");
    }
}

/// Only what lies about where an entry belongs is read: an entry in another place is not met there.
#[test]
fn an_entry_out_of_place_is_not_met() {
    let (_folder, path) = baseline(2000);
    let text = std::fs::read_to_string(&path).unwrap();
    let last = format!("{} = {{ rule = \"r\" }}", "f".repeat(32));
    std::fs::write(&path, text.replacen("#00\n", &format!("#00\n{last}\n"), 1)).unwrap();
    let ledger = Ledger::open(&path).unwrap().unwrap();
    assert_eq!(ledger.probe("f".repeat(32).as_bytes()), None);
    assert!(ledger.lookup(&"f".repeat(32)).unwrap().is_some(), "the whole file knows it");
}

#[test]
fn the_first_entry_behind_an_offset() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("part");
    let (one, two) = ("1a".repeat(16), "2b".repeat(16));
    let text =
        format!("x = 1\n{one} = {{}}\n#2a\n#2b\n{two} = {{}}\nno entry of a baseline, but long enough\n");
    let (at_one, at_two) = (6, text.find(&two).unwrap() as u64);
    std::fs::write(&path, &text).unwrap();
    let file = File::open(&path).unwrap();
    let end = text.len() as u64;
    for (offset, end, expected) in [
        (0, end, Some((at_one, &one))),
        (at_one - 1, end, Some((at_one, &one))),
        // From its first byte on, the next one is the first that begins behind.
        (at_one, end, Some((at_two, &two))),
        (at_two - 1, end, Some((at_two, &two))),
        (at_two, end, None),
        (0, at_one + 1, Some((at_one, &one))),
        (0, at_one, None),
        (0, 0, None),
        (end, end, None),
        (end - 1, end, None),
    ] {
        let expected = expected.map(|(start, key)| (start, key.as_bytes().to_vec()));
        assert_eq!(first_entry(&file, offset, end), expected, "{offset} {end}");
    }
}
