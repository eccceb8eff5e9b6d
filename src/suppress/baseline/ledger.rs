//! A baseline of which no more is read than is asked for: a scan that finds nothing reads its header,
//! one that finds little reads a few blocks of a large file. Everything else, and whatever does not
//! look as we write it, is read whole by [`Baseline`], which is the slow twin.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Baseline, Entry, Header, body_start, is_hex, quick, read_header};
use crate::config::{ConfigError, decode_text};
use crate::suppress::fingerprint::{Fingerprinter, LENGTH, is_fingerprint};

/// Files up to this size, in bytes, are read whole at once.
const SMALL: u64 = 64 << 10;
/// Bytes read to see the header.
const HEAD: usize = 8 << 10;
/// Bytes read to see one line, and the size of a part that is read whole.
const BLOCK: usize = 4 << 10;
/// After so many lookups the file is read whole.
const MANY: u32 = 64;

/// See the [module](self).
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    header: Header,
    /// The file and where its entries begin and end; None when it was read whole.
    file: Option<(File, u64, u64)>,
    whole: OnceLock<Result<Baseline, ConfigError>>,
    lookups: AtomicU32,
}

impl From<Baseline> for Ledger {
    fn from(baseline: Baseline) -> Self {
        Ledger {
            path: baseline.source.path.clone(),
            header: baseline.header.clone(),
            file: None,
            whole: OnceLock::from(Ok(baseline)),
            lookups: AtomicU32::new(0),
        }
    }
}

impl Ledger {
    /// Opens a file. None when there is none.
    ///
    /// # Errors
    /// It cannot be read, or its header is not that of a baseline.
    pub fn open(path: &Path) -> Result<Option<Self>, ConfigError> {
        match Ledger::open_large(path) {
            Some(ledger) => Ok(Some(ledger)),
            None => Ok(Baseline::read(path)?.map(Ledger::from)),
        }
    }

    /// The quick way to open a large file that looks as we write it.
    fn open_large(path: &Path) -> Option<Self> {
        let metadata =
            std::fs::metadata(path).ok().filter(|metadata| metadata.is_file() && metadata.len() > SMALL)?;
        let file = File::open(path).ok()?;
        let mut head = vec![0; HEAD];
        file.read_exact_at(&mut head, 0).ok()?;
        // The last line may be cut in two: only what stands before the entries is read as text.
        let end = memchr::memrchr(b'\n', &head)? + 1;
        head.truncate(end);
        let source = decode_text(path, head).ok()?;
        let body = body_start(&source.text)?;
        let header = read_header(&source, source.text.get(..body)?).ok()?;
        Some(Ledger {
            path: path.to_owned(),
            header,
            file: Some((file, body as u64, metadata.len())),
            whole: OnceLock::new(),
            lookups: AtomicU32::new(0),
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// See [`Baseline::fingerprinter`].
    ///
    /// # Errors
    /// See [`Baseline::fingerprinter`].
    pub fn fingerprinter(&self, key: Option<&[u8]>) -> Result<Fingerprinter, ConfigError> {
        match self.header.fingerprinter(key) {
            Some(Ok(made)) => Ok(made),
            // Whatever is wrong, it is worded with its place.
            _ => self.whole()?.fingerprinter(key),
        }
    }

    /// The whole baseline.
    ///
    /// # Errors
    /// It cannot be read, or is damaged.
    pub fn whole(&self) -> Result<&Baseline, ConfigError> {
        let read = || match Baseline::read(&self.path) {
            Ok(Some(baseline)) => Ok(baseline),
            Ok(None) => Err(ConfigError::whole_file(&self.path, "the baseline is gone")),
            Err(error) => Err(error),
        };
        self.whole.get_or_init(read).as_ref().map_err(Clone::clone)
    }

    /// See [`Baseline::lookup`].
    ///
    /// # Errors
    /// See [`Baseline::lookup`].
    pub fn lookup(&self, fingerprint: &str) -> Result<Option<Entry>, ConfigError> {
        let many = self.lookups.fetch_add(1, Ordering::Relaxed) >= MANY;
        if self.whole.get().is_none()
            && !many
            && is_fingerprint(fingerprint)
            && let Some(entry) = self.probe(fingerprint.as_bytes())
        {
            return Ok(Some(entry));
        }
        // Not there, or not where it would be in a sorted file: only the whole file can tell.
        self.whole()?.lookup(fingerprint)
    }

    /// Searches the sorted lines by halves.
    fn probe(&self, fingerprint: &[u8]) -> Option<Entry> {
        let (file, mut low, mut high) = self.file.as_ref().map(|(file, low, high)| (file, *low, *high))?;
        // `low` is always the start of a line.
        while high - low > BLOCK as u64 {
            let (start, key) = first_entry(file, low + (high - low) / 2, high)?;
            match key.as_slice().cmp(fingerprint) {
                std::cmp::Ordering::Greater => high = low + (high - low) / 2,
                _ => low = start,
            }
        }
        // The line that begins before `high` may end behind it.
        let mut part = vec![0; (high - low) as usize + 4 * BLOCK];
        let read = file.read_at(&mut part, low).ok()?;
        part.truncate(read);
        let line = part.split(|&b| b == b'\n').find(|line| line.starts_with(fingerprint))?;
        quick::entry(std::str::from_utf8(line).ok()?)
    }
}

/// The first entry that begins behind an offset: where its line starts, and its fingerprint. None when
/// there is none before `end`, or something else stands there.
fn first_entry(file: &File, offset: u64, end: u64) -> Option<(u64, Vec<u8>)> {
    let mut block = vec![0; BLOCK];
    let read = file.read_at(&mut block, offset).ok()?;
    block.truncate(read);
    let mut at = memchr::memchr(b'\n', &block)? + 1;
    while block.get(at) == Some(&b'#') {
        at += memchr::memchr(b'\n', &block[at..])? + 1;
    }
    let key = block.get(at..at + 2 * LENGTH)?;
    let start = offset + at as u64;
    (start < end && is_hex(key)).then(|| (start, key.to_vec()))
}

#[cfg(test)]
mod tests;
