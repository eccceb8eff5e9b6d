//! The text that a content stream of a PDF shows.

use std::collections::HashMap;

/// Most characters that a code stands for.
const MAX_TARGET: usize = 32;
/// Most characters of a font.
const MAX_CODES: usize = 1 << 17;
/// Most operands of an operator that are held; more are no document's.
const MAX_OPERANDS: usize = 1 << 16;
/// Most bytes of text that all maps together make of a stream. (A code can stand for a hundred bytes.)
const MAX_MADE: usize = 64 << 20;

/// A font's map from character codes to text: a ToUnicode stream.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct CharMap {
    /// Bytes a code.
    width: usize,
    codes: HashMap<u32, String>,
    /// How many codes were set, again and again perhaps.
    made: usize,
}

impl CharMap {
    /// Number of its codes.
    pub(super) fn len(&self) -> usize {
        self.codes.len()
    }

    /// Parses a stream; None if it is no character map.
    pub(super) fn parse(content: &[u8]) -> Option<CharMap> {
        memchr::memmem::find(content, b"begincmap")?;
        let mut map = CharMap { width: 1, ..CharMap::default() };
        let mut operands: Vec<Token> = Vec::new();
        let mut tokens = Tokens { rest: content };
        while let Some(token) = tokens.next() {
            let Token::Word(word) = &token else {
                if operands.len() < MAX_OPERANDS {
                    operands.push(token);
                }
                continue;
            };
            match word.as_slice() {
                b"endbfchar" => map.characters(&operands),
                b"endbfrange" => map.ranges(&operands),
                _ => {}
            }
            operands.clear();
        }
        (!map.codes.is_empty()).then_some(map)
    }

    fn code(&mut self, token: &Token) -> Option<u32> {
        let Token::Text(bytes) = token else { return None };
        self.width = self.width.max(bytes.len().min(2));
        Some(bytes.iter().fold(0, |n, &b| n << 8 | u32::from(b)))
    }

    fn characters(&mut self, operands: &[Token]) {
        for pair in operands.chunks_exact(2) {
            if self.codes.len() >= MAX_CODES {
                return;
            }
            if let (Some(code), Some(Token::Text(text))) = (self.code(&pair[0]), pair.get(1)) {
                self.codes.insert(code, utf16(text));
            }
        }
    }

    fn ranges(&mut self, operands: &[Token]) {
        let mut rest = operands;
        while let [first, last, target, after @ ..] = rest {
            let (Some(first), Some(last)) = (self.code(first), self.code(last)) else { return };
            rest = after;
            if let Token::Text(text) = target {
                let text = utf16(text);
                let (head, end) =
                    text.char_indices().next_back().map_or(("", None), |(i, c)| (&text[..i], Some(c)));
                for code in first..=last {
                    self.made += 1;
                    if self.made > MAX_CODES {
                        break;
                    }
                    let Some(c) = end.and_then(|c| char::from_u32(c as u32 + (code - first))) else { break };
                    self.codes.insert(code, format!("{head}{c}"));
                }
                continue;
            }
            // One text for each code, in brackets.
            let close = rest.iter().position(|t| *t == Token::Close).unwrap_or(rest.len());
            for (code, token) in (first..=last).zip(rest.iter().take(close)) {
                if let Token::Text(text) = token
                    && self.codes.len() < MAX_CODES
                {
                    self.codes.insert(code, utf16(text));
                }
            }
            rest = rest.get(close + 1..).unwrap_or_default();
        }
    }

    /// The text of a string; None if most of its codes are not in the map.
    fn text(&self, string: &[u8]) -> Option<String> {
        let codes = string.chunks(self.width).map(|code| code.iter().fold(0, |n, &b| n << 8 | u32::from(b)));
        let found: Vec<&str> =
            codes.clone().filter_map(|code| self.codes.get(&code).map(String::as_str)).collect();
        (found.len() * 2 > codes.count()).then(|| found.concat())
    }
}

fn utf16(bytes: &[u8]) -> String {
    if let [only] = bytes {
        return char::from(*only).to_string();
    }
    let units: Vec<u16> =
        bytes.as_chunks::<2>().0.iter().take(MAX_TARGET).map(|u| u16::from_be_bytes(*u)).collect();
    String::from_utf16_lossy(&units)
}

/// Whether a content stream shows text.
pub(super) fn shows_text(content: &[u8]) -> bool {
    memchr::memmem::find(content, b"Tj").is_some() || memchr::memmem::find(content, b"TJ").is_some()
}

/// The strings that are shown: as they are, and then by each font's map. Strings of one operator, and
/// of operators on one line, are joined; each new line of the page is one. False when maps would make far more of it
/// than it is: that is left out.
pub(super) fn shown(content: &[u8], maps: &[CharMap]) -> (Vec<u8>, bool) {
    let mut plain = Vec::new();
    let mut mapped: Vec<Vec<u8>> = vec![Vec::new(); maps.len()];
    let mut room = MAX_MADE;
    let mut whole = true;
    let mut texts: Vec<Vec<u8>> = Vec::new();
    let mut last_number: Option<f64> = None;
    let mut tokens = Tokens { rest: content };
    while let Some(token) = tokens.next() {
        match token {
            Token::Text(text) => {
                texts.push(text);
                // More than any operator has: as if it stood here.
                if texts.len() == MAX_OPERANDS {
                    whole &= show(&texts, maps, &mut plain, &mut mapped, &mut room);
                    texts.clear();
                }
            }
            Token::Number(n) => {
                last_number = Some(n);
                // Letters that are set far apart are two words; an empty text marks them.
                if n < WORD_GAP && !texts.is_empty() {
                    texts.push(Vec::new());
                }
            }
            Token::Open | Token::Close => {}
            Token::Word(word) => {
                if starts_line(&word, last_number) {
                    std::iter::once(&mut plain).chain(&mut mapped).for_each(new_line);
                }
                if matches!(word.as_slice(), b"Tj" | b"TJ" | b"'" | b"\"") {
                    whole &= show(&texts, maps, &mut plain, &mut mapped, &mut room);
                }
                texts.clear();
                last_number = None;
            }
        }
    }
    std::iter::once(&mut plain).chain(&mut mapped).for_each(new_line);
    plain.extend(mapped.into_iter().flatten());
    (plain, whole)
}

/// Gaps beyond this, in thousandths of the letters' size, are between words.
const WORD_GAP: f64 = -200.0;

/// Whether an operator begins a new line.
fn starts_line(operator: &[u8], last_number: Option<f64>) -> bool {
    match operator {
        // A move to the right stays on the line.
        b"Td" | b"TD" => last_number.is_none_or(|y| y != 0.0),
        b"T*" | b"Tm" | b"BT" | b"ET" | b"'" | b"\"" => true,
        _ => false,
    }
}

fn new_line(out: &mut Vec<u8>) {
    if out.last().is_some_and(|b| *b != b'\n') {
        out.push(b'\n');
    }
}

/// Appends texts, and what each map makes of them as long as there is room for it. False if there is none left.
fn show(
    texts: &[Vec<u8>],
    maps: &[CharMap],
    plain: &mut Vec<u8>,
    mapped: &mut [Vec<u8>],
    room: &mut usize,
) -> bool {
    for text in texts {
        plain.extend_from_slice(if text.is_empty() { b" " } else { text });
        for (map, out) in maps.iter().zip(mapped.iter_mut()) {
            // A code stands for at most so many bytes; most for few.
            for part in text.chunks(PART) {
                let made = map.text(part).unwrap_or_default();
                match room.checked_sub(made.len()) {
                    Some(left) => *room = left,
                    None => return false,
                }
                out.extend_from_slice(made.as_bytes());
            }
        }
    }
    true
}

/// Bytes of a string that are mapped at a time: an even number, as codes have one byte or two.
const PART: usize = 1 << 16;

#[derive(Debug, PartialEq)]
enum Token {
    Text(Vec<u8>),
    Number(f64),
    Open,
    Close,
    Word(Vec<u8>),
}

/// Cuts a content stream into tokens.
struct Tokens<'a> {
    rest: &'a [u8],
}

const fn delimits(b: u8) -> bool {
    b <= b' ' || matches!(b, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}

impl Tokens<'_> {
    fn next(&mut self) -> Option<Token> {
        self.rest = self.rest.trim_ascii_start();
        while let Some(comment) = self.rest.strip_prefix(b"%") {
            let len = memchr::memchr(b'\n', comment).unwrap_or(comment.len());
            self.rest = comment.get(len..).unwrap_or_default().trim_ascii_start();
        }
        let (&first, after) = self.rest.split_first()?;
        match first {
            b'(' => Some(Token::Text(self.literal())),
            b'<' if after.first() != Some(&b'<') => {
                let len = memchr::memchr(b'>', after).unwrap_or(after.len());
                let text = hex(after.get(..len)?);
                self.rest = after.get(len + 1..).unwrap_or_default();
                Some(Token::Text(text))
            }
            b'[' => self.single(Token::Open),
            b']' => self.single(Token::Close),
            _ => {
                let len = 1 + after.iter().take_while(|b| !delimits(**b)).count();
                let (word, rest) = self.rest.split_at_checked(len)?;
                self.rest = rest;
                let number = std::str::from_utf8(word).ok().and_then(|w| w.parse().ok());
                Some(number.map_or_else(|| Token::Word(word.to_vec()), Token::Number))
            }
        }
    }

    fn single(&mut self, token: Token) -> Option<Token> {
        self.rest = self.rest.get(1..)?;
        Some(token)
    }

    /// A string in parentheses, which nest, with escapes.
    fn literal(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        let mut depth = 0usize;
        let mut bytes = self.rest.iter().copied().enumerate().peekable();
        let mut end = self.rest.len();
        while let Some((i, b)) = bytes.next() {
            match b {
                b'(' => {
                    depth += 1;
                    if depth > 1 {
                        text.push(b);
                    }
                }
                b')' => {
                    depth -= 1;
                    if depth == 0 {
                        end = i + 1;
                        break;
                    }
                    text.push(b);
                }
                b'\\' => match bytes.next().map(|(_, b)| b) {
                    Some(b'n') => text.push(b'\n'),
                    Some(b'r') => text.push(b'\r'),
                    Some(b't') => text.push(b'\t'),
                    Some(b'\n') | None => {}
                    Some(d @ b'0'..=b'7') => {
                        let mut value = u32::from(d - b'0');
                        for _ in 0..2 {
                            let Some((_, d)) = bytes.next_if(|(_, b)| matches!(b, b'0'..=b'7')) else {
                                break;
                            };
                            value = value << 3 | u32::from(d - b'0');
                        }
                        text.push(value as u8);
                    }
                    Some(other) => text.push(other),
                },
                _ => text.push(b),
            }
        }
        self.rest = self.rest.get(end..).unwrap_or_default();
        text
    }
}

/// Decodes hex digits; others are passed over, and a missing last digit is 0.
pub(super) fn hex(text: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = text
        .iter()
        .take_while(|b| **b != b'>')
        .filter_map(|b| char::from(*b).to_digit(16).map(|d| d as u8))
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair.get(1).copied().unwrap_or_default()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_of_a_line_are_joined() {
        let content =
            b"BT /F1 12 Tf 72 700 Td (tok) Tj [(_ab) -20 (c\\(d\\)) -300 (\\145)] TJ 0 -14 Td <6b6579> Tj ET";
        assert_eq!(String::from_utf8_lossy(&shown(content, &[]).0), "tok_abc(d) e\nkey\n");
    }

    /// A code that stands for 32 characters makes 32 times as many of a string.
    #[test]
    fn maps_do_not_make_texts_without_end() {
        let cmap = format!("begincmap 1 beginbfchar <61> <{}> endbfchar", "0041".repeat(32));
        let map = CharMap::parse(cmap.as_bytes()).unwrap();
        let content = |n: usize| format!("BT ({}) Tj ET", "a".repeat(n));
        let (text, whole) = shown(content(100_000).as_bytes(), std::slice::from_ref(&map));
        assert_eq!((text.len(), whole), (100_001 + 3_200_001, true));
        let (text, whole) = shown(content(2_200_000).as_bytes(), std::slice::from_ref(&map));
        assert!(!whole && text.len() < MAX_MADE + 2_300_000);
    }

    #[test]
    fn operators_with_very_many_operands_lose_none() {
        let content = format!("BT [{}] TJ ET", "(a)".repeat(MAX_OPERANDS + 10));
        assert_eq!(shown(content.as_bytes(), &[]).0.len(), MAX_OPERANDS + 10 + 1);
        let cmap = format!("begincmap {} endbfchar", "[".repeat(2 * MAX_OPERANDS));
        assert!(CharMap::parse(cmap.as_bytes()).is_none());
    }

    #[test]
    fn codes_are_mapped() {
        let cmap = b"/CIDInit begincmap 1 begincodespacerange <0000> <FFFF> endcodespacerange
            2 beginbfchar <0001> <0074> <0002> <006F> endbfchar
            2 beginbfrange <0003> <0005> <006B> <0006> <0007> [<0078> <0079>] endbfrange endcmap";
        let map = CharMap::parse(cmap).unwrap();
        let out = shown(b"BT [<00010002> 3 <00030004>] TJ <00060007> Tj <00ff00ff0001> Tj ET", &[map]);
        assert!(out.0.ends_with(b"toklxy\n"));
    }
}
