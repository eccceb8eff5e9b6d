//! The fuzz targets on their seeds, and on a few thousand inputs made of these: the same ones in every run.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Numbers that look random, the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below.max(1)
    }

    /// An input with one to four changes.
    fn changed(&mut self, input: &[u8], other: &[u8]) -> Vec<u8> {
        const ODD: [u8; 10] = [0, 1, 0x7f, 0x80, 0xff, b'\n', b'"', b'\\', b'=', b'%'];
        let mut out = input.to_vec();
        for _ in 0..=self.roll(4) {
            let at = self.roll(out.len());
            match self.roll(7) {
                0 if !out.is_empty() => out[at] ^= 1 << self.roll(8),
                1 if !out.is_empty() => out[at] = ODD[self.roll(ODD.len())],
                2 => out.truncate(at),
                3 => out.insert(at, ODD[self.roll(ODD.len())]),
                4 => drop(out.drain(at..(at + self.roll(16)).min(out.len()))),
                5 => {
                    let run = out[at..(at + self.roll(64)).min(out.len())].to_vec();
                    out.splice(at..at, run);
                }
                _ => {
                    let from = self.roll(other.len());
                    out.splice(at..at, other[from..(from + self.roll(64)).min(other.len())].iter().copied());
                }
            }
        }
        out
    }
}

fn files(folder: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    paths.retain(|path| path.extension().is_none_or(|extension| extension != "py"));
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("a readable seed")).collect()
}

fn run(name: &str, target: fn(&[u8]), rounds: usize) {
    let mut seeds = files(&format!("fuzz/seeds/{name}"));
    if matches!(name, "archives" | "documents") {
        seeds.extend(files("tests/data/archives").into_iter().filter(|sample| sample.len() < 8 << 10));
    }
    assert!(!seeds.is_empty(), "fuzz/seeds/{name} is empty: python3 fuzz/seeds.py writes it");
    // For longer runs without a nightly compiler.
    let times = std::env::var("STANCH_FUZZ_TIMES").ok().and_then(|times| times.parse().ok()).unwrap_or(1);
    let rounds = rounds * times;
    let mut dice = Dice(seeds.len() as u64);
    let check = |input: &[u8]| {
        if catch_unwind(AssertUnwindSafe(|| target(input))).is_err() {
            panic!("{name} fails on {:?}", bstr::BStr::new(input));
        }
    };
    seeds.iter().for_each(|seed| check(seed));
    for round in 0..rounds {
        let other = &seeds[dice.roll(seeds.len())];
        let mut input = dice.changed(&seeds[round % seeds.len()], other);
        input.truncate(8 << 10);
        check(&input);
    }
}

/// One test for each target, with the number of its inputs: those that build on many rules are slow in a debug build.
macro_rules! targets {
    ($($name:ident: $rounds:literal;)+) => {
        $(#[test]
        fn $name() {
            run(stringify!($name), super::$name, $rounds);
        })+
        const NAMES: &[&str] = &[$(stringify!($name)),+];
    };
}

targets! {
    git_tables: 3000;
    git_packs: 2000;
    git_texts: 4000;
    git_names: 2000;
    git_trees: 2000;
    histories: 2000;
    configs: 600;
    baselines: 2000;
    decoders: 1500;
    archives: 1000;
    documents: 1000;
    assignments: 500;
    rules: 300;
    reports: 400;
    contents: 150;
    messages: 400;
}

/// Each target has its file in `fuzz/`, and is there for cargo-fuzz and CI.
#[test]
fn every_target_is_run_by_cargo_fuzz() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(root.join("fuzz/Cargo.toml")).expect("fuzz/Cargo.toml");
    let mut bins: Vec<&str> =
        manifest.lines().filter_map(|l| l.strip_prefix("name = \"")?.strip_suffix('"')).collect();
    bins.retain(|name| *name != "stanch-fuzz");
    assert_eq!(bins, NAMES);
    let workflow = fs::read_to_string(root.join(".github/workflows/fuzz.yml")).expect("fuzz.yml");
    for name in NAMES {
        let call = format!("stanch::fuzzing::{name}(data)");
        let path = root.join(format!("fuzz/fuzz_targets/{name}.rs"));
        assert!(fs::read_to_string(path).is_ok_and(|text| text.contains(&call)), "{name}");
        assert!(workflow.contains(name), "{name} is not in fuzz.yml");
    }
}
