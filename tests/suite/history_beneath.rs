//! What is encoded or packed is found, and listed where it cannot be read, in a history as in a file.

use std::collections::BTreeSet;

use data_encoding::BASE64;
use serde_json::Value;
use zip::CompressionMethod::Deflated;

use crate::archive_support::{gzip, tar, zip};
use crate::git_support::Sandbox;
use crate::history_support::{Ran, run, token};

/// What a run found, and what it did not read: reason, member, detail.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    code: i32,
    secrets: BTreeSet<String>,
    skipped: BTreeSet<(String, String, String)>,
}

impl Seen {
    fn of(ran: &Ran) -> Self {
        let text = |skip: &Value, key: &str| skip[key].as_str().unwrap_or_default().to_owned();
        let member = |skip: &Value| {
            let what = text(skip, "what");
            what.split_once('!').map_or(String::new(), |(_, member)| member.to_owned())
        };
        let skipped = ran.report["skipped"].as_array().into_iter().flatten();
        Seen {
            code: ran.code,
            secrets: ran.secrets().into_iter().collect(),
            skipped: skipped.map(|s| (text(s, "reason"), member(s), text(s, "detail"))).collect(),
        }
    }

    fn reasons(&self) -> BTreeSet<&str> {
        self.skipped.iter().map(|skip| skip.0.as_str()).collect()
    }
}

/// What a scan of a file with this content sees, and a scan of a history that holds it, once in one commit and
/// once with a version before that differs in one line.
#[track_caller]
fn everywhere(content: &[u8]) -> Seen {
    let folder = Sandbox::empty();
    folder.write("files/content", content);
    let in_file = Seen::of(&run(folder.path(), &["scan", "files"]));

    let once = Sandbox::new();
    once.write("content", content);
    once.commit("with it");
    assert_eq!(Seen::of(&run(once.path(), &["history"])), in_file, "in a commit");

    let edited = Sandbox::new();
    edited.write("content", [content, b"one more line\n"].concat());
    edited.commit("one");
    edited.write("content", content);
    edited.commit("two");
    edited.git(["repack", "-adfq", "--depth=5", "--window=5"]);
    assert_eq!(Seen::of(&run(edited.path(), &["history"])), in_file, "as a delta");
    in_file
}

/// A text of a few lines, one of which says this in base64.
fn with_encoded(bytes: &[u8]) -> Vec<u8> {
    let prose =
        |from: usize| -> String { (from..from + 40).map(|n| format!("line {n} of prose\n")).collect() };
    format!("{}data: {}\n{}", prose(0), BASE64.encode(bytes), prose(40)).into_bytes()
}

fn leak(number: u64) -> Vec<u8> {
    format!("key = \"{}\"\n", token(number)).into_bytes()
}

fn packed(name: &str, text: &[u8]) -> Vec<u8> {
    zip(&[(name, text)], Deflated)
}

/// A zip that ends in the middle of its member.
fn damaged() -> Vec<u8> {
    let noise: Vec<u8> = (0..4000u32).flat_map(|i| i.wrapping_mul(0x9e37_79b9).to_le_bytes()).collect();
    let mut zip = packed("noise.bin", &noise);
    zip.truncate(zip.len() / 2);
    zip
}

/// Text that is mostly a payload which expands to more than the budget of the text.
fn bomb() -> Vec<u8> {
    with_encoded(&gzip(&vec![b'a'; 8 << 20]))
}

fn utf16(text: &[u8]) -> Vec<u8> {
    let units = std::str::from_utf8(text).unwrap().encode_utf16();
    std::iter::once(0xfeff).chain(units).flat_map(u16::to_le_bytes).collect()
}

#[track_caller]
fn finds(content: &[u8], number: u64) {
    let seen = everywhere(content);
    assert_eq!((seen.secrets, seen.skipped), (BTreeSet::from([token(number)]), BTreeSet::new()));
}

#[track_caller]
fn lists(content: &[u8], reason: &str) {
    let seen = everywhere(content);
    assert_eq!((seen.code, seen.reasons()), (2, BTreeSet::from([reason])));
}

#[test]
fn containers_that_stand_encoded_in_texts() {
    finds(&with_encoded(&packed("in.txt", &leak(1))), 1);
    finds(&utf16(&with_encoded(&packed("in.txt", &leak(2)))), 2);
    finds(&with_encoded(&gzip(&leak(3))), 3);
}

#[test]
fn containers_that_stand_encoded_in_members() {
    finds(&packed("a.txt", &with_encoded(&packed("in.txt", &leak(1)))), 1);
    finds(&tar(&[("a.txt", &with_encoded(&packed("in.txt", &leak(2))))]), 2);
    finds(&tar(&[("a.txt", &utf16(&with_encoded(&gzip(&leak(3)))))]), 3);
    finds(&with_encoded(&packed("a.txt", &with_encoded(&packed("b.txt", &leak(4))))), 4);
}

#[test]
fn a_member_in_utf16_that_is_text_too() {
    finds(&packed("a.txt", &utf16(&leak(1))), 1);
    finds(&packed("a.txt", &utf16(&with_encoded(&leak(2)))), 2);
}

#[test]
fn encoded_containers_that_are_damaged_are_listed() {
    lists(&with_encoded(&damaged()), "archive-damaged");
    lists(&utf16(&with_encoded(&damaged())), "archive-damaged");
    lists(&packed("a.txt", &with_encoded(&damaged())), "archive-damaged");
}

#[test]
fn more_encoded_text_than_is_decoded_is_listed() {
    lists(&bomb(), "decode-budget");
    lists(&utf16(&bomb()), "decode-budget");
    lists(&packed("a.txt", &bomb()), "decode-budget");
    lists(&with_encoded(&packed("a.txt", &bomb())), "decode-budget");
}

#[test]
fn levels_without_end_are_listed() {
    let mut text = leak(1);
    for _ in 0..20 {
        text = format!("data: {}\n", BASE64.encode(&packed("z", &text))).into_bytes();
    }
    lists(&text, "archive-depth");
}

#[test]
fn binary_data_is_taken_as_it_is() {
    let content = [&b"\x7fELF\0\0\0\x01\x02"[..], &with_encoded(&leak(1))].concat();
    let seen = everywhere(&content);
    assert_eq!((seen.code, seen.secrets), (0, BTreeSet::new()));
}

/// The versions that inherit an unreadable part do not hide it, whichever of them is looked at first.
#[test]
fn a_version_far_from_the_damage_does_not_hide_it() {
    let sandbox = Sandbox::new();
    let content = with_encoded(&damaged());
    for n in 0..4 {
        let edit = format!("edit {n} at a distance\n{}", "filler of lines\n".repeat(60));
        sandbox.write("content", [edit.as_bytes(), &content].concat());
        sandbox.commit(&format!("edit {n}"));
    }
    sandbox.git(["repack", "-adfq", "--depth=5", "--window=5"]);
    let seen = Seen::of(&run(sandbox.path(), &["history", "--verify-engine"]));
    assert_eq!((seen.code, seen.reasons()), (2, BTreeSet::from(["archive-damaged"])));
}
