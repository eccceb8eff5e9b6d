//! Files and folders as a source: walked in parallel, read piece by piece.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use bstr::BString;
use ignore::{DirEntry, WalkBuilder, WalkState};

use super::archive;
use super::git::MappedFile;
use super::reader::{Piece, Reader};
use crate::finding::Skipped;

/// What to walk, and how.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Files and folders, as the user gave them.
    pub roots: Vec<PathBuf>,
    /// Also what `.gitignore` and the like exclude.
    pub no_ignore: bool,
    /// Files larger than this many bytes are skipped; None = no limit.
    pub max_file_size: Option<u64>,
    /// Number of threads; 0 = one a core.
    pub threads: usize,
}

/// Receives files, on one of several threads.
pub trait Visitor: Send {
    /// A piece of a file's content. Pieces of one file come in order, those of an empty file as one.
    fn piece(&mut self, path: &[u8], piece: &Piece<'_>);
    /// A container that is too large to come as one piece.
    fn container(&mut self, path: &[u8], file: &mut dyn Read, len: u64);
    /// A container that is read in any order, and so large that it is mapped into memory.
    fn mapped_container(&mut self, path: &[u8], bytes: &[u8]);
    /// A symbolic link's target.
    fn link(&mut self, path: &[u8], target: &[u8]);
    /// A file was read to its end.
    fn done(&mut self, path: &[u8], bytes: u64);
    /// Something was not read, or not whole.
    fn skipped(&mut self, skipped: Skipped);
    /// Whether the walk should end now.
    fn stop(&self) -> bool;
}

/// Walks all roots in parallel; every thread has a visitor of its own, made by `make`.
pub fn walk<V: Visitor>(options: &Options, make: impl Fn() -> V + Sync) {
    let mut roots: Vec<PathBuf> = Vec::new();
    for root in &options.roots {
        if roots.iter().any(|known| shown(known) == shown(root)) {
            continue;
        }
        // A root that is missing must be an error even where the walker would pass it over.
        match root.symlink_metadata() {
            Ok(_) => roots.push(root.clone()),
            Err(e) => make().skipped(failure(shown(root), &e)),
        }
    }
    let Some((first, rest)) = roots.split_first() else {
        return;
    };
    let mut builder = WalkBuilder::new(first);
    for root in rest {
        builder.add(root);
    }
    builder
        .hidden(false)
        .follow_links(false)
        .threads(options.threads)
        .filter_entry(|entry| !is_git_dir(entry));
    if options.no_ignore {
        builder.ignore(false).git_ignore(false).git_exclude(false).git_global(false).parents(false);
    } else {
        // The user's global excludes are about their editor, not about what the project publishes.
        builder.git_global(false);
    }
    builder.build_parallel().run(|| {
        let mut worker = Worker { visitor: make(), reader: Reader::default(), options };
        Box::new(move |entry| worker.entry(entry))
    });
}

/// git's own folder is read by `history`, not as files. A folder given as a root is always walked.
fn is_git_dir(entry: &DirEntry) -> bool {
    entry.depth() > 0 && entry.file_name() == ".git"
}

struct Worker<'a, V> {
    visitor: V,
    reader: Reader,
    options: &'a Options,
}

impl<V: Visitor> Worker<'_, V> {
    fn entry(&mut self, entry: Result<DirEntry, ignore::Error>) -> WalkState {
        if self.visitor.stop() {
            return WalkState::Quit;
        }
        match entry {
            Ok(entry) => self.file(&entry),
            Err(e) => self.visitor.skipped(walk_failure(&e)),
        }
        WalkState::Continue
    }

    fn file(&mut self, entry: &DirEntry) {
        let Some(kind) = entry.file_type() else {
            return;
        };
        let path = shown(entry.path());
        if let Some(error) = entry.error() {
            self.visitor.skipped(Skipped {
                what: path.clone(),
                reason: "ignore-file",
                detail: error.to_string(),
                incomplete: false,
            });
        }
        if kind.is_dir() {
            return;
        }
        if kind.is_symlink() && entry.depth() > 0 {
            match std::fs::read_link(entry.path()) {
                Ok(target) => self.visitor.link(&path, target.as_os_str().as_bytes()),
                Err(e) => self.visitor.skipped(failure(path, &e)),
            }
            return;
        }
        if !kind.is_file() && !kind.is_symlink() {
            self.visitor.skipped(Skipped {
                what: path,
                reason: "not-a-file",
                detail: "a pipe, socket or device".to_owned(),
                // Found on the way it holds nothing; asked for by name it was not scanned.
                incomplete: entry.depth() == 0,
            });
            return;
        }
        self.read(entry.path(), path);
    }

    fn read(&mut self, path: &Path, shown: BString) {
        let mut file = match open(path) {
            Ok(file) => file,
            Err(e) => return self.visitor.skipped(failure(shown, &e)),
        };
        if let Some(skip) = self.too_large(&file, &shown) {
            return self.visitor.skipped(skip);
        }
        if let Some((kind, len)) = large_container(&file) {
            // Only what could not be read otherwise is mapped: a file that shrinks meanwhile would end the program.
            let map = !kind.is_streamed() && len > archive::Limits::default().memory as u64;
            match map.then(|| MappedFile::open(path)) {
                Some(Ok(mapped)) => self.visitor.mapped_container(&shown, &mapped),
                _ => self.visitor.container(&shown, &mut file, len),
            }
            return self.visitor.done(&shown, len);
        }
        let visitor = &mut self.visitor;
        match self.reader.read(&mut file, &mut |piece: &Piece<'_>| visitor.piece(&shown, piece)) {
            Ok(bytes) => self.visitor.done(&shown, bytes),
            Err(e) => self.visitor.skipped(failure(shown, &e)),
        }
    }

    fn too_large(&self, file: &File, shown: &BString) -> Option<Skipped> {
        let limit = self.options.max_file_size?;
        let size = file.metadata().ok()?.len();
        (size > limit).then(|| Skipped {
            what: shown.clone(),
            reason: "too-large",
            detail: format!("{size} bytes, over the limit of {limit} (--max-file-size)"),
            incomplete: true,
        })
    }
}

/// The kind and size of a file that is a container and larger than a piece.
fn large_container(file: &File) -> Option<(archive::Kind, u64)> {
    let len = file.metadata().ok()?.len();
    if len <= super::reader::PIECE as u64 {
        return None;
    }
    let mut head = [0; archive::HEAD];
    let read = file.read_at(&mut head, 0).ok()?;
    let kind = archive::recognise(&head[..read])?;
    (kind != archive::Kind::Binary).then_some((kind, len))
}

/// Opens for reading, without waiting: what was a file when the folder was listed may be a pipe now.
fn open(path: &Path) -> io::Result<File> {
    let file = File::options().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)?;
    Ok(file)
}

/// The path as reports show it: as given, without a leading `./`.
fn shown(path: &Path) -> BString {
    let bytes = path.as_os_str().as_bytes();
    let mut rest = bytes;
    while let Some(after) = rest.strip_prefix(b"./") {
        rest = after;
    }
    if rest.is_empty() { b".".into() } else { rest.into() }
}

fn failure(what: BString, error: &io::Error) -> Skipped {
    let reason = match error.kind() {
        io::ErrorKind::NotFound => "not-found",
        io::ErrorKind::PermissionDenied => "permission-denied",
        io::ErrorKind::IsADirectory => "not-a-file",
        _ if error.raw_os_error() == Some(libc::ELOOP) => "link-loop",
        _ => "read-error",
    };
    Skipped { what, reason, detail: error.to_string(), incomplete: true }
}

fn walk_failure(error: &ignore::Error) -> Skipped {
    let what = path_of(error).map_or_else(|| BString::from("."), shown);
    match error.io_error() {
        Some(e) => failure(what, e),
        None => Skipped { what, reason: "read-error", detail: error.to_string(), incomplete: true },
    }
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => path_of(err),
        ignore::Error::Loop { child, .. } => Some(child),
        _ => None,
    }
}
