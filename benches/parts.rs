//! Throughput of the parts, on this crate's own source or on the files below `STANCH_BENCH_DIR`.
//!
//! `cargo bench --bench parts`

use std::path::Path;

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use stanch::matcher::{Matcher, Scratch, decode};
use stanch::rules::RuleSet;

fn main() {
    let text = source();
    let matcher = Matcher::new(RuleSet::builtin());
    let mut hits = Vec::new();
    matcher.prefilter().find(&text, 0, text.len(), &mut hits);
    println!(
        "{} MB of text, {} rules, {} literals, one hit in {} bytes",
        text.len() >> 20,
        matcher.rules().len(),
        matcher.prefilter().literals().len(),
        text.len() / hits.len().max(1)
    );
    let mut by_literal = vec![0u32; matcher.prefilter().literals().len()];
    for hit in &hits {
        by_literal[usize::from(hit.literal)] += 1;
    }
    let mut order: Vec<usize> = (0..by_literal.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(by_literal[i]));
    for &i in order.iter().take(12) {
        let literal = &matcher.prefilter().literals()[i];
        println!("  {:>7} × {:?}", by_literal[i], String::from_utf8_lossy(&literal.bytes));
    }
    divan::main();
}

/// At least 16 MB of source text.
fn source() -> Vec<u8> {
    let folder = std::env::var("STANCH_BENCH_DIR")
        .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/src").into());
    let mut once = Vec::new();
    collect(Path::new(&folder), &mut once);
    let mut text = Vec::new();
    while text.len() < 16 << 20 && !once.is_empty() {
        text.extend_from_slice(&once);
    }
    text
}

fn collect(folder: &Path, out: &mut Vec<u8>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<_> = entries.flatten().map(|e| e.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_symlink() || path.ends_with(".git") || out.len() > 64 << 20 {
            continue;
        }
        if path.is_dir() {
            collect(&path, out);
        } else if let Ok(text) = std::fs::read(&path) {
            out.extend_from_slice(&text);
        }
    }
}

#[divan::bench]
fn prefilter(bencher: Bencher<'_, '_>) {
    let text = source();
    let matcher = Matcher::new(RuleSet::builtin());
    let mut hits = Vec::new();
    bencher.counter(BytesCount::of_slice(&text)).bench_local(|| {
        hits.clear();
        matcher.prefilter().find(black_box(&text), 0, text.len(), &mut hits);
        hits.len()
    });
}

#[divan::bench]
fn matcher(bencher: Bencher<'_, '_>) {
    let text = source();
    let matcher = Matcher::new(RuleSet::builtin());
    let mut scratch = Scratch::default();
    let mut found = Vec::new();
    bencher.counter(BytesCount::of_slice(&text)).bench_local(|| {
        found.clear();
        matcher.scan(black_box(&text), &mut scratch, &mut found);
        found.len()
    });
}

#[divan::bench]
fn decoders(bencher: Bencher<'_, '_>) {
    let text = source();
    bencher.counter(BytesCount::of_slice(&text)).bench_local(|| {
        let mut budget = decode::Budget::for_text(text.len());
        let mut found = Vec::new();
        decode::find(black_box(&text), &decode::whole(&text), &mut budget, &mut found);
        found.len()
    });
}

#[divan::bench]
fn start_up() -> usize {
    Matcher::new(RuleSet::builtin()).prefilter().literals().len()
}
