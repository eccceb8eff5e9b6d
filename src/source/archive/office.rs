//! The text of Office and OpenDocument files: what their XML shows, with the markup taken out.
//!
//! Word processors cut words into runs as they like, so a secret is rarely in one piece in the XML.

/// Whether a member of a zip archive is such XML.
pub(super) fn is_document(name: &[u8]) -> bool {
    let inside = [&b"word/"[..], b"ppt/", b"xl/"].iter().any(|folder| name.starts_with(folder));
    name.ends_with(b".xml") && (inside || matches!(name, b"content.xml" | b"styles.xml" | b"meta.xml"))
}

/// Appends the text, one paragraph or cell a line.
pub(super) fn text(xml: &[u8], out: &mut Vec<u8>) {
    let mut rest = xml;
    while let Some(open) = memchr::memchr(b'<', rest) {
        let (text, tag) = rest.split_at(open);
        unescape(text, out);
        let end = memchr::memchr(b'>', tag).map_or(tag.len(), |i| i + 1);
        let (tag, after) = tag.split_at(end);
        if ends_line(tag) && out.last().is_some_and(|b| *b != b'\n') {
            out.push(b'\n');
        }
        rest = after;
    }
    unescape(rest, out);
}

/// Whether a tag ends a paragraph, a line or a cell.
fn ends_line(tag: &[u8]) -> bool {
    let name = tag.trim_ascii_start().get(1..).unwrap_or_default();
    let name = name.split(|b| matches!(b, b' ' | b'>')).next().unwrap_or_default();
    let name = name.strip_suffix(b"/").unwrap_or(name);
    ENDS.contains(&name)
}

/// Tags that end a line. Of spreadsheets: shared and inline strings, comments, and cells. Their `/t` ends a run only,
/// and a string may be cut into runs.
const ENDS: [&[u8]; 15] = [
    b"/w:p",
    b"w:br",
    b"w:tab",
    b"/a:p",
    b"a:br",
    b"/si",
    b"/is",
    b"/text",
    b"/v",
    b"/f",
    b"/c",
    b"/text:p",
    b"/text:h",
    b"text:line-break",
    b"text:tab",
];

fn unescape(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'&', rest) {
        let (before, entity) = rest.split_at(at);
        out.extend_from_slice(before);
        let len = entity.iter().take(10).position(|b| *b == b';').map_or(1, |i| i + 1);
        let (entity, after) = entity.split_at(len);
        match entity {
            b"&amp;" => out.push(b'&'),
            b"&lt;" => out.push(b'<'),
            b"&gt;" => out.push(b'>'),
            b"&quot;" => out.push(b'"'),
            b"&apos;" => out.push(b'\''),
            other => out.extend_from_slice(other),
        }
        rest = after;
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_joined_and_paragraphs_are_not() {
        let xml = b"<w:p><w:r><w:t>tok_</w:t></w:r><w:r><w:rPr/><w:t xml:space=\"preserve\">a&amp;b</w:t></w:r></w:p><w:p><w:t>x</w:t></w:p>";
        let mut out = Vec::new();
        text(xml, &mut out);
        assert_eq!(out, b"tok_a&b\nx\n");
        let xml = b"<si><r><t>tok_</t></r><r><t>ab</t></r></si><si><t>x</t></si><c><v>1</v></c><c><is><t>y</t></is></c>";
        out.clear();
        text(xml, &mut out);
        assert_eq!(out, b"tok_ab\nx\n1\ny\n");
    }
}
