//! `stanch history`.

use anyhow::{Context, bail};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::args::HistoryArgs;
use super::baseline::printable;
use super::policy::{self, Setup};
use super::progress::Shown;
use super::scan::{self, Clock};
use super::{Exit, environment, interrupt, output};
use crate::scan::{Engine, HistoryFacts, HistoryOptions, Outcome, RangeOptions, scan_history, scan_range};
use crate::source::git::{self, Index, Repo, SelectOptions};

/// Runs the subcommand.
///
/// # Errors
/// What keeps the scan from starting, or its report from being written.
pub fn run(args: &HistoryArgs) -> anyhow::Result<Exit> {
    let started = Clock::start();
    interrupt::watch();
    scan::limit_memory(args.max_memory);
    let targets = output::targets(&args.common)?;
    let repo = environment::repository(&args.repo)?;
    let range = range(args, &repo, started.seconds())?;
    let top = repo.work_tree().unwrap_or(repo.git_dir());
    let (engine, fingerprinter) =
        scan::engine(&args.common, Setup::new(&args.common, top, policy::Paths::InRepository)?);
    let mode = if range.is_some() { "range" } else { "history" };
    meet_nested(&engine, &repo);
    let (mut outcome, facts) = scan_repository(&engine, &repo, args, range, started)?;
    policy::finish(engine.policy(), &fingerprinter, engine.matcher().rules(), &mut outcome.findings)?;
    scan::say_why_it_ended(&mut outcome);
    let mut report = scan::report(&engine, outcome, mode, std::slice::from_ref(&args.repo), started);
    report.summary.commits = facts.commits;
    report.summary.head.clone_from(&facts.head);
    output::write(&report, &targets, &args.common)?;
    for problem in facts.cache.iter().flat_map(|cache| &cache.problems) {
        eprintln!("stanch: warning: {}", printable(problem));
    }
    if args.stats {
        print_stats(&facts);
    }
    let found = scan::exit(&report, &args.common);
    super::leave((engine, report));
    match facts.differences {
        Some(n) if n > 0 => {
            eprintln!("stanch: error: the engines disagree about {n} texts");
            Ok(Exit(2))
        }
        Some(_) => {
            eprintln!("stanch: both engines found the same in every text");
            Ok(found)
        }
        None => Ok(found),
    }
}

/// Reads the nested configurations that the index knows: one that is wrong is an error whatever is found.
fn meet_nested(engine: &Engine, repo: &Repo) {
    // What is wrong with the index itself is the scan's to report.
    let Ok(index) = Index::open(repo) else { return };
    for entry in index.entries() {
        engine.policy().meet_file(index.path(entry));
    }
}

fn scan_repository(
    engine: &Engine,
    repo: &Repo,
    args: &HistoryArgs,
    range: Option<RangeOptions>,
    started: Clock,
) -> anyhow::Result<(Outcome, HistoryFacts)> {
    let stop = interrupt::stop();
    let shown = Shown::start(&args.common, if range.is_some() { "commits" } else { "objects" });
    Ok(match range {
        Some(options) => scan_range(engine, repo, &options, stop, &shown.counters)?,
        None => {
            let cache = args.cache.as_deref();
            let options = HistoryOptions { verify_engine: args.verify_engine, cache, now: started.seconds() };
            scan_history(engine, repo, options, stop, &shown.counters)?
        }
    })
}

/// The commits that the arguments choose. None: everything the repository holds.
fn range(args: &HistoryArgs, repo: &Repo, now: i64) -> anyhow::Result<Option<RangeOptions>> {
    let limited = args.since.is_some() || args.max_commits.is_some();
    if args.range.is_empty() && args.branch.is_empty() && !limited {
        return Ok(None);
    }
    let mut words = args.range.clone();
    for branch in &args.branch {
        if branch.contains(char::is_whitespace) || branch.starts_with('-') || branch.is_empty() {
            bail!("`{branch}` is not the name of a branch");
        }
        // A tag of the same name would come first.
        let full = format!("refs/heads/{branch}");
        let is_local = git::resolve_ref(repo, full.as_bytes())?.is_some();
        words.push(if is_local { full } else { branch.clone() });
    }
    if words.is_empty() {
        words.push("--all".to_owned());
    }
    let since = args.since.as_deref().map(|text| time(text, now)).transpose()?;
    Ok(Some(RangeOptions {
        revisions: words.join(" "),
        select: SelectOptions { since, max_commits: args.max_commits },
        allow_shallow: args.allow_shallow,
        now,
    }))
}

/// A date or time in UTC, or how long ago, as seconds since 1970.
pub(super) fn time(text: &str, now: i64) -> anyhow::Result<i64> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time.as_second());
    }
    if let Ok(date) = text.parse::<Date>() {
        return Ok(date.to_zoned(TimeZone::UTC)?.timestamp().as_second());
    }
    let ago = text.trim().trim_end_matches("ago").trim().replace('.', " ");
    let span: jiff::Span = ago.parse().ok().with_context(|| {
        format!(
            "--since: `{text}` is no date (2026-01-31), time (2026-01-31T12:00:00Z) or time ago (2 weeks)"
        )
    })?;
    let now = Timestamp::from_second(now)?.to_zoned(TimeZone::UTC);
    let then = now.checked_sub(span.abs()).context("--since: before the beginning of time")?;
    Ok(then.timestamp().as_second())
}

fn print_stats(facts: &HistoryFacts) {
    let walk = &facts.walk;
    eprintln!("objects      {:>12}", walk.objects);
    eprintln!("bytes        {:>12}  of content", walk.bytes);
    eprintln!("inflated     {:>12}  bytes that deltas insert or that are stored whole", walk.inflated);
    if let Some(cache) = &facts.cache {
        eprintln!("passed over  {:>12}  objects that the cache knows", cache.passed);
    }
    eprintln!("candidates   {:>12}  distinct", facts.sightings);
    eprintln!("decode+scan  {:>9} ms", facts.scan_time.as_millis());
    eprintln!("attribute    {:>9} ms", facts.attribute_time.as_millis());
}

#[cfg(test)]
mod tests {
    use super::time;

    #[test]
    fn times_in_many_forms() {
        let now = 1_700_000_000;
        let day = 86_400;
        assert_eq!(time("2023-11-14", now).unwrap(), 1_699_920_000);
        assert_eq!(time("2023-11-14T22:13:20Z", now).unwrap(), now);
        for (text, days) in [("2 weeks", 14), ("2 weeks ago", 14), ("10d", 10), ("3.days.ago", 3), ("P1D", 1)]
        {
            assert_eq!(time(text, now).unwrap(), now - days * day, "{text}");
        }
        for text in ["", "yesterday", "2023-13-01", "a week", "99999999 years"] {
            assert!(time(text, now).is_err(), "{text}");
        }
    }
}
