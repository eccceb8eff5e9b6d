//! Builds containers and opens them, for the tests of `source::archive`.

use std::io::{Read, Write};

use stanch::finding::Skipped;
use stanch::source::archive::{Limits, Member, open};

/// Shaped like a token, put together here so that no scanner takes this file for a leak.
pub fn token() -> String {
    format!("{}{}", "tok", "_A1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q7r8")
}

/// A text in which the token stands on line 3 in column 8.
pub fn leak() -> Vec<u8> {
    format!("first\nsecond\nkey = \"{}\"\nlast\n", token()).into_bytes()
}

/// A member as the sink saw it.
#[derive(Clone, Debug)]
pub struct Seen {
    pub chain: String,
    pub bytes: Vec<u8>,
    pub binary: bool,
    pub offset: u64,
    pub own: std::ops::Range<usize>,
}

impl Seen {
    fn of(m: Member<'_>) -> Self {
        let names: Vec<String> = m.chain.iter().map(ToString::to_string).collect();
        Seen {
            chain: names.join("!"),
            bytes: m.piece.bytes.to_vec(),
            binary: m.binary,
            offset: m.piece.offset,
            own: m.piece.own.clone(),
        }
    }

    /// Offset of the token in `bytes`.
    pub fn token_at(&self) -> Option<usize> {
        let token = token();
        self.bytes.windows(token.len()).position(|w| w == token.as_bytes())
    }
}

pub fn opened_with(bytes: &[u8], limits: &Limits) -> (Vec<Seen>, Vec<Skipped>) {
    let (mut seen, mut skipped) = (Vec::new(), Vec::new());
    open(bytes, limits, &mut |m| seen.push(Seen::of(m)), &mut skipped);
    (seen, skipped)
}

pub fn opened(bytes: &[u8]) -> (Vec<Seen>, Vec<Skipped>) {
    opened_with(bytes, &Limits::default())
}

/// Checks that the token is seen in exactly this member, on line 3 in column 8, and nothing is skipped.
#[track_caller]
pub fn check(bytes: &[u8], chain: &str) {
    let (seen, skipped) = opened(bytes);
    assert_eq!(skipped, vec![]);
    let holders: Vec<&Seen> = seen.iter().filter(|s| s.token_at().is_some()).collect();
    let chains: Vec<&str> = seen.iter().map(|s| s.chain.as_str()).collect();
    assert_eq!(holders.len(), 1, "in {chains:?}");
    assert_eq!(holders[0].chain, chain);
    assert!(!holders[0].binary);
    assert_eq!(holders[0].offset, 0);
    let before = &holders[0].bytes[..holders[0].token_at().unwrap()];
    assert_eq!(before.iter().filter(|&&b| b == b'\n').count(), 2);
    assert_eq!(before.iter().rev().position(|&b| b == b'\n'), Some(7));
}

/// Checks that the token is seen in this member, whatever else there is.
#[track_caller]
pub fn check_in(bytes: &[u8], chain: &str, binary: bool) {
    let (seen, skipped) = opened(bytes);
    assert_eq!(skipped, vec![]);
    let chains: Vec<_> = seen.iter().map(|s| (s.chain.as_str(), s.token_at(), s.binary)).collect();
    assert!(
        seen.iter().any(|s| s.chain == chain && s.binary == binary && s.token_at().is_some()),
        "in {chains:?}"
    );
}

pub fn reasons(skipped: &[Skipped]) -> Vec<(String, &'static str)> {
    skipped.iter().map(|s| (s.what.to_string(), s.reason)).collect()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

pub fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    bzip2::read::BzEncoder::new(bytes, bzip2::Compression::best()).read_to_end(&mut out).unwrap();
    out
}

pub fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    liblzma::read::XzEncoder::new(bytes, 6).read_to_end(&mut out).unwrap();
    out
}

pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(bytes, 3).unwrap()
}

/// A zip archive of these files.
pub fn zip(files: &[(&str, &[u8])], method: zip::CompressionMethod) -> Vec<u8> {
    let mut out = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(method);
    for (name, bytes) in files {
        out.start_file(*name, options).unwrap();
        out.write_all(bytes).unwrap();
    }
    out.finish().unwrap().into_inner()
}

/// A tar archive of these files.
pub fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        out.append_data(&mut header, name, *bytes).unwrap();
    }
    out.into_inner().unwrap()
}
