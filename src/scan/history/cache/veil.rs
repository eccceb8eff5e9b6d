//! Ids of blobs with values, unreadable for those who do not have the repository.
//!
//! A blob can be nothing but a value, and then its id is a hash that guesses can be checked by. So such ids are
//! written under a pad, of which the key is the text of some commits: whoever has them has the blobs, too. With the same
//! key, what was seen in them is written as a [`Token`], by which it is known again and nothing else.

use std::hash::{Hash, Hasher};

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::scan::history::visit::CommitRecord;
use crate::source::git::{Kind, Odb, Oid};

/// Commits whose texts are the key: those with the lowest ids.
const COMMITS: usize = 8;

/// What stands for something that must not be readable: the beginning of a keyed hash.
pub type Token = [u8; 8];

/// Covers and uncovers ids.
pub struct Veil {
    mac: Hmac<Sha256>,
}

impl std::fmt::Debug for Veil {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Veil")
    }
}

/// What is hashed in several parts, as bytes.
struct Parts<'m>(&'m mut Hmac<Sha256>);

impl Hasher for Parts<'_> {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0 // nobody asks: the parts are all that counts
    }
}

impl Veil {
    /// The veil of a cache with these commits. None if there are none, or they cannot be read.
    pub fn of(odb: &Odb, commits: &[CommitRecord]) -> Option<Self> {
        let mut lowest: Vec<Oid> = commits.iter().map(|commit| commit.oid).collect();
        if lowest.len() > COMMITS {
            lowest.select_nth_unstable(COMMITS);
            lowest.truncate(COMMITS);
        }
        lowest.sort_unstable();
        let mut texts = Sha256::new();
        for oid in &lowest {
            let text = odb.read_kind(oid, Kind::Commit).ok()?;
            texts.update((text.len() as u64).to_le_bytes());
            texts.update(text);
        }
        (!lowest.is_empty()).then(|| Self::with_key(&texts.finalize()))
    }

    /// The veil with this key.
    pub(super) fn with_key(key: &[u8]) -> Self {
        // HMAC takes keys of every length.
        Veil {
            mac: Hmac::new_from_slice(key).unwrap_or_else(|_| unreachable!("HMAC accepts every key length")),
        }
    }

    /// Covers an id, or uncovers one that is covered: that at this place of a list, with the list's own token, so that
    /// no pad serves twice.
    pub fn flip(&self, list: &Token, place: u32, oid: &Oid) -> Option<Oid> {
        let pad = self.hash(|mac| {
            mac.update(b"list");
            mac.update(list);
            mac.update(&place.to_le_bytes());
        });
        let flipped: Vec<u8> = oid.as_bytes().iter().zip(pad).map(|(byte, pad)| byte ^ pad).collect();
        Oid::from_bytes(&flipped)
    }

    /// What stands for a value. (What is hashed differs between machines that store numbers differently.)
    pub fn token_of(&self, value: impl Hash) -> Token {
        let hash = self.hash(|mac| {
            mac.update(b"token");
            value.hash(&mut Parts(mac));
        });
        hash.first_chunk().copied().unwrap_or_default()
    }

    fn hash(&self, feed: impl FnOnce(&mut Hmac<Sha256>)) -> [u8; 32] {
        let mut mac = self.mac.clone();
        feed(&mut mac);
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn covers_differently_everywhere_and_uncovers_again() {
        let oid = |n: u8| Oid::from_bytes(&[n; 20]).unwrap();
        let (veil, other) = (Veil::with_key(b"one"), Veil::with_key(b"two"));
        let list = veil.token_of("list");
        let covered = veil.flip(&list, 0, &oid(9)).unwrap();
        assert_eq!(veil.flip(&list, 0, &covered), Some(oid(9)));
        for different in [
            veil.flip(&list, 1, &oid(9)),
            veil.flip(&veil.token_of("other"), 0, &oid(9)),
            other.flip(&list, 0, &oid(9)),
        ] {
            assert_ne!(different, Some(covered));
        }
        assert_eq!(list, veil.token_of("list"));
        assert_ne!(list, other.token_of("list"));
        assert_ne!(veil.token_of(("a", "bc")), veil.token_of(("ab", "c")));
    }
}
