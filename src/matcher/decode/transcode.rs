//! Texts in UTF-16 and UTF-32, with and without byte order mark.

use super::likeness::is_printable;

/// A text that was UTF-16 or UTF-32, as UTF-8.
#[derive(Clone, PartialEq, Eq)]
pub struct Transcoded {
    /// `utf-16le`, `utf-16be`, `utf-32le` or `utf-32be`.
    pub name: &'static str,
    /// The text. Lines and columns in it are those of the file.
    pub text: Vec<u8>,
}

impl std::fmt::Debug for Transcoded {
    /// Leaves out the text: it can hold a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transcoded").field("name", &self.name).field("len", &self.text.len()).finish()
    }
}

/// How many bytes decide on the encoding where there is no byte order mark.
const PROBE: usize = 512;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Units {
    name: &'static str,
    /// Bytes a unit.
    width: usize,
    little: bool,
}

const UTF16LE: Units = Units { name: "utf-16le", width: 2, little: true };
const UTF16BE: Units = Units { name: "utf-16be", width: 2, little: false };
const UTF32LE: Units = Units { name: "utf-32le", width: 4, little: true };
const UTF32BE: Units = Units { name: "utf-32be", width: 4, little: false };

/// Transcodes UTF-16 and UTF-32 to UTF-8, what is invalid to U+FFFD. None for all other bytes (UTF-8,
/// ASCII, Latin-1, binary), which are scanned as they are.
pub fn encoding_of_text(bytes: &[u8]) -> Option<Transcoded> {
    let encoding = Encoding::of(bytes)?;
    Some(Transcoded { name: encoding.name(), text: encoding.decode(bytes, &mut []) })
}

/// How a text is encoded that is neither UTF-8 nor one byte a character. For texts that come in pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding(Units);

impl Encoding {
    /// The encoding of a text, told by its first bytes. None for all bytes that are scanned as they are.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        by_mark(bytes).or_else(|| by_zeros(bytes)).map(Encoding)
    }

    /// `utf-16le`, `utf-16be`, `utf-32le` or `utf-32be`.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// Transcodes a piece of the text, which begins between two characters, to UTF-8. A byte order mark in
    /// front is left out. Offsets in `bytes` that `cuts` holds, in ascending order, become offsets in the result.
    pub fn decode(self, bytes: &[u8], cuts: &mut [usize]) -> Vec<u8> {
        let mut text = Vec::with_capacity(bytes.len() / self.0.width + bytes.len() / 8);
        let mut at = if bytes.starts_with(self.0.mark()) { self.0.mark().len() } else { 0 };
        for cut in cuts {
            let end = self.0.between_characters(bytes, *cut).max(at);
            self.0.append(&bytes[at..end], &mut text);
            at = end;
            *cut = text.len();
        }
        self.0.append(&bytes[at..], &mut text);
        text
    }
}

impl Units {
    /// The byte order mark.
    fn mark(self) -> &'static [u8] {
        match (self.width, self.little) {
            (2, true) => &[0xff, 0xfe],
            (2, false) => &[0xfe, 0xff],
            (_, true) => &[0xff, 0xfe, 0, 0],
            (_, false) => &[0, 0, 0xfe, 0xff],
        }
    }

    /// The last offset up to `at` that is not inside of a character.
    fn between_characters(self, bytes: &[u8], at: usize) -> usize {
        let at = at.min(bytes.len()) / self.width * self.width;
        let before = at.checked_sub(2).filter(|_| self.width == 2).map(|before| &bytes[before..at]);
        let pair_is_open = before
            .and_then(|unit| values(unit, self).next())
            .is_some_and(|unit| (0xd800..0xdc00).contains(&unit));
        if pair_is_open { at - 2 } else { at }
    }

    /// Appends what the bytes say.
    fn append(self, bytes: &[u8], text: &mut Vec<u8>) {
        if self.width == 4 {
            from_utf32(bytes, self, text);
        } else {
            from_utf16(bytes, self, text);
        }
    }
}

fn by_mark(bytes: &[u8]) -> Option<Units> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] => Some(UTF32LE),
        [0, 0, 0xfe, 0xff, ..] => Some(UTF32BE),
        // Two bytes may be chance in binary data; the units behind them must be characters.
        [0xff, 0xfe, rest @ ..] => plausible(rest, UTF16LE).then_some(UTF16LE),
        [0xfe, 0xff, rest @ ..] => plausible(rest, UTF16BE).then_some(UTF16BE),
        _ => None,
    }
}

/// Whether few of the first units are controls or out of place.
fn plausible(bytes: &[u8], units: Units) -> bool {
    let head = bytes.get(..PROBE.min(bytes.len())).unwrap_or_default();
    let mut all = 0;
    let mut odd = 0;
    for unit in values(head, units) {
        all += 1;
        odd += usize::from(unit < 0x20 && !matches!(unit, 9 | 10 | 13) || matches!(unit, 0xfff0..));
    }
    odd * 16 <= all
}

/// Tells text without a mark by where its zero bytes are: ASCII characters have one or three each.
fn by_zeros(bytes: &[u8]) -> Option<Units> {
    let head = bytes.get(..PROBE.min(bytes.len()) & !3)?;
    if head.len() < 8 {
        return None;
    }
    memchr::memchr(0, head)?;
    let share = |units: Units| {
        let printable = values(head, units).filter(|&u| u8::try_from(u).is_ok_and(is_printable)).count();
        let usual = values(head, units).filter(|&u| (0xa0..0xd800).contains(&u)).count();
        (printable, usual, head.len() / units.width)
    };
    let wide = |&units: &Units| {
        let (printable, _, all) = share(units);
        printable * 10 >= all * 9
    };
    if let Some(units) = [UTF32LE, UTF32BE].into_iter().find(|u| wide(u)) {
        return Some(units);
    }
    // Mostly ASCII, or any script with ASCII spaces and line ends between and nothing odd.
    let narrow = |&units: &Units| {
        let (printable, usual, all) = share(units);
        printable * 10 >= all * 7 || (printable * 10 >= all * 2 && (printable + usual) * 50 >= all * 49)
    };
    [UTF16LE, UTF16BE].into_iter().find(|u| narrow(u))
}

/// The units of the bytes; an incomplete last one is left out.
fn values(bytes: &[u8], units: Units) -> impl Iterator<Item = u32> + '_ {
    bytes.chunks_exact(units.width).map(move |unit| {
        let join = |n: u32, &b: &u8| n << 8 | u32::from(b);
        if units.little { unit.iter().rev().fold(0, join) } else { unit.iter().fold(0, join) }
    })
}

fn from_utf16(bytes: &[u8], units: Units, text: &mut Vec<u8>) {
    let mut buffer = [0; 4];
    for c in char::decode_utf16(values(bytes, units).map(|u| u as u16)) {
        let c = c.unwrap_or(char::REPLACEMENT_CHARACTER);
        text.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
    }
}

fn from_utf32(bytes: &[u8], units: Units, text: &mut Vec<u8>) {
    let mut buffer = [0; 4];
    for value in values(bytes, units) {
        let c = char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER);
        text.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_in_pieces_is_the_same_text() {
        let text = "a\u{feff}ä\u{1f600}\n日本\u{1f601}\u{1f602} z, and some more that is plain";
        for units in [UTF16LE, UTF16BE, UTF32LE, UTF32BE] {
            let mut bytes = units.mark().to_vec();
            for c in text.chars() {
                let mut buffer = [0; 2];
                let values: Vec<u32> = match units.width {
                    2 => c.encode_utf16(&mut buffer).iter().map(|&u| u32::from(u)).collect(),
                    _ => vec![u32::from(c)],
                };
                for value in values {
                    let big = value.to_be_bytes();
                    let unit = &big[4 - units.width..];
                    if units.little { bytes.extend(unit.iter().rev()) } else { bytes.extend(unit) }
                }
            }
            let encoding = Encoding::of(&bytes).unwrap();
            assert_eq!(encoding, Encoding(units));
            assert_eq!(encoding.decode(&bytes, &mut []), text.as_bytes());
            for first in 0..=bytes.len() {
                let mut cuts = [first, bytes.len() / 2, bytes.len() + 9];
                cuts.sort_unstable();
                let whole = encoding.decode(&bytes, &mut cuts);
                assert_eq!(whole, text.as_bytes(), "{} {first}", units.name);
                assert!(cuts.is_sorted() && cuts.iter().all(|&cut| text.is_char_boundary(cut)), "{cuts:?}");
            }
        }
    }

    /// So many units of one value in UTF-16, and others behind them.
    fn units(value: u16, count: usize, others: &[u16]) -> Vec<u8> {
        std::iter::repeat_n(value, count).chain(others.iter().copied()).flat_map(u16::to_le_bytes).collect()
    }

    const LATIN: u16 = b'a' as u16;
    const CHINESE: u16 = 0x4e2d;

    fn told(bytes: &[u8]) -> Option<&'static str> {
        Encoding::of(bytes).map(Encoding::name)
    }

    #[test]
    fn a_mark_counts_where_few_units_are_out_of_place() {
        // Of Latin letters the zeros would tell, too.
        let marked =
            |count: usize, others: &[u16]| told(&[&b"\xff\xfe"[..], &units(CHINESE, count, others)].concat());
        for odd in [1, 0x1f, 0xfff0, 0xffff] {
            assert_eq!(marked(15, &[odd]), Some("utf-16le"), "{odd:x}: one of sixteen");
            assert_eq!(marked(14, &[odd]), None, "{odd:x}: one of fifteen");
            assert_eq!(marked(30, &[odd, odd]), Some("utf-16le"), "{odd:x}");
            assert_eq!(marked(29, &[odd, odd]), None, "{odd:x}");
        }
        assert_eq!(marked(1, &[9, 10, 13, 0x20, 0xffef]), Some("utf-16le"), "none is");
        let big: Vec<u8> = units(CHINESE, 20, &[]).chunks(2).flat_map(|pair| [pair[1], pair[0]]).collect();
        assert_eq!(told(&[&b"\xfe\xff"[..], &big].concat()), Some("utf-16be"));
        assert_eq!(told(&[&b"\xff\xfe"[..], &[1, 0].repeat(20)].concat()), None, "binary data");
    }

    #[test]
    fn zeros_tell_an_encoding_where_most_units_are_letters() {
        assert_eq!(told(&units(LATIN, 4, &[])), Some("utf-16le"));
        assert_eq!(told(&units(LATIN, 3, &[])), None, "too few bytes to tell");
        assert_eq!(told(&[b'a'; 40]), None);
        // Seven of ten, or two of ten among letters of other scripts.
        for (letters, other, is_text) in
            [(14, 1, true), (13, 1, false), (4, CHINESE, true), (3, CHINESE, false), (4, 0x80, false)]
        {
            let found = told(&units(LATIN, letters, &vec![other; 20 - letters]));
            assert_eq!(found.is_some(), is_text, "{letters} letters, and {other:x}");
        }
        // Of fifty, one may be anything.
        for (odd, is_text) in [(2, true), (3, false)] {
            let others = [vec![CHINESE; 80 - odd], vec![1; odd]].concat();
            assert_eq!(told(&units(LATIN, 20, &others)).is_some(), is_text, "{odd}");
        }
        // In UTF-32, nine of ten.
        for (letters, is_text) in [(9, true), (8, false)] {
            let unit = |n| if n < letters { u32::from(LATIN) } else { 0x0101_0101 };
            let bytes: Vec<u8> = (0..10).flat_map(|n| unit(n).to_le_bytes()).collect();
            assert_eq!(told(&bytes) == Some("utf-32le"), is_text, "{letters}");
        }
    }
}
