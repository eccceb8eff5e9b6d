//! Files of a repository, mapped into memory.

use std::ops::Deref;
use std::path::Path;

use memmap2::Mmap;

use super::error::{Error, Result};
use crate::source::open;

/// A whole file, readable as a slice.
///
/// Packs and their indexes are never changed once they have their name: git writes them under a
/// temporary name, renames them, and later only deletes them. A deleted file stays readable while
/// it is mapped, so a concurrent `git gc` does no harm. (A file that somebody truncates in place
/// would kill the process, as it would kill git. The same goes for the archives that `worktree` maps, which it does
/// only where they could not be read otherwise.)
pub(in crate::source) struct MappedFile(Content);

enum Content {
    Mapped(Mmap),
    /// Made in memory, in place of a file that is damaged or not there.
    Made(Vec<u8>),
}

impl MappedFile {
    /// Maps the file as it is now.
    pub(in crate::source) fn open(path: &Path) -> Result<Self> {
        let file = open::regular(path).map_err(|e| Error::io(path, e))?;
        let meta = file.metadata().map_err(|e| Error::io(path, e))?;
        if meta.len() == 0 {
            return Ok(MappedFile(Content::Made(Vec::new()))); // an empty range cannot be mapped
        }
        // SAFETY: the file is not changed while it is mapped; see the type's documentation.
        let map = unsafe { Mmap::map(&file) }.map_err(|e| Error::io(path, e))?;
        Ok(MappedFile(Content::Mapped(map)))
    }

    /// Stands in for a file.
    pub(super) fn made(content: Vec<u8>) -> Self {
        MappedFile(Content::Made(content))
    }

    /// Gives resident pages back to the system; they are read again on the next access. Keeps a
    /// scan of a large pack from counting all of it as its own memory.
    pub(super) fn release(&self) {
        #[cfg(unix)]
        if let Content::Mapped(map) = &self.0 {
            // SAFETY: a shared, read-only mapping of a file: dropped pages come back from the file
            // with the same content.
            let _ = unsafe { map.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
        }
    }
}

impl Deref for MappedFile {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Content::Mapped(map) => map,
            Content::Made(bytes) => bytes,
        }
    }
}
