//! Makes text from repositories harmless to look at.
//!
//! Paths, names and messages are written by strangers. Shown raw, they can move the cursor, recolour
//! or retitle the terminal, reverse the reading direction ("Trojan Source") or hide characters. Here
//! every such character becomes a visible escape; nothing is dropped silently.

use std::fmt::Write as _;
use std::io;

use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};

/// Whether a character can change how the text around it is shown, or is itself invisible.
///
/// Controls (C0, DEL, C1), bidirectional marks and embeddings, zero-width characters, line and
/// paragraph separators, interlinear annotation and tag characters.
pub fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// One line of text in which every hostile character and every invalid byte is a visible escape
/// (`\n`, `\t`, `\u{202e}`, `\xff`).
///
/// Backslashes of the text itself stay single: the result is for reading, not for decoding.
pub fn visible(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        push_visible(&mut out, chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

/// [`visible`] for text that is known to be UTF-8.
pub fn visible_str(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_visible(&mut out, text);
    out
}

fn push_visible(out: &mut String, text: &str) {
    // Most text is plain ASCII, in which nothing can be hostile.
    if is_plain(text) {
        out.push_str(text);
        return;
    }
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_hostile(c) => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
}

/// Whether the text is printable ASCII throughout.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|b| (b' '..=b'~').contains(&b))
}

/// JSON that is safe to print: hostile characters are `\uXXXX`, which parses back to the same text.
///
/// `html` escapes `<`, `>`, `&` and `'` as well, so that the JSON can stand inside a `<script>` element.
pub(crate) struct SafeJson<F> {
    inner: F,
    html: bool,
}

impl SafeJson<CompactFormatter> {
    /// Everything on one line.
    pub(crate) fn compact() -> Self {
        SafeJson { inner: CompactFormatter, html: false }
    }

    /// Everything on one line, safe inside an HTML `<script>` element.
    pub(crate) fn html() -> Self {
        SafeJson { inner: CompactFormatter, html: true }
    }
}

impl SafeJson<PrettyFormatter<'static>> {
    /// Indented by two spaces.
    pub(crate) fn pretty() -> Self {
        SafeJson { inner: PrettyFormatter::with_indent(b"  "), html: false }
    }
}

/// Passes the structural callbacks on to the inner formatter, which keeps the state of indentation.
macro_rules! delegate {
    ($($name:ident($($arg:ident: $ty:ty),*));+ $(;)?) => {
        $(fn $name<W: ?Sized + io::Write>(&mut self, writer: &mut W $(, $arg: $ty)*) -> io::Result<()> {
            self.inner.$name(writer $(, $arg)*)
        })+
    };
}

impl<F: Formatter> Formatter for SafeJson<F> {
    delegate! {
        begin_array();
        end_array();
        begin_array_value(first: bool);
        end_array_value();
        begin_object();
        end_object();
        begin_object_key(first: bool);
        end_object_key();
        begin_object_value();
        end_object_value();
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if !self.html && is_plain(fragment) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut clean_from = 0;
        for (at, c) in fragment.char_indices() {
            if !(is_hostile(c) || self.html && matches!(c, '<' | '>' | '&' | '\'')) {
                continue;
            }
            writer.write_all(&fragment.as_bytes()[clean_from..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            clean_from = at + c.len_utf8();
        }
        writer.write_all(&fragment.as_bytes()[clean_from..])
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    #[test]
    fn terminal_sequences_become_visible() {
        assert_eq!(visible(b"\x1b]0;owned\x07\x1b[31m"), "\\u{1b}]0;owned\\u{7}\\u{1b}[31m");
        assert_eq!(visible(b"a\r\nb\tc"), "a\\r\\nb\\tc");
        assert_eq!(visible("\u{9b}31m\u{7f}".as_bytes()), "\\u{9b}31m\\u{7f}");
    }

    #[test]
    fn direction_and_invisible_characters_become_visible() {
        assert_eq!(visible("a\u{202e}b\u{2066}c\u{200b}\u{feff}\u{2028}".as_bytes()), {
            "a\\u{202e}b\\u{2066}c\\u{200b}\\u{feff}\\u{2028}"
        });
        assert_eq!(visible("\u{e0041}".as_bytes()), "\\u{e0041}");
    }

    #[test]
    fn invalid_bytes_become_visible_and_other_scripts_stay() {
        assert_eq!(visible(b"caf\xe9/\xff\xfe"), "caf\\xe9/\\xff\\xfe");
        assert_eq!(visible("日本/größe/ключ".as_bytes()), "日本/größe/ключ");
    }

    fn json(text: &str, formatter: SafeJson<CompactFormatter>) -> String {
        let mut out = Vec::new();
        let mut serializer = serde_json::Serializer::with_formatter(&mut out, formatter);
        text.serialize(&mut serializer).expect("a string can be written to memory");
        String::from_utf8(out).expect("JSON is UTF-8")
    }

    #[test]
    fn json_escapes_and_still_means_the_same() {
        let text = "a\u{202e}\u{9b}\u{7f}\u{1b}\u{e0041}\"\\</script>&'é";
        let printed = json(text, SafeJson::compact());
        assert!(!printed.chars().any(is_hostile), "{printed}");
        assert_eq!(serde_json::from_str::<String>(&printed).expect("it parses"), text);
        let embedded = json(text, SafeJson::html());
        assert!(!embedded.contains(['<', '>', '&', '\'']), "{embedded}");
        assert_eq!(serde_json::from_str::<String>(&embedded).expect("it parses"), text);
    }
}
