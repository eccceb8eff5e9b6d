//! Packs made by hand, for what `git` would never write.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use sha1::{Digest, Sha1};
use stanch::source::git::{HashKind, Kind, Oid};

use crate::git_support::Sandbox;

/// A pack that grows entry by entry.
pub struct PackWriter {
    bytes: Vec<u8>,
    /// Id, offset and CRC-32 of each entry.
    rows: Vec<(Oid, u64, u32)>,
}

/// The id of a blob.
pub fn blob_oid(content: &[u8]) -> Oid {
    HashKind::Sha1.hash(Kind::Blob, content)
}

pub fn deflate(content: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn varint(mut value: usize) -> Vec<u8> {
    let mut out = Vec::new();
    while value > 0x7f {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

/// The instruction that copies `len` (at most 2^24 - 1) bytes from `src`.
pub fn copy(src: usize, len: usize) -> Vec<u8> {
    let mut op = 0x80;
    let mut operands = Vec::new();
    for (bit, byte) in (src as u32).to_le_bytes().iter().chain(&(len as u32).to_le_bytes()[..3]).enumerate() {
        if *byte != 0 {
            op |= 1 << bit;
            operands.push(*byte);
        }
    }
    [vec![op], operands].concat()
}

/// The instruction that inserts a short text.
pub fn insert(text: &[u8]) -> Vec<u8> {
    assert!((1..128).contains(&text.len()));
    [&[text.len() as u8], text].concat()
}

/// A delta with its sizes.
pub fn delta(base_size: usize, result_size: usize, ops: &[Vec<u8>]) -> Vec<u8> {
    [varint(base_size), varint(result_size), ops.concat()].concat()
}

impl PackWriter {
    pub fn new() -> Self {
        PackWriter { bytes: b"PACK\0\0\0\x02\0\0\0\0".to_vec(), rows: Vec::new() }
    }

    /// Adds any entry and returns its offset. `size` is the size that its header declares.
    pub fn raw(&mut self, oid: Oid, kind: u8, size: usize, base: &[u8], stream: &[u8]) -> u64 {
        let offset = self.bytes.len();
        let mut rest = size >> 4;
        self.bytes.push(kind << 4 | (size & 15) as u8 | if rest > 0 { 0x80 } else { 0 });
        while rest > 0 {
            self.bytes.push((rest & 0x7f) as u8 | if rest > 0x7f { 0x80 } else { 0 });
            rest >>= 7;
        }
        self.bytes.extend_from_slice(base);
        self.bytes.extend_from_slice(stream);
        self.rows.push((oid, offset as u64, crc32fast::hash(&self.bytes[offset..])));
        offset as u64
    }

    pub fn blob(&mut self, content: &[u8]) -> u64 {
        self.raw(blob_oid(content), 3, content.len(), b"", &deflate(content))
    }

    pub fn offset_delta(&mut self, oid: Oid, base: u64, delta: &[u8]) -> u64 {
        let mut distance = self.bytes.len() as u64 - base;
        let mut encoded = vec![(distance & 0x7f) as u8];
        while distance > 0x7f {
            distance = (distance >> 7) - 1;
            encoded.insert(0, (distance & 0x7f) as u8 | 0x80);
        }
        self.raw(oid, 6, delta.len(), &encoded, &deflate(delta))
    }

    pub fn ref_delta(&mut self, oid: Oid, base: &Oid, delta: &[u8]) -> u64 {
        self.raw(oid, 7, delta.len(), base.as_bytes(), &deflate(delta))
    }

    /// The pack and its index.
    fn finish(mut self) -> (Vec<u8>, Vec<u8>) {
        self.bytes[8..12].copy_from_slice(&(self.rows.len() as u32).to_be_bytes());
        let checksum = Sha1::digest(&self.bytes);
        self.bytes.extend_from_slice(&checksum);
        self.rows.sort();
        let mut index = b"\xfftOc\0\0\0\x02".to_vec();
        for first in 0..=255u8 {
            let up_to = self.rows.iter().filter(|(oid, ..)| oid.as_bytes()[0] <= first).count();
            index.extend((up_to as u32).to_be_bytes());
        }
        self.rows.iter().for_each(|(oid, ..)| index.extend(oid.as_bytes()));
        self.rows.iter().for_each(|(.., crc)| index.extend(crc.to_be_bytes()));
        self.rows.iter().for_each(|(_, offset, _)| index.extend((*offset as u32).to_be_bytes()));
        index.extend_from_slice(&checksum);
        index.extend_from_slice(&Sha1::digest(index.clone()));
        (self.bytes, index)
    }

    /// Writes both into a repository, and returns the path of the pack.
    pub fn write(self, sandbox: &Sandbox, name: &str) -> PathBuf {
        let (pack, index) = self.finish();
        let path = sandbox.join(&format!(".git/objects/pack/pack-{name}.pack"));
        fs::write(&path, pack).unwrap();
        fs::write(path.with_extension("idx"), index).unwrap();
        path
    }
}
