//! Reading the content of commits, tags and trees without copying it.

use super::bytes::split_at_byte;
use super::error::{Error, Result};
use super::oid::{HashKind, Oid};

/// The four kinds of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A commit.
    Commit,
    /// A folder.
    Tree,
    /// A file's content, or the target of a symbolic link.
    Blob,
    /// An annotated tag.
    Tag,
}

impl Kind {
    /// The name that git uses.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Commit => "commit",
            Kind::Tree => "tree",
            Kind::Blob => "blob",
            Kind::Tag => "tag",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        match name {
            b"commit" => Some(Kind::Commit),
            b"tree" => Some(Kind::Tree),
            b"blob" => Some(Kind::Blob),
            b"tag" => Some(Kind::Tag),
            _ => None,
        }
    }
}

/// The mode of a tree or index entry, as git records it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mode(pub u32);

impl Mode {
    const TYPE: u32 = 0o170000;
    /// A folder.
    pub const TREE: Mode = Mode(0o040000);

    /// Whether it is a folder.
    pub fn is_tree(self) -> bool {
        self.0 & Self::TYPE == 0o040000
    }

    /// Whether it is a symbolic link.
    pub fn is_symlink(self) -> bool {
        self.0 & Self::TYPE == 0o120000
    }

    /// Whether it is the commit of a submodule.
    pub fn is_gitlink(self) -> bool {
        self.0 & Self::TYPE == 0o160000
    }

    /// Whether its object is a blob: a regular file or a symbolic link.
    pub fn is_blob(self) -> bool {
        !self.is_tree() && !self.is_gitlink()
    }
}

/// One entry of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeEntry<'a> {
    /// Kind and permissions.
    pub mode: Mode,
    /// The name: one path component.
    pub name: &'a [u8],
    /// The object.
    pub oid: Oid,
}

/// The entries of a tree in recorded order. After an error it ends.
#[derive(Clone, Debug)]
pub struct TreeIter<'a> {
    rest: &'a [u8],
    hash_len: usize,
}

/// Iterates over the entries of the tree with this content.
pub fn tree_entries(data: &[u8], hash: HashKind) -> TreeIter<'_> {
    TreeIter { rest: data, hash_len: hash.oid_len() }
}

impl<'a> TreeIter<'a> {
    fn parse(&mut self) -> Option<TreeEntry<'a>> {
        let (mode, rest) = split_at_byte(self.rest, b' ')?;
        if mode.is_empty() || mode.len() > 7 {
            return None;
        }
        let mut bits = 0;
        for &digit in mode {
            bits = bits << 3 | char::from(digit).to_digit(8)?;
        }
        let (name, rest) = split_at_byte(rest, 0)?;
        let (oid, rest) = rest.split_at_checked(self.hash_len)?;
        self.rest = rest;
        Some(TreeEntry { mode: Mode(bits), name, oid: Oid::from_bytes(oid)? })
    }
}

impl<'a> Iterator for TreeIter<'a> {
    type Item = Result<TreeEntry<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let entry = self.parse();
        if entry.is_none() {
            self.rest = &[];
        }
        Some(entry.ok_or(Error::CorruptObject("malformed tree entry")))
    }
}

/// Who did something and when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signature<'a> {
    /// The name as recorded.
    pub name: &'a [u8],
    /// The e-mail address as recorded, without its angle brackets.
    pub email: &'a [u8],
    /// Seconds since 1970-01-01 UTC; 0 if malformed.
    pub time: i64,
    /// Offset from UTC in minutes; 0 if malformed.
    pub offset_minutes: i32,
}

impl<'a> Signature<'a> {
    /// Reads `Name <email> time offset`, as tolerantly as git does.
    pub fn parse(line: &'a [u8]) -> Self {
        let Some(open) = memchr::memchr(b'<', line) else {
            return Signature { name: line.trim_ascii(), ..Signature::default() };
        };
        // The last bracket: some old tools wrote addresses with brackets inside.
        let close = memchr::memrchr(b'>', line).filter(|&close| close > open).unwrap_or(line.len());
        let mut tail = line
            .get(close + 1..)
            .unwrap_or_default()
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty());
        Signature {
            name: line[..open].trim_ascii(),
            email: line[open + 1..close].trim_ascii(),
            time: tail.next().and_then(ascii_number).unwrap_or(0),
            offset_minutes: tail.next().and_then(offset_minutes).unwrap_or(0),
        }
    }
}

fn ascii_number(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn offset_minutes(text: &[u8]) -> Option<i32> {
    let hhmm = i32::try_from(ascii_number(text)?).ok().filter(|hhmm| hhmm.abs() < 10_000)?;
    Some(hhmm / 100 * 60 + hhmm % 100)
}

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit<'a> {
    /// Its tree.
    pub tree: Oid,
    /// Its parents in order.
    pub parents: Vec<Oid>,
    /// Who wrote the change.
    pub author: Signature<'a>,
    /// Who recorded it.
    pub committer: Signature<'a>,
    /// Name of the message's encoding, if it says one.
    pub encoding: Option<&'a [u8]>,
    /// The message.
    pub message: &'a [u8],
}

impl<'a> Commit<'a> {
    /// Reads a commit's content.
    pub fn parse(data: &'a [u8]) -> Result<Self> {
        let (headers, message) = split_headers(data);
        let mut tree = None;
        let mut commit = Commit {
            tree: Oid::null(HashKind::Sha1),
            parents: Vec::new(),
            author: Signature::default(),
            committer: Signature::default(),
            encoding: None,
            message,
        };
        for (key, value) in Headers(headers) {
            match key {
                b"tree" if tree.is_none() => tree = Oid::from_hex(value),
                b"parent" => commit
                    .parents
                    .push(Oid::from_hex(value).ok_or(Error::CorruptObject("malformed parent of a commit"))?),
                b"author" => commit.author = Signature::parse(value),
                b"committer" => commit.committer = Signature::parse(value),
                b"encoding" => commit.encoding = Some(value),
                _ => {} // signatures, merge tags and whatever else: their text is scanned as a whole
            }
        }
        commit.tree = tree.ok_or(Error::CorruptObject("commit without a tree"))?;
        Ok(commit)
    }
}

/// An annotated tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag<'a> {
    /// The object it names.
    pub target: Oid,
    /// That object's kind.
    pub target_kind: Kind,
    /// The tag's name.
    pub name: &'a [u8],
    /// Who made it; old tags have none.
    pub tagger: Option<Signature<'a>>,
    /// The message.
    pub message: &'a [u8],
}

impl<'a> Tag<'a> {
    /// Reads a tag's content.
    pub fn parse(data: &'a [u8]) -> Result<Self> {
        let (headers, message) = split_headers(data);
        let (mut target, mut target_kind, mut name, mut tagger) = (None, None, &b""[..], None);
        for (key, value) in Headers(headers) {
            match key {
                b"object" => target = Oid::from_hex(value),
                b"type" => target_kind = Kind::from_name(value),
                b"tag" => name = value,
                b"tagger" => tagger = Some(Signature::parse(value)),
                _ => {}
            }
        }
        Ok(Tag {
            target: target.ok_or(Error::CorruptObject("tag without a target"))?,
            target_kind: target_kind.ok_or(Error::CorruptObject("tag without a type"))?,
            name,
            tagger,
            message,
        })
    }
}

/// Headers end at the first empty line.
fn split_headers(data: &[u8]) -> (&[u8], &[u8]) {
    if data.first() == Some(&b'\n') {
        return (&[], &data[1..]);
    }
    match memchr::memmem::find(data, b"\n\n") {
        Some(at) => (&data[..at + 1], &data[at + 2..]),
        None => (data, &[]),
    }
}

/// `key value` lines. Continuation lines (a signature's, for example) start with a space and give an empty key.
struct Headers<'a>(&'a [u8]);

impl<'a> Iterator for Headers<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let (line, rest) = split_at_byte(self.0, b'\n').unwrap_or((self.0, &[]));
        self.0 = rest;
        Some(split_at_byte(line, b' ').unwrap_or((line, &[])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OID: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn a_commit_with_signature_and_merge_tag() {
        let text = format!(
            "tree {OID}\nparent {OID}\nparent {OID}\nauthor A B <a@b> 12 +0130\ncommitter C <c@d> 13 -0800\n\
             encoding latin1\nmergetag object {OID}\n type commit\n tag v1\ngpgsig -----BEGIN\n \n tree x\n\nsubject\n\nbody\n"
        );
        let commit = Commit::parse(text.as_bytes()).unwrap();
        assert_eq!(commit.tree.to_hex(), OID);
        assert_eq!(commit.parents.len(), 2);
        assert_eq!(commit.author, Signature { name: b"A B", email: b"a@b", time: 12, offset_minutes: 90 });
        assert_eq!(commit.committer.offset_minutes, -480);
        assert_eq!(commit.encoding, Some(&b"latin1"[..]));
        assert_eq!(commit.message, b"subject\n\nbody\n");
    }

    #[test]
    fn malformed_objects_are_errors() {
        assert!(Commit::parse(b"").is_err());
        assert!(Commit::parse(b"tree 12\n\n").is_err());
        assert!(Commit::parse(format!("tree {OID}\nparent x\n\n").as_bytes()).is_err());
        assert!(Tag::parse(format!("object {OID}\ntype wheel\n\n").as_bytes()).is_err());
        let mut tree = b"100644 a\0".to_vec();
        tree.extend([7; 19]);
        assert!(tree_entries(&tree, HashKind::Sha1).next().unwrap().is_err());
        tree.push(7);
        let mut entries = tree_entries(&tree, HashKind::Sha1);
        assert_eq!(entries.next().unwrap().unwrap().name, b"a");
        assert!(entries.next().is_none());
        let mut bad = tree.clone();
        bad.extend(b"9 b\0");
        let mut entries = tree_entries(&bad, HashKind::Sha1).skip(1);
        assert!(entries.next().unwrap().is_err());
        assert!(entries.next().is_none());
    }

    #[test]
    fn odd_signatures_are_read_tolerantly() {
        assert_eq!(Signature::parse(b"nobody").name, b"nobody");
        let odd = Signature::parse(b"<x <y>> 1 +9999999999");
        assert_eq!((odd.name, odd.email, odd.time, odd.offset_minutes), (&b""[..], &b"x <y>"[..], 1, 0));
    }

    #[test]
    fn a_tag_says_what_it_names_and_who_made_it() {
        let text = format!("object {OID}\ntype commit\ntag v1\ntagger A B <a@b> 12 +0130\n\nwhy\n");
        let tag = Tag::parse(text.as_bytes()).unwrap();
        assert_eq!(
            (tag.target.to_hex().as_str(), tag.target_kind, tag.name),
            (OID, Kind::Commit, &b"v1"[..])
        );
        let tagger = tag.tagger.unwrap();
        assert_eq!((tagger.name, tagger.email, tagger.time), (&b"A B"[..], &b"a@b"[..], 12));
        assert_eq!(tag.message, b"why\n");
        let old = text.replace("tagger", "author");
        assert_eq!(Tag::parse(old.as_bytes()).unwrap().tagger, None);
    }

    #[test]
    fn modes_are_octal_and_short() {
        let mode = |digits: &str| {
            let tree = [digits.as_bytes(), b" a\0", &[7; 20]].concat();
            tree_entries(&tree, HashKind::Sha1).next().unwrap().ok().map(|entry| entry.mode.0)
        };
        assert_eq!(mode("100644"), Some(0o100644));
        assert_eq!(mode("40000"), Some(0o40000));
        assert_eq!(mode("0100755"), Some(0o100755), "as some old tools wrote it");
        for digits in ["", "00100755", "100648", "10064x"] {
            assert_eq!(mode(digits), None, "{digits}");
        }
        let kinds = |mode: Mode| (mode.is_tree(), mode.is_symlink(), mode.is_gitlink(), mode.is_blob());
        assert_eq!(kinds(Mode(0o40000)), (true, false, false, false));
        assert_eq!(kinds(Mode(0o120000)), (false, true, false, true));
        assert_eq!(kinds(Mode(0o160000)), (false, false, true, false));
        assert_eq!(kinds(Mode(0o100755)), (false, false, false, true));
    }

    #[test]
    fn zones_are_hours_and_minutes() {
        let offset = |zone: &str| Signature::parse(format!("A <a@b> 1 {zone}").as_bytes()).offset_minutes;
        assert_eq!((offset("+0000"), offset("+0545"), offset("-1130")), (0, 345, -690));
        assert_eq!((offset("+9999"), offset("+10000"), offset("-10000")), (99 * 60 + 99, 0, 0));
        assert_eq!(offset("east"), 0);
    }

    #[test]
    fn the_first_tree_of_a_commit_counts_and_an_empty_line_ends_the_headers() {
        let other = OID.replace('0', "1");
        let text = format!("tree {OID}\ntree {other}\nencoding x\n\ntree {other}\n");
        let commit = Commit::parse(text.as_bytes()).unwrap();
        assert_eq!((commit.tree.to_hex().as_str(), commit.encoding), (OID, Some(&b"x"[..])));
        assert_eq!(commit.message, format!("tree {other}\n").as_bytes());
        assert_eq!(Commit::parse(format!("tree {OID}").as_bytes()).unwrap().message, b"");
        assert!(Commit::parse(format!("\ntree {OID}\n\n").as_bytes()).is_err(), "it is all message");
    }
}
