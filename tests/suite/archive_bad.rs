//! Containers that are damaged, hostile, or beyond a limit: no panic, bounded, and all of it listed.

use std::sync::LazyLock;

use super::archive_support::*;
use proptest::prelude::*;
use stanch::source::archive::Limits;
use zip::CompressionMethod as Method;

fn small_limits() -> Limits {
    Limits { total_bytes: 4 << 20, ratio_free_bytes: 1 << 20, members: 1000, ..Limits::default() }
}

#[track_caller]
fn check_bounded(bytes: &[u8], limits: &Limits, reason: &str) {
    let (seen, skipped) = opened_with(bytes, limits);
    let total: u64 = seen.iter().map(|s| s.own.len() as u64).sum();
    assert!(total <= limits.total_bytes + bytes.len() as u64, "{total} bytes came out");
    assert!(skipped.iter().any(|s| s.reason == reason && s.incomplete), "{skipped:?}");
}

#[test]
fn flat_bombs() {
    let zeros = vec![0; 32 << 20];
    let bombs =
        [zip(&[("zeros", &zeros)], Method::Deflated), gzip(&zeros), bzip2(&zeros), xz(&zeros), zstd(&zeros)];
    for bomb in bombs {
        check_bounded(&bomb, &Limits { ratio: 1_000_000, ..small_limits() }, "archive-too-large");
        check_bounded(&bomb, &Limits { ratio: 10, ..small_limits() }, "archive-ratio");
    }
}

#[test]
fn nested_bombs() {
    let mut bomb = zip(&[("zeros", &vec![0; 1 << 20])], Method::Deflated);
    for _ in 0..3 {
        let files: Vec<(String, &[u8])> = (0..16).map(|i| (format!("{i}.zip"), bomb.as_slice())).collect();
        let files: Vec<(&str, &[u8])> = files.iter().map(|(n, b)| (n.as_str(), *b)).collect();
        bomb = zip(&files, Method::Deflated);
    }
    check_bounded(&bomb, &small_limits(), "archive-ratio");
}

#[test]
fn overlapping_members() {
    // One member's data, named by 2000 entries of the central directory.
    let one = zip(&[("a", &vec![b'a'; 100_000])], Method::Deflated);
    let directory = one.windows(4).rposition(|w| w == b"PK\x01\x02").unwrap();
    let end = one.windows(4).rposition(|w| w == b"PK\x05\x06").unwrap();
    let entries = one[directory..end].repeat(2000);
    let mut bomb = one[..directory].to_vec();
    bomb.extend_from_slice(&entries);
    let mut tail = one[end..].to_vec();
    tail[8..12].copy_from_slice(&[2000u16.to_le_bytes(), 2000u16.to_le_bytes()].concat());
    tail[12..16].copy_from_slice(&(entries.len() as u32).to_le_bytes());
    bomb.extend_from_slice(&tail);
    check_bounded(&bomb, &Limits { ratio: 1000, ..small_limits() }, "archive-too-large");
}

/// A pack in which each delta of a few bytes makes a MiB of a base of 64 KiB.
fn pack_of_deltas(deltas: u32) -> Vec<u8> {
    use super::git_pack_writer::deflate;
    let mut pack = b"PACK\0\0\0\x02".to_vec();
    pack.extend((1 + deltas).to_be_bytes());
    let base = pack.len();
    pack.extend([0xb0, 0x80, 0x20]); // a blob of 0x10000 bytes
    pack.extend(deflate(&[b'a'; 0x10000]));
    // Sizes of base and result, and 16 times "64 KiB from the beginning".
    let delta = [&[0x80, 0x80, 4, 0x80, 0x80, 0x40][..], &[0x80; 16]].concat();
    for _ in 0..deltas {
        let distance = pack.len() - base;
        pack.extend([0xe0 | (delta.len() & 0xf) as u8, (delta.len() >> 4) as u8]);
        // Each byte but the last adds one to what stands before it.
        let high = (distance >> 7).checked_sub(1).map(|high| 0x80 | high as u8);
        pack.extend(high.into_iter().chain([(distance & 0x7f) as u8]));
        assert!(distance < 16_512);
        pack.extend(deflate(&delta));
    }
    pack.extend([0; 20]);
    pack
}

/// What deltas make of their bases counts as much as what is inflated.
#[test]
fn packs_of_deltas_that_grow() {
    let (seen, skipped) = opened(&pack_of_deltas(3));
    assert_eq!((seen.len(), skipped), (4, vec![]));
    assert!(seen[1..].iter().all(|object| object.bytes.len() == 1 << 20));
    let bomb = pack_of_deltas(100);
    check_bounded(&bomb, &Limits { ratio: 1_000_000, ..small_limits() }, "archive-too-large");
    check_bounded(&bomb, &Limits { ratio: 10, ..small_limits() }, "archive-ratio");
}

#[test]
fn archives_without_end() {
    let mut nested = leak();
    for _ in 0..6 {
        nested = zip(&[("z", &nested)], Method::Stored);
    }
    let (seen, skipped) = opened(&nested);
    assert!(seen.is_empty());
    assert_eq!(reasons(&skipped), [("z!z!z!z!z".to_owned(), "archive-depth")]);
    let (seen, skipped) = opened_with(&nested, &Limits { depth: 6, ..Limits::default() });
    assert_eq!((seen.len(), skipped.len()), (1, 0));
    // Compressed files count half.
    let mut nested = leak();
    for _ in 0..10 {
        nested = gzip(&nested);
    }
    assert_eq!(opened(&nested).0.len(), 1);
    assert_eq!(reasons(&opened(&gzip(&nested)).1), [(String::new(), "archive-depth")]);
}

/// A gzip file that unpacks to itself.
///
/// Deflate: a stored block prints what follows it, a repetition prints it again. `p`: gzip's header, `L`: the header of a
/// stored block of 16 bytes, `R`: a repetition of 16 bytes; `p L` and `R L R L` are of 16 bytes, as is the end, which
/// begins with a repetition. Then `p L (p L) R L (R L R L) R L (end) end` prints itself. See R. Cox, "Zip Files All The
/// Way Down". The check sum stands in the text twice.
fn quine() -> Vec<u8> {
    let header = b"\x1f\x8b\x08\x08\0\0\0\0\0\xff\0";
    let stored = [0u8, 16, 0, 0xef, 0xff];
    // 3 bits of a block with fixed codes, length 16, distance 16, end of block: 25 bits, the least significant first.
    let repeat: u64 = 0b010 | 0b110_1000 << 3 | 1 << 10 | 0b11100 << 11 | 0b11 << 16;
    let next = [&repeat.to_le_bytes()[..4], &stored[1..]].concat();
    // Two empty blocks and the last one.
    let ending = repeat | 0b010 << 25 | 0b010 << 35 | 0b011 << 45;
    let end =
        |check: u32| [&ending.to_le_bytes()[..7], &check.to_le_bytes(), &96u32.to_le_bytes(), &[0]].concat();
    let file = |check: u32| {
        let first = [&header[..], &stored].concat();
        [&first[..], &first, &next, &next, &next, &next, &end(check), &end(check)].concat()
    };
    with_own_sum(file)
}

/// The file that has its own CRC-32 in the places where `file` puts what it is given.
///
/// `sum(x) ^ x` is a constant and a combination of one column for each bit of x: equations over bits.
fn with_own_sum(file: impl Fn(u32) -> Vec<u8>) -> Vec<u8> {
    let sum = |check: u32| {
        let mut crc = flate2::Crc::new();
        crc.update(&file(check));
        crc.sum()
    };
    let mut rows: Vec<(u32, u32)> = Vec::new();
    let reduce = |rows: &[(u32, u32)], (mut value, mut bits): (u32, u32)| {
        for &(row, of) in rows {
            if value ^ row < value {
                (value, bits) = (value ^ row, bits ^ of);
            }
        }
        (value, bits)
    };
    for bit in (0..32).map(|n| 1u32 << n) {
        let column = reduce(&rows, (sum(bit) ^ sum(0) ^ bit, bit));
        if column.0 != 0 {
            rows.push(column);
            rows.sort_by(|a, b| b.cmp(a));
        }
    }
    let (left, check) = reduce(&rows, (sum(0), 0));
    assert_eq!((left, sum(check)), (0, check));
    file(check)
}

/// A zip archive whose only member is the archive: the same, with units of 78 bytes. `p` is the local header, padded by
/// an extra field; `R L` is padded to 39 bytes by empty blocks; the end has the central directory, and a comment.
fn zip_quine() -> Vec<u8> {
    const UNIT: usize = 78;
    let stored = [0u8, UNIT as u8, 0, !(UNIT as u8), 0xff];
    let empty = [0u8, 0, 0, 0xff, 0xff];
    // 3 bits of a block with fixed codes, length 67 + 11, distance 65 + 13, end of block: 31 bits.
    let repeat: u64 = 0b010 | 0b101_0100 << 3 | 11 << 10 | 0b00110 << 14 | 13 << 19;
    let next = [&repeat.to_le_bytes()[..5], &empty[1..], &empty.repeat(5), &stored].concat();
    let ending = &(repeat | 0b011 << 31).to_le_bytes()[..6];
    let (whole, packed) = ((4 * UNIT + 4 * next.len()) as u32, (3 * UNIT + 4 * next.len() - 67) as u32);
    // What local header and directory both have: version, flags, method, time, date, sums and sizes, length of the name.
    let fields = |check: u32| {
        let sizes = [check, packed, whole].map(u32::to_le_bytes).concat();
        [&[20, 0, 0, 0, 8, 0, 0, 0, 0, 0][..], &sizes, &[1, 0]].concat()
    };
    let file = |check: u32| {
        let extra = [&[0x99, 0x99, 38, 0][..], &[0; 38]].concat();
        let local = [b"PK\x03\x04", &fields(check)[..], &[42, 0], b"z", &extra].concat();
        let directory = [b"PK\x01\x02\x14\0", &fields(check)[..], &[0; 16], b"z"].concat();
        let tail = [&[1, 0, 1, 0, 47, 0, 0, 0][..], &(whole - 72).to_le_bytes(), &[3, 0, 0, 0, 0]].concat();
        let end = [ending, &directory, b"PK\x05\x06\0\0\0\0", &tail].concat();
        let first = [&local[..], &stored].concat();
        assert_eq!([first.len(), 2 * next.len(), end.len()], [UNIT; 3]);
        [&first[..], &first, &next.repeat(4), &end, &end].concat()
    };
    with_own_sum(file)
}

#[test]
fn files_that_unpack_to_themselves() {
    use std::io::Read as _;
    let quine = quine();
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&quine[..]).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked, quine);
    let (seen, skipped) = opened(&quine);
    assert!(seen.len() <= 1, "{}", seen.len());
    assert_eq!(reasons(&skipped), [(String::new(), "archive-depth")]);
    let archive = zip_quine();
    let mut member = Vec::new();
    let mut read = zip::ZipArchive::new(std::io::Cursor::new(&archive)).unwrap();
    read.by_index(0).unwrap().read_to_end(&mut member).unwrap();
    assert_eq!((read.len(), &member), (1, &archive));
    let (seen, skipped) = opened(&archive);
    assert_eq!(seen.len(), 0);
    assert_eq!(reasons(&skipped), [("z!z!z!z!z".to_owned(), "archive-depth")]);
    // In a zip, and of many.
    let zipped = zip(&[("a.gz", &quine), ("b.gz", &quine)], Method::Stored);
    assert_eq!(reasons(&opened(&zipped).1).len(), 2);
}

#[test]
fn too_many_members() {
    let names: Vec<String> = (0..1001).map(|i| format!("m{i}")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|n| (n.as_str(), &b"x"[..])).collect();
    check_bounded(&tar(&files), &small_limits(), "archive-members");
    check_bounded(&zip(&files, Method::Stored), &small_limits(), "archive-members");
}

#[test]
fn a_hundred_thousand_members() {
    let names: Vec<String> = (0..100_000).map(|i| format!("dir/member-{i}")).collect();
    let leak = leak();
    let mut files: Vec<(&str, &[u8])> = names.iter().map(|n| (n.as_str(), &b"nothing"[..])).collect();
    files.push(("last", &leak));
    for archive in [zip(&files, Method::Stored), gzip(&tar(&files))] {
        let (seen, skipped) = opened(&archive);
        assert_eq!((seen.len(), skipped.len()), (100_001, 0));
        assert!(seen[100_000].token_at().is_some());
    }
}

#[test]
fn out_of_time() {
    let archive = tar(&(0..200).map(|_| ("name", &b"x"[..])).collect::<Vec<_>>());
    check_bounded(&archive, &Limits { time: std::time::Duration::ZERO, ..Limits::default() }, "archive-time");
}

#[test]
fn encrypted_members_are_listed() {
    let mut archive = zip(&[("open.txt", &leak()), ("secret.txt", b"cipher")], Method::Stored);
    // Sets the flag of the second member, in its local header and in the directory.
    for signature in [b"PK\x03\x04", b"PK\x01\x02"] {
        let at = archive.windows(4).rposition(|w| w == signature).unwrap();
        archive[at + if signature[2] == 3 { 6 } else { 8 }] |= 1;
    }
    let (seen, skipped) = opened(&archive);
    assert_eq!(seen.len(), 1);
    assert!(seen[0].token_at().is_some());
    assert_eq!(reasons(&skipped), [("secret.txt".to_owned(), "encrypted")]);
}

#[test]
fn cut_off_archives_are_read_as_far_as_they_go() {
    let filler: Vec<u8> =
        (0..300_000u32).flat_map(|i| (i.wrapping_mul(2_654_435_761)).to_le_bytes()).collect();
    let leak = leak();
    let files: [(&str, &[u8]); 2] = [("first/.env", &leak), ("filler", &filler)];
    let tar = tar(&files);
    for archive in [zip(&files, Method::Deflated), tar.clone(), gzip(&tar), zstd(&tar)] {
        let (seen, skipped) = opened(&archive[..archive.len() * 3 / 4]);
        assert!(seen.iter().any(|s| s.chain == "first/.env" && s.token_at().is_some()));
        assert!(skipped.iter().any(|s| s.reason == "archive-damaged"), "{skipped:?}");
    }
}

#[test]
fn tar_with_impossible_sizes() {
    let good = tar(&[("good", &leak())]);
    for size in [
        &b"77777777777\0"[..],
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff",
        b"not a number",
    ] {
        let mut bad = tar(&[("bad", b"data")]);
        bad.truncate(1024);
        bad[124..136].copy_from_slice(size);
        bad[148..156].copy_from_slice(b"        ");
        let sum: u32 = bad[..512].iter().map(|&b| u32::from(b)).sum();
        bad[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let archive = [&good[..1024], &bad].concat();
        let (seen, skipped) = opened(&archive);
        assert!(seen[0].token_at().is_some());
        assert_eq!(skipped.last().map(|s| s.reason), Some("archive-damaged"), "{size:?}");
    }
}

/// A database page of 512 bytes with 60 cells, all of which share one record on overflow pages.
fn endless_database() -> Vec<u8> {
    let pages = 4000usize;
    let mut bytes = vec![0; 512 * pages];
    bytes[..16].copy_from_slice(b"SQLite format 3\0");
    bytes[16..18].copy_from_slice(&512u16.to_be_bytes());
    let cells = 60u16;
    bytes[100] = 13;
    bytes[103..105].copy_from_slice(&cells.to_be_bytes());
    for cell in 0..usize::from(cells) {
        bytes[108 + 2 * cell..110 + 2 * cell].copy_from_slice(&400u16.to_be_bytes());
    }
    // The record claims 2,000,000 bytes; where its first overflow page is stands behind the local part.
    bytes[400..404].copy_from_slice(&[0xfa, 0x89, 0x00, 1]);
    let local = 39 + (2_000_000 - 39) % 508;
    let local = if local <= 477 { local } else { 39 };
    let at = 404 + local;
    if at + 4 <= 512 {
        bytes[at..at + 4].copy_from_slice(&2u32.to_be_bytes());
    }
    for page in 1..pages {
        let next = (page as u32 % (pages as u32 - 1)) + 2;
        bytes[512 * page..512 * page + 4].copy_from_slice(&next.to_be_bytes());
        bytes[512 * page + 4..512 * page + 512].fill(b'x');
    }
    bytes
}

#[test]
fn records_without_end() {
    let bytes = endless_database();
    let limits = Limits { ratio: 10, ..small_limits() };
    let (seen, _) = opened_with(&bytes, &limits);
    let total: u64 = seen.iter().map(|s| s.own.len() as u64).sum();
    assert!(total <= limits.total_bytes + bytes.len() as u64, "{total} bytes came out");
}

/// A schema of 16,000 records that are one of 60 MB, whose overflow page leads to itself: copies of a terabyte.
#[test]
fn a_schema_without_end() {
    let size = 65_536usize;
    let mut bytes = vec![0; 2 * size];
    bytes[..16].copy_from_slice(b"SQLite format 3\0");
    bytes[16..18].copy_from_slice(&1u16.to_be_bytes());
    bytes[100] = 13;
    bytes[103..105].copy_from_slice(&16_000u16.to_be_bytes());
    for cell in 0..16_000 {
        bytes[108 + 2 * cell..110 + 2 * cell].copy_from_slice(&40_000u16.to_be_bytes());
    }
    // What is on the page itself, by the format's formula; behind it stands the number of the next page.
    let here = (size - 12) * 32 / 255 - 23;
    let len = here + 900 * (size - 4);
    let digits = [28, 21, 14, 7, 0].map(|shift| (len >> shift) as u8 & 0x7f | 0x80);
    bytes[40_000..40_005].copy_from_slice(&digits);
    bytes[40_004] &= 0x7f;
    bytes[40_005] = 1;
    bytes[40_006 + here..40_010 + here].copy_from_slice(&2u32.to_be_bytes());
    bytes[size..size + 4].copy_from_slice(&2u32.to_be_bytes());
    check_bounded(&bytes, &Limits::default(), "archive-ratio");
}

#[test]
fn maps_and_folders_without_end() {
    // A font whose ranges cover all codes, over and over, each with a long text.
    let range = format!("1 beginbfrange <0000> <FFFF> <{}> endbfrange\n", "0041".repeat(500));
    let map = format!("begincmap\n{}endcmap", range.repeat(400));
    let pdf = format!("%PDF-1.4\n1 0 obj\n<< /Length 1 >>\nstream\n{map}\nendstream\nendobj\n");
    let (seen, skipped) = opened(pdf.as_bytes());
    assert!(!seen.is_empty());
    assert_eq!(skipped, vec![]);

    // EXIF entries that all claim the whole file.
    let mut tiff = b"II*\0\x08\0\0\0".to_vec();
    tiff.extend_from_slice(&2000u16.to_le_bytes());
    for _ in 0..2000 {
        tiff.extend_from_slice(&[0x0e, 1, 2, 0]);
        tiff.extend_from_slice(&200_000u32.to_le_bytes());
        tiff.extend_from_slice(&0u32.to_le_bytes());
    }
    tiff.resize(300_000, b'x');
    let (seen, skipped) = opened(&tiff);
    assert!(seen.iter().map(|s| s.bytes.len()).sum::<usize>() < 40 << 20);
    assert_eq!(reasons(&skipped), [(String::new(), "archive-damaged")]);
}

/// A member of a zip archive that LZMA unpacks with a dictionary of 4 GiB, if what it says of itself were true.
#[test]
fn dictionaries_that_do_not_fit_are_not_made() {
    let mut bytes = zip(&[("a", &[9, 20, 5, 0, 0x5d, 0xff, 0xff, 0xff, 0xff, 0, 1, 2, 3])], Method::Stored);
    let directory = bytes.windows(4).rposition(|w| w == b"PK\x01\x02").unwrap();
    bytes[8] = 14;
    bytes[directory + 10] = 14;
    bytes[directory + 24..directory + 28].copy_from_slice(&0xf000_0000u32.to_le_bytes());
    let (seen, skipped) = opened(&bytes);
    assert_eq!((seen.len(), reasons(&skipped)), (0, vec![("a".to_owned(), "archive-needs-memory")]));
}

/// Names in the table of an ar archive end with their line, with or without a slash.
#[test]
fn a_table_of_names_is_not_one_name() {
    let header = |name: &str, len: usize| format!("{name:<16}{:<32}{len:<10}`\n", 0);
    let table = format!("first.o\nsecond.o/\n{}", "x".repeat(1000));
    let members = format!("{}ab{}cd{}ef", header("/0", 2), header("/8", 2), header("/18", 2));
    let bytes = format!("!<arch>\n{}{table}{members}", header("//", table.len()));
    let (seen, skipped) = opened(bytes.as_bytes());
    assert_eq!(skipped, vec![]);
    let names: Vec<&str> = seen.iter().map(|s| s.chain.as_str()).collect();
    assert_eq!(names, ["first.o", "second.o", "x".repeat(1000).as_str()]);
}

#[test]
fn names_are_names_only() {
    let (seen, _) = opened(&zip(&[("../../etc/passwd", &leak())], Method::Stored));
    assert_eq!(seen[0].chain, "../../etc/passwd");
}

/// One small archive of each kind.
fn samples() -> Vec<Vec<u8>> {
    let leak = leak();
    let files: [(&str, &[u8]); 2] = [("a/.env", &leak), ("b", &[b'x'; 700])];
    let tar = tar(&files);
    let mut samples = super::archive_samples::all();
    samples.extend([
        zip(&files, Method::Stored),
        zip(&files, Method::Deflated),
        zip(&files, Method::Bzip2),
        zip(&files, Method::Zstd),
        zip(&files, Method::Xz),
        gzip(&tar),
        bzip2(&tar),
        xz(&tar),
        zstd(&tar),
        tar,
    ]);
    samples
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn damaged_containers_do_no_harm(
        which in any::<prop::sample::Index>(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        cut in any::<prop::sample::Index>(),
        fix_magic in any::<bool>(),
    ) {
        static SAMPLES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(samples);
        let samples = &*SAMPLES;
        let mut bytes = samples[which.index(samples.len())].clone();
        let head: Vec<u8> = bytes.iter().take(16).copied().collect();
        for (at, value) in edits {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if fix_magic {
            bytes[..head.len()].copy_from_slice(&head);
        }
        bytes.truncate(cut.index(bytes.len()) + 1);
        let limits = small_limits();
        let (seen, _) = opened_with(&bytes, &limits);
        let total: u64 = seen.iter().map(|s| s.own.len() as u64).sum();
        prop_assert!(total <= limits.total_bytes + 2 * bytes.len() as u64);
    }
}
