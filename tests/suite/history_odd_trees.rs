//! Trees that git would refuse: `git fsck` says so, but a pack can hold them.

use stanch::source::git::{HashKind, Kind, Oid};

use crate::git_pack_writer::{PackWriter, blob_oid, copy, deflate, delta, insert};
use crate::git_support::Sandbox;
use crate::history_support::{history, token};

fn entry(mode: &str, name: &str, oid: Oid) -> Vec<u8> {
    [mode.as_bytes(), b" ", name.as_bytes(), b"\0", oid.as_bytes()].concat()
}

/// A pack, and its last commit.
struct Story {
    pack: PackWriter,
    head: Option<Oid>,
    commits: usize,
}

impl Story {
    fn object(&mut self, kind: Kind, number: u8, content: &[u8]) -> (Oid, u64) {
        let oid = HashKind::Sha1.hash(kind, content);
        (oid, self.pack.raw(oid, number, content.len(), b"", &deflate(content)))
    }

    fn commit(&mut self, tree: Oid) {
        self.commits += 1;
        let who = format!("Ada <ada@example.com> {} +0000", 1_700_000_000 + self.commits);
        let parent = self.head.map(|oid| format!("parent {oid}\n")).unwrap_or_default();
        let text = format!("tree {tree}\n{parent}author {who}\ncommitter {who}\n\nx\n");
        self.head = Some(self.object(Kind::Commit, 1, text.as_bytes()).0);
    }
}

/// A name stands twice in a tree; of what stands under it, the tree that is made from it keeps a secret.
#[test]
fn a_secret_lives_on_where_its_name_stood_twice() {
    let secret = format!("{}\n", token(1));
    let blobs = [secret.as_bytes(), b"harmless\n", b"other\n"];
    let [held, harmless, other] = blobs.map(blob_oid);
    let twice = |name, after, mode, oid| [entry("100644", "a", held), after, entry(mode, name, oid)].concat();
    // Two files, side by side; then a file and a folder of one name, which git's order puts apart.
    let between = entry("100644", "a.txt", harmless);
    for (mode, after) in [("100644", Vec::new()), ("40000", between)] {
        let sandbox = Sandbox::new();
        let mut story = Story { pack: PackWriter::new(), head: None, commits: 0 };
        for blob in blobs {
            story.pack.blob(blob);
        }
        let folder = |story: &mut Story, oid| match mode {
            "40000" => story.object(Kind::Tree, 2, &entry("100644", "x", oid)).0,
            _ => oid,
        };
        let (before, now) = (folder(&mut story, harmless), folder(&mut story, other));
        let (old, new) = (twice("a", after.clone(), mode, before), twice("a", after, mode, now));
        let (first, at) = story.object(Kind::Tree, 2, &old);
        story.commit(first);
        let second = HashKind::Sha1.hash(Kind::Tree, &new);
        let kept = new.len() - 20;
        let ops = [copy(0, kept), insert(now.as_bytes())];
        story.pack.offset_delta(second, at, &delta(old.len(), new.len(), &ops));
        story.commit(second);
        let head = story.head.unwrap();
        story.pack.write(&sandbox, "odd");
        sandbox.write(".git/refs/heads/main", format!("{head}\n"));
        let found = history(&sandbox, &[]).finding(&token(1));
        assert_eq!((&found["in_head"], &found["path"]), (&true.into(), &"a".into()), "{mode}");
    }
}
