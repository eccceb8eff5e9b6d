//! Refs: where branches, tags, notes, the stash and `HEAD` point.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bstr::{BString, ByteSlice};

use super::bytes::split_at_byte;
use super::error::{Error, Result};
use super::oid::Oid;
use super::program;
use super::repo::{RefStorage, Repo, is_absent, read_optional};
use crate::source::open;

/// How many symbolic refs may point to one another. git follows five.
const MAX_SYMBOLIC: usize = 10;

/// A ref and where it points.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ref {
    /// Full name, such as `refs/heads/main`.
    pub name: BString,
    /// The object, behind all symbolic refs. It may be an annotated tag.
    pub target: Oid,
}

/// What `HEAD` is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Full name of the branch. None when detached.
    pub branch: Option<BString>,
    /// The commit. None before the first one.
    pub target: Option<Oid>,
}

/// What a ref's file says.
pub(super) enum Value {
    Direct(Oid),
    Symbolic(BString),
}

/// What `HEAD` of this work tree is.
pub fn head(repo: &Repo) -> Result<Head> {
    if repo.ref_storage() == RefStorage::Reftable {
        return program::head(repo);
    }
    let path = repo.git_dir().join("HEAD");
    match read_value(&path)? {
        None => Ok(Head { branch: None, target: None }), // a symbolic link to a branch that is not born
        Some(Value::Direct(oid)) => Ok(Head { branch: None, target: Some(oid) }),
        Some(Value::Symbolic(branch)) => Ok(Head { target: resolve(repo, &branch)?, branch: Some(branch) }),
    }
}

/// The object that a ref with this full name points to. None if there is no such ref, or if it points to
/// a ref that is not there.
pub fn resolve(repo: &Repo, name: &[u8]) -> Result<Option<Oid>> {
    if repo.ref_storage() == RefStorage::Reftable {
        return program::resolve(repo, name);
    }
    let mut name = name.to_owned();
    for _ in 0..MAX_SYMBOLIC {
        if !is_safe_name(&name) {
            return Ok(None);
        }
        match read_value(&file_of(repo, &name))? {
            Some(Value::Direct(oid)) => return Ok(Some(oid)),
            Some(Value::Symbolic(next)) => name = next.into(),
            None => return packed_ref(repo, &name),
        }
    }
    Err(Error::corrupt(&file_of(repo, &name), "symbolic refs point in a circle"))
}

/// All refs of the repository, sorted by name: `HEAD`, everything below `refs/`, and `HEAD` and own refs of
/// each linked work tree (as `worktrees/NAME/…`). Refs that point nowhere are left out.
pub fn all(repo: &Repo) -> Result<Vec<Ref>> {
    if repo.ref_storage() == RefStorage::Reftable {
        return program::all_refs(repo);
    }
    let mut found: BTreeMap<BString, Oid> = packed_refs(repo)?.into_iter().collect();
    let mut add = |name: BString, path: &Path| -> Result<()> {
        let target = match read_value(path)? {
            Some(Value::Direct(oid)) => Some(oid),
            // Refs that point in a circle point nowhere.
            Some(Value::Symbolic(next)) => resolve(repo, &next).or_else(|error| match error {
                Error::Corrupt { .. } => Ok(None),
                error => Err(error),
            })?,
            None => None,
        };
        found.extend(target.map(|oid| (name, oid)));
        Ok(())
    };
    add("HEAD".into(), &repo.git_dir().join("HEAD"))?;
    for (name, path) in files_below(repo.common_dir(), "refs")? {
        add(name, &path)?;
    }
    for (own, git_dir) in linked_git_dirs(repo)? {
        add(format!("{own}/HEAD").into(), &git_dir.join("HEAD"))?;
        for (name, path) in files_below(&git_dir, "refs")? {
            add(format!("{own}/{name}").into(), &path)?;
        }
    }
    Ok(found.into_iter().map(|(name, target)| Ref { name, target }).collect())
}

/// Refs outside of `refs/` that git leaves during an operation, such as `MERGE_HEAD`: every object that the
/// file names. Empty if there is none.
pub fn pseudo_ref(repo: &Repo, name: &str) -> Result<Vec<Oid>> {
    let text = read_optional(&repo.git_dir().join(name))?.unwrap_or_default();
    Ok(text.lines().filter_map(|line| Oid::from_hex(first_word(line))).filter(|oid| !oid.is_null()).collect())
}

/// One line of a reflog.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReflogEntry {
    /// The ref whose log it is.
    pub name: BString,
    /// What it pointed to before. None if it was created.
    pub old: Option<Oid>,
    /// What it pointed to after. None if it was deleted.
    pub new: Option<Oid>,
    /// Who moved it and why, as recorded.
    pub text: BString,
}

/// Every line of every reflog, work trees' own ones included: by name, and from old to new.
pub fn reflogs(repo: &Repo) -> Result<Vec<ReflogEntry>> {
    if repo.ref_storage() == RefStorage::Reftable {
        return program::reflogs(repo);
    }
    let mut files = files_below(repo.common_dir(), "logs")?;
    for (own, git_dir) in linked_git_dirs(repo)? {
        let logs = files_below(&git_dir, "logs")?;
        files.extend(logs.into_iter().map(|(name, path)| (format!("{own}/{name}").into(), path)));
    }
    let mut entries = Vec::new();
    for (name, path) in files {
        let name: BString = name.as_bstr().replacen("logs/", "", 1).into();
        entries.extend(reflog_of(&name, &path)?);
    }
    Ok(entries)
}

/// The reflog of the ref with this full name, from old to new. Empty if there is none.
pub fn reflog(repo: &Repo, name: &[u8]) -> Result<Vec<ReflogEntry>> {
    if repo.ref_storage() == RefStorage::Reftable {
        let mut entries = program::reflogs(repo)?;
        entries.retain(|entry| entry.name == name);
        return Ok(entries);
    }
    if !is_safe_name(name) {
        return Ok(Vec::new());
    }
    let root = if is_own(name) { repo.git_dir() } else { repo.common_dir() };
    reflog_of(&name.into(), &root.join("logs").join(name.to_path_lossy()))
}

fn reflog_of(name: &BString, path: &Path) -> Result<Vec<ReflogEntry>> {
    let text = read_unless_folder(path)?.unwrap_or_default();
    Ok(text.lines().filter_map(|line| reflog_line(name, line)).collect())
}

/// `old new who when<TAB>why`
pub(super) fn reflog_line(name: &BString, line: &[u8]) -> Option<ReflogEntry> {
    let (old, rest) = split_at_byte(line, b' ')?;
    let (new, text) = split_at_byte(rest, b' ')?;
    let oid = |hex| Oid::from_hex(hex).map(|oid| Some(oid).filter(|oid| !oid.is_null()));
    Some(ReflogEntry { name: name.clone(), old: oid(old)?, new: oid(new)?, text: text.into() })
}

/// Git folders of linked work trees, with the name `worktrees/NAME`.
fn linked_git_dirs(repo: &Repo) -> Result<Vec<(String, PathBuf)>> {
    let dir = repo.common_dir().join("worktrees");
    let entries = match fs::read_dir(&dir) {
        Ok(entries) => entries,
        Err(e) if is_absent(&e) => return Ok(Vec::new()),
        Err(e) => return Err(Error::io(&dir, e)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|e| Error::io(&dir, e))?;
        found.push((format!("worktrees/{}", entry.file_name().to_string_lossy()), entry.path()));
    }
    found.sort();
    Ok(found)
}

/// All files below `root/top`, with names relative to `root`, sorted. Symbolic links to folders are not
/// followed.
fn files_below(root: &Path, top: &str) -> Result<Vec<(BString, PathBuf)>> {
    let (mut files, mut folders) = (Vec::new(), vec![(BString::from(top), root.join(top))]);
    while let Some((name, dir)) = folders.pop() {
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(e) if is_absent(&e) => continue,
            Err(e) => return Err(Error::io(&dir, e)),
        };
        for entry in entries {
            let entry = entry.map_err(|e| Error::io(&dir, e))?;
            let path = entry.path();
            let Ok(file_name) = <[u8]>::from_os_str(&entry.file_name()).map(<[u8]>::to_owned).ok_or(())
            else {
                continue; // not Unicode, on a system where git could not have written it
            };
            let name: BString = [name.as_slice(), b"/", &file_name].concat().into();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push((name, path)),
                _ if name.ends_with(b".lock") => {}
                _ => files.push((name, path)),
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Reads a ref's file. None if there is no such file, or nothing sensible in it.
fn read_value(path: &Path) -> Result<Option<Value>> {
    Ok(read_unless_folder(path)?.and_then(|text| value_of(&text)))
}

/// What the text of a ref's file says.
pub(super) fn value_of(text: &[u8]) -> Option<Value> {
    match text.strip_prefix(b"ref:") {
        Some(name) => Some(Value::Symbolic(name.trim_ascii().into())),
        None => Oid::from_hex(first_word(text)).map(Value::Direct),
    }
}

/// Reads a file that need not exist. A folder in its place means that other refs' names start with this one.
fn read_unless_folder(path: &Path) -> Result<Option<Vec<u8>>> {
    match open::read(path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if is_absent(&e) || e.kind() == std::io::ErrorKind::IsADirectory => Ok(None),
        Err(e) => Err(Error::io(path, e)),
    }
}

fn first_word(text: &[u8]) -> &[u8] {
    text.split(u8::is_ascii_whitespace).next().unwrap_or_default()
}

/// The file that holds a ref.
fn file_of(repo: &Repo, name: &[u8]) -> PathBuf {
    let root = if is_own(name) { repo.git_dir() } else { repo.common_dir() };
    root.join(name.to_path_lossy())
}

/// Whether a ref belongs to one work tree; most are shared.
fn is_own(name: &[u8]) -> bool {
    !name.starts_with(b"refs/")
        || [&b"refs/bisect/"[..], b"refs/worktree/", b"refs/rewritten/"]
            .iter()
            .any(|own| name.starts_with(own))
}

/// Whether the name stays inside of the git folder.
pub(super) fn is_safe_name(name: &[u8]) -> bool {
    let pseudo = !name.is_empty() && name.iter().all(|&byte| byte.is_ascii_uppercase() || byte == b'_');
    let parts_are_names = || name.split(|&byte| byte == b'/').all(|part| !matches!(part, b"" | b"." | b".."));
    pseudo
        || (name.starts_with(b"refs/") && parts_are_names() && !name.contains(&0) && !name.contains(&b'\\'))
}

/// Name and target of each packed ref.
fn packed_refs(repo: &Repo) -> Result<Vec<(BString, Oid)>> {
    let text = read_optional(&repo.common_dir().join("packed-refs"))?.unwrap_or_default();
    Ok(packed_entries(&text).map(|(name, oid)| (name.into(), oid)).collect())
}

/// Name and target of each ref in the text of `packed-refs`. Comments and lines with what a tag peels to (`^…`) do not
/// start with an id.
pub(super) fn packed_entries(text: &[u8]) -> impl Iterator<Item = (&[u8], Oid)> {
    text.lines().filter_map(packed_line)
}

fn packed_line(line: &[u8]) -> Option<(&[u8], Oid)> {
    let (hex, name) = split_at_byte(line, b' ')?;
    Some((name.trim_ascii(), Oid::from_hex(hex)?))
}

fn packed_ref(repo: &Repo, name: &[u8]) -> Result<Option<Oid>> {
    let text = read_optional(&repo.common_dir().join("packed-refs"))?.unwrap_or_default();
    Ok(packed_target(&text, name))
}

/// The target of a ref in the text of `packed-refs`: only lines that hold its name are taken apart.
pub(super) fn packed_target(text: &[u8], name: &[u8]) -> Option<Oid> {
    memchr::memmem::find_iter(text, name).find_map(|at| {
        let start = text[..at].rfind_byte(b'\n').map_or(0, |end| end + 1);
        let (found, oid) = packed_line(text[start..].lines().next()?)?;
        (found == name).then_some(oid)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_the_git_folder_are_refused() {
        for name in ["HEAD", "MERGE_HEAD", "refs/heads/a.b/c"] {
            assert!(is_safe_name(name.as_bytes()), "{name}");
        }
        for name in
            ["", "config", "refs/../config", "refs//x", "../x", "/etc/passwd", "refs/a\\..\\b", "refs/./x"]
        {
            assert!(!is_safe_name(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn reflog_lines() {
        let (zero, one) = ("0".repeat(40), "1".repeat(40));
        let entry =
            reflog_line(&"HEAD".into(), format!("{zero} {one} A <a@b> 1 +0000\tcommit: x").as_bytes())
                .unwrap();
        assert_eq!((entry.old, entry.new), (None, Oid::from_hex(one.as_bytes())));
        assert_eq!(reflog_line(&"HEAD".into(), b"junk"), None);
    }
}
