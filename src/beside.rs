//! Files that appear whole or not at all: written beside their place, under a name of our own, and renamed.
//!
//! A process that is killed cannot remove what it has begun. The next one that writes into the same folder does,
//! if the name is one that only this program gives, the file is the user's own, old, and nobody has it locked.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use tempfile::NamedTempFile;

const PREFIX: &str = ".stanch-";
const SUFFIX: &str = ".tmp";
/// Letters and digits between the two: so many that nobody else's file is called so.
const RANDOM: usize = 12;
/// A file that is being written is not as old.
const OLD: Duration = Duration::from_secs(60 * 60);
/// Names that are looked at in a folder.
const MAX_NAMES: usize = 100_000;

/// Makes a file in a folder, with these permissions less the umask. It is gone when it is dropped, and is meant to be
/// [persisted](NamedTempFile::persist) under another name of the folder.
pub(crate) fn file_in(folder: &Path, mode: u32) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX).rand_bytes(RANDOM);
    let file = builder.permissions(fs::Permissions::from_mode(mode)).tempfile_in(folder)?;
    // Where nothing can be locked, nobody finds it unlocked either.
    let _ = file.as_file().try_lock();
    if let Ok(new) = file.as_file().metadata() {
        clean(folder, &new);
    }
    Ok(file)
}

/// Removes what was left behind in a folder. What cannot be removed stays: this is no more than a help.
fn clean(folder: &Path, new: &Metadata) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.take(MAX_NAMES).flatten().filter(|entry| is_ours(&entry.file_name())) {
        if is_left(&entry.path(), new).unwrap_or(false) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn is_ours(name: &OsStr) -> bool {
    let random = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX));
    random.is_some_and(|text| text.len() == RANDOM && text.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// Whether a file was left behind by a process that is no more. Its age is the time between it and a new one, by the
/// file system's own clock.
fn is_left(path: &Path, new: &Metadata) -> io::Result<bool> {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_NOCTTY;
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    let old = file.metadata()?;
    let age = new.modified()?.duration_since(old.modified()?).unwrap_or_default();
    Ok(old.is_file() && old.uid() == new.uid() && age >= OLD && file.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_behind_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let names = || {
            let entries = fs::read_dir(folder.path()).unwrap();
            let mut names: Vec<String> =
                entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        };
        let name = |n: u8| format!("{PREFIX}{}{n}{SUFFIX}", "aZ0".repeat(4).split_at(11).0);
        let write = |name: &str, minutes: u64| {
            let file = File::create(folder.path().join(name)).unwrap();
            let then = file.metadata().unwrap().modified().unwrap() - Duration::from_secs(60 * minutes);
            file.set_modified(then).unwrap();
            file
        };
        drop((write(&name(1), 61), write(&name(2), 100_000)));
        // Young, or of somebody who still writes it.
        drop(write(&name(3), 59));
        let locked = write(&name(4), 200);
        locked.try_lock().unwrap();
        // Other names; no file.
        let others = [".stanch-backup", ".stanch-a.tmp", ".stanch-baseline.toml", ".stanch-aZ0aZ0aZ0a-1.tmp"];
        others.iter().for_each(|name| drop(write(name, 200)));
        drop(write("target", 200));
        std::os::unix::fs::symlink("target", folder.path().join(name(5))).unwrap();
        fs::create_dir(folder.path().join(name(6))).unwrap();
        let mut left: Vec<String> = others.iter().map(|name| (*name).to_owned()).collect();
        left.extend(["target".to_owned(), name(3), name(4), name(5), name(6)]);
        left.sort();
        let file = file_in(folder.path(), 0o600).unwrap();
        assert!(is_ours(file.path().file_name().unwrap()));
        assert!(File::open(file.path()).unwrap().try_lock().is_err(), "others see that it is written");
        drop(file);
        assert_eq!(names(), left);
        locked.unlock().unwrap();
        drop(file_in(folder.path(), 0o600).unwrap());
        left.retain(|kept| *kept != name(4));
        assert_eq!(names(), left);
    }
}
