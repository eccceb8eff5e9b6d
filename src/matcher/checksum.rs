//! Checksums and structures that tokens carry, checked without a network.
//!
//! A checksum decides how sure a finding is, never whether it exists: most tokens in documentation
//! fail theirs. `build.rs` includes this file too, so it depends on nothing of the crate.
//!
//! Each algorithm names the place that documents it. Adding one is a line in [`ALGORITHMS`].

use data_encoding::BASE64;

/// One checksum: its name in rule files, and the two directions.
struct Algorithm {
    name: &'static str,
    verify: fn(&[u8]) -> bool,
    /// Text that completes a partial secret, for tests; None when the algorithm cannot be completed.
    complete: fn(&str) -> Option<String>,
}

/// Whether `secret` carries a right checksum of the kind `name`; None when there is no such kind.
pub fn verify(name: &str, secret: &[u8]) -> Option<bool> {
    find(name).map(|algorithm| (algorithm.verify)(secret))
}

/// The text that makes `partial` pass the checksum `name` when it is appended. Tests of rules use it
/// (`‹check›`). None when there is no such checksum, or when `partial` has not the right form.
pub fn complete(name: &str, partial: &str) -> Option<String> {
    (find(name)?.complete)(partial)
}

/// Names of all checksums, for messages and "did you mean".
pub fn names() -> impl Iterator<Item = &'static str> {
    ALGORITHMS.iter().map(|algorithm| algorithm.name)
}

fn find(name: &str) -> Option<&'static Algorithm> {
    ALGORITHMS.iter().find(|algorithm| algorithm.name == name)
}

macro_rules! algorithms {
    ($($name:literal => $verify:expr, $complete:expr;)+) => {
        static ALGORITHMS: &[Algorithm] =
            &[$(Algorithm { name: $name, verify: $verify, complete: $complete }),+];
    };
}

algorithms! {
    // github.blog 2021-04-05 (GitHub) and 2021-09-23 (npm).
    "github" => |s| suffix_is(s, underscore_base62), |p| underscore_base62(p.as_bytes());
    "npm" => |s| suffix_is(s, underscore_base62), |p| underscore_base62(p.as_bytes());
    // GitLab handbook, "routable tokens".
    "gitlab-routable" => |s| suffix_is(s, gitlab_routable), |p| gitlab_routable(p.as_bytes());
    // developers.cloudflare.com, "token formats".
    "cloudflare" => |s| suffix_is(s, underscore_hex), |p| underscore_hex(p.as_bytes());
    "zuplo" => |s| suffix_is(s, zuplo), |p| zuplo(p.as_bytes());
    // grafana/grafana, pkg/components/satokengen.
    "grafana-service-account" => |s| suffix_is(s, grafana_service_account), |p| grafana_service_account(p.as_bytes());
    "grafana-cloud" => grafana_cloud, |_| None;
    "atlassian" => |s| suffix_is(s, crc32_upper_hex), |p| crc32_upper_hex(p.as_bytes());
    "atlassian-data-center" => atlassian_data_center, |_| None;
    "confluent" => |s| suffix_is(s, confluent), |p| confluent(p.as_bytes());
    // microsoft/security-utilities: identifiable keys and common annotated security keys.
    "azure-cask" => azure_cask, complete_azure_cask;
    "azure-storage" => |s| azure(s, &[0x4465_6661_756c_7430]), |p| complete_azure(p, 0x4465_6661_756c_7430);
    "azure-cosmos-db" => |s| azure(s, COSMOS_SEEDS), |p| complete_azure(p, COSMOS_SEEDS[0]);
    "azure-messaging" => |s| azure(s, MESSAGING_SEEDS), |p| complete_azure(p, MESSAGING_SEEDS[0]);
    "azure-iot" => |s| azure(s, IOT_SEEDS), |p| complete_azure(p, IOT_SEEDS[0]);
    "azure-batch" => |s| azure(s, &[0x4162_4163_6374_3030]), |p| complete_azure(p, 0x4162_4163_6374_3030);
    "azure-redis" => |s| azure(s, &[0x4163_6365_7373_3030]), |p| complete_azure(p, 0x4163_6365_7373_3030);
    "azure-functions" => |s| azure(s, FUNCTIONS_SEEDS), |p| complete_azure(p, FUNCTIONS_SEEDS[0]).map(url_safe);
    "azure-search" => |s| azure(s, SEARCH_SEEDS), |p| complete_azure(p, SEARCH_SEEDS[0]);
    "azure-container-registry" => |s| azure(s, &[0x4143_5244_666c_7430]), |p| complete_azure(p, 0x4143_5244_666c_7430);
    "azure-api-management" => |s| azure(s, APIM_SEEDS), |p| complete_azure(p, APIM_SEEDS[0]);
    "azure-ml" => |s| azure(s, &[0x436c_6173_7369_6330]), |p| complete_azure(p, 0x436c_6173_7369_6330);
    // BIP-173.
    "age" => age, |p| bech32_checksum(&p.to_ascii_lowercase()).map(|sum| sum.to_ascii_uppercase());
    // RFC 7519.
    "jwt" => jwt, complete_jwt;
    // RFC 7468, RFC 5958; OpenSSH PROTOCOL.key.
    "private-key" => private_key, complete_private_key;
    // warehouse.pypa.io, macaroons (libmacaroons format v2).
    "pypi" => pypi, |_| None;
    "aws-key-id" => aws_key_id, |_| None;
    "jfrog-reference" => jfrog_reference, complete_jfrog_reference;
    "discord-bot" => discord_bot, |_| None;
    "luhn" => luhn, complete_luhn;
}

// --- CRC-32 in its many spellings -------------------------------------------------------------------

/// Whether `make` of the secret without its tail gives that tail. The tail's length is known only
/// from what `make` returns, so the lengths in use are tried.
fn suffix_is(secret: &[u8], make: fn(&[u8]) -> Option<String>) -> bool {
    [6, 7, 8].iter().any(|&len| {
        secret.len() > len && {
            let (body, tail) = secret.split_at(secret.len() - len);
            make(body).is_some_and(|sum| sum.len() == len && sum.as_bytes() == tail)
        }
    })
}

fn after_underscore(token: &[u8]) -> Option<&[u8]> {
    let at = token.iter().position(|&b| b == b'_')?;
    token.get(at + 1..)
}

/// CRC-32 of what follows the first `_`, six base62 digits.
fn underscore_base62(token: &[u8]) -> Option<String> {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    Some(in_base(crc32fast::hash(after_underscore(token)?), DIGITS, 6))
}

/// CRC-32 of everything before it, seven base36 digits; only behind a `.`-separated length.
fn gitlab_routable(token: &[u8]) -> Option<String> {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    token.contains(&b'.').then(|| in_base(crc32fast::hash(token), DIGITS, 7))
}

/// CRC-32 of what follows the first `_`, eight hex digits.
fn underscore_hex(token: &[u8]) -> Option<String> {
    Some(format!("{:08x}", crc32fast::hash(after_underscore(token)?)))
}

/// `zpka_<body>_<crc>`: CRC-32 of the body, eight hex digits.
fn zuplo(token: &[u8]) -> Option<String> {
    let body = after_underscore(token)?.strip_suffix(b"_")?;
    Some(format!("{:08x}", crc32fast::hash(body)))
}

/// `glsa_<body>_<crc>`: CRC-32 of prefix and body, its bytes little-endian, eight hex digits.
fn grafana_service_account(token: &[u8]) -> Option<String> {
    let sum = crc32fast::hash(token.strip_suffix(b"_")?);
    Some(format!("{:08x}", sum.swap_bytes()))
}

/// CRC-32 of everything before it, eight upper-case hex digits.
fn crc32_upper_hex(token: &[u8]) -> Option<String> {
    (!token.is_empty()).then(|| format!("{:08X}", crc32fast::hash(token)))
}

/// `cflt<body><6>`: CRC-32 of the body, its bytes little-endian, the six base64 digits of them.
fn confluent(token: &[u8]) -> Option<String> {
    let sum = crc32fast::hash(token.strip_prefix(b"cflt")?);
    Some(BASE64.encode(&sum.to_le_bytes()).trim_end_matches('=').to_owned())
}

fn in_base(mut value: u32, digits: &[u8], width: usize) -> String {
    let base = digits.len() as u32;
    let mut text = vec![digits[0]; width];
    for place in text.iter_mut().rev() {
        *place = digits[(value % base) as usize];
        value /= base;
    }
    text.into_iter().map(char::from).collect()
}

// --- Azure: Marvin32 --------------------------------------------------------------------------------

const COSMOS_SEEDS: &[u64] = &[
    0x4d61_7374_5257_3030,
    0x4d61_7374_524f_3030,
    0x5379_7374_5257_3030,
    0x5379_7374_524f_3030,
    0x5379_7341_6c6c_3030,
    0x5265_736f_7572_3030,
    0x456e_6372_7970_3030,
];
const MESSAGING_SEEDS: &[u64] = &[
    0x4d61_6e61_6765_3030,
    0x5365_6e64_3030_3030,
    0x4c69_7374_656e_3030,
    0x5379_7374_656d_3030,
    0x556e_6b6e_6f77_6e30,
];
const IOT_SEEDS: &[u64] = &[0x496f_5448_7562_3030, 0x4470_734b_6579_3030, 0x4465_7669_6365_3030];
const FUNCTIONS_SEEDS: &[u64] = &[0x4675_6e63_7469_3030, 0x5379_7374_656d_3030, 0x4d61_7374_6572_3030];
const SEARCH_SEEDS: &[u64] = &[0x5041_646d_696e_3030, 0x5175_6572_7930_3030];
const APIM_SEEDS: &[u64] =
    &[0x496f_5448_7562_3030, 0x5465_6e61_6e74_3030, 0x4761_7465_7779_3030, 0x4769_744b_6579_3030];
/// `Default0`, read backwards as a number.
const CASK_SEED: u64 = 0x4465_6661_756c_7430;

/// The Marvin32 hash of .NET, folded to 32 bits.
fn marvin32(data: &[u8], seed: u64) -> u32 {
    fn block(p0: &mut u32, p1: &mut u32) {
        *p1 ^= *p0;
        *p0 = p0.rotate_left(20).wrapping_add(*p1);
        *p1 = p1.rotate_left(9) ^ *p0;
        *p0 = p0.rotate_left(27).wrapping_add(*p1);
        *p1 = p1.rotate_left(19);
    }
    let (mut p0, mut p1) = (seed as u32, (seed >> 32) as u32);
    let words = data.chunks_exact(4);
    let mut last = 0x80_u32;
    for &byte in words.remainder().iter().rev() {
        last = last << 8 | u32::from(byte);
    }
    for word in words {
        p0 = p0.wrapping_add(word.iter().rev().fold(0, |n, &b| n << 8 | u32::from(b)));
        block(&mut p0, &mut p1);
    }
    p0 = p0.wrapping_add(last);
    block(&mut p0, &mut p1);
    block(&mut p0, &mut p1);
    p0 ^ p1
}

/// An identifiable key: the last four bytes are the hash of the others, under one of the service's seeds.
fn azure(secret: &[u8], seeds: &[u64]) -> bool {
    let Some(raw) = base64_bytes(secret) else {
        return false;
    };
    let Some((body, sum)) = raw.split_last_chunk::<4>() else {
        return false;
    };
    seeds.iter().any(|&seed| marvin32(body, seed).to_le_bytes() == *sum)
}

fn complete_azure(partial: &str, seed: u64) -> Option<String> {
    let bits = partial.len() * 6;
    let mut padded = partial.to_owned();
    while padded.len() * 6 < bits.div_ceil(8) * 8 {
        padded.push('A');
    }
    let mut raw = base64_bytes(padded.as_bytes())?;
    raw.truncate(bits.div_ceil(8));
    let sum = marvin32(&raw, seed);
    raw.extend(sum.to_le_bytes());
    let whole = BASE64.encode(&raw);
    whole.get(partial.len()..).map(str::to_owned)
}

fn url_safe(base64: String) -> String {
    base64.replace('+', "-").replace('/', "_")
}

/// The four digits that end a common annotated security key of 84 characters.
fn azure_cask_sum(first_80: &[u8]) -> Option<String> {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let raw = base64_bytes(first_80)?;
    let mut value = marvin32(raw.get(..60)?, CASK_SEED).swap_bytes();
    let mut text = String::new();
    while value > 0 {
        text.insert(0, char::from(DIGITS[(value % 62) as usize]));
        value /= 62;
    }
    while text.len() < 6 {
        text.push('0');
    }
    Some(text)
}

fn azure_cask(secret: &[u8]) -> bool {
    let Some((body, rest)) = secret.split_at_checked(80) else {
        return false;
    };
    let Some(raw) = base64_bytes(body) else {
        return false;
    };
    let older = BASE64.encode(&marvin32(&raw, CASK_SEED).to_le_bytes());
    let newer = azure_cask_sum(body);
    let tail = rest.split(|&b| b == b'=').next().unwrap_or_default();
    tail.len() >= 4
        && (older.as_bytes().starts_with(&tail[..4])
            || newer.is_some_and(|sum| sum.as_bytes().starts_with(&tail[..4])))
}

fn complete_azure_cask(partial: &str) -> Option<String> {
    (partial.len() == 80).then(|| azure_cask_sum(partial.as_bytes()))?.map(|sum| sum[..4].to_owned())
}

// --- bech32 -----------------------------------------------------------------------------------------

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

fn bech32_checksum(partial: &str) -> Option<String> {
    let (hrp, values) = bech32_split(partial)?;
    let sum = bech32_polymod(hrp.as_bytes(), values.into_iter().chain([0; 6])) ^ 1;
    Some((0..6).map(|i| char::from(BECH32[(sum >> (5 * (5 - i)) & 31) as usize])).collect())
}

fn age(secret: &[u8]) -> bool {
    let text = String::from_utf8_lossy(secret).to_ascii_lowercase();
    bech32_split(&text).is_some_and(|(hrp, values)| {
        hrp == "age-secret-key-"
            && values.len() > 6
            && bech32_polymod(hrp.as_bytes(), values.into_iter()) == 1
    })
}

// --- Structures -------------------------------------------------------------------------------------

/// Decodes base64, standard or URL-safe, with or without padding; trailing bits are ignored.
fn base64_bytes(text: &[u8]) -> Option<Vec<u8>> {
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
fn jwt(secret: &[u8]) -> bool {
    let parts: Vec<&[u8]> = secret.split(|&b| b == b'.').collect();
    let header = parts.first().and_then(|part| base64_bytes(part)).unwrap_or_default();
    let encrypted = parts.len() == 5;
    let claims_ok =
        encrypted || parts.get(1).and_then(|part| base64_bytes(part)).is_some_and(|c| is_json_object(&c));
    (3..=5).contains(&parts.len()) && is_json_object(&header) && contains(&header, b"\"alg\"") && claims_ok
}

/// Header and claims, when nothing stands yet; the signature is the test's own.
fn complete_jwt(partial: &str) -> Option<String> {
    let text =
        |json: &str| BASE64.encode(json.as_bytes()).replace('+', "-").replace('/', "_").replace('=', "");
    partial.is_empty().then(|| {
        let claims = r#"{"sub":"4711","iss":"https://issuer.invalid/","iat":1700000000,"exp":1900000000}"#;
        format!("{}.{}.", text(r#"{"alg":"RS256","typ":"JWT"}"#), text(claims))
    })
}

/// The body decodes, and is DER of the stated length, an OpenSSH key, or enciphered blocks.
fn private_key(secret: &[u8]) -> bool {
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
    let Some(bytes) = base64_bytes(base64.as_bytes()) else {
        return false;
    };
    (enciphered && bytes.len() >= 64) || bytes.starts_with(b"openssh-key-v1\0") || is_der_sequence(&bytes)
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
fn complete_private_key(partial: &str) -> Option<String> {
    let label = partial.rsplit_once("-----BEGIN ")?.1.split("-----").next()?;
    let mut der = vec![0x30, 0x82, 1, 0];
    der.extend((0..256_u32).map(|i| (i.wrapping_mul(0x9e37_79b9) >> 11) as u8));
    let body = BASE64.encode(&der);
    let lines: Vec<&str> =
        (0..body.len()).step_by(64).filter_map(|at| body.get(at..body.len().min(at + 64))).collect();
    Some(format!("{}\n-----END {label}-----", lines.join("\n")))
}

/// A macaroon of version 2 whose location is an index of Python packages.
fn pypi(secret: &[u8]) -> bool {
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
fn aws_key_id(key_id: &[u8]) -> bool {
    let mut distinct = key_id.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    aws_account_id(key_id).is_some() && distinct.len() >= 8
}

/// `<number>:<random>` with a number of at least 1000, in base64.
fn atlassian_data_center(secret: &[u8]) -> bool {
    let raw = base64_bytes(secret.strip_prefix(b"BBDC-").unwrap_or(secret)).unwrap_or_default();
    let digits = raw.iter().take_while(|b| b.is_ascii_digit()).count();
    (4..20).contains(&digits) && raw.get(digits) == Some(&b':')
}

/// Base64 of a JSON object with an organisation, a name and a key.
fn grafana_cloud(secret: &[u8]) -> bool {
    let raw = secret.strip_prefix(b"glc_").and_then(base64_bytes).unwrap_or_default();
    is_json_object(&raw) && [&b"\"o\":"[..], b"\"n\":", b"\"k\":"].iter().all(|key| contains(&raw, key))
}

/// Base64 of `reftkn:<number>:<number>:<token>`.
fn jfrog_reference(secret: &[u8]) -> bool {
    let raw = base64_bytes(secret).unwrap_or_default();
    let mut fields = raw.split(|&b| b == b':');
    let is_number =
        |field: Option<&[u8]>| field.is_some_and(|f| !f.is_empty() && f.iter().all(u8::is_ascii_digit));
    fields.next() == Some(b"reftkn")
        && is_number(fields.next())
        && is_number(fields.next())
        && fields.next().is_some()
}

fn complete_jfrog_reference(partial: &str) -> Option<String> {
    partial
        .is_empty()
        .then(|| BASE64.encode(b"reftkn:01:1735689600:b8Qe2RtYp0sLzXc7VnMkJ4Hg1Fd").replace('=', ""))
}

/// The first part is base64 of the bot's numeric id.
fn discord_bot(secret: &[u8]) -> bool {
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

fn luhn(secret: &[u8]) -> bool {
    secret.split_last().is_some_and(|(last, body)| last.is_ascii_digit() && luhn_digit(body) == last - b'0')
}

fn complete_luhn(partial: &str) -> Option<String> {
    Some(luhn_digit(partial.as_bytes()).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Deterministic text of `len` characters out of `alphabet`.
    fn text(alphabet: &str, len: usize) -> String {
        let letters: Vec<char> = alphabet.chars().collect();
        let mut state = 0x2545_f491_u32;
        (0..len)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                letters[(state >> 8) as usize % letters.len()]
            })
            .collect()
    }

    const BASE62: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    /// What is completed passes; the same with its last or a middle character changed does not.
    fn check(name: &str, partial: &str) {
        let sum = complete(name, partial).unwrap_or_else(|| panic!("{name} cannot complete"));
        let whole = format!("{partial}{sum}");
        assert_eq!(verify(name, whole.as_bytes()), Some(true), "{name}");
        for at in [partial.len() * 2 / 3, whole.trim_end_matches('=').len() - 2] {
            let mut bytes = whole.clone().into_bytes();
            bytes[at] = if bytes[at] == b'2' { b'3' } else { b'2' };
            assert_eq!(verify(name, &bytes), Some(false), "{name}, byte {at}");
        }
    }

    #[test]
    fn completed_tokens_verify_and_damaged_ones_do_not() {
        check("github", &format!("gh{}", "p_".to_owned() + &text(BASE62, 30)));
        check("npm", &format!("np{}", "m_".to_owned() + &text(BASE62, 30)));
        check("gitlab-routable", &format!("gl{}-{}.01.0r", "pat", text(BASE62, 27)));
        check("cloudflare", &format!("cf{}_{}", "ut", text(BASE62, 40)));
        check("zuplo", &format!("zp{}_{}_", "ka", text("0123456789abcdef", 32)));
        check("grafana-service-account", &format!("gl{}_{}_", "sa", text(BASE62, 32)));
        check("atlassian", &format!("AT{}3xFfGF0{}=", "ATT", text(BASE62, 170)));
        check("confluent", &format!("cf{}{}", "lt", text(BASE62, 54)));
        check("luhn", "457-508");
    }

    #[test]
    fn azure_keys() {
        for (name, body, signature) in [
            ("azure-storage", 76, "+ASt"),
            ("azure-cosmos-db", 76, "ACDb"),
            ("azure-messaging", 33, "+ASb"),
            ("azure-iot", 33, "AIoT"),
            ("azure-batch", 76, "+ABa"),
            ("azure-redis", 33, "AzCa"),
            ("azure-functions", 44, "AzFu"),
            ("azure-search", 42, "AzSe"),
            ("azure-container-registry", 42, "+ACR"),
            ("azure-api-management", 76, "APIM"),
            ("azure-ml", 76, "+AMC"),
        ] {
            check(name, &format!("{}{signature}", text(BASE62, body)));
        }
        check("azure-cask", &format!("{}JQQJ99AKACAAAAAAAAAAAAASAZDO", text(BASE62, 52)));
    }

    #[test]
    fn marvin_agrees_with_published_vectors() {
        // dotnet/runtime, tests of System.Private.CoreLib's Marvin.
        let seed = 0x004f_b61a_001b_dbcc;
        assert_eq!(marvin32(&[], seed), 0x30ed_35c1 ^ 0x00cd_3c7d);
        assert_eq!(marvin32(&[0xaf], seed), 0x48e7_3fc7 ^ 0x7d75_ddc1);
        assert_eq!(marvin32(&[0xe7, 0x0f], seed), 0xb5f6_e1fc ^ 0x485d_bff8);
    }

    #[test]
    fn structures() {
        let jwt = complete("jwt", "").unwrap_or_default() + &text(BASE62, 43);
        assert_eq!(verify("jwt", jwt.as_bytes()), Some(true));
        assert_eq!(
            verify("jwt", format!("eyJ{}.eyJ{}.x", text(BASE62, 30), text(BASE62, 30)).as_bytes()),
            Some(false)
        );
        let begin = format!("-----BEGIN {} KEY-----\n", "PRIVATE");
        let key = format!("{begin}{}", complete("private-key", &begin).unwrap_or_default());
        assert_eq!(verify("private-key", key.as_bytes()), Some(true));
        assert_eq!(verify("private-key", key.replace('\n', "\\n").as_bytes()), Some(true));
        assert_eq!(verify("private-key", key.replacen('M', "X", 1).as_bytes()), Some(false));
        let token = complete("jfrog-reference", "").unwrap_or_default();
        assert_eq!(verify("jfrog-reference", token.as_bytes()), Some(true));
        assert_eq!(verify("jfrog-reference", token[8..].as_bytes()), Some(false));
        let bot = BASE64.encode(b"123456789012345678");
        assert_eq!(verify("discord-bot", format!("{bot}.abc.def").as_bytes()), Some(true));
        assert_eq!(
            verify("pypi", format!("pypi-{}", BASE64.encode(b"\x02\x01\x08pypi.org\x02\x24abc")).as_bytes()),
            Some(true)
        );
        assert_eq!(
            verify("pypi", format!("pypi-{}", BASE64.encode(b"\x02\x01\x08pypi.com\x02\x24abc")).as_bytes()),
            Some(false)
        );
        assert_eq!(
            verify("atlassian-data-center", BASE64.encode(b"588925395905:\x9b\xf5\x16>").as_bytes()),
            Some(true)
        );
        assert_eq!(
            verify(
                "grafana-cloud",
                format!("glc_{}", BASE64.encode(br#"{"o":"1","n":"a","k":"b"}"#)).as_bytes()
            ),
            Some(true)
        );
    }

    #[test]
    fn age_keys() {
        let body = text("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 52);
        let partial = format!("AGE-SECRET-{}{body}", "KEY-1");
        let whole = format!("{partial}{}", complete("age", &partial).unwrap_or_default());
        assert_eq!(whole.len(), 74);
        assert_eq!(verify("age", whole.as_bytes()), Some(true));
        assert_eq!(verify("age", format!("{partial}QQQQQQ").as_bytes()), Some(false));
    }

    #[test]
    fn aws_account() {
        // Worked example of the encoding: account 581039954779.
        let id = format!("AS{}QNZGKIQY56JQ7WML", "IA");
        assert_eq!(aws_account_id(id.as_bytes()).as_deref(), Some("029608264753"));
        assert_eq!(aws_account_id(format!("AK{}I2345672345672345", "IA").as_bytes()), None);
        assert_eq!(verify("aws-key-id", b"too short"), Some(false));
    }

    #[test]
    fn unknown_names_and_foreign_input() {
        assert_eq!(verify("no-such", b"x"), None);
        for name in names() {
            for input in [&b""[..], b"=", b"_", b"\xff\xfe", b"1", b"......", &[b'A'; 79]] {
                assert!(verify(name, input).is_some(), "{name}");
            }
        }
    }
}
