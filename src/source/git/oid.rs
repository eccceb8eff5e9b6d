//! Object ids.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// The hash function that names a repository's objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum HashKind {
    /// 20 bytes.
    #[default]
    Sha1,
    /// 32 bytes.
    Sha256,
}

impl HashKind {
    /// Length of an id in bytes.
    pub const fn oid_len(self) -> usize {
        match self {
            HashKind::Sha1 => 20,
            HashKind::Sha256 => 32,
        }
    }

    /// Length of an id in hexadecimal digits.
    pub const fn hex_len(self) -> usize {
        self.oid_len() * 2
    }

    /// The checksum of a file's content, as git writes it at the end of packs and indexes.
    pub(super) fn checksum(self, content: &[u8]) -> Vec<u8> {
        use sha1::Digest;
        match self {
            HashKind::Sha1 => sha1::Sha1::digest(content).to_vec(),
            HashKind::Sha256 => sha2::Sha256::digest(content).to_vec(),
        }
    }

    /// The id of an object of this kind with this content.
    pub fn hash(self, kind: super::object::Kind, data: &[u8]) -> Oid {
        use sha1::Digest;
        let header = format!("{} {}\0", kind.name(), data.len());
        match self {
            HashKind::Sha1 => Oid::new(&sha1::Sha1::new().chain_update(header).chain_update(data).finalize()),
            HashKind::Sha256 => {
                Oid::new(&sha2::Sha256::new().chain_update(header).chain_update(data).finalize())
            }
        }
    }
}

/// The id of an object: 20 bytes (SHA-1) or 32 bytes (SHA-256).
#[derive(Clone, Copy)]
pub struct Oid {
    bytes: [u8; 32],
    len: u8,
}

// Ids are compared and hashed by the million: as numbers, not byte by byte in a function of its own.

impl PartialEq for Oid {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.halves() == other.halves() && self.len == other.len
    }
}

impl Eq for Oid {}

impl PartialOrd for Oid {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Oid {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        self.halves().cmp(&other.halves()).then(self.len.cmp(&other.len))
    }
}

impl Hash for Oid {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(&self.bytes);
    }
}

impl Oid {
    /// The bytes as numbers whose order is theirs.
    #[inline]
    fn halves(&self) -> (u128, u128) {
        let number = |half: Option<&[u8; 16]>| half.map_or(0, |half| u128::from_be_bytes(*half));
        (number(self.bytes.first_chunk()), number(self.bytes.last_chunk()))
    }

    /// Copies an id. Bytes behind the 32nd are ignored.
    fn new(raw: &[u8]) -> Self {
        let len = raw.len().min(32);
        let mut bytes = [0; 32];
        bytes[..len].copy_from_slice(&raw[..len]);
        Oid { bytes, len: len as u8 }
    }

    /// The id with these bytes. None unless there are 20 or 32 of them.
    pub fn from_bytes(raw: &[u8]) -> Option<Self> {
        matches!(raw.len(), 20 | 32).then(|| Oid::new(raw))
    }

    /// The id written as 40 or 64 hexadecimal digits.
    pub fn from_hex(hex: &[u8]) -> Option<Self> {
        if !matches!(hex.len(), 40 | 64) {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(hex.chunks_exact(2)) {
            *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
        }
        Some(Oid { bytes, len: (hex.len() / 2) as u8 })
    }

    /// The id of all zeros, which git writes where there is no object.
    pub fn null(hash: HashKind) -> Self {
        Oid { bytes: [0; 32], len: hash.oid_len() as u8 }
    }

    /// Whether all bytes are zero.
    pub fn is_null(&self) -> bool {
        self.bytes == [0; 32]
    }

    /// The 20 or 32 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// Lower-case hexadecimal digits.
    pub fn to_hex(&self) -> String {
        data_encoding::HEXLOWER.encode(self.as_bytes())
    }

    pub(super) fn first_byte(&self) -> u8 {
        self.bytes[0]
    }
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_hex())
    }
}

#[cfg(test)]
mod tests {
    use super::super::object::Kind;
    use super::*;

    #[test]
    fn the_order_is_that_of_the_bytes() {
        let oid = |at: usize, byte: u8, len: usize| {
            let mut raw = vec![0; len];
            raw[at] = byte;
            Oid::from_bytes(&raw).unwrap()
        };
        for at in 0..20 {
            assert!(oid(at, 0xff, 20) > oid(at, 0x7f, 20) && oid(at, 1, 20) > oid(19, 0, 20), "{at}");
            assert_ne!(oid(at, 1, 20), oid(at, 2, 20));
            assert_ne!(oid(at, 1, 20), oid(at, 1, 32));
        }
    }

    #[test]
    fn hex_goes_both_ways_and_rejects_the_rest() {
        let hex = b"00112233445566778899AABBCCDDEEFF01234567";
        let oid = Oid::from_hex(hex).unwrap();
        assert_eq!(oid.to_hex().as_bytes(), hex.to_ascii_lowercase());
        assert_eq!(Oid::from_bytes(oid.as_bytes()), Some(oid));
        assert_eq!(Oid::from_hex(&hex[1..]), None);
        assert_eq!(Oid::from_hex(&[b'g'; 40]), None);
        assert_eq!(Oid::from_bytes(&[0; 21]), None);
    }

    #[test]
    fn the_empty_blob_has_its_known_ids() {
        assert_eq!(HashKind::Sha1.hash(Kind::Blob, b"").to_hex(), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
        assert_eq!(
            HashKind::Sha256.hash(Kind::Blob, b"").to_hex(),
            "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813"
        );
    }
}
