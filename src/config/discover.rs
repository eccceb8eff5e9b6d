//! Where configurations are.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::Dialect;

/// Our file's name.
pub const STANCH_FILE_NAME: &str = ".stanch.toml";
/// gitleaks' file's name.
pub const GITLEAKS_FILE_NAME: &str = ".gitleaks.toml";

/// Greatest size of a configuration file, in bytes.
const SIZE_LIMIT: u64 = 64 << 20;

/// Where files are read from: the disk, or a commit's tree (`--policy-rev`).
pub trait Files {
    /// The content of a file.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] when there is none; anything else when it cannot be read.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// Whether there is a file, readable or not.
    fn exists(&self, path: &Path) -> bool {
        !matches!(self.read(path), Err(error) if error.kind() == io::ErrorKind::NotFound)
    }
}

/// Files on the disk.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        read_regular(path, SIZE_LIMIT)
    }

    fn exists(&self, path: &Path) -> bool {
        // A dangling link is a file that cannot be read, not an absent one.
        path.symlink_metadata().is_ok()
    }
}

/// Files on the disk, as far as they lie in a folder. What a repository brings along must not lead to files outside of
/// it, by a link or by their names: their text would stand in messages.
#[derive(Clone, Debug)]
pub struct Within {
    root: PathBuf,
}

impl Within {
    /// The files in a folder.
    pub fn new(root: &Path) -> Self {
        Within { root: root.canonicalize().unwrap_or_else(|_| root.to_owned()) }
    }

    /// The file itself, behind all links.
    ///
    /// # Errors
    /// It is not there, or lies elsewhere.
    pub fn locate(&self, path: &Path) -> io::Result<PathBuf> {
        let real = path.canonicalize()?;
        match real.starts_with(&self.root) {
            true => Ok(real),
            false => Err(io::Error::other(
                "it lies outside of the repository; only --config and --baseline may name such files",
            )),
        }
    }
}

impl Files for Within {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        read_regular(&self.locate(path)?, SIZE_LIMIT)
    }

    fn exists(&self, path: &Path) -> bool {
        Disk.exists(path)
    }
}

/// No files: whoever is given a configuration as a text has all there is.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _path: &Path) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }
}

/// Reads a regular file of at most `limit` bytes.
///
/// # Errors
/// What the system says; the file is another kind of thing, or larger.
pub(crate) fn read_regular(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    // Asked before opening: opening a FIFO would wait for its writer.
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let expected = usize::try_from(metadata.len().min(limit)).unwrap_or(0);
    // One more than expected, so that the end is seen without growing.
    let mut bytes = Vec::with_capacity(expected + 1);
    File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::other(format!("larger than {} MiB", limit >> 20)));
    }
    Ok(bytes)
}

/// A configuration that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundFile {
    /// Its path.
    pub path: PathBuf,
    /// How to read it.
    pub dialect: Dialect,
}

/// The configuration of a repository, or of a folder that is scanned, whose top folder is `root`: the
/// `.stanch.toml` there. Those of folders below are nested ones, which hold whatever part of the
/// repository is scanned. Without one, the `.gitleaks.toml` nearest to `start`, a folder in `root`.
pub fn find(files: &dyn Files, start: &Path, root: &Path) -> Option<FoundFile> {
    let ours = root.join(STANCH_FILE_NAME);
    if files.exists(&ours) {
        return Some(FoundFile { path: ours, dialect: Dialect::Stanch });
    }
    let folders = start.ancestors().take_while(|folder| folder.starts_with(root));
    let mut theirs = folders.map(|folder| folder.join(GITLEAKS_FILE_NAME));
    theirs.find(|path| files.exists(path)).map(|path| FoundFile { path, dialect: Dialect::Gitleaks })
}
