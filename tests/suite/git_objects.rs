//! Every object of generated repositories, byte by byte against git2 and the `git` program.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use stanch::source::git::{
    DeltaOf, DeltaOp, Error, GitEnv, Kind, Odb, Oid, Repo, Visited, Visitor, WalkOptions, walk,
};

use crate::git_pack_writer::{PackWriter, blob_oid, copy, delta, insert};
use crate::git_support::{Sandbox, edit_history, git_command};

/// Objects by id.
pub type Objects = BTreeMap<Oid, (Kind, Vec<u8>)>;

/// Keeps all that a walk shows, and checks what it says about deltas.
#[derive(Default)]
pub struct Collector {
    found: Mutex<Objects>,
    unreadable: Mutex<BTreeMap<Oid, String>>,
    deltas: Mutex<usize>,
}

impl Collector {
    fn add(&self, object: Visited<'_>) {
        let previous = self.found.lock().unwrap().insert(object.oid, (object.kind, object.data.to_vec()));
        assert!(previous.is_none(), "{} is visited twice", object.oid);
    }
}

impl Visitor for Collector {
    /// Id of the base.
    type Node = (Oid, Vec<u8>);
    type Local = ();

    fn local(&self) {}

    fn whole(&self, _: &mut (), object: Visited<'_>) -> Self::Node {
        self.add(object);
        (object.oid, object.data.to_vec())
    }

    fn delta(&self, _: &mut (), object: Visited<'_>, base: DeltaOf<'_, Self::Node>) -> Self::Node {
        self.add(object);
        *self.deltas.lock().unwrap() += 1;
        assert_eq!(base.node.1, base.data, "base of {} is not the one that was visited", object.oid);
        let mut at = 0;
        for op in base.ops {
            let (dst, len) = match *op {
                DeltaOp::Copy { src, dst, len } => {
                    assert_eq!(base.data[src..src + len], object.data[dst..dst + len]);
                    (dst, len)
                }
                DeltaOp::Insert { dst, len } => (dst, len),
            };
            assert_eq!(dst, at);
            at += len;
        }
        assert_eq!(at, object.data.len());
        (object.oid, object.data.to_vec())
    }

    fn unreadable(&self, oid: &Oid, error: &Error) {
        self.unreadable.lock().unwrap().insert(*oid, error.reason().to_owned());
    }
}

/// What a walk finds, what it cannot read, and how many objects it got as deltas.
pub fn walked(odb: &Odb, threads: usize) -> (Objects, BTreeMap<Oid, String>, usize) {
    let collector = Collector::default();
    let stats = walk(odb, &WalkOptions { threads, verify: true }, &collector);
    let found = collector.found.into_inner().unwrap();
    let unreadable = collector.unreadable.into_inner().unwrap();
    assert_eq!(stats.objects, found.len() as u64);
    assert_eq!(stats.unreadable, unreadable.len() as u64);
    (found, unreadable, collector.deltas.into_inner().unwrap())
}

/// All objects, as `git cat-file` prints them.
fn by_cat_file(dir: &Path) -> Objects {
    let args = ["cat-file", "--batch-all-objects", "--batch", "--unordered"];
    let output = git_command(dir).args(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut rest = output.stdout.as_slice();
    let mut objects = Objects::new();
    while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
        let header = std::str::from_utf8(&rest[..end]).unwrap();
        let words: Vec<&str> = header.split(' ').collect();
        let size: usize = words[2].parse().unwrap();
        let data = rest[end + 1..end + 1 + size].to_vec();
        let kind = Kind::from_name(words[1].as_bytes()).unwrap();
        objects.insert(Oid::from_hex(words[0].as_bytes()).unwrap(), (kind, data));
        rest = &rest[end + 1 + size + 1..];
    }
    objects
}

/// All objects, as git2 reads them.
fn by_git2(dir: &Path) -> Objects {
    let repository = git2::Repository::open(dir).unwrap();
    let odb = repository.odb().unwrap();
    let mut oids = Vec::new();
    odb.foreach(|oid| {
        oids.push(*oid);
        true
    })
    .unwrap();
    let object = |oid: git2::Oid| {
        let object = odb.read(oid).unwrap();
        let kind = Kind::from_name(object.kind().str().as_bytes()).unwrap();
        (Oid::from_bytes(oid.as_bytes()).unwrap(), (kind, object.data().to_vec()))
    };
    oids.into_iter().map(object).collect()
}

/// Checks both ways of reading against both references. Returns how many objects the walk got as deltas.
fn check(dir: &Path, git2_can: bool) -> usize {
    let expected = by_cat_file(dir);
    assert!(expected.len() > 5, "too few objects to say anything");
    if git2_can {
        assert_same(&by_git2(dir), &expected);
    }
    let repo = Repo::discover(dir, &GitEnv::default()).unwrap();
    let odb = Odb::open(&repo).unwrap();
    for (oid, object) in &expected {
        assert!(odb.contains(oid));
        assert!(odb.read(oid).unwrap().as_ref() == Some(object), "{oid} reads differently");
    }
    let absent = odb.hash().hash(Kind::Blob, b"nobody stored this");
    assert!(odb.read(&absent).unwrap().is_none());
    let mut deltas = 0;
    for threads in [1, 3] {
        let (found, unreadable, as_deltas) = walked(&odb, threads);
        assert_eq!(unreadable, BTreeMap::new());
        assert_same(&found, &expected);
        deltas = as_deltas;
    }
    deltas
}

fn assert_same(found: &Objects, expected: &Objects) {
    let ids = |objects: &Objects| objects.keys().copied().collect::<Vec<_>>();
    assert_eq!(ids(found), ids(expected));
    for (oid, object) in found {
        assert!(expected[oid] == *object, "{oid} differs");
    }
}

/// A repository with commits, tags, notes, a stash, a link, an empty file and something unreachable.
fn varied(options: &[&str]) -> Sandbox {
    let sandbox = Sandbox::init(options);
    edit_history(&sandbox, 25, 11);
    sandbox.write("empty", "");
    std::os::unix::fs::symlink("empty", sandbox.join("link")).unwrap();
    sandbox.commit("link");
    sandbox.git(["tag", "-a", "-m", "annotated", "v1"]);
    sandbox.git(["notes", "add", "-m", "a note"]);
    sandbox.write("empty", "stashed");
    sandbox.git(["stash", "--quiet"]);
    sandbox.write("unreachable", "nobody refers to this");
    sandbox.git(["hash-object", "-w", "unreachable"]);
    fs::remove_file(sandbox.join("unreachable")).unwrap();
    sandbox
}

#[test]
fn loose_objects() {
    let sandbox = varied(&[]);
    assert_eq!(check(sandbox.path(), true), 0);
}

#[test]
fn packs_of_all_shapes() {
    let sandbox = varied(&[]);
    for (settings, options) in [
        (&[][..], &["--depth=50", "--window=20"][..]),
        (&[], &["--depth=1", "--window=3"]),
        (&[], &["--depth=200", "--window=200"]),
        (&["repack.useDeltaBaseOffset=false"], &[]),
        (&["pack.indexVersion=1"], &["--depth=10"]),
        (&["pack.compression=0"], &[]),
        (&["pack.compression=9", "repack.writeBitmaps=true"], &[]),
        (&[], &["--max-pack-size=1m"]),
    ] {
        let settings = settings.iter().flat_map(|setting| ["-c", setting]);
        let args = ["repack", "-adf", "--quiet", "--keep-unreachable"];
        sandbox.git(settings.chain(args).chain(options.iter().copied()));
        sandbox.git(["prune-packed"]);
        assert!(check(sandbox.path(), true) > 20, "{options:?}");
    }
}

#[test]
fn offsets_of_64_bits() {
    let sandbox = varied(&[]);
    sandbox.git(["repack", "-adfq", "--keep-unreachable"]);
    let pack = only_pack(&sandbox);
    fs::remove_file(pack.with_extension("idx")).unwrap();
    let _ = fs::remove_file(pack.with_extension("rev"));
    sandbox.git(["index-pack", "--index-version=2,0x40", pack.to_str().unwrap()]);
    assert!(check(sandbox.path(), true) > 20);
}

/// The one pack of a repository.
pub fn only_pack(sandbox: &Sandbox) -> std::path::PathBuf {
    let packs: Vec<_> = fs::read_dir(sandbox.join(".git/objects/pack"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "pack"))
        .collect();
    assert_eq!(packs.len(), 1);
    packs[0].clone()
}

#[test]
fn several_packs_with_and_without_a_common_index() {
    let sandbox = Sandbox::new();
    for round in 0..4 {
        edit_history(&sandbox, 8, 20 + round);
        // Every second pack holds everything: most objects are stored more than once.
        let all = ["pack-objects", "--all", "--quiet", ".git/objects/pack/pack"];
        match round % 2 {
            0 => drop(sandbox.git(["repack", "-dq"])),
            _ => assert!(
                git_command(sandbox.path())
                    .args(all)
                    .stdin(std::process::Stdio::null())
                    .status()
                    .unwrap()
                    .success()
            ),
        }
        if round == 2 {
            sandbox.git(["multi-pack-index", "write"]);
        }
        check(sandbox.path(), true);
    }
    fs::remove_file(sandbox.join(".git/objects/pack/multi-pack-index")).unwrap();
    sandbox.git(["multi-pack-index", "write", "--incremental"]);
    edit_history(&sandbox, 3, 99);
    sandbox.git(["repack", "-dq"]);
    sandbox.git(["multi-pack-index", "write", "--incremental"]);
    check(sandbox.path(), false);
}

#[test]
fn cruft_packs() {
    let sandbox = varied(&[]);
    sandbox.git(["reflog", "expire", "--all", "--expire=now"]);
    sandbox.git(["reset", "--quiet", "--hard", "HEAD~10"]);
    sandbox.git(["repack", "--cruft", "-dq"]);
    check(sandbox.path(), true);
}

#[test]
fn alternates_in_chains_and_loops() {
    let first = varied(&[]);
    first.git(["repack", "-adfq"]);
    let second = Sandbox::empty();
    second.git(["clone", "--quiet", "--shared", first.path().to_str().unwrap(), "."]);
    edit_history(&second, 4, 31);
    let third = Sandbox::empty();
    third.git(["clone", "--quiet", "--shared", second.path().to_str().unwrap(), "."]);
    edit_history(&third, 4, 32);
    check(third.path(), true);
    let loop_to = format!("{}\n# no folder\n/nowhere\n", third.join(".git/objects").display());
    fs::write(first.join(".git/objects/info/alternates"), loop_to).unwrap();
    let odb = third.odb();
    assert_eq!(odb.absent_alternates(), [Path::new("/nowhere")]);
    fs::write(first.join(".git/objects/info/alternates"), "../objects\n").unwrap();
    check(third.path(), true);
}

#[test]
fn objects_that_a_push_brings_for_inspection() {
    let target = Sandbox::init(&["--bare"]);
    let source = varied(&[]);
    // In pre-receive, the new objects are in a folder of their own.
    let hook = "#!/bin/sh\ncp -r \"$GIT_OBJECT_DIRECTORY\" saved\necho \"$GIT_ALTERNATE_OBJECT_DIRECTORIES\" >alternates\nexit 1\n";
    target.write("hooks/pre-receive", hook);
    fs::set_permissions(
        target.join("hooks/pre-receive"),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    source.try_git(source.path(), ["push", "--quiet", target.path().to_str().unwrap(), "main"]);
    let alternates = fs::read_to_string(target.join("alternates")).unwrap();
    let env = GitEnv {
        git_dir: Some(target.path().to_owned()),
        object_directory: Some(target.join("saved")),
        alternates: Some(alternates.trim().into()),
        ..GitEnv::default()
    };
    let repo = Repo::discover(target.path(), &env).unwrap();
    let odb = Odb::open(&repo).unwrap();
    assert!(odb.contains(&source.oid("main")));
    let without = Odb::open(&target.repo()).unwrap();
    assert!(!without.contains(&source.oid("main")));
}

#[test]
fn sha256_bare_shallow_and_partial_repositories() {
    let sandbox = varied(&["--object-format=sha256"]);
    check(sandbox.path(), false);
    sandbox.git(["repack", "-adfq", "--keep-unreachable"]);
    assert!(check(sandbox.path(), false) > 20);
    sandbox.git(["multi-pack-index", "write"]);
    check(sandbox.path(), false);

    let origin = varied(&[]);
    origin.git(["config", "uploadpack.allowFilter", "true"]);
    let url = format!("file://{}", origin.path().display());
    let bare = Sandbox::empty();
    bare.git(["clone", "--quiet", "--bare", &url, "."]);
    assert!(bare.repo().work_tree().is_none());
    check(bare.path(), true);

    let shallow = Sandbox::empty();
    shallow.git(["clone", "--quiet", "--depth=3", &url, "."]);
    check(shallow.path(), true);
    assert_eq!(shallow.repo().shallow_boundary().unwrap(), [origin.oid("main~2")]);
    assert_eq!(origin.repo().shallow_boundary().unwrap(), []);

    let partial = Sandbox::empty();
    partial.git(["clone", "--quiet", "--filter=blob:none", "--no-checkout", &url, "."]);
    assert!(partial.repo().is_partial());
    let blob = origin.oid("main:file0.txt");
    let odb = partial.odb();
    assert!(odb.read(&blob).unwrap().is_none());
    assert!(matches!(odb.read_kind(&blob, Kind::Blob), Err(Error::Missing(missing)) if missing == blob));
    let (found, unreadable, _) = walked(&odb, 2);
    assert!(unreadable.is_empty() && found.values().all(|(kind, _)| *kind != Kind::Blob) && found.len() > 20);
}

#[test]
fn what_a_visitor_does_not_want_is_only_decoded_where_it_must_be() {
    struct Trees(Mutex<Vec<Oid>>);
    impl Visitor for Trees {
        type Node = ();
        type Local = usize;
        fn local(&self) -> usize {
            0
        }
        fn wants(&self, oid: &Oid) -> bool {
            oid.as_bytes()[0] & 1 == 0
        }
        fn wants_kind(&self, kind: Kind) -> bool {
            kind == Kind::Tree
        }
        fn whole(&self, local: &mut usize, object: Visited<'_>) {
            *local += usize::from(object.kind == Kind::Tree);
            self.0.lock().unwrap().push(object.oid);
        }
        fn delta(&self, local: &mut usize, object: Visited<'_>, _: DeltaOf<'_, ()>) {
            self.whole(local, object);
        }
        fn unreadable(&self, oid: &Oid, error: &Error) {
            panic!("{oid}: {error}");
        }
    }
    let sandbox = varied(&[]);
    sandbox.git(["repack", "-adfq", "--depth=30"]);
    let trees = Trees(Mutex::new(Vec::new()));
    walk(&sandbox.odb(), &WalkOptions { threads: 2, verify: false }, &trees);
    let mut found = trees.0.into_inner().unwrap();
    found.sort();
    let expected: Vec<Oid> = by_cat_file(sandbox.path())
        .into_iter()
        .filter(|(oid, (kind, _))| *kind == Kind::Tree && oid.as_bytes()[0] & 1 == 0)
        .map(|(oid, _)| oid)
        .collect();
    assert!(expected.len() > 5);
    // Loose objects are wanted whatever their kind may be: it is not known before they are read.
    let loose = |oid: &Oid| {
        sandbox.join(&format!(".git/objects/{}/{}", &oid.to_hex()[..2], &oid.to_hex()[2..])).exists()
    };
    found.retain(|oid| !loose(oid) || expected.contains(oid));
    assert_eq!(found, expected);
}

#[test]
fn abbreviated_ids() {
    let sandbox = varied(&[]);
    for packed in [false, true] {
        if packed {
            sandbox.git(["repack", "-adfq"]);
        }
        let odb = sandbox.odb();
        let head = sandbox.oid("HEAD");
        assert_eq!(odb.with_prefix(&head.to_hex()[..12]), [head]);
        assert_eq!(odb.with_prefix(&head.to_hex()), [head]);
        assert_eq!(odb.with_prefix(&head.to_hex()[..3]), [], "too short to ask for");
        assert_eq!(odb.with_prefix("xyzw"), []);
    }
}

/// Two packs with a base at the same offset each: what is kept of one must not serve the other.
#[test]
fn bases_of_two_packs_are_not_mixed_up() {
    let sandbox = Sandbox::new();
    let texts = [b"the base of the one\n".repeat(8), b"the base of others\n".repeat(8)];
    let longer = texts.clone().map(|base| [&base[..], b"and more"].concat());
    for (name, (base, long)) in ["one", "two"].into_iter().zip(texts.iter().zip(&longer)) {
        let mut writer = PackWriter::new();
        let offset = writer.blob(base);
        assert_eq!(offset, 12);
        let code = delta(base.len(), long.len(), &[copy(0, base.len()), insert(b"and more")]);
        writer.offset_delta(blob_oid(long), offset, &code);
        writer.write(&sandbox, name);
    }
    let odb = sandbox.odb();
    for _ in 0..2 {
        for content in longer.iter().chain(&texts) {
            assert!(odb.read(&blob_oid(content)).unwrap().unwrap().1 == *content);
        }
    }
}
