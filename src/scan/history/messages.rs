//! The text that people write in commits and tags, apart from files.

use super::visit::readable;
use crate::finding::MessageKind;
use crate::source::git::Kind;

/// The headers of a commit or tag (who made it, signatures, and whatever else stands there) and its
/// message, and what each is.
pub fn parts(data: &[u8], kind: Kind) -> [(&[u8], MessageKind); 2] {
    let text = readable(data);
    let header = memchr::memmem::find(text, b"\n\n").unwrap_or(text.len());
    let message = if kind == Kind::Tag { MessageKind::Tag } else { MessageKind::Commit };
    [(&text[..header], MessageKind::Identity), (text.get(header + 2..).unwrap_or_default(), message)]
}
