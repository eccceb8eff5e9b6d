//! Names: what files of refs say, and what revision expressions mean.

use std::path::Component;

use bstr::ByteSlice;

use super::sample::{Sample, with_sample};
use crate::source::git::{Kind, Revisions, refs};

/// Packed refs and files of refs, or a revision expression; the first byte says which.
pub fn names(data: &[u8]) {
    let Some((&which, data)) = data.split_first() else { return };
    match which & 3 {
        0 => packed(data),
        1 => drop(refs::value_of(data)),
        _ => {
            if let Ok(text) = std::str::from_utf8(data) {
                with_sample(|sample| expression(text, sample));
            }
        }
    }
}

/// What is listed is found by its name.
fn packed(text: &[u8]) {
    let all: Vec<_> = refs::packed_entries(text).collect();
    for (name, _) in &all {
        let found = refs::packed_target(text, name).expect("a ref that is listed");
        assert!(all.iter().any(|(other, oid)| other == name && *oid == found), "{name:?}");
    }
    for word in text.split(u8::is_ascii_whitespace).filter(|word| refs::is_safe_name(word)) {
        let path = word.to_path_lossy();
        let inside = |part: Component<'_>| matches!(part, Component::Normal(_));
        assert!(path.components().all(inside), "{}", path.display());
    }
}

/// Where libgit2 understands an expression too, it means the same.
fn expression(text: &str, sample: &Sample) {
    let Sample { repo, odb, folder, .. } = sample;
    let revisions = Revisions::new(repo, odb).expect("no shallow clone");
    if let Ok(oid) = revisions.object(text) {
        let theirs = git2::Repository::open(folder.path()).expect("a repository");
        if let Ok(object) = theirs.revparse_single(text) {
            assert_eq!(object.id().to_string(), oid.to_string(), "{text}");
        }
    }
    if let Ok(range) = revisions.range(text) {
        assert!(!range.include.is_empty());
        for oid in range.include.iter().chain(&range.exclude) {
            odb.read_kind(oid, Kind::Commit).expect("a range is of commits");
        }
        for tag in revisions.tags(text).expect("what is a range has tags") {
            odb.read_kind(&tag.oid, Kind::Tag).expect("tags are tags");
        }
    }
}
