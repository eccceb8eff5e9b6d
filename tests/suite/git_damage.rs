//! Damaged, hostile and changing repositories: what can be read is read, the rest is reported, nothing panics.

use std::collections::BTreeMap;
use std::fs;

use stanch::source::git::{
    DeltaOf, Error, Kind, Limits, Odb, Oid, Repo, Visited, Visitor, WalkOptions, walk,
};

use crate::git_objects::{Objects, only_pack, walked};
use crate::git_pack_writer::{PackWriter, blob_oid, copy, deflate, delta, insert};
use crate::git_support::{Numbers, Sandbox, edit_history};

/// A packed repository and what it holds.
fn packed() -> (Sandbox, std::path::PathBuf, Objects) {
    let sandbox = Sandbox::new();
    edit_history(&sandbox, 20, 41);
    sandbox.git(["repack", "-adfq", "--depth=20"]);
    let pack = only_pack(&sandbox);
    make_writable(&pack);
    make_writable(&pack.with_extension("idx"));
    let (objects, unreadable, _) = walked(&sandbox.odb(), 2);
    assert!(unreadable.is_empty());
    (sandbox, pack, objects)
}

fn make_writable(path: &std::path::Path) {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
}

/// Replaces a file, as git does: never in place, where it may be mapped.
fn replace(path: &std::path::Path, bytes: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Everything is either read as it was, or reported.
fn assert_accounted(expected: &Objects, found: &Objects, unreadable: &BTreeMap<Oid, String>) {
    for (oid, object) in expected {
        let good = found.get(oid).is_some_and(|found| found == object);
        assert!(good || unreadable.contains_key(oid), "{oid} is neither read nor reported");
    }
}

#[test]
fn a_truncated_pack() {
    let (sandbox, pack, expected) = packed();
    let whole = fs::read(&pack).unwrap();
    for part in [2, 3, 5] {
        replace(&pack, &whole[..whole.len() * (part - 1) / part]);
        let (found, unreadable, _) = walked(&sandbox.odb(), 2);
        assert!(found.len() > 5 && !unreadable.is_empty());
        assert_accounted(&expected, &found, &unreadable);
    }
    for len in [0, 5, 12] {
        replace(&pack, &whole[..len]);
        let (found, unreadable, _) = walked(&sandbox.odb(), 2);
        assert_eq!((found.len(), unreadable.len()), (0, expected.len()));
    }
}

#[test]
fn single_damaged_bytes_of_a_pack() {
    let (sandbox, pack, expected) = packed();
    let whole = fs::read(&pack).unwrap();
    let mut numbers = Numbers(77);
    let mut harmless = 0;
    for _ in 0..30 {
        let mut damaged = whole.clone();
        let at = 12 + numbers.below(damaged.len() - 32);
        damaged[at] ^= 1 << numbers.below(8);
        replace(&pack, &damaged);
        let (found, unreadable, _) = walked(&sandbox.odb(), 2);
        // A few bits are padding and change nothing.
        assert!(!unreadable.is_empty() || found == expected, "byte {at}");
        harmless += usize::from(unreadable.is_empty());
        assert_accounted(&expected, &found, &unreadable);
        let odb = sandbox.odb();
        for oid in expected.keys() {
            let _ = odb.read(oid);
        }
    }
    assert!(harmless < 10);
}

#[test]
fn an_index_that_is_damaged_or_missing_is_made_again() {
    let (sandbox, pack, expected) = packed();
    let index = pack.with_extension("idx");
    let whole = fs::read(&index).unwrap();
    let mut numbers = Numbers(78);
    let mut damages: Vec<Vec<u8>> =
        vec![Vec::new(), whole[..100].to_vec(), whole[..whole.len() / 2].to_vec()];
    damages.extend((0..20).map(|_| {
        let mut damaged = whole.clone();
        damaged[numbers.below(whole.len())] ^= 1 << numbers.below(8);
        damaged
    }));
    for damaged in damages {
        replace(&index, &damaged);
        let odb = sandbox.odb();
        let (found, unreadable, _) = walked(&odb, 2);
        assert!(unreadable.is_empty() && found == expected);
        assert_eq!(odb.damaged_packs(), []);
    }
    fs::remove_file(&index).unwrap();
    let (found, unreadable, _) = walked(&sandbox.odb(), 2);
    assert!(unreadable.is_empty() && found == expected);
    // Without an index and cut short, what follows the damage cannot be found: that is said.
    let bytes = fs::read(&pack).unwrap();
    replace(&pack, &bytes[..bytes.len() / 2]);
    let odb = sandbox.odb();
    let (found, _, _) = walked(&odb, 2);
    assert!(!found.is_empty() && found.len() < expected.len());
    assert_eq!(odb.damaged_packs().len(), 1);
}

#[test]
fn damaged_loose_objects() {
    let sandbox = Sandbox::new();
    edit_history(&sandbox, 3, 51);
    let (expected, _, _) = walked(&sandbox.odb(), 1);
    let mut numbers = Numbers(79);
    for (n, oid) in expected.keys().enumerate() {
        let path = sandbox.join(&format!(".git/objects/{}/{}", &oid.to_hex()[..2], &oid.to_hex()[2..]));
        let whole = fs::read(&path).unwrap();
        let mut damaged = whole.clone();
        match n % 3 {
            0 => damaged.truncate(whole.len() / 2),
            1 => damaged[numbers.below(whole.len())] ^= 1 << numbers.below(8),
            _ => damaged = deflate(b"blob 3\0abcd"),
        }
        replace(&path, &damaged);
        let (found, unreadable, _) = walked(&sandbox.odb(), 2);
        assert!(unreadable.contains_key(oid), "{oid}");
        assert_accounted(&expected, &found, &unreadable);
        replace(&path, &whole);
    }
}

#[test]
fn a_chain_of_ten_thousand_deltas() {
    let sandbox = Sandbox::new();
    let mut writer = PackWriter::new();
    let mut content = b"start of a chain\n".repeat(20);
    let mut base = writer.blob(&content);
    let mut expected = vec![content.clone()];
    for step in 0..10_000 {
        let text = format!("step {step}\n");
        let mut next = content[..content.len() - 2].to_vec();
        next.extend(text.as_bytes());
        next = next[next.len() - 300..].to_vec();
        let start = content.len() - 2 + text.len() - 300;
        let ops = [copy(start, content.len() - 2 - start), insert(text.as_bytes())];
        let code = delta(content.len(), next.len(), &ops);
        base = writer.offset_delta(blob_oid(&next), base, &code);
        content = next;
        expected.push(content.clone());
    }
    writer.write(&sandbox, "chain");
    let odb = sandbox.odb();
    let last = expected.last().unwrap();
    assert!(odb.read(&blob_oid(last)).unwrap().unwrap().1 == *last);
    let (found, unreadable, deltas) = walked(&odb, 2);
    assert!(unreadable.is_empty());
    assert_eq!(deltas, 10_000);
    assert!(expected.iter().all(|content| found[&blob_oid(content)].1 == *content));
}

#[test]
fn bombs_are_refused_without_decoding_them() {
    let sandbox = Sandbox::new();
    let mut writer = PackWriter::new();
    let seed = vec![b'x'; 1 << 16];
    let mut base = writer.blob(&seed);
    let mut size = seed.len();
    // Each delta repeats its base 64 times: a few hundred bytes that stand for terabytes.
    for step in 0..5u8 {
        let copies = vec![copy(0, size.min((1 << 24) - 1)); 64];
        let result = 64 * size.min((1 << 24) - 1);
        base = writer.offset_delta(blob_oid(&[step]), base, &delta(size, result, &copies));
        size = result;
    }
    // A size that the stream cannot have.
    writer.raw(blob_oid(b"lie"), 3, usize::MAX >> 1, b"", &deflate(b"lie"));
    writer.raw(blob_oid(b"small lie"), 3, 1 << 29, b"", &deflate(b"small lie"));
    writer.blob(b"innocent");
    writer.write(&sandbox, "bomb");
    let limits = Limits { max_object: 1 << 28, ..Limits::default() };
    let odb = Odb::with_limits(&sandbox.repo(), limits).unwrap();
    assert!(matches!(odb.read(&blob_oid(&[4])), Err(Error::TooLarge { .. })));
    let (found, unreadable, _) = walked(&odb, 2);
    assert_eq!(found.get(&blob_oid(b"innocent")), Some(&(Kind::Blob, b"innocent".to_vec())));
    assert_eq!(unreadable.get(&blob_oid(b"lie")).unwrap(), "corrupt-object");
    assert_eq!(unreadable.get(&blob_oid(b"small lie")).unwrap(), "too-large");
    for step in 1..5u8 {
        assert!(unreadable.contains_key(&blob_oid(&[step])));
    }
}

#[test]
fn deltas_in_a_circle_and_without_a_base() {
    let sandbox = Sandbox::new();
    let mut writer = PackWriter::new();
    let (a, b, lost) = (blob_oid(b"a"), blob_oid(b"b"), blob_oid(b"lost"));
    let code = delta(1, 1, &[copy(0, 1)]);
    writer.ref_delta(a, &b, &code);
    writer.ref_delta(b, &a, &code);
    writer.ref_delta(lost, &blob_oid(b"nowhere"), &code);
    writer.offset_delta(blob_oid(b"child"), 12, &code);
    writer.raw(blob_oid(b"self"), 7, code.len(), blob_oid(b"self").as_bytes(), &deflate(&code));
    writer.raw(blob_oid(b"reserved"), 5, 3, b"", &deflate(b"abc"));
    writer.blob(b"good");
    writer.write(&sandbox, "circle");
    let odb = sandbox.odb();
    assert!(odb.read(&a).is_err());
    assert!(matches!(odb.read(&lost), Err(Error::Missing(_))));
    let (found, unreadable, _) = walked(&odb, 2);
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), [blob_oid(b"good")]);
    assert_eq!(unreadable.len(), 6);
    assert_eq!(unreadable[&lost], "missing-object");
}

#[test]
fn a_thin_pack_and_bases_in_any_order() {
    let sandbox = Sandbox::new();
    let base = b"the base of everything\n".repeat(10);
    let loose = b"a loose base, for a change\n".repeat(10);
    sandbox.write("loose", &loose);
    sandbox.git(["hash-object", "-w", "loose"]);
    let tail = |text: &[u8], from: &[u8]| [&from[..from.len() - 5], text].concat();
    let code = |text: &[u8], from: &[u8]| {
        delta(from.len(), from.len() - 5 + text.len(), &[copy(0, from.len() - 5), insert(text)])
    };
    let (one, two, three) = (tail(b"one", &base), tail(b"two", &loose), tail(b"three", &tail(b"one", &base)));
    let mut thin = PackWriter::new();
    thin.ref_delta(blob_oid(&three), &blob_oid(&one), &code(b"three", &one)); // its base follows
    thin.ref_delta(blob_oid(&one), &blob_oid(&base), &code(b"one", &base)); // in another pack
    thin.ref_delta(blob_oid(&two), &blob_oid(&loose), &code(b"two", &loose)); // loose
    thin.write(&sandbox, "thin");
    let mut other = PackWriter::new();
    other.blob(&base);
    other.blob(b"something else");
    other.blob(&two); // a second copy
    other.write(&sandbox, "base");
    let odb = sandbox.odb();
    let (found, unreadable, _) = walked(&odb, 2);
    assert!(unreadable.is_empty(), "{unreadable:?}");
    for content in [&base, &loose, &one, &two, &three] {
        assert!(found[&blob_oid(content)].1 == *content);
        assert!(odb.read(&blob_oid(content)).unwrap().unwrap().1 == *content);
    }
    assert_eq!(found.len(), 6);
}

#[test]
fn a_good_copy_stands_in_for_a_damaged_one() {
    let sandbox = Sandbox::new();
    let mut bad = PackWriter::new();
    bad.raw(blob_oid(b"twice"), 3, 5, b"", b"not zlib");
    for n in 0..20 {
        bad.blob(&[n]);
    }
    bad.write(&sandbox, "bad");
    let mut good = PackWriter::new();
    good.blob(b"twice");
    good.write(&sandbox, "good");
    let odb = sandbox.odb();
    assert_eq!(odb.read(&blob_oid(b"twice")).unwrap().unwrap().1, b"twice");
    let (found, unreadable, _) = walked(&odb, 2);
    assert!(unreadable.is_empty());
    assert_eq!(found.len(), 21);
}

#[test]
fn packs_that_git_replaces_meanwhile() {
    let sandbox = Sandbox::new();
    edit_history(&sandbox, 10, 61);
    sandbox.git(["repack", "-adfq"]);
    let odb = sandbox.odb(); // knows the first pack, has not opened it yet
    let head = sandbox.oid("HEAD");
    edit_history(&sandbox, 10, 62);
    sandbox.git(["repack", "-adfq"]);
    assert!(odb.read(&head).unwrap().is_some());
    let late = sandbox.odb();
    let (expected, _, _) = walked(&late, 2);
    edit_history(&sandbox, 2, 63);
    sandbox.git(["repack", "-adfq"]);
    for odb in [odb, late] {
        let (found, unreadable, _) = walked(&odb, 2);
        assert!(unreadable.is_empty());
        assert!(expected.keys().all(|oid| found.contains_key(oid)));
    }
}

#[test]
fn unknown_formats_are_refused_with_their_name() {
    let discover = |sandbox: &Sandbox| Repo::discover(sandbox.path(), &Default::default());
    let sandbox = Sandbox::new();
    sandbox.git(["config", "extensions.fromTheFuture", "yes"]);
    assert!(discover(&sandbox).is_ok(), "format 0 ignores extensions");
    sandbox.git(["config", "core.repositoryFormatVersion", "1"]);
    let error = discover(&sandbox).unwrap_err();
    assert!(error.to_string().contains("fromthefuture"), "{error}");
    assert_eq!(error.reason(), "unsupported-repository");
    fs::write(sandbox.join(".git/config"), "[core]\nrepositoryformatversion = 7\n").unwrap();
    assert!(discover(&sandbox).unwrap_err().to_string().contains("version 7"));
    fs::write(
        sandbox.join(".git/config"),
        "[core]\nrepositoryformatversion = 1\n[extensions]\nobjectformat = md5\n",
    )
    .unwrap();
    assert!(discover(&sandbox).unwrap_err().to_string().contains("objectformat = md5"));
    let file = Sandbox::empty();
    file.write(".git", "gitdir: /nowhere\n");
    assert_eq!(discover(&file).unwrap_err().reason(), "corrupt-repository");
}

#[test]
fn many_small_bombs_together_are_stopped() {
    let sandbox = Sandbox::new();
    let mut writer = PackWriter::new();
    let seed = vec![b'x'; 1 << 16];
    let base = writer.blob(&seed);
    // Each entry stands for a mebibyte and takes some thirty bytes.
    for n in 0..400u32 {
        let name = n.to_be_bytes();
        let ops = [vec![copy(0, 1 << 16); 16], vec![insert(&name)]].concat();
        writer.offset_delta(blob_oid(&name), base, &delta(1 << 16, (1 << 20) + 4, &ops));
    }
    let pack = writer.write(&sandbox, "bombs");
    let size = fs::metadata(pack).unwrap().len();
    let limits = Limits { max_decoded: 1 << 20, ..Limits::default() };
    let odb = Odb::with_limits(&sandbox.repo(), limits).unwrap();
    struct Count(std::sync::Mutex<Vec<&'static str>>);
    impl Visitor for Count {
        type Node = ();
        type Local = ();
        fn local(&self) {}
        fn whole(&self, _: &mut (), _: Visited<'_>) {}
        fn delta(&self, _: &mut (), _: Visited<'_>, _: DeltaOf<'_, ()>) {}
        fn unreadable(&self, _: &Oid, error: &Error) {
            self.0.lock().unwrap().push(error.reason());
        }
    }
    let count = Count(Vec::new().into());
    let stats = walk(&odb, &WalkOptions { threads: 2, verify: false }, &count);
    let reasons = count.0.into_inner().unwrap();
    assert!(stats.bytes <= size * 1000 + (4 << 20), "{} bytes of a pack of {size}", stats.bytes);
    assert!(reasons.len() > 200 && reasons.iter().all(|reason| *reason == "delta-bomb"));
    assert_eq!(stats.objects + stats.unreadable, 401);
}

#[test]
fn folders_that_cannot_be_listed_are_reported() {
    let sandbox = Sandbox::new();
    edit_history(&sandbox, 4, 81);
    let (expected, _, _) = walked(&sandbox.odb(), 1);
    let victim = expected.keys().next().unwrap();
    let folder = sandbox.join(&format!(".git/objects/{}", &victim.to_hex()[..2]));
    fs::remove_dir_all(&folder).unwrap();
    std::os::unix::fs::symlink(&folder, &folder).unwrap(); // to itself
    let odb = sandbox.odb();
    let (found, _, _) = walked(&odb, 2);
    assert!(found.len() < expected.len() && found.len() > 5);
    assert_eq!(odb.damaged_packs().len(), 1);
}
