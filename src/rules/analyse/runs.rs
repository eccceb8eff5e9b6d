//! Runs of bytes of a class that every match of a pattern holds: whether one is there is seen much faster than
//! whether the pattern matches.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::Run;
use super::clamp;

/// Shortest run that is worth looking for.
const MIN_RUN: u32 = 8;

/// The most telling run that every match holds.
pub(super) fn of_match(hir: &Hir) -> Option<Run> {
    worth(runs(hir).best, false)
}

/// The run that the capture groups are, for secrets that must hold a digit.
pub(super) fn of_secret(hir: &Hir) -> Option<Run> {
    worth(groups(hir).unwrap_or_default(), true)
}

/// The class and least length of all matches, when each is one run as a whole.
pub(super) fn of_entire(hir: &Hir) -> Option<Run> {
    runs(hir).entire.map(|run| Run { class: run.class, min: run.min, digit: false })
}

/// Whether all members of a class are single bytes for which this holds.
pub(super) fn class_is_within(class: &Class, holds: fn(u8) -> bool) -> bool {
    class_run(class).is_some_and(|run| (0..=255u8).all(|b| !has(run.class, b) || holds(b)))
}

/// A run while it is being put together.
#[derive(Clone, Copy, Debug, Default)]
struct Stretch {
    class: [u64; 4],
    min: u32,
    /// How many of the bytes come from classes of six members or more: literals tell nothing that the
    /// prefilter does not know.
    wide: u32,
}

fn worth(run: Option<Stretch>, digit: bool) -> Option<Run> {
    run.filter(|run| run.wide >= MIN_RUN).map(|run| Run { class: run.class, min: run.min, digit })
}

/// The class and least length of all capture groups, when each is a run as a whole; `Some(None)` when one
/// is not, None without groups.
fn groups(hir: &Hir) -> Option<Option<Stretch>> {
    match hir.kind() {
        HirKind::Capture(c) => Some(runs(&c.sub).entire),
        // A group that need not take part is as good as one that can hold anything.
        HirKind::Repetition(r) => groups(&r.sub).map(|run| run.filter(|_| r.min > 0)),
        HirKind::Concat(parts) => parts.iter().filter_map(groups).reduce(either),
        HirKind::Alternation(parts) => {
            let all: Vec<_> = parts.iter().map(groups).collect();
            match all.iter().all(Option::is_none) {
                true => None,
                false => all.into_iter().map(Option::flatten).reduce(either),
            }
        }
        _ => None,
    }
}

/// What is known of the runs in a sub-pattern's matches.
struct Runs {
    /// The most telling run that every match holds.
    best: Option<Stretch>,
    /// When every match is one run as a whole: its class and least length.
    entire: Option<Stretch>,
}

fn runs(hir: &Hir) -> Runs {
    let one = |run: Option<Stretch>| Runs { best: run, entire: run };
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => one(Some(Stretch::default())),
        HirKind::Literal(l) => {
            let mut run = Stretch { min: clamp(l.0.len()), ..Stretch::default() };
            l.0.iter().for_each(|&b| add_range(&mut run.class, b, b));
            one(Some(run))
        }
        HirKind::Class(class) => one(class_run(class)),
        HirKind::Capture(c) => runs(&c.sub),
        HirKind::Repetition(r) => {
            let sub = runs(&r.sub);
            let entire = sub.entire.map(|run| Stretch {
                min: run.min.saturating_mul(r.min),
                wide: run.wide.saturating_mul(r.min),
                ..run
            });
            Runs { best: if r.min > 0 { entire.or(sub.best) } else { None }, entire }
        }
        HirKind::Concat(parts) => runs_of_concat(parts),
        HirKind::Alternation(parts) => {
            let all: Vec<Runs> = parts.iter().map(runs).collect();
            let each = |pick: fn(&Runs) -> Option<Stretch>| all.iter().map(pick).reduce(either).flatten();
            Runs { best: each(|r| r.best), entire: each(|r| r.entire) }
        }
    }
}

/// Consecutive parts that are runs as a whole make one longer run of both classes.
fn runs_of_concat(parts: &[Hir]) -> Runs {
    let all: Vec<Runs> = parts.iter().map(runs).collect();
    let mut best: Option<Stretch> = None;
    let mut offer = |run: Option<Stretch>| {
        if let Some(run) = run
            && best.is_none_or(|b| telling(&run) > telling(&b))
        {
            best = Some(run);
        }
    };
    for (i, part) in all.iter().enumerate() {
        offer(part.best);
        let mut joined = part.entire;
        for next in &all[i + 1..] {
            joined = join(joined, next.entire);
            offer(joined);
        }
    }
    let entire = all.iter().skip(1).fold(all.first().and_then(|r| r.entire), |a, b| join(a, b.entire));
    Runs { best, entire }
}

fn join(a: Option<Stretch>, b: Option<Stretch>) -> Option<Stretch> {
    let (a, b) = (a?, b?);
    Some(Stretch {
        class: union(a.class, b.class),
        min: a.min.saturating_add(b.min),
        wide: a.wide.saturating_add(b.wide),
    })
}

/// What is true of two runs of which either may be there.
fn either(a: Option<Stretch>, b: Option<Stretch>) -> Option<Stretch> {
    let (a, b) = (a?, b?);
    Some(Stretch { class: union(a.class, b.class), min: a.min.min(b.min), wide: a.wide.min(b.wide) })
}

fn union(a: [u64; 4], b: [u64; 4]) -> [u64; 4] {
    std::array::from_fn(|i| a[i] | b[i])
}

/// How much a run tells, in bits: small classes more than large ones.
fn telling(run: &Stretch) -> f32 {
    let size: u32 = run.class.iter().map(|w| w.count_ones()).sum();
    run.wide as f32 * (256.0 / (size.max(1) as f32)).log2()
}

fn has(class: [u64; 4], b: u8) -> bool {
    class[usize::from(b >> 6)] >> (b & 63) & 1 != 0
}

pub(super) fn add_range(class: &mut [u64; 4], start: u8, end: u8) {
    (start..=end).for_each(|b| class[usize::from(b >> 6)] |= 1 << (b & 63));
}

/// One bit for each byte of a class of single bytes; None when a member takes several.
pub(super) fn class_of(class: &Class) -> Option<[u64; 4]> {
    class_run(class).map(|run| run.class)
}

/// The class of single bytes; None when a member takes several bytes.
fn class_run(class: &Class) -> Option<Stretch> {
    let mut run = Stretch { min: 1, ..Stretch::default() };
    match class {
        Class::Bytes(c) => c.ranges().iter().for_each(|r| add_range(&mut run.class, r.start(), r.end())),
        Class::Unicode(c) => {
            for r in c.ranges() {
                let (start, end) = (u8::try_from(r.start()).ok()?, u8::try_from(r.end()).ok()?);
                if end > 0x7f {
                    return None;
                }
                add_range(&mut run.class, start, end);
            }
        }
    }
    let size: u32 = run.class.iter().map(|w| w.count_ones()).sum();
    run.wide = u32::from(size >= 6);
    Some(run)
}
