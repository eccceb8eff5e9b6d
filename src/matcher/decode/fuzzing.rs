//! What fuzz targets call: everything that undoes an encoding in a text, held to its own promises.

use std::ops::Range;

use super::{Budget, Decoded, Encoding, each, encoding_of_text, find, is_touched, whole};

/// Encoded runs in a text, texts of wide characters; the first byte says what of them is looked at.
pub fn decoders(data: &[u8]) {
    let Some((&which, data)) = data.split_first() else { return };
    match which & 3 {
        0 => nested(data),
        1 => regions(data),
        2 => reach(data),
        _ => wide(data),
    }
}

/// All levels: places lie inside, and no more is decoded than the budget allows.
fn nested(text: &[u8]) {
    let budget = Budget::for_text(text.len());
    let (mut left, mut made) = (budget, 0);
    each(text, &whole(text), &mut left, &mut |decoded| {
        made += decoded.bytes.len();
        check(decoded, text.len());
    });
    assert!(left.bytes <= budget.bytes);
    // Copies between escapes are not counted.
    assert!(made <= budget.bytes + 8 * text.len(), "{made} bytes of {}", text.len());
}

fn check(decoded: &Decoded, len: usize) {
    let Range { start, end } = decoded.range;
    assert!(start <= end && end <= len);
    let bytes = decoded.bytes.len();
    for at in (0..bytes).step_by(1 + bytes / 64) {
        for until in [at + 1, at + (bytes - at) / 2, bytes] {
            let place = decoded.source_range(at..until);
            assert!(place.start <= place.end && place.end <= len, "{place:?} of {decoded:?}");
            decoded.is_verbatim(at..until);
        }
    }
}

fn found(text: &[u8], regions: &[Range<usize>]) -> Option<Vec<Decoded>> {
    let mut budget = Budget::for_text(text.len());
    let mut out = Vec::new();
    find(text, regions, &mut budget, &mut out);
    // What a budget leaves out depends on the order of work.
    (!budget.exhausted).then_some(out)
}

/// The region that the first bytes name, against the whole text.
fn regions(data: &[u8]) {
    let Some((&[a, b, c, d], text)) = data.split_first_chunk::<4>() else { return };
    let at = |high: u8, low: u8| usize::from(u16::from_be_bytes([high, low])) % (text.len() + 1);
    let (start, len) = (at(a, b), usize::from(d));
    // Nothing, where bytes were removed, and some bytes; or some bytes up to the end.
    let regions = match c & 1 {
        0 => [start..start, start..(start + len).min(text.len())],
        _ => [start / 2..start / 2, start.max(start / 2 + 1).min(text.len())..text.len()],
    };
    if regions.windows(2).any(|pair| pair[1].start < pair[0].end) {
        return;
    }
    let (Some(mut all), Some(some)) = (found(text, &whole(text)), found(text, &regions)) else { return };
    all.retain(|decoded| is_touched(&decoded.reach, &regions));
    assert_eq!(all, some, "{regions:?}");
}

/// Bytes beyond the reach of a run do not change what it says.
fn reach(text: &[u8]) {
    let Some(all) = found(text, &whole(text)) else { return };
    for decoded in all.iter().take(16) {
        let (first, last) = (decoded.reach.start, decoded.reach.end);
        assert!(first <= decoded.range.start && decoded.range.end <= last && last <= text.len());
        // The beginning and the end of a text count.
        let before = if first == 0 { &b""[..] } else { b"~q+" };
        let after = if last == text.len() { &b""[..] } else { b"A=\n%41" };
        let other = [before, &text[first..last], after].concat();
        let at = decoded.range.start - first + before.len();
        let Some(again) = found(&other, &whole(&other)) else { return };
        let is_same = |d: &&Decoded| d.range.start == at && d.bytes == decoded.bytes;
        assert!(again.iter().any(|d| is_same(&d)), "{decoded:?}");
    }
}

/// In pieces as a whole.
fn wide(data: &[u8]) {
    let (Some(encoding), Some(all)) = (Encoding::of(data), encoding_of_text(data)) else {
        return assert_eq!(encoding_of_text(data), None);
    };
    assert_eq!(encoding.name(), all.name);
    assert!(std::str::from_utf8(&all.text).is_ok() && all.text.len() <= 2 * data.len() + 8);
    let mut cuts = [0, data.len() / 3, data.len() / 2, data.len()];
    let text = encoding.decode(data, &mut cuts);
    assert_eq!(text, all.text);
    assert!(cuts.is_sorted() && cuts[3] <= text.len());
}
