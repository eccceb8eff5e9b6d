//! Repositories, read directly: packs, loose objects, refs and the index.
//!
//! Only objects are read. No setting, attribute, filter or hook of a user or a repository can change
//! what is seen, nothing of a repository is executed, and the network is never used.

mod alternates;
mod buffers;
mod bytes;
mod cache;
mod changes;
mod config;
mod dedup;
mod delta;
mod error;
mod ewah;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod idx;
mod index;
mod inflate;
mod lines;
mod loose;
mod map;
mod midx;
mod object;
mod odb;
mod oid;
mod oid_map;
mod pack;
mod pack_list;
mod packed;
mod plan;
mod program;
mod queue;
mod recover;
mod refs;
mod repo;
mod revs;
mod select;
mod tree_diff;
mod walk;
mod worker;

pub use changes::{ChangedFile, ChangedText, Changes, committed, staged};
pub use delta::DeltaOp;
pub(super) use delta::applied as apply_delta;
pub use error::{Error, Result};
pub use index::{Index, IndexEntry};
pub use lines::new_lines;
pub(super) use map::MappedFile;
pub use object::{Commit, Kind, Mode, Signature, Tag, TreeEntry, TreeIter, tree_entries};
pub use odb::{Limits, Odb};
pub use oid::{HashKind, Oid};
pub use oid_map::{OidMap, OidSet};
pub(super) use pack::{Stored, parse_entry};
pub use refs::{
    Head, Ref, ReflogEntry, all as all_refs, head, pseudo_ref, reflog, reflogs, resolve as resolve_ref,
};
pub use repo::{GitEnv, RefStorage, Repo};
pub use revs::{Range, Revisions, TagInRange};
pub use select::{SelectOptions, SelectedCommit, Selection, select};
pub(crate) use tree_diff::order as tree_order;
pub use tree_diff::{Change, TreeDiff};
pub use walk::{DeltaOf, Visited, Visitor, WalkOptions, WalkStats, walk};
