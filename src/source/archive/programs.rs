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
    if class_strings(bytes, &mut lines).is_none() {
        walker.skip("archive-damaged", "its constants cannot be read".to_owned());
        strings::narrow(bytes, MIN_CONSTANT, &mut lines);
    }
    walker.strings("(constants)", &lines);
    walker.meter.recycle(lines);
}

fn class_strings(bytes: &[u8], lines: &mut Vec<u8>) -> Option<()> {
    let mut cursor = Cursor::at(bytes, 8);
    let mut left = cursor.u16_be()?.checked_sub(1)?;
    while left > 0 {
        left -= 1;
        match cursor.u8()? {
            1 => {
                let len = usize::from(cursor.u16_be()?);
                lines.extend_from_slice(cursor.take(len)?);
                lines.push(b'\n');
            }
            3 | 4 | 9..=12 | 17 | 18 => {
                cursor.take(4)?;
            }
            5 | 6 => {
                cursor.take(8)?;
                left = left.checked_sub(1)?; // these take two places
            }
            7 | 8 | 16 | 19 | 20 => {
                cursor.take(2)?;
            }
            15 => {
                cursor.take(3)?;
            }
            _ => return None,
        }
    }
    Some(())
}

/// Gives the strings of Python bytecode, one a line. Code objects differ from version to version;
/// strings do not, so they are looked for at every place where one can begin.
pub(super) fn open_pyc(walker: &mut Walker<'_, '_>, bytes: &[u8]) {
    let mut lines = walker.meter.buffer();
    let mut at = 8;
    while at < bytes.len() {
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
