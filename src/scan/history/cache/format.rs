//! The layout of a cache's file.
//!
//! Integers are in little endian; a list is its length (4 bytes) and its items; a text is its length (4) and its
//! bytes. [`MAGIC`] · version (1) · key (32) · lists of kinds of files: lists of kinds (2 each) · objects, sorted by
//! id: id, size (8), list (4) · whether what follows is known (a byte 0 or 1) · commits: id, tree, time (8), list of parents · names: texts · blobs that are not among these objects: the token of
//! their ids (8), then the ids under the veil, sorted · those of them that have no value (4 each) · other objects that are
//! left to scan: as blobs · names of blobs: name (4), mode (4), blob (4) · folders: lists of
//! entries: name (4), mode (4), blob or, of a tree, folder (4) · lists of rules: lists of their places in the rule set
//! (2 each) · sightings: [`Token`]s (8 each) · blobs that need no scan: blob (4), size (8), list of kinds (4), list of
//! rules (4), list of sightings (4 each) · CRC-32 of all of it (4).

use std::sync::Arc;

use super::Unfit;
use super::objects::Objects;
use super::veil::{Token, Veil};
use crate::rules::RuleIndex;
use crate::scan::history::oids::FastSet;
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

/// A kind of file as a number.
pub type KindId = u16;

/// An object without values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its id.
    pub oid: Oid,
    /// Bytes of a blob; of a tree, the place in [`Saved::folders`] of what it holds.
    pub size: u64,
    /// Which kinds of file a blob was judged as; [`NO_BLOB`] for other objects.
    pub list: u32,
}

/// A blob with values of which it is known which they are, so that it need not be scanned: others are, in which the same
/// was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its place in [`Saved::blobs`].
    pub blob: u32,
    /// Its bytes.
    pub size: u64,
    /// Which kinds of file it was judged as.
    pub list: u32,
    /// Which rules have candidates in it.
    pub rules: u32,
    /// Its sightings that are values, by their places in [`Saved::sightings`].
    pub sightings: Vec<u32>,
}

/// An entry of a tree behind which there is something: its name and what that is, by their places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its name in [`Saved::names`].
    pub name: u32,
    /// Its mode.
    pub mode: Mode,
    /// In [`Saved::blobs`]; of a tree, in [`Saved::folders`].
    pub behind: u32,
}

/// What is in a file.
#[derive(Debug)]
pub struct Saved {
    /// Lists of kinds of files. The first is empty.
    pub lists: Vec<Vec<KindId>>,
    /// All objects that are known.
    pub objects: Arc<Objects>,
    /// Names of entries of trees.
    pub names: Vec<Box<[u8]>>,
    /// Commits whose text is clean.
    pub commits: Vec<CommitRecord>,
    /// Whether commits, tags and trees are known, not only blobs.
    pub has_structure: bool,
    /// Blobs with values, and others that are scanned every time; sorted.
    pub blobs: Vec<Oid>,
    /// The places of those of them that have no value, ascending.
    pub unvalued: Vec<u32>,
    /// Trees, commits and tags that are scanned every time; sorted.
    pub others: Vec<Oid>,
    /// Names that these blobs have in trees: of those that tell one kind of file, one.
    pub namings: Vec<Kept>,
    /// What trees hold that leads to values. The first is empty, and others are of folders before them.
    pub folders: Vec<Vec<Kept>>,
    /// Lists of places of rules in the rule set.
    pub rules: Vec<Vec<RuleIndex>>,
    /// What was seen, so that it is known again.
    pub sightings: Vec<Token>,
    /// Blobs with values that need no scan, in order.
    pub held: Vec<Held>,
    /// What ids and sightings are covered by; none where nothing is.
    pub veil: Option<Veil>,
}

impl Saved {
    /// Nothing is known.
    pub fn nothing(hash: HashKind) -> Self {
        Saved {
            lists: vec![Vec::new()],
            objects: Arc::new(Objects::none(hash)),
            names: Vec::new(),
            commits: Vec::new(),
            has_structure: false,
            blobs: Vec::new(),
            unvalued: Vec::new(),
            others: Vec::new(),
            namings: Vec::new(),
            folders: vec![Vec::new()],
            rules: Vec::new(),
            sightings: Vec::new(),
            held: Vec::new(),
            veil: None,
        }
    }

    /// How many objects are scanned every time.
    pub fn left(&self) -> u64 {
        (self.blobs.len() + self.others.len()).saturating_sub(self.held.len()) as u64
    }

    /// The id of a blob.
    pub fn blob(&self, held: &Held) -> Option<Oid> {
        self.blobs.get(held.blob as usize).copied()
    }

    /// About how many bytes a file of it has: no fewer.
    pub fn size(&self, hash: HashKind) -> usize {
        let oid = hash.oid_len();
        let short = |lists: &[Vec<u16>]| lists.iter().map(|list| 4 + 2 * list.len()).sum::<usize>();
        let names: usize = self.names.iter().map(|name| 4 + name.len()).sum();
        let commits: usize = self.commits.iter().map(|commit| (2 + commit.parents.len()) * oid + 12).sum();
        let folders: usize = self.folders.iter().map(|folder| 4 + 12 * folder.len()).sum();
        let held: usize = self.held.iter().map(|held| 24 + 4 * held.sightings.len()).sum();
        let ids = (self.blobs.len() + self.others.len()) * oid + 4 * self.unvalued.len();
        let rest = self.objects.rows().len() + ids + 12 * self.namings.len();
        let lists = short(&self.lists) + short(&self.rules) + 8 * self.sightings.len();
        256 + lists + names + commits + folders + held + rest
    }
}

/// The bytes of a file.
pub fn write(saved: &Saved, key: &[u8; 32], hash: HashKind) -> Vec<u8> {
    let mut out = Vec::with_capacity(saved.size(hash));
    out.extend_from_slice(MAGIC);
    out.push(VERSION);
    out.extend_from_slice(key);
    write_lists(&saved.lists, &mut out);
    write_number(saved.objects.len() as u32, &mut out);
    out.extend_from_slice(saved.objects.rows());
    out.push(saved.has_structure.into());
    write_number(saved.commits.len() as u32, &mut out);
    for commit in &saved.commits {
        out.extend_from_slice(commit.oid.as_bytes());
        out.extend_from_slice(commit.tree.as_bytes());
        out.extend_from_slice(&commit.time.to_le_bytes());
        write_number(commit.parents.len() as u32, &mut out);
        commit.parents.iter().for_each(|parent| out.extend_from_slice(parent.as_bytes()));
    }
    write_number(saved.names.len() as u32, &mut out);
    for name in &saved.names {
        write_number(name.len() as u32, &mut out);
        out.extend_from_slice(name);
    }
    write_blobs(saved, &mut out);
    write_held(saved, &mut out);
    let sum = crc32fast::hash(&out);
    out.extend_from_slice(&sum.to_le_bytes());
    out
}

fn write_number(n: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(&n.to_le_bytes());
}

/// Blobs under the veil, and where they are.
fn write_blobs(saved: &Saved, out: &mut Vec<u8>) {
    write_covered(&saved.blobs, saved.veil.as_ref(), out);
    write_number(saved.unvalued.len() as u32, out);
    saved.unvalued.iter().for_each(|place| write_number(*place, out));
    write_covered(&saved.others, saved.veil.as_ref(), out);
    write_kept(&saved.namings, out);
    write_number(saved.folders.len() as u32, out);
    saved.folders.iter().for_each(|folder| write_kept(folder, out));
}

/// Ids under the veil. Without one there are none.
fn write_covered(ids: &[Oid], veil: Option<&Veil>, out: &mut Vec<u8>) {
    let bytes: Vec<&[u8]> = ids.iter().map(Oid::as_bytes).collect();
    let token = veil.map_or_else(Token::default, |veil| veil.token_of(&bytes));
    out.extend_from_slice(&token);
    let covered: Vec<Oid> = (0..).zip(ids).filter_map(|(at, oid)| veil?.flip(&token, at, oid)).collect();
    write_number(covered.len() as u32, out);
    covered.iter().for_each(|oid| out.extend_from_slice(oid.as_bytes()));
}

fn write_kept(entries: &[Kept], out: &mut Vec<u8>) {
    write_number(entries.len() as u32, out);
    for entry in entries {
        [entry.name, entry.mode.0, entry.behind].into_iter().for_each(|n| write_number(n, out));
    }
}

fn write_held(saved: &Saved, out: &mut Vec<u8>) {
    write_lists(&saved.rules, out);
    write_number(saved.sightings.len() as u32, out);
    saved.sightings.iter().for_each(|token| out.extend_from_slice(token));
    write_number(saved.held.len() as u32, out);
    for held in &saved.held {
        write_number(held.blob, out);
        out.extend_from_slice(&held.size.to_le_bytes());
        let numbers = [held.list, held.rules, held.sightings.len() as u32];
        numbers.into_iter().chain(held.sightings.iter().copied()).for_each(|n| write_number(n, out));
    }
}

fn write_lists(lists: &[Vec<u16>], out: &mut Vec<u8>) {
    write_number(lists.len() as u32, out);
    for list in lists {
        write_number(list.len() as u32, out);
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

    /// As many items, of so many bytes at least, as a number says that comes first.
    fn list<T>(&mut self, least: usize, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.u32()? as usize;
        // The number may be wrong: no more memory is taken than the file has items.
        let mut list = Vec::with_capacity(count.min(self.rest.len() / least));
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
                self.blobs(&mut saved, veil.as_ref()).ok_or(Unfit::Damaged)?;
                self.held(&mut saved).ok_or(Unfit::Damaged)?;
                Ok(Saved { veil, ..saved })
            },
        );
        match objects {
            Some(objects) if self.rest.len() == 4 => Ok(Saved { objects: Arc::new(objects), ..rest? }),
            _ => rest.and(Err(Unfit::Damaged)),
        }
    }

    /// What stands between the objects and the blobs.
    fn knowledge(&mut self, lists: Vec<Vec<KindId>>) -> Option<Saved> {
        let has_structure = match self.number()? {
            [0] => false,
            [1] => true,
            _ => return None,
        };
        let id = self.hash.oid_len();
        let commits = self.list(2 * id + 12, |input| {
            let (oid, tree) = (input.oid()?, input.oid()?);
            let time = i64::from_le_bytes(input.number()?);
            Some(CommitRecord { oid, tree, time, parents: input.list(id, Self::oid)? })
        })?;
        let names = self.list(4, |input| {
            let len = input.u32()?;
            input.take(len as usize).map(Box::<[u8]>::from)
        })?;
        let distinct: FastSet<&[u8]> = names.iter().map(|name| &**name).collect();
        if distinct.len() < names.len() {
            return None;
        }
        Some(Saved { lists, names, commits, has_structure, ..Saved::nothing(self.hash) })
    }

    fn lists(&mut self) -> Option<Vec<Vec<u16>>> {
        self.list(4, |input| input.list(2, |input| input.number().map(u16::from_le_bytes)))
    }

    /// The rows of known objects.
    fn rows(&mut self) -> Option<&'a [u8]> {
        let bytes = Objects::bytes_of(self.u32()? as usize, self.hash)?;
        self.take(bytes)
    }

    /// Blobs, and where they are.
    fn blobs(&mut self, saved: &mut Saved, veil: Option<&Veil>) -> Option<()> {
        saved.blobs = self.covered(veil)?;
        saved.unvalued = self.list(4, |input| input.u32().filter(|at| (*at as usize) < saved.blobs.len()))?;
        saved.others = self.covered(veil)?;
        let (names, blobs) = (saved.names.len(), saved.blobs.len());
        saved.namings =
            self.list(12, |input| input.kept(names, blobs, 0).filter(|kept| !kept.mode.is_tree()))?;
        let mut before = 0;
        saved.folders = self.list(4, |input| {
            let folder = input.list(12, |input| input.kept(names, blobs, before))?;
            before += 1;
            // The first is that of trees that hold nothing.
            (before > 1 || folder.is_empty()).then_some(folder)
        })?;
        (!saved.folders.is_empty() && saved.unvalued.is_sorted()).then_some(())
    }

    /// Ids under the veil, sorted.
    fn covered(&mut self, veil: Option<&Veil>) -> Option<Vec<Oid>> {
        let token: Token = self.number()?;
        let mut at = 0;
        let ids = self.list(self.hash.oid_len(), |input| {
            let oid = veil?.flip(&token, at, &input.oid()?)?;
            at += 1;
            Some(oid)
        })?;
        ids.is_sorted_by(|a, b| a < b).then_some(ids)
    }

    /// An entry, given how many names, blobs and folders there are.
    fn kept(&mut self, names: usize, blobs: usize, folders: usize) -> Option<Kept> {
        let (name, mode, behind) = (self.u32()?, Mode(self.u32()?), self.u32()?);
        let most = if mode.is_tree() { folders } else { blobs };
        ((name as usize) < names && (behind as usize) < most).then_some(Kept { name, mode, behind })
    }

    /// Blobs that need no scan, and what is known of them.
    fn held(&mut self, saved: &mut Saved) -> Option<()> {
        saved.rules = self.lists()?;
        saved.sightings = self.list(8, Self::number)?;
        let (lists, rules, sightings) = (saved.lists.len(), saved.rules.len(), saved.sightings.len());
        let blobs = saved.blobs.len();
        saved.held = self.list(24, |input| {
            Some(Held {
                blob: input.u32().filter(|at| (*at as usize) < blobs)?,
                size: u64::from_le_bytes(input.number()?),
                list: input.u32().filter(|list| (*list as usize) < lists)?,
                rules: input.u32().filter(|list| (*list as usize) < rules)?,
                sightings: input.list(4, |input| input.u32().filter(|at| (*at as usize) < sightings))?,
            })
        })?;
        saved.held.is_sorted_by(|a, b| a.blob < b.blob).then_some(())
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
        let kept = |name, mode, behind| Kept { name, mode: Mode(mode), behind };
        let commit = CommitRecord { oid: oid(6), tree: oid(4), parents: vec![oid(8), oid(9)], time: -5 };
        Saved {
            lists: vec![Vec::new(), vec![1, 256]],
            objects: Arc::new(Objects::of(&[known(1, 0), known(2, 1), known(9, NO_BLOB)], HashKind::Sha1)),
            names: vec![Box::from(&b"name"[..]), Box::default()],
            commits: vec![commit],
            has_structure: true,
            blobs: vec![oid(70), oid(77), oid(78)],
            unvalued: vec![2],
            others: vec![oid(80), oid(81)],
            namings: vec![kept(1, 0o100755, 1), kept(0, 0o100644, 0)],
            folders: vec![
                Vec::new(),
                vec![kept(0, 0o100644, 1)],
                vec![kept(0, 0o40000, 1), kept(1, 0o100644, 0)],
            ],
            rules: vec![vec![4, 300], Vec::new()],
            sightings: vec![*b"sighting", [9; 8]],
            held: vec![
                Held { blob: 0, size: 5, list: 1, rules: 0, sightings: vec![1, 0] },
                Held { blob: 1, size: 6, list: 0, rules: 1, sightings: Vec::new() },
            ],
            veil: Some(Veil::with_key(b"a")),
        }
    }

    fn read_with(bytes: &[u8]) -> Result<Saved, Unfit> {
        read(bytes, &KEY, HashKind::Sha1, |_| Some(Veil::with_key(b"a")))
    }

    #[test]
    fn what_is_written_is_read() {
        let (written, bytes) = (saved(), write(&saved(), &KEY, HashKind::Sha1));
        assert!(bytes.len() <= written.size(HashKind::Sha1));
        let read = read_with(&bytes).unwrap();
        assert_eq!(format!("{read:?}"), format!("{written:?}"));
        for n in [70, 77, 78, 80, 81] {
            assert!(
                !bytes.windows(20).any(|part| part == oid(n).as_bytes()),
                "the id of a blob with a value"
            );
        }
    }

    #[test]
    fn every_damage_is_noticed() {
        let bytes = write(&saved(), &KEY, HashKind::Sha1);
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
        let bytes = write(&saved(), &KEY, HashKind::Sha1);
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
