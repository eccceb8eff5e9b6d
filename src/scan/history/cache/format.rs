//! The layout of a cache's file.
//!
//! Integers are in little endian; a list is its length (4 bytes) and its items; a text is its length (4) and its
//! bytes. [`MAGIC`] · version (1) · key (32) · lists of kinds of files: lists of kinds (2 each) · objects, sorted by
//! id: id, size (8), list (4) · number of objects that are left to scan (8) · whether what follows is known (a byte 0
//! or 1) · commits: id, tree, time (8), list of parents · names: texts · trees: id, base (a byte 0, or 1 and an
//! id), list of entries added (name (4), mode (4) with [`VEILED`], id), list of names removed (4 each) · lists of rules:
//! lists of their places in the rule set (2 each) · sightings: [`Token`]s (8 each) · blobs with values, sorted by id: the
//! token of the list of ids, then for each its id under the veil, size (8), list of kinds (4), list of rules (4), list of
//! sightings (4 each) · CRC-32 of all of it (4).

use super::Unfit;
use super::objects::Objects;
use super::veil::{Token, Veil};
use crate::rules::RuleIndex;
use crate::scan::history::oids::OidSet;
use crate::scan::history::trees::{Entry, TreeLog};
use crate::scan::history::visit::CommitRecord;
use crate::source::git::{HashKind, Mode, Oid};

/// First bytes of a cache.
pub const MAGIC: &[u8; 12] = b"stanch-cache";
/// Version of the layout.
pub const VERSION: u8 = 3;
/// The list of a blob without any candidate: that it is, whatever kind of file it is.
pub const ANY_KIND: u32 = 0;
/// In the place of a list: the object is no blob.
pub const NO_BLOB: u32 = u32::MAX;

/// Bit of an entry's mode: its id is written under a veil.
const VEILED: u32 = 1 << 31;

/// A kind of file as a number.
pub type KindId = u16;

/// An object without values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its id.
    pub oid: Oid,
    /// Bytes of a blob.
    pub size: u64,
    /// Which kinds of file a blob was judged as; [`NO_BLOB`] for other objects.
    pub list: u32,
}

/// A blob with values of which it is known which they are, so that it need not be scanned: others are, in which the same
/// was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its id.
    pub oid: Oid,
    /// Its bytes.
    pub size: u64,
    /// Which kinds of file it was judged as.
    pub list: u32,
    /// Which rules have candidates in it.
    pub rules: u32,
    /// Its sightings that are values, by their places in [`Saved::sightings`].
    pub sightings: Vec<u32>,
}

/// What is in a file.
#[derive(Debug)]
pub struct Saved {
    /// Lists of kinds of files. The first is empty.
    pub lists: Vec<Vec<KindId>>,
    /// All objects that are known, sorted by id.
    pub objects: Objects,
    /// Names of entries of trees.
    pub names: Vec<Box<[u8]>>,
    /// Trees with something that may matter.
    pub trees: TreeLog,
    /// Commits whose text is clean.
    pub commits: Vec<CommitRecord>,
    /// Whether commits, tags and trees are known, not only blobs.
    pub has_structure: bool,
    /// Number of objects that are there and not known.
    pub left: u64,
    /// Lists of places of rules in the rule set.
    pub rules: Vec<Vec<RuleIndex>>,
    /// What was seen, so that it is known again.
    pub sightings: Vec<Token>,
    /// Blobs with values that need no scan, sorted by id.
    pub held: Vec<Held>,
    /// Blobs whose ids must not be readable in the file. (Empty once it is read.)
    pub veiled: OidSet,
    /// What ids and sightings are covered by, once it is read.
    pub veil: Option<Veil>,
}

impl Saved {
    /// Nothing is known.
    pub fn nothing(hash: HashKind) -> Self {
        Saved {
            lists: vec![Vec::new()],
            objects: Objects::none(hash),
            names: Vec::new(),
            trees: TreeLog::default(),
            commits: Vec::new(),
            has_structure: false,
            left: 0,
            rules: Vec::new(),
            sightings: Vec::new(),
            held: Vec::new(),
            veiled: OidSet::default(),
            veil: None,
        }
    }

    /// About how many bytes a file of it has: no fewer.
    pub fn size(&self, hash: HashKind) -> usize {
        let oid = hash.oid_len();
        let lists: usize = self.lists.iter().map(|list| 4 + 2 * list.len()).sum();
        let names: usize = self.names.iter().map(|name| 4 + name.len()).sum();
        let removed: usize = self.trees.records.iter().map(|record| self.trees.removed(record).len()).sum();
        let trees =
            self.trees.records.len() * (2 * oid + 9) + self.trees.entries().len() * (oid + 8) + 4 * removed;
        let commits: usize = self.commits.iter().map(|commit| (2 + commit.parents.len()) * oid + 12).sum();
        let rules: usize = self.rules.iter().map(|list| 4 + 2 * list.len()).sum();
        let held: usize = self.held.iter().map(|held| oid + 20 + 4 * held.sightings.len()).sum();
        let known = self.objects.rows().len() + 8 * self.sightings.len();
        128 + lists + names + trees + commits + rules + held + known
    }
}

/// The bytes of a file.
pub fn write(saved: &Saved, key: &[u8; 32], hash: HashKind, veil: &Veil) -> Vec<u8> {
    let mut out = Vec::with_capacity(saved.size(hash));
    out.extend_from_slice(MAGIC);
    out.push(VERSION);
    out.extend_from_slice(key);
    let count = |out: &mut Vec<u8>, n: usize| out.extend_from_slice(&(n as u32).to_le_bytes());
    write_lists(&saved.lists, &mut out);
    count(&mut out, saved.objects.len());
    out.extend_from_slice(saved.objects.rows());
    out.extend_from_slice(&saved.left.to_le_bytes());
    out.push(saved.has_structure.into());
    count(&mut out, saved.commits.len());
    for commit in &saved.commits {
        out.extend_from_slice(commit.oid.as_bytes());
        out.extend_from_slice(commit.tree.as_bytes());
        out.extend_from_slice(&commit.time.to_le_bytes());
        count(&mut out, commit.parents.len());
        commit.parents.iter().for_each(|parent| out.extend_from_slice(parent.as_bytes()));
    }
    count(&mut out, saved.names.len());
    for name in &saved.names {
        count(&mut out, name.len());
        out.extend_from_slice(name);
    }
    write_trees(saved, veil, &mut out);
    write_held(saved, veil, &mut out);
    let sum = crc32fast::hash(&out);
    out.extend_from_slice(&sum.to_le_bytes());
    out
}

fn write_trees(saved: &Saved, veil: &Veil, out: &mut Vec<u8>) {
    let number = |out: &mut Vec<u8>, n: u32| out.extend_from_slice(&n.to_le_bytes());
    number(out, saved.trees.records.len() as u32);
    for record in &saved.trees.records {
        out.extend_from_slice(record.oid.as_bytes());
        out.push(record.base.is_some().into());
        out.extend(record.base.iter().flat_map(|base| base.as_bytes()));
        let added = saved.trees.added_places(record);
        number(out, added.len() as u32);
        for (place, entry) in (0..).zip(added.map(|place| saved.trees.entry(place))) {
            number(out, entry.name);
            let veiled = saved.veiled.contains(&entry.oid).then(|| veil.flip(&record.oid, place, &entry.oid));
            number(out, entry.mode.0 & !VEILED | if veiled.is_some() { VEILED } else { 0 });
            out.extend_from_slice(veiled.flatten().unwrap_or(entry.oid).as_bytes());
        }
        let removed = saved.trees.removed(record);
        number(out, removed.len() as u32);
        removed.iter().for_each(|name| number(out, *name));
    }
}

fn write_held(saved: &Saved, veil: &Veil, out: &mut Vec<u8>) {
    let number = |out: &mut Vec<u8>, n: u32| out.extend_from_slice(&n.to_le_bytes());
    write_lists(&saved.rules, out);
    number(out, saved.sightings.len() as u32);
    saved.sightings.iter().for_each(|token| out.extend_from_slice(token));
    let list = veil.token_of(saved.held.iter().map(|held| held.oid.as_bytes()).collect::<Vec<_>>());
    out.extend_from_slice(&list);
    number(out, saved.held.len() as u32);
    for (place, held) in (0..).zip(&saved.held) {
        out.extend_from_slice(veil.flip_listed(&list, place, &held.oid).unwrap_or(held.oid).as_bytes());
        out.extend_from_slice(&held.size.to_le_bytes());
        number(out, held.list);
        number(out, held.rules);
        number(out, held.sightings.len() as u32);
        held.sightings.iter().for_each(|sighting| number(out, *sighting));
    }
}

fn write_lists(lists: &[Vec<u16>], out: &mut Vec<u8>) {
    out.extend_from_slice(&(lists.len() as u32).to_le_bytes());
    for list in lists {
        out.extend_from_slice(&(list.len() as u32).to_le_bytes());
        out.extend(list.iter().flat_map(|item| item.to_le_bytes()));
    }
}

/// What a file with these bytes says.
///
/// # Errors
/// When it is no cache, one of something else, or damaged; or `veil` has none for its commits.
pub fn read(
    bytes: &[u8],
    key: &[u8; 32],
    hash: HashKind,
    veil: impl Fn(&[CommitRecord]) -> Option<Veil> + Send + Sync,
) -> Result<Saved, Unfit> {
    let mut input = Input { rest: bytes, hash };
    if input.take(MAGIC.len()) != Some(MAGIC) {
        return Err(Unfit::Foreign);
    }
    match input.take(1) {
        Some([VERSION]) => {}
        Some([newer]) if *newer > VERSION => return Err(Unfit::Newer),
        // What an older version wrote is replaced.
        Some(_) => return Ok(Saved::nothing(hash)),
        None => return Err(Unfit::Damaged),
    }
    let (body, sum) = bytes.split_last_chunk::<4>().ok_or(Unfit::Damaged)?;
    let is_whole = || crc32fast::hash(body) == u32::from_le_bytes(*sum);
    let is_mine = input.take(32) == Some(key);
    // What a damaged file says is thrown away; mostly it is whole, and read the sooner.
    let (is_whole, saved) =
        rayon::join(is_whole, || if is_mine { input.saved(veil) } else { Err(Unfit::Other) });
    if is_whole { saved } else { Err(Unfit::Damaged) }
}

/// Bytes that are read from the front.
struct Input<'a> {
    rest: &'a [u8],
    hash: HashKind,
}

impl<'a> Input<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(taken)
    }

    fn number<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u32(&mut self) -> Option<u32> {
        self.number().map(u32::from_le_bytes)
    }

    fn oid(&mut self) -> Option<Oid> {
        Oid::from_bytes(self.take(self.hash.oid_len())?)
    }

    /// As many items as a number says that comes first.
    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.u32()? as usize;
        // Every item has a byte at least.
        let mut list = Vec::with_capacity(count.min(self.rest.len() / 4));
        for _ in 0..count {
            list.push(item(self)?);
        }
        Some(list)
    }

    /// Everything behind the key.
    fn saved(
        &mut self,
        veil: impl Fn(&[CommitRecord]) -> Option<Veil> + Send + Sync,
    ) -> Result<Saved, Unfit> {
        let lists = self.lists().ok_or(Unfit::Damaged)?;
        let rows = self.rows().ok_or(Unfit::Damaged)?;
        let (hash, count) = (self.hash, lists.len());
        let (objects, rest) = rayon::join(
            || Objects::read(rows, hash, count),
            || {
                let mut saved = self.knowledge(lists).ok_or(Unfit::Damaged)?;
                let veil = match saved.commits.is_empty() {
                    true => None,
                    false => Some(veil(&saved.commits).ok_or(Unfit::Gone)?),
                };
                saved.trees = self.trees(saved.names.len(), veil.as_ref()).ok_or(Unfit::Damaged)?;
                self.held(&mut saved, veil.as_ref()).ok_or(Unfit::Damaged)?;
                Ok(Saved { veil, ..saved })
            },
        );
        match objects {
            Some(objects) if self.rest.len() == 4 => Ok(Saved { objects, ..rest? }),
            _ => rest.and(Err(Unfit::Damaged)),
        }
    }

    /// All but the objects, the trees and the blobs with values.
    fn knowledge(&mut self, lists: Vec<Vec<KindId>>) -> Option<Saved> {
        let left = u64::from_le_bytes(self.number()?);
        let has_structure = match self.number()? {
            [0] => false,
            [1] => true,
            _ => return None,
        };
        let commits = self.list(|input| {
            let (oid, tree) = (input.oid()?, input.oid()?);
            let time = i64::from_le_bytes(input.number()?);
            Some(CommitRecord { oid, tree, time, parents: input.list(Self::oid)? })
        })?;
        let names = self.list(|input| {
            let len = input.u32()?;
            input.take(len as usize).map(Box::from)
        })?;
        Some(Saved { lists, names, commits, has_structure, left, ..Saved::nothing(self.hash) })
    }

    fn lists(&mut self) -> Option<Vec<Vec<u16>>> {
        self.list(|input| input.list(|input| input.number().map(u16::from_le_bytes)))
    }

    /// The rows of known objects.
    fn rows(&mut self) -> Option<&'a [u8]> {
        let bytes = Objects::bytes_of(self.u32()? as usize, self.hash)?;
        self.take(bytes)
    }

    fn trees(&mut self, names: usize, veil: Option<&Veil>) -> Option<TreeLog> {
        let mut trees = TreeLog::default();
        let name = |input: &mut Self| input.u32().filter(|name| (*name as usize) < names);
        for _ in 0..self.u32()? {
            let tree = self.oid()?;
            let base = match self.number()? {
                [0] => None,
                [1] => Some(self.oid()?),
                _ => return None,
            };
            let mut place = 0;
            let added = self.list(|input| {
                let (name, mode, oid) = (name(input)?, input.u32()?, input.oid()?);
                let oid = if mode & VEILED != 0 { veil?.flip(&tree, place, &oid)? } else { oid };
                place += 1;
                Some(Entry { name, mode: Mode(mode & !VEILED), oid })
            })?;
            trees.push(tree, base, added, self.list(name)?);
        }
        Some(trees)
    }

    /// Blobs with values, and what is known of them.
    fn held(&mut self, saved: &mut Saved, veil: Option<&Veil>) -> Option<()> {
        saved.rules = self.lists()?;
        saved.sightings = self.list(Self::number)?;
        let list: Token = self.number()?;
        let (lists, rules, sightings) = (saved.lists.len(), saved.rules.len(), saved.sightings.len());
        let mut before: Option<Oid> = None;
        let mut place = 0;
        saved.held = self.list(|input| {
            let oid = veil?.flip_listed(&list, place, &input.oid()?)?;
            place += 1;
            let held = Held {
                oid,
                size: u64::from_le_bytes(input.number()?),
                list: input.u32().filter(|list| (*list as usize) < lists)?,
                rules: input.u32().filter(|list| (*list as usize) < rules)?,
                sightings: input.list(|input| input.u32().filter(|at| (*at as usize) < sightings))?,
            };
            before.replace(oid).is_none_or(|before| before < oid).then_some(held)
        })?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn oid(n: u8) -> Oid {
        Oid::from_bytes(&[n; 20]).unwrap()
    }

    fn saved() -> Saved {
        let known = |n: u8, list| Known { oid: oid(n), size: u64::from(n), list };
        let mut trees = TreeLog::default();
        let blob = Entry { name: 0, mode: Mode(0o100755), oid: oid(77) };
        trees.push(oid(4), None, [blob, Entry { name: 1, mode: Mode::TREE, oid: oid(5) }], []);
        trees.push(oid(5), Some(oid(4)), [], [0, 1]);
        let commit = CommitRecord { oid: oid(6), tree: oid(4), parents: vec![oid(8), oid(9)], time: -5 };
        Saved {
            lists: vec![Vec::new(), vec![1, 256]],
            objects: Objects::of(&[known(1, 0), known(2, 1), known(9, NO_BLOB)], HashKind::Sha1),
            names: vec![Box::from(&b"name"[..]), Box::default()],
            trees,
            commits: vec![commit],
            has_structure: true,
            left: 3,
            rules: vec![vec![4, 300], Vec::new()],
            sightings: vec![*b"sighting", [9; 8]],
            held: vec![
                Held { oid: oid(70), size: 5, list: 1, rules: 0, sightings: vec![1, 0] },
                Held { oid: oid(77), size: 6, list: 0, rules: 1, sightings: Vec::new() },
            ],
            veiled: [oid(77)].into_iter().collect(),
            veil: None,
        }
    }

    fn read_with(bytes: &[u8]) -> Result<Saved, Unfit> {
        read(bytes, &KEY, HashKind::Sha1, |_| Some(Veil::with_key(b"a")))
    }

    #[test]
    fn what_is_written_is_read() {
        let (written, bytes) = (saved(), write(&saved(), &KEY, HashKind::Sha1, &Veil::with_key(b"a")));
        assert!(bytes.len() <= written.size(HashKind::Sha1));
        let read = read_with(&bytes).unwrap();
        let veiled = written.veiled.clone();
        assert!(read.veil.is_some());
        assert_eq!(format!("{:?}", Saved { veiled, veil: None, ..read }), format!("{written:?}"));
        for n in [70, 77] {
            assert!(
                !bytes.windows(20).any(|part| part == oid(n).as_bytes()),
                "the id of a blob with a value"
            );
        }
    }

    #[test]
    fn every_damage_is_noticed() {
        let bytes = write(&saved(), &KEY, HashKind::Sha1, &Veil::with_key(b"a"));
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x20;
            // A smaller version is an older one, whose files are replaced.
            let is_old = |saved: &Saved| at == MAGIC.len() && saved.objects.len() == 0;
            assert!(
                read_with(&damaged).is_ok_and(|saved| is_old(&saved)) || read_with(&damaged).is_err(),
                "byte {at}"
            );
            assert!(read_with(&bytes[..at]).is_err(), "{at} bytes");
        }
    }

    /// Numbers that lead out of the file, with a right checksum.
    #[test]
    fn wrong_numbers_with_a_right_checksum_are_noticed() {
        let bytes = write(&saved(), &KEY, HashKind::Sha1, &Veil::with_key(b"a"));
        let body = &bytes[..bytes.len() - 4];
        for at in MAGIC.len() + 33..body.len() - 3 {
            let mut damaged = body.to_vec();
            damaged[at..at + 4].fill(u8::MAX);
            let sum = crc32fast::hash(&damaged);
            damaged.extend_from_slice(&sum.to_le_bytes());
            // Where it is an id or a time, nothing is wrong with it.
            let _ = read_with(&damaged);
        }
        let mut counts = body.to_vec();
        counts[MAGIC.len() + 33..][..4].copy_from_slice(&9u32.to_le_bytes());
        let sum = crc32fast::hash(&counts);
        counts.extend_from_slice(&sum.to_le_bytes());
        assert!(matches!(read_with(&counts), Err(Unfit::Damaged)));
    }
}
