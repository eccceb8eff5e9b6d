//! Stable names of findings for systems that follow them from run to run.
//!
//! They are made of the value's fingerprint and the path, not of lines: an edit above a secret must not
//! make it a new one.

use std::collections::HashMap;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::view::View;
use crate::finding::{Finding, Location};

/// Gives each place its name; counts places of the same value in the same file apart.
#[derive(Default)]
pub(crate) struct Identities {
    seen: HashMap<[u8; 16], u32>,
}

/// The name of one place of one value.
pub(crate) struct Identity {
    hash: [u8; 16],
    /// 1 for the first place of this value in this file, 2 for the second one, …
    nth: u32,
}

impl Identities {
    pub(crate) fn next<'a>(&mut self, view: &View<'a>, f: &'a Finding, at: &'a Location) -> Identity {
        let hash = digest(&[f.rule.as_bytes(), f.fingerprint.as_bytes(), &view.machine_path(f, at)]);
        let nth = self.seen.entry(hash).and_modify(|n| *n += 1).or_insert(1);
        Identity { hash, nth: *nth }
    }
}

impl Identity {
    /// `<16 hex digits>:<n>`, the shape of GitHub's `primaryLocationLineHash`.
    pub(crate) fn line_hash(&self) -> String {
        format!("{}:{}", HEXLOWER.encode(&self.hash[..8]), self.nth)
    }

    /// 32 hex digits.
    pub(crate) fn hex(&self) -> String {
        HEXLOWER.encode(&self.unique())
    }

    /// A UUID of version 8 (RFC 9562: made from our own data).
    pub(crate) fn uuid(&self) -> String {
        let mut bytes = self.unique();
        bytes[6] = bytes[6] & 0x0f | 0x80;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let hex = HEXLOWER.encode(&bytes);
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }

    fn unique(&self) -> [u8; 16] {
        digest(&[&self.hash, &self.nth.to_le_bytes()])
    }
}

/// A hash of texts that keeps them apart.
fn digest(texts: &[&[u8]]) -> [u8; 16] {
    let mut hasher = Sha256::new();
    for text in texts {
        hasher.update((text.len() as u64).to_le_bytes());
        hasher.update(text);
    }
    let mut out = [0; 16];
    out.copy_from_slice(&hasher.finalize()[..16]);
    out
}
