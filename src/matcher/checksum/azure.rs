//! Azure's identifiable keys and common annotated security keys: Marvin32 over the key's bytes.
//!
//! Seeds and layouts are those of microsoft/security-utilities.

use data_encoding::BASE64;

use super::structure::base64_bytes;

pub(super) const COSMOS_SEEDS: &[u64] = &[
    0x4d61_7374_5257_3030,
    0x4d61_7374_524f_3030,
    0x5379_7374_5257_3030,
    0x5379_7374_524f_3030,
    0x5379_7341_6c6c_3030,
    0x5265_736f_7572_3030,
    0x456e_6372_7970_3030,
];
pub(super) const MESSAGING_SEEDS: &[u64] = &[
    0x4d61_6e61_6765_3030,
    0x5365_6e64_3030_3030,
    0x4c69_7374_656e_3030,
    0x5379_7374_656d_3030,
    0x556e_6b6e_6f77_6e30,
];
pub(super) const IOT_SEEDS: &[u64] = &[0x496f_5448_7562_3030, 0x4470_734b_6579_3030, 0x4465_7669_6365_3030];
pub(super) const FUNCTIONS_SEEDS: &[u64] =
    &[0x4675_6e63_7469_3030, 0x5379_7374_656d_3030, 0x4d61_7374_6572_3030];
pub(super) const SEARCH_SEEDS: &[u64] = &[0x5041_646d_696e_3030, 0x5175_6572_7930_3030];
pub(super) const APIM_SEEDS: &[u64] =
    &[0x496f_5448_7562_3030, 0x5465_6e61_6e74_3030, 0x4761_7465_7779_3030, 0x4769_744b_6579_3030];
/// `Default0`, read backwards as a number.
const CASK_SEED: u64 = 0x4465_6661_756c_7430;

/// The Marvin32 hash of .NET, folded to 32 bits.
pub(super) fn marvin32(data: &[u8], seed: u64) -> u32 {
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
pub(super) fn azure(secret: &[u8], seeds: &[u64]) -> bool {
    let Some(raw) = base64_bytes(secret) else {
        return false;
    };
    let Some((body, sum)) = raw.split_last_chunk::<4>() else {
        return false;
    };
    seeds.iter().any(|&seed| marvin32(body, seed).to_le_bytes() == *sum)
}

pub(super) fn complete_azure(partial: &str, seed: u64) -> Option<String> {
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

pub(super) fn azure_cask(secret: &[u8]) -> bool {
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

pub(super) fn complete_azure_cask(partial: &str) -> Option<String> {
    (partial.len() == 80).then(|| azure_cask_sum(partial.as_bytes()))?.map(|sum| sum[..4].to_owned())
}
