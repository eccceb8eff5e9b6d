//! Opening what should be a file: in its place can be a pipe, which would be waited for, or a device without an end.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Opens for reading, without waiting, and without following a link unless `links` says so: what was a file when its
/// folder was listed may be a pipe now, or lead elsewhere.
pub(super) fn open(path: &Path, links: bool) -> io::Result<File> {
    let links = if links { 0 } else { libc::O_NOFOLLOW };
    File::options().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY | links).open(path)
}

/// Opens a regular file, or a link to one.
///
/// # Errors
/// What the system says; [`io::ErrorKind::IsADirectory`]; it is another kind of thing.
pub(crate) fn regular(path: &Path) -> io::Result<File> {
    let file = open(path, true)?;
    let kind = file.metadata()?.file_type();
    match (kind.is_file(), kind.is_dir()) {
        (true, _) => Ok(file),
        (_, true) => Err(io::ErrorKind::IsADirectory.into()),
        _ => Err(io::Error::other("not a regular file")),
    }
}

/// The whole content of a regular file, or of one that a link leads to.
///
/// # Errors
/// Those of [`regular`], and of reading.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = regular(path)?;
    // One more than expected, so that the end is seen without growing.
    let len = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX).saturating_add(1);
    let mut content = Vec::new();
    content.try_reserve(len)?;
    file.read_to_end(&mut content)?;
    Ok(content)
}
