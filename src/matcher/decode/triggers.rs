//! One pass over a text that finds the places where encoded text may be.
//!
//! 64 bytes are classified at a time into bit masks, one bit a byte; shifting masks against each other
//! then tells where, say, a `%` stands before a letter or digit. Only what survives is looked at byte
//! by byte, so that text with nothing encoded in it costs a fraction of a nanosecond a byte.

use std::ops::Range;

use crate::matcher::pair::Pair;
use crate::matcher::work;
// The characters of base64 and base64url, padding excepted, are those of tokens.
pub(super) use crate::rules::is_token_byte as in_class;

/// What may begin at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Trigger {
    /// The 16th byte of a run of base64 (or hex) characters.
    Run,
    /// A `%` before a letter or digit.
    Percent,
    /// A backslash before a letter, digit or slash.
    Escape,
    /// An `&` before a letter, digit or `#`.
    Entity,
    /// An `=` before a `3`, or between a word and white space.
    Quoted,
    /// The end of a literal that may be joined to another, or of a line that is continued.
    Joint,
}

/// Bytes a block.
const BLOCK: usize = 64;

/// Bit masks of a block: bit `i` tells of byte `i`.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
struct Masks {
    /// `A-Z a-z 0-9 + / - _`.
    class: u64,
    /// `% \ & =`.
    percent: u64,
    backslash: u64,
    ampersand: u64,
    equals: u64,
    /// `" ' ` `` ` ``.
    quote: u64,
    /// Bytes up to 0x20.
    space: u64,
    /// `+`.
    plus: u64,
    /// `.`.
    dot: u64,
    /// `: @`, which with `class`, `equals` and `dot` can be in a secret.
    other: u64,
    /// `3`.
    three: u64,
    /// `#`.
    hash: u64,
}

/// Whether the byte can be in the middle of a token or a connection string.
pub(super) const fn in_token(b: u8) -> bool {
    in_class(b) || matches!(b, b'=' | b'.' | b':' | b'@')
}

impl Masks {
    /// Adds the masks of a part of the block that begins at byte `at`.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn merge(&mut self, part: &Masks, at: usize) {
        self.class |= part.class << at;
        self.percent |= part.percent << at;
        self.backslash |= part.backslash << at;
        self.ampersand |= part.ampersand << at;
        self.equals |= part.equals << at;
        self.quote |= part.quote << at;
        self.space |= part.space << at;
        self.plus |= part.plus << at;
        self.dot |= part.dot << at;
        self.other |= part.other << at;
        self.three |= part.three << at;
        self.hash |= part.hash << at;
    }
}

/// Classifies a block byte by byte: the slow twin of the vector code, and its stand-in elsewhere.
#[cfg(any(test, not(target_arch = "x86_64")))]
fn masks_scalar(block: &[u8; BLOCK]) -> Masks {
    let mut m = Masks::default();
    for (i, &b) in block.iter().enumerate() {
        let bit = |yes: bool| u64::from(yes) << i;
        m.class |= bit(in_class(b));
        m.percent |= bit(b == b'%');
        m.backslash |= bit(b == b'\\');
        m.ampersand |= bit(b == b'&');
        m.equals |= bit(b == b'=');
        m.quote |= bit(matches!(b, b'"' | b'\'' | b'`'));
        m.space |= bit(b <= b' ');
        m.plus |= bit(b == b'+');
        m.dot |= bit(b == b'.');
        m.other |= bit(matches!(b, b':' | b'@'));
        m.three |= bit(b == b'3');
        m.hash |= bit(b == b'#');
    }
    m
}

/// The same with vectors: SSE2, which every x86-64 processor has, and AVX2.
#[cfg(target_arch = "x86_64")]
macro_rules! vector {
    ($name:ident, $feature:literal, $width:literal, $reg:ident, $load:ident,
     $movemask:ident, $set1:ident, $cmpeq:ident, $min:ident, $sub:ident, $or:ident) => {
        mod $name {
            use super::{BLOCK, Masks};
            use core::arch::x86_64::*;

            #[inline]
            #[target_feature(enable = $feature)]
            fn bits(v: $reg) -> u64 {
                u64::from($movemask(v) as u32)
            }

            #[inline]
            #[target_feature(enable = $feature)]
            fn eq(x: $reg, b: u8) -> $reg {
                $cmpeq(x, $set1(b as i8))
            }

            /// Bytes of `x` in `first..=last`.
            #[inline]
            #[target_feature(enable = $feature)]
            fn within(x: $reg, first: u8, last: u8) -> $reg {
                let low = $sub(x, $set1(first as i8));
                $cmpeq($min(low, $set1((last - first) as i8)), low)
            }

            /// The masks of a vector of bytes, in the low bits.
            #[inline]
            #[target_feature(enable = $feature)]
            fn part(bytes: &[u8; $width]) -> Masks {
                // SAFETY: the whole width can be read there, and the instruction asks for no alignment.
                let x = unsafe { $load(bytes.as_ptr().cast()) };
                let plus = eq(x, b'+');
                let letter = within($or(x, $set1(0x20)), b'a', b'z');
                let digit_or_slash = within(x, b'/', b'9');
                let dash = $or(eq(x, b'-'), eq(x, b'_'));
                Masks {
                    class: bits($or($or(letter, digit_or_slash), $or(dash, plus))),
                    percent: bits(eq(x, b'%')),
                    backslash: bits(eq(x, b'\\')),
                    ampersand: bits(eq(x, b'&')),
                    equals: bits(eq(x, b'=')),
                    quote: bits($or($or(eq(x, b'"'), eq(x, b'\'')), eq(x, b'`'))),
                    space: bits(within(x, 0, b' ')),
                    plus: bits(plus),
                    dot: bits(eq(x, b'.')),
                    other: bits($or(eq(x, b':'), eq(x, b'@'))),
                    three: bits(eq(x, b'3')),
                    hash: bits(eq(x, b'#')),
                }
            }

            /// Classifies a block.
            #[inline]
            #[target_feature(enable = $feature)]
            pub(super) fn masks(block: &[u8; BLOCK]) -> Masks {
                let mut m = Masks::default();
                for (i, bytes) in block.as_chunks::<$width>().0.iter().enumerate() {
                    m.merge(&part(bytes), $width * i);
                }
                m
            }

            /// See [`super::scan_with`].
            #[target_feature(enable = $feature)]
            pub(super) fn scan(
                text: &[u8],
                range: std::ops::Range<usize>,
                on: impl FnMut(super::Trigger, usize),
            ) {
                super::scan_with(text, range, |block| masks(block), on);
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
vector!(
    sse2,
    "sse2",
    16,
    __m128i,
    _mm_loadu_si128,
    _mm_movemask_epi8,
    _mm_set1_epi8,
    _mm_cmpeq_epi8,
    _mm_min_epu8,
    _mm_sub_epi8,
    _mm_or_si128
);

#[cfg(target_arch = "x86_64")]
vector!(
    avx2,
    "avx2",
    32,
    __m256i,
    _mm256_loadu_si256,
    _mm256_movemask_epi8,
    _mm256_set1_epi8,
    _mm256_cmpeq_epi8,
    _mm256_min_epu8,
    _mm256_sub_epi8,
    _mm256_or_si256
);

/// The masks whose past is needed.
#[derive(Default)]
struct State {
    percent: Pair,
    backslash: Pair,
    ampersand: Pair,
    equals: Pair,
    quote: Pair,
    token: Pair,
    class: Pair,
    /// Runs of at least 16 class bytes that end at a byte.
    run: Pair,
}

/// Triggers of a block, in the order of [`Trigger`].
type Found = [u64; 6];

impl State {
    #[inline(always)]
    fn step(&mut self, m: &Masks) -> Found {
        self.percent.push(m.percent);
        self.backslash.push(m.backslash);
        self.ampersand.push(m.ampersand);
        self.equals.push(m.equals);
        self.quote.push(m.quote);
        self.token.push(m.class | m.equals | m.dot | m.other);
        self.class.push(m.class);
        self.run.push(self.class.ends_of_sixteen());
        let word_before = self.token.back(2);
        let after_quote = m.space | m.plus | m.dot | m.ampersand | m.backslash | m.quote;
        [
            self.run.now & !self.run.back(1),
            self.percent.back(1) & m.class,
            self.backslash.back(1) & m.class,
            self.ampersand.back(1) & (m.class | m.hash),
            self.equals.back(1) & (m.three | (m.space & word_before)),
            word_before & ((self.quote.back(1) & after_quote) | (self.backslash.back(1) & m.space)),
        ]
    }
}

const ORDER: [Trigger; 6] =
    [Trigger::Run, Trigger::Percent, Trigger::Escape, Trigger::Entity, Trigger::Quoted, Trigger::Joint];

/// Calls `on` for every trigger in `text[range]`. The offset is that of the 16th byte for runs, and of
/// the lead byte (`%`, `\`, `&`, `=`, quote) for the others. Offsets ascend within 64 bytes' reach.
pub(super) fn scan(text: &[u8], range: Range<usize>, on: impl FnMut(Trigger, usize)) {
    work::count(range.len());
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2.
        unsafe { avx2::scan(text, range, on) }
    } else {
        // SAFETY: every x86-64 processor has SSE2.
        unsafe { sse2::scan(text, range, on) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    scan_with(text, range, masks_scalar, on);
}

#[inline(always)]
fn scan_with(
    text: &[u8],
    range: Range<usize>,
    masks: impl Fn(&[u8; BLOCK]) -> Masks,
    mut on: impl FnMut(Trigger, usize),
) {
    let Some(part) = text.get(range.clone()) else {
        return;
    };
    let mut state = State::default();
    let (blocks, rest) = part.as_chunks::<BLOCK>();
    let mut base = range.start;
    for block in blocks {
        let found = state.step(&masks(block));
        report(&found, base, &mut on);
        base += BLOCK;
    }
    if !rest.is_empty() {
        let mut block = [0u8; BLOCK];
        block[..rest.len()].copy_from_slice(rest);
        let valid = (1u64 << rest.len()) - 1;
        let found = state.step(&masks(&block)).map(|mask| mask & valid);
        report(&found, base, &mut on);
    }
}

#[inline(always)]
fn report(found: &Found, base: usize, on: &mut impl FnMut(Trigger, usize)) {
    if found.iter().fold(0, |all, &mask| all | mask) == 0 {
        return;
    }
    for (&trigger, &mask) in ORDER.iter().zip(found) {
        let mut mask = mask;
        while mask != 0 {
            let at = base + mask.trailing_zeros() as usize;
            on(trigger, if trigger == Trigger::Run { at } else { at.saturating_sub(1) });
            mask &= mask - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive(text: &[u8]) -> Vec<(usize, Trigger)> {
        let mut out = Vec::new();
        let mut run = 0;
        for (i, &b) in text.iter().enumerate() {
            run = if in_class(b) { run + 1 } else { 0 };
            if run == 16 {
                out.push((i, Trigger::Run));
            }
            let Some(at) = i.checked_sub(1) else { continue };
            let word = at > 0 && in_token(text[at - 1]);
            match text[at] {
                b'%' if in_class(b) => out.push((at, Trigger::Percent)),
                b'\\' if in_class(b) => out.push((at, Trigger::Escape)),
                b'\\' if b <= b' ' && word => out.push((at, Trigger::Joint)),
                b'&' if in_class(b) || b == b'#' => out.push((at, Trigger::Entity)),
                b'=' if b == b'3' || (b <= b' ' && word) => out.push((at, Trigger::Quoted)),
                b'"' | b'\'' | b'`'
                    if word
                        && (b <= b' ' || matches!(b, b'+' | b'.' | b'&' | b'\\' | b'"' | b'\'' | b'`')) =>
                {
                    out.push((at, Trigger::Joint));
                }
                _ => {}
            }
        }
        out.sort_unstable();
        out
    }

    proptest! {
        #[test]
        fn agrees_with_a_byte_by_byte_search(text in proptest::collection::vec(
            prop_oneof![8 => proptest::sample::select(&b"abXY09+/-_%%\\\\&&==3#\"'`. \n:@"[..]), 1 => any::<u8>(), 6 => Just(b'q')], 0..300)) {
            let mut found = Vec::new();
            scan(&text, 0..text.len(), |trigger, at| found.push((at, trigger)));
            found.sort_unstable();
            prop_assert_eq!(found, naive(&text));
        }

        #[test]
        fn masks_agree(block in proptest::collection::vec(any::<u8>(), 64)) {
            let block: [u8; 64] = block.try_into().unwrap();
            let slow = masks_scalar(&block);
            #[cfg(target_arch = "x86_64")]
            {
                // SAFETY: every x86-64 processor has SSE2; AVX2 is asked for.
                prop_assert_eq!(unsafe { sse2::masks(&block) }, slow);
                if std::is_x86_feature_detected!("avx2") {
                    prop_assert_eq!(unsafe { avx2::masks(&block) }, slow);
                }
            }
        }
    }
}
