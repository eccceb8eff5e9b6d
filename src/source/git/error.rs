//! What can go wrong while a repository is read.

use std::io;
use std::path::{Path, PathBuf};

use super::oid::Oid;

/// A failure to read a repository or an object of it.
///
/// No variant ever carries content of an object.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No repository at the path or above it.
    #[error("{0} is not in a git repository")]
    NotARepository(PathBuf),
    /// The repository uses a format that this version does not know.
    #[error("{path}: repository extension `{name}` is not known to this version")]
    UnknownExtension {
        /// The configuration file that names it.
        path: PathBuf,
        /// Name of the extension, with its value where the value is what is unknown.
        name: String,
    },
    /// `core.repositoryformatversion` is neither 0 nor 1.
    #[error("{path}: repository format version {version} is not known to this version")]
    UnknownVersion {
        /// The configuration file that names it.
        path: PathBuf,
        /// The version as written there.
        version: String,
    },
    /// A file could not be read.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file of the repository is damaged.
    #[error("{path}: {reason}")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An object's stored bytes are damaged.
    #[error("damaged object: {0}")]
    CorruptObject(&'static str),
    /// An object or the base of its delta is not there.
    #[error("object {0} is missing")]
    Missing(Oid),
    /// An object is larger than the limit.
    #[error("object of {size} bytes is larger than the limit of {limit} bytes")]
    TooLarge {
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// Objects decode to more bytes than any real repository's.
    #[error("not decoded: the objects before it already made up {budget} bytes")]
    DeltaBomb {
        /// How many bytes may be decoded.
        budget: u64,
    },
    /// The pack that holds an object cannot be read at all.
    #[error("{path}: {reason}")]
    PackUnreadable {
        /// The pack.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// An object exists, but is of another kind than the reference to it says.
    #[error("object {oid} is not a {expected}")]
    WrongKind {
        /// The object.
        oid: Oid,
        /// What was expected, such as `tree`.
        expected: &'static str,
    },
    /// A ref does not exist, or points nowhere.
    #[error("unknown revision `{0}`")]
    UnknownRevision(String),
    /// A revision expression cannot be understood.
    #[error("bad revision `{text}`: {reason}")]
    BadRevision {
        /// The expression.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The history stops at the boundary of a shallow clone.
    #[error("history is cut short: {0} is the boundary of a shallow clone")]
    Shallow(Oid),
    /// The `git` program was needed and failed.
    #[error("git {what}: {reason}")]
    Program {
        /// The command that was run.
        what: &'static str,
        /// Why it failed.
        reason: String,
    },
}

/// Result of reading a repository.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        Error::Io { path: path.to_owned(), source }
    }

    pub(super) fn corrupt(path: &Path, reason: &'static str) -> Self {
        Error::Corrupt { path: path.to_owned(), reason }
    }

    /// A short, stable, machine-readable reason, as `Skipped::reason` wants it.
    pub fn reason(&self) -> &'static str {
        match self {
            Error::NotARepository(_) => "not-a-repository",
            Error::UnknownExtension { .. } | Error::UnknownVersion { .. } => "unsupported-repository",
            Error::Io { source, .. } => match source.kind() {
                io::ErrorKind::NotFound => "not-found",
                io::ErrorKind::PermissionDenied => "permission-denied",
                _ => "io-error",
            },
            Error::Corrupt { .. } => "corrupt-repository",
            Error::CorruptObject(_) => "corrupt-object",
            Error::DeltaBomb { .. } => "delta-bomb",
            Error::PackUnreadable { .. } => "unreadable-pack",
            Error::Missing(_) => "missing-object",
            Error::TooLarge { .. } => "too-large",
            Error::WrongKind { .. } => "corrupt-object",
            Error::UnknownRevision(_) => "unknown-revision",
            Error::BadRevision { .. } => "bad-revision",
            Error::Shallow(_) => "shallow",
            Error::Program { .. } => "git-failed",
        }
    }
}
