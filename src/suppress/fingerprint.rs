//! Identity of a value: `HMAC-SHA256(salt, secret)`, truncated to 16 bytes.
//!
//! The same value has the same fingerprint wherever it stands, so moves, renames, rebases and copies
//! change nothing. Three kinds of salt:
//!
//! - **A baseline's**: 32 random bytes in its header. Every run that reads the baseline uses it.
//! - **Without a baseline**: a constant. Fingerprints are then the same in every run, clone and
//!   machine, which is what code-scanning services need to follow an alert. A salt that a reader of
//!   the report could work out (from the first commit, say) would hide no more than a constant.
//! - **Keyed**: with a key from the environment the salt is `HMAC-SHA256(key, salt)`. Only this keeps
//!   a *guessable* value (a short password) safe from somebody who holds the fingerprint and tries
//!   passwords; long random tokens cannot be guessed either way.

use hmac::{Hmac, Mac};
use sha2::Sha256;

type HmacSha256 = Hmac<Sha256>;

/// Length of a fingerprint in bytes; its text has twice as many hex digits.
pub const LENGTH: usize = 16;

/// The salt of runs without a baseline.
const PUBLIC_SALT: &[u8] = b"stanch fingerprint without baseline, version 1";

/// Makes the fingerprints of one run.
#[derive(Clone)]
pub struct Fingerprinter {
    mac: HmacSha256,
}

impl Fingerprinter {
    /// Fingerprints under `salt` (None: the constant of runs without a baseline), keyed if there is a key.
    pub fn new(salt: Option<&[u8]>, key: Option<&[u8]>) -> Self {
        let salt = salt.unwrap_or(PUBLIC_SALT);
        match key {
            Some(key) => {
                let mut derive = keyed(key);
                derive.update(salt);
                Fingerprinter { mac: keyed(&derive.finalize().into_bytes()) }
            }
            None => Fingerprinter { mac: keyed(salt) },
        }
    }

    /// The fingerprint of a value, as 32 lower-case hex digits.
    pub fn of(&self, secret: &[u8]) -> String {
        let mut mac = self.mac.clone();
        mac.update(secret);
        data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes()[..LENGTH])
    }

    /// The fingerprint of a value as a number: its hex digits say the same.
    pub fn id(&self, secret: &[u8]) -> u128 {
        let mut mac = self.mac.clone();
        mac.update(secret);
        let bytes = mac.finalize().into_bytes();
        bytes.iter().take(LENGTH).fold(0, |id, &b| id << 8 | u128::from(b))
    }

    /// A short text by which a baseline recognises the key it was written with.
    pub fn check_value(&self) -> String {
        let mut mac = self.mac.clone();
        // No scanned value can collide: a NUL never starts a secret.
        mac.update(b"\0stanch key check");
        data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes()[..4])
    }
}

impl std::fmt::Debug for Fingerprinter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fingerprinter")
    }
}

/// Whether a text has the form of a fingerprint.
pub fn is_fingerprint(text: &str) -> bool {
    text.len() == 2 * LENGTH && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// A [fingerprint](Fingerprinter::id) as a number; None when the text is none.
pub fn id_of(fingerprint: &str) -> Option<u128> {
    let mut bytes = [0; LENGTH];
    let right = fingerprint.len() == 2 * LENGTH;
    let decoded = right.then(|| data_encoding::HEXLOWER.decode_mut(fingerprint.as_bytes(), &mut bytes))?;
    decoded.is_ok().then(|| u128::from_be_bytes(bytes))
}

/// 32 random bytes for a new baseline.
///
/// # Errors
/// The system has no source of randomness.
pub fn new_salt() -> std::io::Result<[u8; 32]> {
    let mut salt = [0; 32];
    getrandom::fill(&mut salt).map_err(|error| std::io::Error::other(error.to_string()))?;
    Ok(salt)
}

fn keyed(key: &[u8]) -> HmacSha256 {
    // HMAC takes keys of any length; the error variant of the trait cannot occur.
    HmacSha256::new_from_slice(key).unwrap_or_else(|_| unreachable!("HMAC accepts every key length"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_salt_and_key_decide() {
        let plain = Fingerprinter::new(None, None);
        let salted = Fingerprinter::new(Some(&[7; 32]), None);
        let with_key = Fingerprinter::new(Some(&[7; 32]), Some(b"k"));
        let all = [plain.of(b"v"), salted.of(b"v"), with_key.of(b"v"), plain.of(b"w")];
        for (i, one) in all.iter().enumerate() {
            assert!(is_fingerprint(one), "{one}");
            assert!(!all[..i].contains(one));
        }
        assert_eq!(plain.of(b"v"), Fingerprinter::new(None, None).of(b"v"));
        assert_ne!(salted.check_value(), with_key.check_value());
    }

    /// Test case 2 of RFC 4231.
    #[test]
    fn is_hmac_sha256() {
        let made = Fingerprinter::new(Some(b"Jefe"), None).of(b"what do ya want for nothing?");
        assert_eq!(made, "5bdcc146bf60754e6a042426089575c7");
    }

    #[test]
    fn the_salt_counts_under_a_key_too() {
        let of = |salt: &[u8], key: &[u8]| Fingerprinter::new(Some(salt), Some(key)).of(b"v");
        assert_ne!(of(&[7; 32], b"k"), of(&[8; 32], b"k"));
        assert_ne!(of(&[7; 32], b"k"), of(&[7; 32], b"l"));
        assert_eq!(of(&[7; 32], b"k"), of(&[7; 32], b"k"));
    }

    #[test]
    fn the_check_value_is_that_of_no_value() {
        let made = Fingerprinter::new(Some(&[7; 32]), Some(b"k"));
        for value in [&b""[..], b"stanch key check", b"v"] {
            assert!(!made.of(value).starts_with(&made.check_value()));
        }
    }

    #[test]
    fn the_number_says_what_the_digits_say() {
        let made = Fingerprinter::new(None, None);
        let digits = made.of(b"v");
        assert_eq!(id_of(&digits), Some(made.id(b"v")));
        assert_eq!(format!("{:032x}", made.id(b"v")), digits);
        for other in [&digits[1..], &format!("{digits}00"), &digits.replace(&digits[..1], "g"), ""] {
            assert_eq!(id_of(other), None, "{other}");
            assert!(!is_fingerprint(other));
        }
    }

    /// With one salt for all baselines, whoever computed a table of likely passwords once could read them all.
    #[test]
    fn no_two_salts_are_the_same() {
        let salts: Vec<[u8; 32]> = (0..4).map(|_| new_salt().unwrap()).collect();
        for (n, salt) in salts.iter().enumerate() {
            assert!(!salts[..n].contains(salt) && salt.iter().any(|&b| b != 0));
        }
    }
}
