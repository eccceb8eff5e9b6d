//! What fuzz targets call: every parser of this room, on bytes that are in memory.

mod names;
mod sample;
mod trees;

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::Path;

use bstr::ByteSlice;

use super::bytes::{offset_varint, varint};
use super::config::Config;
use super::delta::{self, DeltaOp};
use super::idx::Idx;
use super::index::Index;
use super::map::MappedFile;
use super::midx::Midx;
use super::pack::{PACK_HEADER, Stored, parse_entry};
use super::recover;
use super::{Commit, HashKind, Kind, Oid, Signature, Tag, alternates, ewah, loose, refs, tree_entries};

pub use names::names;
pub use trees::trees;

/// No object of a fuzzed file may become larger, in bytes.
const LIMIT: u64 = 1 << 20;

/// Splits at the length that the first two bytes say.
fn halves(data: &[u8]) -> (&[u8], &[u8]) {
    let Some((len, rest)) = data.split_first_chunk::<2>() else { return (data, &[]) };
    rest.split_at(usize::from(u16::from_be_bytes(*len)).min(rest.len()))
}

fn hash_of(which: u8) -> HashKind {
    if which & 1 == 0 { HashKind::Sha1 } else { HashKind::Sha256 }
}

/// Pack indexes, multi-pack indexes, indexes of work trees (alone and split), bitmaps.
pub fn tables(data: &[u8]) {
    let Some((&which, data)) = data.split_first() else { return };
    let hash = hash_of(which);
    match which >> 1 & 3 {
        0 => pack_index(data, hash),
        1 => multi_pack_index(data, hash),
        2 => work_tree_index(data, hash),
        _ => bitmap(data),
    }
}

fn pack_index(data: &[u8], hash: HashKind) {
    let Ok(idx) = Idx::made(data.to_vec(), Path::new("fuzz.idx"), hash) else { return };
    assert!(idx.count() <= data.len());
    idx.is_intact(hash);
    for pos in 0..idx.count() {
        let oid = idx.oid(pos).expect("below the count");
        idx.offset(pos);
        idx.crc(pos);
        if let Some(found) = idx.find(&oid) {
            assert_eq!(idx.oid(found), Some(oid));
        }
        assert!(idx.at_or_after(&oid).end == idx.count());
    }
    assert!(idx.oid(idx.count()).is_none() && idx.offset(idx.count()).is_none());
}

fn multi_pack_index(data: &[u8], hash: HashKind) {
    let Some(midx) = Midx::parse(MappedFile::made(data.to_vec()), hash) else { return };
    assert!(midx.packs().len() <= data.len());
    for oid in data.windows(hash.oid_len()).step_by(4).filter_map(Oid::from_bytes) {
        midx.find(&oid);
    }
}

fn work_tree_index(data: &[u8], hash: HashKind) {
    let (own, shared) = halves(data);
    let path = Path::new("index");
    let Ok((index, link)) = Index::parse(own, path, hash) else { return };
    check_index(&index, own.len());
    let Ok((base, _)) = Index::parse(shared, path, hash) else { return };
    let bitmaps = link.and_then(|link| own.get(link)?.get(hash.oid_len()..));
    let most = own.len() + shared.len();
    if let Some(joined) = index.joined(&base, bitmaps.unwrap_or_default()) {
        check_index(&joined, most);
        assert!(joined.entries().len() <= most && joined.check_order().is_some());
    }
}

/// Reads all that an index of so many bytes holds.
fn check_index(index: &Index, len: usize) {
    let paths: usize = index.entries().iter().map(|entry| index.path(entry).len()).sum();
    assert!(paths <= 32 * len + (2 << 20), "{paths} bytes of paths in {len} bytes");
    let Some(root) = index.cached_root() else { return };
    let mut at = root;
    while let Some(tree) = index.cached_tree(at) {
        let _ = tree.tree;
        for entry in index.entries().iter().take(8) {
            let name = index.path(entry).split_once_str("/").map_or(&b""[..], |(name, _)| name);
            assert!(index.cached_child(at, name).is_none_or(|child| child > at));
        }
        at += 1;
        if at > 64 {
            break;
        }
    }
}

fn bitmap(data: &[u8]) {
    let (limit, data) = data.split_at(data.len().min(2));
    let limit = limit.iter().fold(0usize, |n, &b| n << 8 | usize::from(b));
    if let Some((set, used)) = ewah::bits(data, limit) {
        assert!(set.is_sorted_by(|a, b| a < b) && set.last().is_none_or(|&last| last < limit));
        assert!(used <= data.len());
    }
}

/// Entries of packs, deltas, loose objects, and packs whose index is made anew.
pub fn packs(data: &[u8]) {
    let Some((&which, data)) = data.split_first() else { return };
    let hash = hash_of(which);
    match which >> 1 & 7 {
        0 => entries(data, hash),
        1 => deltas(data),
        2 => {
            if let Ok((_, object)) = loose::decode(data, LIMIT) {
                assert!(object.len() as u64 <= LIMIT);
            }
        }
        3 => loose_content(data),
        4 => drop(recover::index_of_bytes(data, hash, LIMIT)),
        _ => written_pack(data, hash),
    }
}

fn entries(data: &[u8], hash: HashKind) {
    for offset in (0..data.len() as u64 + 2).chain([u64::MAX, 1 << 63]) {
        let Ok(entry) = parse_entry(data, offset, hash) else { continue };
        assert!(entry.data_at <= data.len() && entry.data_at as u64 > offset);
        if let Stored::OffsetDelta(base) = entry.stored {
            assert!((PACK_HEADER..offset).contains(&base));
        }
    }
    for read in [varint, offset_varint] {
        assert!(read(data).is_none_or(|(_, used)| used <= data.len()));
    }
}

/// What the instructions say of the result.
fn deltas(data: &[u8]) {
    let (base, delta) = halves(data);
    let (mut out, mut ops) = (Vec::new(), Vec::new());
    let applied = delta::apply(base, delta, LIMIT, &mut out, &mut ops);
    assert_eq!(delta::applied(base, delta, LIMIT).ok(), applied.is_ok().then(|| out.clone()));
    if applied.is_err() {
        return;
    }
    let mut end = 0;
    for op in ops {
        let (dst, len) = match op {
            DeltaOp::Copy { src, dst, len } => {
                assert_eq!(base[src..src + len], out[dst..dst + len]);
                (dst, len)
            }
            DeltaOp::Insert { dst, len } => (dst, len),
        };
        assert_eq!(dst, end);
        end += len;
    }
    assert_eq!(end, out.len());
}

/// A zlib stream that holds so much as it is: compressing would take most of the time.
fn deflated(content: &[u8]) -> Vec<u8> {
    let content = &content[..content.len().min(0xffff)];
    let len = content.len() as u16;
    let mut out = vec![0x78, 1, 1];
    out.extend(len.to_le_bytes());
    out.extend((!len).to_le_bytes());
    out.extend_from_slice(content);
    let (a, b) = content.iter().fold((1u32, 0u32), |(a, b), &byte| {
        let a = (a + u32::from(byte)) % 65521;
        (a, (b + a) % 65521)
    });
    out.extend((b << 16 | a).to_be_bytes());
    out
}

/// A loose object whose stream is sound: what it holds is up to its header.
fn loose_content(content: &[u8]) {
    let Ok((kind, object)) = loose::decode(&deflated(content), LIMIT) else { return };
    let (header, body) = content.split_once_str("\0").expect("a header ends with a zero byte");
    assert_eq!(object, body);
    assert!(header.starts_with(kind.name().as_bytes()));
}

/// A pack of sound streams: kinds, sizes, distances and contents are up to `data`.
fn written_pack(mut data: &[u8], hash: HashKind) {
    let mut pack = b"PACK\0\0\0\x02\0\0\0\0".to_vec();
    let mut count = 0u32;
    let mut oids: Vec<Oid> = Vec::new();
    while let Some((&[kind, len, back], rest)) = data.split_first_chunk::<3>().filter(|_| count < 16) {
        let (content, rest) = rest.split_at(usize::from(len).min(rest.len()));
        data = rest;
        let size = content.len() + usize::from(kind >> 7);
        pack.push(kind << 4 & 0x70 | size as u8 & 0x0f | if size > 15 { 0x80 } else { 0 });
        if size > 15 {
            pack.push((size >> 4) as u8);
        }
        match kind & 7 {
            // A distance of one or two bytes.
            6 if back < 128 => pack.push(back),
            6 => pack.extend([0x80, back & 0x7f]),
            7 => {
                let base = oids.get(usize::from(back)).copied().unwrap_or(Oid::null(hash));
                pack.extend_from_slice(base.as_bytes());
            }
            _ => oids.push(hash.hash(Kind::Blob, content)),
        }
        pack.extend(deflated(content));
        count += 1;
    }
    pack[8..12].copy_from_slice(&count.to_be_bytes());
    let checksum = hash.checksum(&pack);
    pack.extend(checksum);
    let Some(found) = recover::index_of_bytes(&pack, hash, LIMIT) else { return };
    let idx = Idx::made(found.index, Path::new("fuzz.idx"), hash).expect("an index as git writes it");
    assert!(idx.is_intact(hash) && idx.count() <= count as usize);
    assert!(!found.complete || idx.count() == count as usize);
    for pos in 0..idx.count() {
        let oid = idx.oid(pos).expect("below the count");
        assert_eq!(idx.find(&oid).and_then(|found| idx.oid(found)), Some(oid));
        parse_entry(&pack, idx.offset(pos).expect("a sound index"), hash).expect("an entry is there");
    }
    crate::source::archive::fuzzing::open(&pack);
}

/// Commits, tags, trees, and the texts in a repository: configuration, refs, reflogs, alternates.
pub fn texts(data: &[u8]) {
    let Some((&which, data)) = data.split_first() else { return };
    match which & 7 {
        0 => {
            if let Ok(commit) = Commit::parse(data) {
                assert!(data.ends_with(commit.message) && commit.parents.len() <= data.len() / 40);
            }
        }
        1 => {
            if let Ok(tag) = Tag::parse(data) {
                assert!(data.ends_with(tag.message));
            }
        }
        2 | 3 => tree(data, hash_of(which)),
        4 => signature(data),
        5 => configuration(data),
        6 => lines(data),
        _ => new_lines(data),
    }
}

fn tree(data: &[u8], hash: HashKind) {
    let mut rest = data.len();
    for entry in tree_entries(data, hash) {
        let Ok(entry) = entry else { return };
        let least = entry.name.len() + 2 + hash.oid_len();
        assert!(least < rest && !entry.name.contains(&0));
        rest -= least;
    }
}

fn signature(data: &[u8]) {
    let parsed = Signature::parse(data);
    assert!(parsed.name.len() + parsed.email.len() <= data.len());
    assert!(parsed.offset_minutes.abs() < 100 * 60 + 100);
}

fn configuration(data: &[u8]) {
    let config = Config::parse(data);
    for key in ["core.bare", "core.worktree", "extensions.objectformat"] {
        assert!(!config.is_true(key) || config.get(key).is_some());
    }
    config.is_true_in_any("remote", "promisor");
    for (name, value) in config.section("extensions") {
        assert!(!name.contains('.'));
        assert_eq!(config.get(&format!("extensions.{name}")), Some(value));
    }
}

fn lines(data: &[u8]) {
    for line in data.lines() {
        refs::reflog_line(&"HEAD".into(), line);
        if let Some(oid) = Oid::from_hex(line) {
            assert_eq!(oid.to_hex().as_bytes(), line.to_ascii_lowercase());
        }
    }
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        alternates::parse_env_list(OsStr::from_bytes(data));
    }
    #[cfg(not(unix))]
    alternates::parse_env_list(OsStr::new(&*data.to_str_lossy()));
}

/// The lines that are new, and the slow twin.
fn new_lines(data: &[u8]) {
    let (old, new) = halves(data);
    let ranges = super::new_lines(&[old], new);
    assert!(ranges.iter().all(|r| r.start < r.end) && ranges.windows(2).all(|w| w[0].end < w[1].start));
    let found: Vec<u8> = ranges.into_iter().flat_map(|range| new[range].to_vec()).collect();
    let text = |line: &'_ [u8]| line.strip_suffix(b"\n").map_or(line.to_vec(), <[u8]>::to_vec);
    let known: HashSet<Vec<u8>> = old.split_inclusive(|&b| b == b'\n').map(text).collect();
    let slow: Vec<u8> = new
        .split_inclusive(|&b| b == b'\n')
        .filter(|line| !known.contains(&text(line)))
        .flatten()
        .copied()
        .collect();
    assert_eq!(found, slow);
}
