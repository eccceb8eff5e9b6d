//! Every kind of container: the member and the place of a secret in it.

use super::archive_support::*;
use stanch::source::archive::{Kind, Limits, Member, open, open_reader, recognise};
use zip::CompressionMethod as Method;

#[test]
fn zip_by_every_method() {
    let readme: (&str, &[u8]) = ("README", b"nothing here");
    for method in [Method::Stored, Method::Deflated, Method::Bzip2, Method::Zstd, Method::Xz] {
        check(&zip(&[readme, ("src/config.py", &leak())], method), "src/config.py");
    }
    // Large enough not to be unpacked in one go.
    let mut large = leak();
    large.resize(6 << 20, b'\n');
    check(&zip(&[("large", &large)], Method::Deflated), "large");
}

#[test]
fn zip_behind_a_program() {
    let program = [b"\x7fELF\0\0\0\0".repeat(100), zip(&[("app/.env", &leak())], Method::Deflated)].concat();
    check(&program, "app/.env");
}

#[test]
fn tar_with_long_names() {
    check(&tar(&[("a", b"x"), ("b/.env", &leak()), ("c", b"")]), "b/.env");
    let long = format!("{}.env", "folder/".repeat(30));
    check(&tar(&[(&long, &leak())]), &long);
}

#[test]
fn tar_files_in_a_row() {
    let first = tar(&[("a", b"x")]);
    check(&[first.clone(), tar(&[("b/.env", &leak())])].concat(), "b/.env");
    check(&[first.clone(), leak()].concat(), "(behind tar)");
    check(&gzip(&[first, leak()].concat()), "(behind tar)");
}

#[test]
fn compressed_files() {
    check(&gzip(&leak()), "(gzip)");
    check(&bzip2(&leak()), "(bzip2)");
    check(&xz(&leak()), "(xz)");
    check(&zstd(&leak()), "(zstd)");
}

#[test]
fn compressed_archives() {
    let tar = tar(&[("x", &[b'x'; 200_000]), ("b/.env", &leak()), ("y", b"y")]);
    for compressed in [gzip(&tar), bzip2(&tar), xz(&tar), zstd(&tar)] {
        check(&compressed, "b/.env");
    }
}

#[test]
fn gzip_in_parts_and_with_more_behind() {
    check(&[gzip(b"first\nsec"), gzip(&leak()[9..])].concat(), "(gzip)");
    check(&[gzip(b"nothing"), leak()].concat(), "(behind gzip)");
    check(&[gzip(&leak()), vec![0; 600]].concat(), "(gzip)");
}

#[test]
fn containers_in_containers() {
    let inner = zip(&[("deep/.env", &leak())], Method::Deflated);
    let middle = gzip(&tar(&[("lib/inner.jar", &inner)]));
    let outer = zip(&[("pkg.tar.gz", &middle)], Method::Deflated);
    check(&outer, "pkg.tar.gz!lib/inner.jar!deep/.env");
}

#[test]
fn kinds_are_told_by_content() {
    assert_eq!(recognise(&leak()), None);
    assert_eq!(recognise(b""), None);
    assert_eq!(recognise(b"PK is not a zip archive"), None);
    assert_eq!(recognise(b"BZh is no bzip2"), None);
    assert_eq!(
        recognise(
            "UTF-16, with zeros".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>().as_slice()
        ),
        None
    );
    assert_eq!(recognise(b"\0\x01\x02\x03\x04binary\xff\xfe"), Some(Kind::Binary));
    assert_eq!(recognise(&zip(&[], Method::Stored)), Some(Kind::Zip));
    assert_eq!(recognise(&tar(&[("a", b"b")])), Some(Kind::Tar));
    assert_eq!(recognise(&gzip(b"")), Some(Kind::Gzip));
    assert_eq!(recognise(&bzip2(b"x")), Some(Kind::Bzip2));
    assert_eq!(recognise(&xz(b"x")), Some(Kind::Xz));
    assert_eq!(recognise(&zstd(b"x")), Some(Kind::Zstd));
}

#[test]
fn large_members_come_in_pieces() {
    let mut text: Vec<u8> =
        (0..1_000_000).flat_map(|i| format!("line number {i:07}\n").into_bytes()).collect();
    text.extend_from_slice(&leak());
    let (seen, skipped) = opened(&gzip(&text));
    assert_eq!(skipped, vec![]);
    assert!(seen.len() > 2);
    let mut end = 0;
    for s in &seen {
        let at = s.offset as usize;
        assert_eq!(s.bytes, text[at..at + s.bytes.len()]);
        assert_eq!(at + s.own.start, end, "parts follow each other");
        end = at + s.own.end;
    }
    assert_eq!(end, text.len());
}

#[test]
fn readers_give_what_memory_gives() {
    let leak = leak();
    let tar = tar(&[("x", &[b'x'; 200_000]), ("b/.env", &leak)]);
    for bytes in [zip(&[("a", b"b"), ("c/.env", &leak)], Method::Deflated), gzip(&tar), tar] {
        let mut seen = Vec::new();
        let mut skipped = Vec::new();
        let mut sink = |m: Member<'_>| seen.push((m.chain.to_vec(), m.piece.bytes.to_vec()));
        open_reader(&mut bytes.as_slice(), bytes.len() as u64, &Limits::default(), &mut sink, &mut skipped);
        let mut again = Vec::new();
        let mut sink = |m: Member<'_>| again.push((m.chain.to_vec(), m.piece.bytes.to_vec()));
        open(&bytes, &Limits::default(), &mut sink, &mut skipped);
        assert_eq!(seen, again);
        assert_eq!(skipped, vec![]);
    }
}
