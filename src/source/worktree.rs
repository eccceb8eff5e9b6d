//! Files and folders as a source: walked in parallel, read piece by piece.
//!
//! Files that `.gitignore` excludes and that are tracked all the same are published, and are read.

use std::collections::HashSet;
use std::fs::File;
use std::hash::BuildHasher;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bstr::BString;
use ignore::{DirEntry, WalkBuilder, WalkState};

use super::archive;
use super::git::MappedFile;
use super::open::open;
use super::reader::{Piece, Reader};
use super::{ignore_files, tracked};
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
    if options.no_ignore {
        walk_roots(&roots, false, None, options, &make);
        return;
    }
    let (mut free, ruled): (Vec<PathBuf>, Vec<PathBuf>) =
        roots.into_iter().partition(|root| ignore_files::above_are_foreign(root));
    let notes = Notes::default();
    walk_roots(&ruled, true, Some(&notes), options, &make);
    free.append(&mut lock(&notes.unruled));
    for folder in &free {
        make().skipped(Skipped {
            what: shown(folder),
            reason: "ignore-file",
            detail: "a file of ignore rules here is a link, no file or very large: no rule counts".to_owned(),
            incomplete: false,
        });
    }
    walk_roots(&free, false, None, options, &make);
    read_tracked(&ruled, notes, options, &make);
}

/// What the threads of a walk note.
#[derive(Default)]
struct Notes {
    /// Hashes of the paths that were met.
    met: Mutex<HashSet<u64, foldhash::fast::FixedState>>,
    /// Top folders of repositories that were met.
    repositories: Arc<Mutex<Vec<PathBuf>>>,
    /// Folders whose ignore files are not to be read.
    unruled: Arc<Mutex<Vec<PathBuf>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn path_hash(shown: &[u8]) -> u64 {
    foldhash::fast::FixedState::default().hash_one(shown)
}

/// Walks some roots, with or without the rules of ignore files.
fn walk_roots<V: Visitor>(
    roots: &[PathBuf],
    ruled: bool,
    notes: Option<&Notes>,
    options: &Options,
    make: &(impl Fn() -> V + Sync),
) {
    let Some((first, rest)) = roots.split_first() else {
        return;
    };
    let mut builder = WalkBuilder::new(first);
    for root in rest {
        builder.add(root);
    }
    let (repositories, unruled) =
        notes.map(|notes| (notes.repositories.clone(), notes.unruled.clone())).unwrap_or_default();
    builder.hidden(false).follow_links(false).threads(options.threads).filter_entry(move |entry| {
        // git's own folder is read by `history`, not as files. A folder given as a root is always walked.
        if entry.depth() > 0 && entry.file_name() == ".git" {
            lock(&repositories).extend(entry.path().parent().map(Path::to_owned));
            return false;
        }
        let folder = ruled && entry.depth() > 0 && entry.file_type().is_some_and(|kind| kind.is_dir());
        let foreign = folder && ignore_files::are_foreign(entry.path());
        if foreign {
            lock(&unruled).push(entry.path().to_owned());
        }
        !foreign
    });
    if ruled {
        // The user's global excludes are about their editor, not about what the project publishes.
        builder.git_global(false);
    } else {
        builder.ignore(false).git_ignore(false).git_exclude(false).git_global(false).parents(false);
    }
    builder.build_parallel().run(|| {
        let mut worker = Worker { visitor: make(), reader: Reader::default(), options, met: Met::of(notes) };
        Box::new(move |entry| worker.entry(entry))
    });
}

/// The paths that one thread met; they are handed over when it ends.
struct Met<'n> {
    notes: Option<&'n Notes>,
    hashes: Vec<u64>,
}

impl<'n> Met<'n> {
    fn of(notes: Option<&'n Notes>) -> Self {
        Met { notes, hashes: Vec::new() }
    }

    fn note(&mut self, shown: &[u8]) {
        if self.notes.is_some() {
            self.hashes.push(path_hash(shown));
        }
    }
}

impl Drop for Met<'_> {
    fn drop(&mut self) {
        if let Some(notes) = self.notes {
            lock(&notes.met).extend(self.hashes.drain(..));
        }
    }
}

/// Reads what repositories track and no walk has met, since a rule excludes it.
fn read_tracked<V: Visitor>(
    roots: &[PathBuf],
    notes: Notes,
    options: &Options,
    make: &(impl Fn() -> V + Sync),
) {
    let met = notes.met.into_inner().unwrap_or_else(PoisonError::into_inner);
    let folders = std::mem::take(&mut *lock(&notes.repositories));
    let is_met = |path: &Path| met.contains(&path_hash(&shown(path)));
    let (left, skipped) = tracked::below(roots, folders, &is_met);
    skipped.into_iter().for_each(|skip| make().skipped(skip));
    let next = AtomicUsize::new(0);
    let work = || {
        let met = Met::of(None);
        let mut worker = Worker { visitor: make(), reader: Reader::default(), options, met };
        while let Some(file) = left.get(next.fetch_add(1, Ordering::Relaxed)) {
            if worker.visitor.stop() {
                return;
            }
            // A link on the way would lead to what is not tracked, or lies elsewhere.
            if file.folder.canonicalize().is_ok_and(|real| real == file.folder) {
                worker.tracked(&file.path);
            }
        }
    };
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if options.threads == 0 { cores() } else { options.threads }.min(left.len() / 16);
    std::thread::scope(|scope| {
        for _ in 1..threads {
            // Without another thread the work is done by this one.
            let _ = std::thread::Builder::new().spawn_scoped(scope, work);
        }
        work();
    });
}

struct Worker<'a, V> {
    visitor: V,
    reader: Reader,
    options: &'a Options,
    met: Met<'a>,
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
        self.met.note(&path);
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
            return self.link(entry.path(), path);
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
        self.read(entry.path(), path, entry.depth() == 0);
    }

    /// Reads a file that is tracked; one that is not checked out has nothing to read.
    fn tracked(&mut self, path: &Path) {
        let shown = shown(path);
        match path.symlink_metadata() {
            Ok(meta) if meta.is_symlink() => self.link(path, shown),
            Ok(meta) if meta.is_file() => self.read(path, shown, false),
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => self.visitor.skipped(failure(shown, &e)),
            _ => {}
        }
    }

    fn link(&mut self, path: &Path, shown: BString) {
        match std::fs::read_link(path) {
            Ok(target) => self.visitor.link(&shown, target.as_os_str().as_bytes()),
            Err(e) => self.visitor.skipped(failure(shown, &e)),
        }
    }

    /// Reads a file; one that was named may be a link.
    fn read(&mut self, path: &Path, shown: BString, named: bool) {
        let mut file = match open(path, named) {
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
