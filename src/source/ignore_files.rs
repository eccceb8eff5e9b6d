//! Files of ignore rules that are not to be read: git follows no link there, and nor do we, since a link can lead out of
//! what is scanned, or to something without an end.

use std::path::Path;

/// Where rules can be, from a folder on.
const NAMES: &[&str] = &[".gitignore", ".ignore", ".git/info/exclude"];

/// Larger ones are no rules that somebody wrote, in bytes.
const LARGEST: u64 = 4 << 20;

/// Whether rules in a folder are not to be read.
pub(super) fn are_foreign(folder: &Path) -> bool {
    NAMES.iter().any(|name| {
        let meta = folder.join(name).symlink_metadata();
        meta.is_ok_and(|meta| !meta.is_dir() && (!meta.is_file() || meta.len() > LARGEST))
    })
}

/// Whether rules in a folder, or above it in the same repository, are not to be read.
pub(super) fn above_are_foreign(root: &Path) -> bool {
    let Ok(absolute) = root.canonicalize() else { return false };
    let top = absolute.ancestors().find(|folder| folder.join(".git").exists()).unwrap_or(&absolute);
    absolute.ancestors().take_while(|folder| folder.starts_with(top)).any(are_foreign)
}
