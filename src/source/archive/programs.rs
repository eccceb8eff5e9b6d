//! Constants of compiled programs: Java classes and Python bytecode.
//!
//! Formats: the Java Virtual Machine Specification, 4.4; CPython's `marshal` module.

use super::Walker;
use super::cursor::Cursor;
use super::strings;

/// Shortest constant of Python that is taken, in bytes.
const MIN_CONSTANT: usize = 4;

/// Whether this is a Java class (fat Mach-O programs begin with the same four bytes).
pub(super) fn is_class(head: &[u8]) -> bool {
    let mut cursor = Cursor::at(head, 4);
    head.starts_with(&[0xca, 0xfe, 0xba, 0xbe])
        && cursor.u16_be().is_some()
        && cursor.u16_be().is_some_and(|major| (45..200).contains(&major))
}

/// Whether this is Python bytecode: a version, `\r\n`, eight to sixteen bytes, and a code object.
pub(super) fn is_pyc(head: &[u8]) -> bool {
    let code = |at: usize| head.get(at).is_some_and(|b| b & 0x7f == b'c');
    head.get(2..4) == Some(b"\r\n")
        && (code(16) || code(12) || code(8))
        && head.get(..32).is_some_and(|start| start.contains(&0))
}

/// Gives the strings of a class, one a line.
pub(super) fn open_class(walker: &mut Walker<'_, '_>, bytes: &[u8]) {
    let mut lines = walker.meter.buffer();
    lines.reserve(bytes.len());
    if class_strings(bytes, &mut lines).is_none() {
        walker.skip("archive-damaged", "its constants cannot be read".to_owned());
        strings::narrow(bytes, MIN_CONSTANT, &mut lines);
    }
    walker.strings("(constants)", &lines);
    walker.meter.recycle(lines);
}

fn class_strings(bytes: &[u8], lines: &mut Vec<u8>) -> Option<()> {
    let mut rest = bytes.get(8..)?;
    let (count, behind) = rest.split_first_chunk()?;
    rest = behind;
    let mut left = u16::from_be_bytes(*count).checked_sub(1)?;
    while left > 0 {
        left -= 1;
        let (&kind, body) = rest.split_first()?;
        let len = match kind {
            1 => {
                let (len, text) = body.split_first_chunk()?;
                let (text, behind) = text.split_at_checked(usize::from(u16::from_be_bytes(*len)))?;
                lines.extend_from_slice(text);
                lines.push(b'\n');
                rest = behind;
                continue;
            }
            3 | 4 | 9..=12 | 17 | 18 => 4,
            5 | 6 => {
                left = left.checked_sub(1)?; // these take two places
                8
            }
            7 | 8 | 16 | 19 | 20 => 2,
            15 => 3,
            _ => return None,
        };
        rest = body.get(len..)?;
    }
    Some(())
}

/// Gives the strings of Python bytecode, one a line. Code objects differ from version to version;
/// strings do not, so they are looked for at every place where one can begin.
pub(super) fn open_pyc(walker: &mut Walker<'_, '_>, bytes: &[u8]) {
    let mut lines = walker.meter.buffer();
    let mut at = 8;
    let begins = |&b: &u8| BEGINS[usize::from(b)];
    while let Some(next) = bytes.get(at..).and_then(|rest| rest.iter().position(begins)) {
        at += next;
        match marshalled(bytes, at) {
            Some(text) => {
                lines.extend_from_slice(text);
                lines.push(b'\n');
                at += text.len() + 2;
            }
            None => at += 1,
        }
    }
    walker.strings("(constants)", &lines);
    walker.meter.recycle(lines);
}

/// Bytes that name the type of a string; the top bit says that it is referred to later.
const BEGINS: [bool; 256] = {
    let mut begins = [false; 256];
    let (types, mut i) = (b"zZaAust", 0);
    while i < types.len() {
        begins[types[i] as usize] = true;
        begins[types[i] as usize | 0x80] = true;
        i += 1;
    }
    begins
};

/// The string whose type byte is at `at`.
fn marshalled(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let mut cursor = Cursor::at(bytes, at);
    let len = match cursor.u8()? & 0x7f {
        b'z' | b'Z' => usize::from(cursor.u8()?),
        b'a' | b'A' | b'u' | b's' | b't' => usize::try_from(cursor.u32_le()?).ok()?,
        _ => return None,
    };
    let text = cursor.take(len)?;
    let readable = |&b: &u8| matches!(b, b' '..=b'~' | b'\t' | b'\n' | b'\r') || b >= 0x80;
    (len >= MIN_CONSTANT && text.iter().all(readable)).then_some(text)
}
