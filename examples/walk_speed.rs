//! How fast a repository's objects are decoded: `cargo run --release --example walk_speed -- REPO [THREADS]`.

use std::path::Path;
use std::time::Instant;

use stanch::source::git::{DeltaOf, Error, GitEnv, Odb, Oid, Repo, Visited, Visitor, WalkOptions, walk};

struct Nothing;

impl Visitor for Nothing {
    type Node = ();
    type Local = ();

    fn local(&self) {}

    fn whole(&self, _: &mut (), _: Visited<'_>) {}

    fn delta(&self, _: &mut (), _: Visited<'_>, _: DeltaOf<'_, ()>) {}

    fn unreadable(&self, oid: &Oid, error: &Error) {
        eprintln!("{oid}: {error}");
    }
}

fn main() -> Result<(), Error> {
    let mut args = std::env::args().skip(1);
    let path = args.next().unwrap_or_else(|| ".".to_owned());
    let threads = args.next().and_then(|threads| threads.parse().ok()).unwrap_or(2);
    let start = Instant::now();
    let odb = Odb::open(&Repo::discover(Path::new(&path), &GitEnv::default())?)?;
    let stats = walk(&odb, &WalkOptions { threads, verify: false }, &Nothing);
    println!("{:.3} s, {threads} threads: {stats:?}", start.elapsed().as_secs_f64());
    Ok(())
}
