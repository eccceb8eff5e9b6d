//! Samples that were made by the programs that such files come from in life; `make.py` beside them
//! tells how. Each holds the token, some with another end.

use super::archive_support::*;
use stanch::source::archive::{Kind, recognise};

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/data/archives/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The token with its last two characters replaced.
fn variant(end: &str) -> String {
    let token = token();
    format!("{}{end}", &token[..token.len() - 2])
}

type Holders = Vec<(String, bool)>;

/// Chains of members that hold the text, and whether they are binary; with what was skipped.
fn holders(name: &str, text: &str) -> (Holders, Vec<(String, &'static str)>) {
    let (seen, skipped) = opened(&sample(name));
    let holds = |s: &&Seen| s.bytes.windows(text.len()).any(|w| w == text.as_bytes());
    (seen.iter().filter(holds).map(|s| (s.chain.clone(), s.binary)).collect(), reasons(&skipped))
}

#[track_caller]
fn check_holder(name: &str, text: &str, chain: &str, binary: bool) {
    assert_eq!(holders(name, text), (vec![(chain.to_owned(), binary)], vec![]));
}

#[test]
fn sevenz_by_every_method() {
    for name in ["lzma2", "lzma", "copy", "bzip2", "deflate", "bcj", "delta", "solid-off"] {
        check(&sample(&format!("{name}.7z")), "conf/.env");
    }
}

#[test]
fn sevenz_that_cannot_be_unpacked_is_listed() {
    for (name, reason) in [("encrypted.7z", "encrypted"), ("ppmd.7z", "archive-unsupported")] {
        let (seen, skipped) = opened(&sample(name));
        assert_eq!(seen.len(), 0);
        let mut listed = reasons(&skipped);
        listed.sort();
        assert_eq!(listed, [("conf/.env".to_owned(), reason), ("conf/other.txt".to_owned(), reason)]);
    }
}

#[test]
fn packages() {
    check(&sample("names.ar"), ".env");
    check(&sample("long.ar"), "a-name-of-more-than-sixteen-bytes.env");
    check(&sample("newc.cpio"), "conf/.env");
    check(&sample("odc.cpio"), "conf/.env");
    check(&sample("sample.deb"), "data.tar.xz!./etc/sample.conf");
    let chains = [("(header)".to_owned(), false), ("./etc/sample.conf".to_owned(), false)];
    assert_eq!(holders("sample.rpm", &token()), (chains.to_vec(), vec![]));
}

#[test]
fn databases() {
    check_holder("sample.sqlite", &format!("user123\t{}\n", token()), "users", false);
    check_holder("sample.sqlite", &format!("x {} y", token()), "big", false);
    let (free, skipped) = holders("sample.sqlite", &variant("Z9"));
    assert_eq!(skipped, vec![]);
    assert!(free.contains(&("(free pages)".to_owned(), false)), "{free:?}");
    check_holder("sample.sqlite", &variant("X7"), "(free space)", false);
}

#[test]
fn programs() {
    check_holder("Sample.class", &format!("\n{}\n", token()), "(constants)", true);
    check_holder("sample.pyc", &format!("{}\n", token()), "(constants)", true);
    check_holder("sample.pyc", &format!("{}\n", variant("F5")), "(constants)", true);
}

#[test]
fn documents() {
    let (pdf, skipped) = holders("sample.pdf", &format!("token: {}", token()));
    assert_eq!(skipped, vec![]);
    assert!(pdf.iter().any(|(chain, binary)| chain.starts_with("(text of object ") && !binary), "{pdf:?}");
    check_holder("sample.docx", &format!("key = {}\n", token()), "(text of word/document.xml)", false);
}

#[test]
fn images() {
    check_holder("sample.png", &token(), "(tEXt Comment)", false);
    check_holder("sample.png", &variant("B2"), "(zTXt Packed)", false);
    check_holder("sample.png", &variant("C3"), "(iTXt International)", false);
    check_holder("sample.png", &variant("D4"), "(exif)", false);
    check_holder("sample.jpg", &token(), "(comment)", false);
    check_holder("sample.jpg", &variant("D4"), "(exif)", false);
    check_holder("sample.jpg", &variant("E5"), "(exif)", false);
    check_holder("sample.webp", &variant("D4"), "(exif)", false);
    check_holder("sample.tiff", &variant("D4"), "(exif)", false);
    let behind = [sample("sample.png"), leak()].concat();
    let (seen, _) = opened(&behind);
    assert!(seen.iter().any(|s| s.chain == "(behind image)" && s.bytes == leak()));
}

#[test]
fn packs_and_bundles() {
    for name in ["sample.pack", "sample.bundle"] {
        let (seen, skipped) = opened(&sample(name));
        assert_eq!(skipped, vec![]);
        let blobs = seen.iter().filter(|s| s.chain.starts_with("(blob ") && s.token_at().is_some());
        assert_eq!(blobs.count(), 2);
        for i in 0..4 {
            let message = variant(&format!("M{i}"));
            let commits = seen.iter().filter(|s| s.chain.starts_with("(commit "));
            assert_eq!(
                commits.filter(|s| s.bytes.windows(message.len()).any(|w| w == message.as_bytes())).count(),
                1
            );
        }
    }
    // Deltas against objects that are not in the file.
    let (_, skipped) = opened(&sample("thin.bundle"));
    assert!(skipped.iter().all(|s| s.reason == "archive-incomplete"), "{skipped:?}");
    assert_eq!(skipped.len(), 1);
}

#[test]
fn strings_of_programs() {
    let wide: Vec<u8> = token().encode_utf16().flat_map(u16::to_le_bytes).collect();
    let program =
        [&b"\x7fELF\x02\x01\x01\0\0\0"[..], token().as_bytes(), b"\0\x01\xff", &wide, b"\xff\xff\0"].concat();
    check_in(&program, "", true);
    check_in(&program, "(utf-16 strings)", true);
    check_in(&gzip(&program), "(gzip)", true);
    check_in(&gzip(&program), "(gzip)!(utf-16 strings)", true);
}

#[test]
fn kinds_are_told_by_content() {
    for (name, kind) in [
        ("lzma2.7z", Kind::SevenZ),
        ("names.ar", Kind::Ar),
        ("sample.deb", Kind::Ar),
        ("newc.cpio", Kind::Cpio),
        ("odc.cpio", Kind::Cpio),
        ("sample.rpm", Kind::Rpm),
        ("sample.sqlite", Kind::Sqlite),
        ("Sample.class", Kind::JavaClass),
        ("sample.pyc", Kind::Pyc),
        ("sample.pdf", Kind::Pdf),
        ("sample.docx", Kind::Zip),
        ("sample.png", Kind::Png),
        ("sample.jpg", Kind::Jpeg),
        ("sample.webp", Kind::Webp),
        ("sample.tiff", Kind::Tiff),
        ("sample.pack", Kind::GitPack),
        ("sample.bundle", Kind::GitBundle),
    ] {
        assert_eq!(recognise(&sample(name)), Some(kind), "{name}");
    }
    for text in [
        "070701 is a number",
        "PACKET",
        "%PDF is a format",
        "# v2 git bundles",
        "!<arch> x",
        "II* is no image",
    ] {
        assert_eq!(recognise(text.repeat(20).as_bytes()), None, "{text}");
    }
}

/// Every sample, for tests that damage them.
pub fn all() -> Vec<Vec<u8>> {
    let folder = format!("{}/tests/data/archives", env!("CARGO_MANIFEST_DIR"));
    let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    names.sort();
    names
        .iter()
        .filter(|n| n.extension().is_some_and(|e| e != "py"))
        .map(|n| std::fs::read(n).unwrap())
        .collect()
}
