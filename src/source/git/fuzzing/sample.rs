//! A small repository on the disk, the same in every run: what names and trees are looked up in.

use std::fs;
use std::path::Path;

use super::deflated;
use crate::source::git::{GitEnv, HashKind, Kind, Odb, Oid, Repo};

/// The repository, its folder, and what is in it.
pub struct Sample {
    pub repo: Repo,
    pub odb: Odb,
    /// The tree of its newest commit, whose files are [`FILES`].
    pub tree: Oid,
    /// Removed with the thread that made it.
    pub folder: tempfile::TempDir,
}

/// The files of the newest commit: path, and content.
pub const FILES: [(&str, &str); 5] =
    [("a", "one"), ("d.x", "two"), ("d/b", "three"), ("d/e/f", "four"), ("d0", "five")];

thread_local! {
    static SAMPLE: Sample = made();
}

/// Does something with the sample.
pub fn with_sample<T>(work: impl FnOnce(&Sample) -> T) -> T {
    SAMPLE.with(work)
}

fn made() -> Sample {
    let folder = tempfile::tempdir().expect("a folder for temporary files");
    let git = folder.path().join(".git");
    let put = |name: &str, content: &[u8]| {
        let path = git.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&git)).expect("a folder");
        fs::write(path, content).expect("a file");
    };
    let object = |kind: Kind, body: &[u8]| loose(&git, kind, body);
    let [a, dx, b, f, d0] = FILES.map(|(_, content)| object(Kind::Blob, content.as_bytes()));
    let tree = |entries: &[(&str, Oid)]| {
        let entry = |(name, oid): &(&str, Oid)| [format!("{name}\0").as_bytes(), oid.as_bytes()].concat();
        object(Kind::Tree, &entries.iter().flat_map(entry).collect::<Vec<u8>>())
    };
    let e = tree(&[("100644 f", f)]);
    let d = tree(&[("100644 b", b), ("40000 e", e)]);
    let top = tree(&[("100644 a", a), ("100755 d.x", dx), ("40000 d", d), ("100644 d0", d0)]);
    let who = "A B <a@b> 1714559400 +0130";
    let commit = |tree: Oid, parents: &[Oid]| {
        let parents: String = parents.iter().map(|parent| format!("parent {parent}\n")).collect();
        let text = format!("tree {tree}\n{parents}author {who}\ncommitter {who}\n\nwords\n");
        object(Kind::Commit, text.as_bytes())
    };
    let (first, other) = (commit(e, &[]), commit(d, &[]));
    let second = commit(d, &[first]);
    let newest = commit(top, &[second, other]);
    let tag = |target: Oid, kind: &str| {
        let text = format!("object {target}\ntype {kind}\ntag v1\ntagger {who}\n\nnotes\n");
        object(Kind::Tag, text.as_bytes())
    };
    let inner = tag(second, "commit");
    let outer = tag(inner, "tag");
    put("HEAD", b"ref: refs/heads/main\n");
    put("config", b"[core]\n\trepositoryformatversion = 0\n");
    put("refs/heads/main", format!("{newest}\n").as_bytes());
    put("refs/heads/side", format!("{other}\n").as_bytes());
    put("refs/remotes/origin/HEAD", b"ref: refs/remotes/origin/main\n");
    put("packed-refs", format!("# pack-refs with: peeled\n{first} refs/remotes/origin/main\n{f} refs/tags/blob\n{outer} refs/tags/v1\n^{second}\n").as_bytes());
    let null = Oid::null(HashKind::Sha1);
    let log = format!("{null} {second} {who}\tcommit (initial): x\n{second} {newest} {who}\tmerge\n");
    put("logs/HEAD", log.as_bytes());
    put("logs/refs/heads/main", log.as_bytes());
    let repo = Repo::discover(folder.path(), &GitEnv::default()).expect("a repository");
    let odb = Odb::open(&repo).expect("its objects");
    Sample { repo, odb, tree: top, folder }
}

/// Writes a loose object.
fn loose(git: &Path, kind: Kind, body: &[u8]) -> Oid {
    let oid = HashKind::Sha1.hash(kind, body);
    let hex = oid.to_string();
    let folder = git.join("objects").join(&hex[..2]);
    fs::create_dir_all(&folder).expect("a folder");
    let content = [format!("{} {}\0", kind.name(), body.len()).as_bytes(), body].concat();
    fs::write(folder.join(&hex[2..]), deflated(&content)).expect("a file");
    oid
}
