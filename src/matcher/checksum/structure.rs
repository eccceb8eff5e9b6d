//! Structures that tokens carry: bech32, base64 of something known, JSON web tokens, PEM and DER.

use data_encoding::BASE64;

/// Standard base64 → its URL-safe alphabet.
pub(super) fn url_safe(base64: String) -> String {
    base64.replace('+', "-").replace('/', "_")
}

const BECH32: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";

fn bech32_polymod(hrp: &[u8], data: impl Iterator<Item = u8>) -> u32 {
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    let expanded = hrp.iter().map(|b| b >> 5).chain([0]).chain(hrp.iter().map(|b| b & 31)).chain(data);
    expanded.fold(1, |sum, value| {
        let top = sum >> 25;
        let shifted = (sum & 0x01ff_ffff) << 5 ^ u32::from(value);
        (0..5).filter(|i| top >> i & 1 == 1).fold(shifted, |sum, i| sum ^ GENERATOR[i])
    })
}

/// The human-readable part and the values of a lower-case bech32 text.
fn bech32_split(text: &str) -> Option<(&str, Vec<u8>)> {
    let (hrp, data) = text.rsplit_once('1')?;
    let values = data.bytes().map(|b| BECH32.iter().position(|&c| c == b).map(|at| at as u8));
    Some((hrp, values.collect::<Option<Vec<u8>>>()?))
}

pub(super) fn bech32_checksum(partial: &str) -> Option<String> {
    let (hrp, values) = bech32_split(partial)?;
    let sum = bech32_polymod(hrp.as_bytes(), values.into_iter().chain([0; 6])) ^ 1;
    Some((0..6).map(|i| char::from(BECH32[(sum >> (5 * (5 - i)) & 31) as usize])).collect())
}

pub(super) fn age(secret: &[u8]) -> bool {
    let text = String::from_utf8_lossy(secret).to_ascii_lowercase();
    bech32_split(&text).is_some_and(|(hrp, values)| {
        hrp == "age-secret-key-"
            && values.len() > 6
            && bech32_polymod(hrp.as_bytes(), values.into_iter()) == 1
    })
}

/// Decodes base64, standard or URL-safe, with or without padding; trailing bits are ignored.
pub(super) fn base64_bytes(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut held) = (0_u32, 0);
    for &b in text.strip_suffix(b"==").or(text.strip_suffix(b"=")).unwrap_or(text) {
        let value = match b {
            b'A'..=b'Z' => b - b'A',
            b'a'..=b'z' => b - b'a' + 26,
            b'0'..=b'9' => b - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    Some(bytes)
}

fn is_json_object(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii();
    std::str::from_utf8(text).is_ok() && text.starts_with(b"{") && text.ends_with(b"}")
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// Header and claims are base64url of JSON objects, and the header names an algorithm.
pub(super) fn jwt(secret: &[u8]) -> bool {
    let parts: Vec<&[u8]> = secret.split(|&b| b == b'.').collect();
    let header = parts.first().and_then(|part| base64_bytes(part)).unwrap_or_default();
    let encrypted = parts.len() == 5;
    let claims_ok =
        encrypted || parts.get(1).and_then(|part| base64_bytes(part)).is_some_and(|c| is_json_object(&c));
    (3..=5).contains(&parts.len()) && is_json_object(&header) && contains(&header, b"\"alg\"") && claims_ok
}

/// Header and claims, when nothing stands yet; the signature is the test's own.
pub(super) fn complete_jwt(partial: &str) -> Option<String> {
    let text =
        |json: &str| BASE64.encode(json.as_bytes()).replace('+', "-").replace('/', "_").replace('=', "");
    partial.is_empty().then(|| {
        let claims = r#"{"sub":"4711","iss":"https://issuer.invalid/","iat":1700000000,"exp":1900000000}"#;
        format!("{}.{}.", text(r#"{"alg":"RS256","typ":"JWT"}"#), text(claims))
    })
}

/// The body decodes, and is DER of the stated length, an OpenSSH key, or enciphered blocks.
pub(super) fn private_key(secret: &[u8]) -> bool {
    let Some((bytes, enciphered)) = private_key_bytes(secret) else {
        return false;
    };
    (enciphered && bytes.len() >= 64) || bytes.starts_with(b"openssh-key-v1\0") || is_der_sequence(&bytes)
}

/// What stands in a private key's armour, and whether it is enciphered.
fn private_key_bytes(secret: &[u8]) -> Option<(Vec<u8>, bool)> {
    let text = String::from_utf8_lossy(secret).replace("\\r", "\n").replace("\\n", "\n");
    let mut parts = text.splitn(3, "-----");
    let body = match (parts.next(), parts.next(), parts.next()) {
        (Some(_), Some(label), Some(rest)) if label.starts_with("BEGIN") => {
            rest.split("-----").next().unwrap_or_default().to_owned()
        }
        _ => text,
    };
    let enciphered = body.contains("ENCRYPTED");
    let lines = body.lines().map(|line| line.trim_matches([' ', '\t', '\r', '"', '\'', ',', '+', '\\']));
    let base64: String = lines.filter(|line| !line.contains(':')).collect();
    Some((base64_bytes(base64.as_bytes())?, enciphered))
}

/// The length in bits of the modulus of an RSA key that is not enciphered (RFC 8017, RFC 5208); None for others.
#[allow(dead_code)] // `build.rs` has no use for it.
pub fn rsa_bits(secret: &[u8]) -> Option<usize> {
    let (der, _) = private_key_bytes(secret)?;
    rsa_modulus_bits(&der)
}

fn rsa_modulus_bits(der: &[u8]) -> Option<usize> {
    const INTEGER: u8 = 0x02;
    const OCTETS: u8 = 0x04;
    const SEQUENCE: u8 = 0x30;
    let (SEQUENCE, fields, _) = der_element(der)? else { return None };
    let (INTEGER, _, rest) = der_element(fields)? else { return None };
    match der_element(rest)? {
        (INTEGER, modulus, _) => {
            let zeros = modulus.iter().take_while(|&&b| b == 0).count();
            Some((modulus.len() - zeros) * 8)
        }
        // An algorithm, and the key in a string.
        (SEQUENCE, _, rest) => match der_element(rest)? {
            (OCTETS, key, _) if key.len() < der.len() => rsa_modulus_bits(key),
            _ => None,
        },
        _ => None,
    }
}

/// The first element of a DER text: its tag, what is in it, what follows.
fn der_element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
        0x82 => (usize::from(*rest.first()?) << 8 | usize::from(*rest.get(1)?), rest.get(2..)?),
        _ => return None,
    };
    Some((tag, rest.get(..length)?, rest.get(length..)?))
}

/// Whether `bytes` is one DER SEQUENCE, whole.
fn is_der_sequence(bytes: &[u8]) -> bool {
    let (head, length) = match bytes {
        [0x30, len @ 0..=0x7f, ..] => (2, usize::from(*len)),
        [0x30, 0x81, len, ..] => (3, usize::from(*len)),
        [0x30, 0x82, high, low, ..] => (4, usize::from(*high) << 8 | usize::from(*low)),
        _ => return false,
    };
    length >= 32 && bytes.len() == head + length
}

/// A body that has the form of a key (and is none), and the end line that belongs to the begin line.
pub(super) fn complete_private_key(partial: &str) -> Option<String> {
    let label = partial.rsplit_once("-----BEGIN ")?.1.split("-----").next()?;
    let mut der = vec![0x30, 0x82, 1, 0];
    der.extend((0..256_u32).map(|i| (i.wrapping_mul(0x9e37_79b9) >> 11) as u8));
    let body = BASE64.encode(&der);
    let lines: Vec<&str> =
        (0..body.len()).step_by(64).filter_map(|at| body.get(at..body.len().min(at + 64))).collect();
    Some(format!("{}\n-----END {label}-----", lines.join("\n")))
}

/// A macaroon of version 2 whose location is an index of Python packages.
pub(super) fn pypi(secret: &[u8]) -> bool {
    let raw = secret.strip_prefix(b"pypi-").and_then(base64_bytes).unwrap_or_default();
    let location = raw.get(2).and_then(|&len| raw.get(3..3 + usize::from(len)));
    raw.starts_with(&[2, 1]) && matches!(location, Some(b"pypi.org" | b"test.pypi.org"))
}

/// The twelve-digit account id that an AWS access key id holds. None for ids of another form,
/// and for older ones (fifth character I or J), which hold none.
pub fn aws_account_id(key_id: &[u8]) -> Option<String> {
    let body = key_id.get(4..20)?;
    if key_id.len() != 20 || matches!(body.first(), Some(b'I' | b'J')) {
        return None;
    }
    let raw = data_encoding::BASE32_NOPAD.decode(body).ok()?;
    let number = raw.get(..6)?.iter().fold(0_u64, |n, &b| n << 8 | u64::from(b));
    Some(format!("{:012}", (number & 0x7fff_ffff_ff80) >> 7))
}

/// A key id that holds an account id, and is no mask: a real one has a dozen different characters.
pub(super) fn aws_key_id(key_id: &[u8]) -> bool {
    let mut distinct = key_id.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    aws_account_id(key_id).is_some() && distinct.len() >= 8
}

/// `<number>:<random>` with a number of at least 1000, in base64.
pub(super) fn atlassian_data_center(secret: &[u8]) -> bool {
    let raw = base64_bytes(secret.strip_prefix(b"BBDC-").unwrap_or(secret)).unwrap_or_default();
    let digits = raw.iter().take_while(|b| b.is_ascii_digit()).count();
    (4..20).contains(&digits) && raw.get(digits) == Some(&b':')
}

/// Base64 of a JSON object with an organisation, a name and a key.
pub(super) fn grafana_cloud(secret: &[u8]) -> bool {
    let raw = secret.strip_prefix(b"glc_").and_then(base64_bytes).unwrap_or_default();
    is_json_object(&raw) && [&b"\"o\":"[..], b"\"n\":", b"\"k\":"].iter().all(|key| contains(&raw, key))
}

/// Base64 of `reftkn:<number>:<number>:<token>`.
pub(super) fn jfrog_reference(secret: &[u8]) -> bool {
    let raw = base64_bytes(secret).unwrap_or_default();
    let mut fields = raw.split(|&b| b == b':');
    let is_number =
        |field: Option<&[u8]>| field.is_some_and(|f| !f.is_empty() && f.iter().all(u8::is_ascii_digit));
    fields.next() == Some(b"reftkn")
        && is_number(fields.next())
        && is_number(fields.next())
        && fields.next().is_some()
}

pub(super) fn complete_jfrog_reference(partial: &str) -> Option<String> {
    partial
        .is_empty()
        .then(|| BASE64.encode(b"reftkn:01:1735689600:b8Qe2RtYp0sLzXc7VnMkJ4Hg1Fd").replace('=', ""))
}

/// The first part is base64 of the bot's numeric id.
pub(super) fn discord_bot(secret: &[u8]) -> bool {
    let first = secret.split(|&b| b == b'.').next().and_then(base64_bytes).unwrap_or_default();
    (17..=20).contains(&first.len()) && first.iter().all(u8::is_ascii_digit)
}

/// The Luhn sum of the digits of `secret`, other characters aside, when one more digit follows.
fn luhn_digit(digits: &[u8]) -> u8 {
    let doubled = digits.iter().rev().filter(|b| b.is_ascii_digit()).enumerate().map(|(i, b)| {
        let value = u32::from(b - b'0') << u32::from(i % 2 == 0);
        if value > 9 { value - 9 } else { value }
    });
    (10 - (doubled.sum::<u32>() % 10) as u8) % 10
}

pub(super) fn luhn(secret: &[u8]) -> bool {
    secret.split_last().is_some_and(|(last, body)| last.is_ascii_digit() && luhn_digit(body) == last - b'0')
}

pub(super) fn complete_luhn(partial: &str) -> Option<String> {
    Some(luhn_digit(partial.as_bytes()).to_string())
}
