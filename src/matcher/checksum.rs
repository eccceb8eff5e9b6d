//! Checksums and structures that tokens carry, checked without a network.
//!
//! A checksum decides how sure a finding is, never whether it exists: most tokens in documentation
//! fail theirs. `build.rs` includes this file too, so it depends on nothing of the crate.
//!
//! Each algorithm names the place that documents it. Adding one is a line in [`ALGORITHMS`].

use data_encoding::BASE64;

#[path = "checksum/azure.rs"]
mod azure;
#[path = "checksum/structure.rs"]
mod structure;

use azure::*;
use structure::*;

// For the library; `build.rs` has no use for it.
#[allow(unused_imports)]
pub use structure::{aws_account_id, rsa_bits};

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

#[cfg(test)]
#[path = "checksum/tests.rs"]
mod tests;
