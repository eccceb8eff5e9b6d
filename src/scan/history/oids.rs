//! Maps that hash fast.

use std::collections::{HashMap, HashSet};

pub use crate::source::git::{OidMap, OidSet};

/// Map from small keys.
pub type FastMap<K, V> = HashMap<K, V, foldhash::fast::RandomState>;
/// Set of small keys.
pub type FastSet<K> = HashSet<K, foldhash::fast::RandomState>;
