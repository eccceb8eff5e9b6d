//! Large inputs: pieces, threads, and work and memory that grow no faster than the input.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Stdio;

use stanch::source::reader::{OVERLAP, PIECE};

use super::cli_support::{Bound, Report, Run, bounded, github, letters, scan, scan_input, stanch};
use super::git_support::{Numbers, Sandbox};

/// Harmless text of `len` bytes, or a few more: words, long and short lines, characters of two and three bytes.
fn filler(len: usize, seed: u64) -> String {
    const WORDS: [&str; 8] = ["harmless", "words", "für", "alle", "日本", "x", "=", "(y)"];
    let mut numbers = Numbers(seed | 1);
    let mut text = String::with_capacity(len + 16);
    while text.len() < len {
        text.push_str(WORDS[numbers.below(8)]);
        text.push(if numbers.below(12) == 0 { '\n' } else { ' ' });
    }
    text
}

/// Line and column (in characters) of byte `at`, counted the slow way.
fn position(text: &str, at: usize) -> (u64, u64) {
    let before = &text[..at];
    let line = before.matches('\n').count() as u64 + 1;
    let column = before.rsplit('\n').next().unwrap().chars().count() as u64 + 1;
    (line, column)
}

/// The place of each finding, and its value.
fn found(report: &Report) -> Vec<(u64, u64, String)> {
    let number = |v: &serde_json::Value| v.as_u64().unwrap();
    let one = |f: &serde_json::Value| {
        (number(&f["line"]), number(&f["column"]), f["secret"].as_str().unwrap().to_owned())
    };
    report.findings().iter().map(one).collect()
}

#[test]
fn secrets_across_the_seams_of_pieces() {
    // Where the pieces of a file of this size begin and end, and where their contexts do.
    let seams = [
        PIECE,
        PIECE + OVERLAP,
        PIECE + 2 * OVERLAP,
        2 * PIECE,
        2 * PIECE + OVERLAP,
        2 * PIECE + 2 * OVERLAP,
        2 * PIECE + 3 * OVERLAP,
    ];
    for (round, shift) in [0usize, 1, 20, 39, 40].into_iter().enumerate() {
        let mut text = filler(2 * PIECE + 4 * OVERLAP, round as u64 + 7);
        let mut expected = Vec::new();
        for (i, seam) in seams.iter().enumerate() {
            let token = github((round * 100 + i) as u64);
            let mut at = seam - shift;
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            let mut end = at + token.len() + 2;
            while !text.is_char_boundary(end) {
                end += 1;
            }
            text.replace_range(at..end, &format!(" {token} "));
            let (line, column) = position(&text, at + 1);
            expected.push((line, column, token));
        }
        let dir = Sandbox::empty();
        dir.write("large.txt", &text);
        let file = scan(dir.path(), ["--show-secrets", "large.txt"]).exits(1).report();
        assert_eq!(found(&file), expected, "shift {shift}");
        assert_eq!(file.count("bytes"), text.len() as u64);
        let input = scan_input(dir.path(), text.as_bytes()).exits(1).report();
        assert_eq!(found(&input), expected, "shift {shift}, from standard input");
    }
}

#[test]
fn a_private_key_across_a_seam() {
    let begin = format!("-----BEGIN RSA {} KEY-----\n", "PRIVATE");
    let key = format!("{begin}{}\n", stanch::matcher::checksum::complete("private-key", &begin).unwrap());
    for seam in [PIECE, PIECE + OVERLAP, PIECE + 2 * OVERLAP] {
        for shift in [5, key.len() / 2, key.len() - 5] {
            let mut text = "harmless line\n".repeat((PIECE + 3 * OVERLAP) / 14);
            let at = text[..seam - shift].rfind('\n').unwrap() + 1;
            text.insert_str(at, &key);
            let dir = Sandbox::empty();
            dir.write("large.txt", &text);
            let report = scan(dir.path(), ["large.txt"]).exits(1).report();
            let (line, column) = position(&text, at);
            assert_eq!(report.findings().len(), 1, "{:?}", report.places());
            let finding = &report.findings()[0];
            assert_eq!((finding["line"].as_u64(), finding["column"].as_u64()), (Some(line), Some(column)));
        }
    }
}

#[test]
fn a_stream_that_comes_in_drops_is_the_same_stream() {
    let dir = Sandbox::empty();
    let token = github(1);
    let text = format!("{}\n{token}\n{}", filler(300_000, 3), filler(300_000, 4));
    let whole = scan_input(dir.path(), text.as_bytes()).exits(1).report();
    let mut command = stanch(dir.path(), ["scan", "-", "--format", "json", "--show-secrets"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let mut numbers = Numbers(5);
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let (drop, after) = rest.split_at(rest.len().min(1 + numbers.below(9000)));
        pipe.write_all(drop).unwrap();
        rest = after;
    }
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    let drops = Report(serde_json::from_slice(&output.stdout).unwrap());
    assert_eq!(drops.0["findings"], whole.0["findings"]);
    assert_eq!(drops.findings().len(), 1);
}

#[test]
fn any_number_of_threads_writes_the_same_report() {
    let dir = Sandbox::empty();
    for i in 0..300u64 {
        let text = filler(200 + 37 * i as usize, i).replacen(' ', &format!("\ntoken = '{}'\n", github(i)), 2);
        dir.write(&format!("d{}/e{}/f{i}.txt", i % 3, i % 7), text);
    }
    dir.write("cut.gz", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\x4b");
    std::os::unix::fs::symlink("x", dir.join("link")).unwrap();
    let with = |threads: &str| {
        let mut report = scan(dir.path(), ["--threads", threads, ".", "missing"]).exits(2).report();
        for name in ["started", "elapsed_ms"] {
            report.0["summary"].as_object_mut().unwrap().remove(name);
        }
        report.0
    };
    let one = with("1");
    assert_eq!(Report(one.clone()).findings().len(), 600);
    for threads in ["2", "3", "16", "0"] {
        assert_eq!(with(threads), one, "{threads} threads");
    }
    let sarif = |threads: &str| {
        Run::of(&mut stanch(dir.path(), ["scan", "--format", "sarif", "--threads", threads])).stdout
    };
    let timeless = |text: String| -> Vec<String> {
        text.lines().filter(|line| !line.contains("Utc")).map(str::to_owned).collect()
    };
    assert_eq!(timeless(sarif("1")), timeless(sarif("4")));
}

/// Runs a scan with this much address space, in bytes.
fn within(dir: &Path, args: &[&str], memory: u64) -> Run {
    let mut command = stanch(dir, ["scan", "--format", "json", "--threads", "1"]);
    Run::of(bounded(command.args(args), Bound::Memory, memory))
}

/// A sparse file with texts at these places.
fn sparse(path: &Path, len: u64, texts: &[(u64, &str)]) {
    let file = File::create(path).unwrap();
    file.set_len(len).unwrap();
    for (at, text) in texts {
        file.write_all_at(text.as_bytes(), *at).unwrap();
    }
}

#[test]
fn a_file_larger_than_memory() {
    // One line of 600 MB, most of it NUL, in less than half of that.
    let dir = Sandbox::empty();
    let len = 600 << 20;
    let (first, last) = (format!(" {} ", github(1)), format!(" {}", github(2)));
    sparse(&dir.join("huge.bin"), len, &[(300 << 20, &first), (len - last.len() as u64, &last)]);
    let report = within(dir.path(), &["huge.bin", "--show-secrets"], 256 << 20).exits(1).report();
    assert_eq!(report.secrets(), [github(1), github(2)]);
    let columns: Vec<u64> = report.findings().iter().map(|f| f["column"].as_u64().unwrap()).collect();
    assert_eq!(columns, [(300 << 20) + 2, len - last.len() as u64 + 2]);
    assert_eq!(report.findings()[1]["line"], 1);
    assert_eq!(report.count("bytes"), len);
}

/// Address space for a scan of one large file: the program, and 64 MB that the allocator reserves for a thread.
const BOUND: u64 = 144 << 20;

#[test]
fn one_line_of_text_without_end() {
    // 100 MB; a fourth in debug builds, whose program takes thirty times as long.
    let len = if cfg!(debug_assertions) { 25_000_000 } else { 100_000_000 };
    let dir = Sandbox::empty();
    let mut text = "0123456789abcdef ".repeat(len / 17);
    text.push_str(&github(1));
    dir.write("line.txt", &text);
    let report = within(dir.path(), &["line.txt"], BOUND).exits(1).report();
    assert_eq!(report.places(), [format!("line.txt:1:{} github-pat", text.len() - 39)]);
    assert_eq!(report.count("bytes"), text.len() as u64);
}

#[test]
fn a_file_of_nothing_but_base64() {
    // 50 MB, twice; less in debug builds, but more than is read at a time.
    let len = if cfg!(debug_assertions) { 6_000_000 } else { 50_000_000 };
    let dir = Sandbox::empty();
    let filler = "a word and another. ".repeat(len * 3 / 4 / 20 / 3 * 3);
    let text = data_encoding::BASE64.encode(format!("{filler} {} {filler}", github(1)).as_bytes());
    // Three bytes are four characters; the token begins in the second of four.
    let column = filler.len() / 3 * 4 + 2;
    dir.write("line.txt", &text);
    // The same, 76 characters a line.
    let lines: Vec<&str> = text.as_bytes().chunks(76).map(|l| std::str::from_utf8(l).unwrap()).collect();
    dir.write("lines.txt", lines.join("\n"));
    let report = within(dir.path(), &["line.txt", "lines.txt"], BOUND).exits(1).report();
    let (line, rest) = ((column - 1) / 76 + 1, (column - 1) % 76 + 1);
    let expected = [format!("line.txt:1:{column} github-pat"), format!("lines.txt:{line}:{rest} github-pat")];
    assert_eq!(report.places(), expected);
    assert!(report.findings().iter().all(|f| f["decoded"] == serde_json::json!(["base64"])));
}

#[test]
fn a_hundred_thousand_findings_in_one_file() {
    // Quadratic work would take hours here.
    let dir = Sandbox::empty();
    let mut text = String::new();
    for i in 0..100_000 {
        text.push_str(&github(i));
        text.push('\n');
    }
    dir.write("many.txt", &text);
    let report = scan(dir.path(), ["many.txt"]).exits(1).report();
    assert_eq!(report.findings().len(), 100_000);
    assert_eq!(report.count("findings"), 100_000);
    let lines: Vec<u64> = report.findings().iter().map(|f| f["line"].as_u64().unwrap()).collect();
    assert!(lines.iter().copied().eq(1..=100_000));
    // On one line, too.
    dir.write("many.txt", text.replace('\n', " "));
    let report = scan(dir.path(), ["many.txt"]).exits(1).report();
    assert_eq!(report.findings().len(), 100_000);
    assert_eq!(report.findings()[99_999]["column"], 99_999 * 41 + 1);
}

#[test]
fn a_hundred_thousand_findings_over_many_files() {
    let dir = Sandbox::empty();
    for file in 0..1000u64 {
        let lines: Vec<String> = (0..100).map(|i| format!("token = '{}'", github(file * 100 + i))).collect();
        dir.write(&format!("{}/{file}.txt", file % 10), lines.join("\n"));
    }
    let run = Run::of(&mut stanch(dir.path(), ["scan", "--format", "jsonl"])).exits(1);
    assert_eq!(run.stdout.lines().count(), 100_001);
    // The baseline of some, and a scan with it.
    Run::of(&mut stanch(dir.path(), ["baseline", "update", "--quiet", "0", "1"])).exits(0);
    let report = scan(dir.path(), ["0", "1", "2"]).exits(1).report();
    assert_eq!((report.count("suppressed"), report.count("findings")), (20_000, 10_000));
}

#[test]
fn the_nearest_part_belongs_to_a_find() {
    let dir = Sandbox::empty();
    let id = |i| format!("{}{}", ["AK", "IA"].concat(), base32(i));
    let pair =
        |i| format!("aws_access_key_id = {}\naws_secret_access_key = {}\n\n", id(i), letters(i + 500, 40));
    dir.write("credentials", (0..30).map(pair).collect::<String>());
    let report = scan(dir.path(), ["credentials"]).exits(1).report();
    let ids: Vec<_> = report.findings().iter().filter(|f| f["rule"] == "aws-access-token").collect();
    assert_eq!(ids.len(), 30, "{:?}", report.places());
    assert_eq!(report.findings().len(), 30, "a part has no finding of its own: {:?}", report.places());
    for id in ids {
        assert_eq!(id["parts"][0]["line"].as_u64(), id["line"].as_u64().map(|line| line + 1), "{id}");
    }
}

/// Sixteen letters and digits of base32.
fn base32(seed: u64) -> String {
    let mut numbers = Numbers(seed * 977 + 13);
    (0..16).map(|_| char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[numbers.below(32)])).collect()
}

#[test]
fn a_staged_file_of_many_lines_and_findings() {
    let repo = Sandbox::new();
    let old: String = (0..50_000).map(|i| format!("line {i}\n")).collect();
    repo.write("large.txt", &old);
    repo.commit("old");
    let new: String = (0..50_000)
        .map(|i| if i % 10 == 0 { format!("{}\n", github(i)) } else { format!("line {i}\n") })
        .collect();
    repo.write("large.txt", &new);
    repo.git(["add", "."]);
    let report = scan(repo.path(), ["--staged"]).exits(1).report();
    assert_eq!(report.findings().len(), 5000);
    assert_eq!(report.findings()[4999]["line"], 49_991);
}

#[test]
fn deep_folders() {
    // Deeper than any path may be long: entered step by step, or listed as a skip, but never a crash.
    let dir = Sandbox::empty();
    dir.write("leak.txt", format!("token = '{}'\n", github(1)));
    let name = std::ffi::CString::new("d".repeat(100)).unwrap();
    let mut folder = std::os::fd::OwnedFd::from(File::open(dir.path()).unwrap());
    for _ in 0..50 {
        // SAFETY: the descriptor is open, the name is a C string, and what openat returns is ours.
        folder = unsafe {
            assert_eq!(libc::mkdirat(folder.as_raw_fd(), name.as_ptr(), 0o755), 0);
            let next = libc::openat(folder.as_raw_fd(), name.as_ptr(), libc::O_RDONLY | libc::O_DIRECTORY);
            assert!(next >= 0);
            std::os::fd::OwnedFd::from_raw_fd(next)
        };
    }
    let run = scan(dir.path(), ["."]);
    let report = run.report();
    assert_eq!(report.paths(), ["leak.txt"]);
    // A path longer than the system takes cannot be read, and that is said.
    assert_eq!(run.code, Some(2), "{:?}", report.skipped());
    assert_eq!(report.skipped().len(), 1);
}

/// Members of every kind: small, large, binary, in other encodings, in containers of their own.
#[test]
fn threads_share_a_large_container_and_report_the_same() {
    use super::archive_support::{gzip, tar, zip};
    let leak =
        |seed: u64, len| format!("{}\ntoken = '{}'\n{}", filler(len, seed), github(seed), filler(len, seed));
    let mut files: Vec<(String, Vec<u8>)> =
        (0..300).map(|i| (format!("small/{i}"), leak(i, 37 * i as usize % 900).into_bytes())).collect();
    files.push((
        "large.txt".to_owned(),
        [leak(301, PIECE / 2), leak(302, PIECE / 2 + OVERLAP)].concat().into_bytes(),
    ));
    files.push(("wide.txt".to_owned(), utf16(&[leak(303, PIECE / 4), leak(304, PIECE / 2)].concat())));
    let program = |seed| {
        [b"\x7fELF\0\0", leak(seed, 3000).as_bytes(), b"\0\0", &utf16(&leak(seed + 1, 50))[2..]].concat()
    };
    files.push(("program".to_owned(), program(305)));
    files.push((
        "large-program".to_owned(),
        [program(307), vec![0; PIECE], program(309), vec![7; PIECE]].concat(),
    ));
    let inner = leak(311, 100).into_bytes();
    files.push(("inner.zip".to_owned(), zip(&[("deep", &inner)], zip::CompressionMethod::Deflated)));
    files.push(("cut.gz".to_owned(), gzip(&leak(312, 9000).into_bytes())[..900].to_vec()));
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), &bytes[..])).collect();
    let dir = Sandbox::empty();
    dir.write("image.tar", tar(&files));
    let with = |threads: &str, limit: &str| {
        let args = ["image.tar", "--threads", threads, "--archive-members", limit];
        let mut report = scan(dir.path(), args).exits(2).report();
        for name in ["started", "elapsed_ms"] {
            report.0["summary"].as_object_mut().unwrap().remove(name);
        }
        report
    };
    for limit in ["1000", "200"] {
        let one = with("1", limit);
        let least = if limit == "200" { 200 } else { 311 };
        assert!(one.findings().len() >= least, "{:?}", one.places());
        for threads in ["2", "5"] {
            assert_eq!(with(threads, limit).0, one.0, "{threads} threads");
        }
    }
}

/// Larger than what is held in memory, and read from its end.
#[test]
fn a_zip_archive_larger_than_memory_is_read_whole() {
    use super::archive_support::zip;
    let (first, last) = (format!("a\n{}\n", github(1)), format!("a\nb\n{}\n", github(2)));
    let files: [(&str, &[u8]); 3] =
        [("first", first.as_bytes()), ("zeros", &vec![0; 97 << 20]), ("last", last.as_bytes())];
    let dir = Sandbox::empty();
    dir.write("app.jar", zip(&files, zip::CompressionMethod::Stored));
    let report = scan(dir.path(), ["app.jar", "--show-secrets"]).exits(1).report();
    assert_eq!(found(&report), [(2, 1, github(1)), (3, 1, github(2))]);
}

/// UTF-16 with a byte order mark.
fn utf16(text: &str) -> Vec<u8> {
    std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

#[test]
fn large_texts_in_other_encodings() {
    let dir = Sandbox::empty();
    let mut text = filler(2 * PIECE, 11) + "\u{1f600}";
    let mut expected = Vec::new();
    // Bytes of the file are twice the characters here; some stand where pieces end.
    for (i, at) in
        [100, PIECE / 2 - 10, PIECE / 2 + OVERLAP / 2 - 30, PIECE, 3 * PIECE / 2].into_iter().enumerate()
    {
        let token = github(i as u64);
        let at = (at..).find(|&at| text.is_char_boundary(at)).unwrap();
        text.insert_str(at, &format!("\u{1f600} {token} "));
        expected.push(token);
    }
    let places: Vec<(u64, u64, String)> = expected
        .iter()
        .map(|token| {
            let (line, column) = position(&text, text.find(token.as_str()).unwrap());
            (line, column, token.clone())
        })
        .collect();
    let bytes = utf16(&text);
    assert!(bytes.len() > 2 * PIECE);
    dir.write("wide.txt", &bytes);
    let report = scan(dir.path(), ["--show-secrets", "wide.txt"]).exits(1).report();
    assert_eq!(found(&report), places);
    assert!(report.findings().iter().all(|f| f["decoded"][0] == "utf-16le"));
    assert_eq!(found(&scan_input(dir.path(), &bytes).exits(1).report()), places);
}

#[test]
fn new_lines_of_a_text_in_another_encoding() {
    let repo = Sandbox::new();
    let old: Vec<String> = (0..50).map(|i| format!("token = '{}'", github(i))).collect();
    repo.write("wide.txt", utf16(&(old.join("\n") + "\n")));
    repo.commit("old");
    let mut new = old;
    new.insert(20, format!("für = '{}'", github(99)));
    repo.write("wide.txt", utf16(&(new.join("\n") + "\n")));
    repo.git(["add", "."]);
    let report = scan(repo.path(), ["--staged", "--show-secrets"]).exits(1).report();
    assert_eq!(found(&report), [(21, 8, github(99))]);
}

#[test]
fn large_containers_on_standard_input() {
    // Larger than one piece, even packed: numbers, and a secret behind them.
    let dir = Sandbox::empty();
    let mut numbers = Numbers(3);
    let noise: Vec<u8> = (0..12 << 20).map(|_| b"0123456789 \n"[numbers.below(12)]).collect();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&noise).unwrap();
    packed.write_all(format!("\ntoken = '{}'\n", github(1)).as_bytes()).unwrap();
    let bytes = packed.finish().unwrap();
    assert!(bytes.len() > PIECE);
    dir.write("large.gz", &bytes);
    let file = scan(dir.path(), ["--show-secrets", "large.gz"]).exits(1).report();
    assert_eq!(file.secrets(), [github(1)]);
    let input = scan_input(dir.path(), &bytes).exits(1).report();
    assert_eq!(found(&input), found(&file));
    assert_eq!((input.count("bytes"), input.skipped()), (bytes.len() as u64, vec![]));
}
