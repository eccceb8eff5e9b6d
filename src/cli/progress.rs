//! The line that shows how far a scan has come.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};

use super::args::CommonArgs;
use crate::scan::Progress;

/// Nothing is shown of scans that end sooner.
const PATIENCE: Duration = Duration::from_millis(400);
/// Time between two looks at the counters.
const INTERVAL: Duration = Duration::from_millis(100);

/// A line on the terminal, and the counters that it shows. The line is gone when this is dropped.
pub struct Shown {
    /// What the scan advances.
    pub counters: Arc<Progress>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Shown {
    /// Shows the progress of a scan of `things` (such as "objects") on standard error, if that is a terminal
    /// and nobody asked for silence.
    pub fn start(args: &CommonArgs, things: &'static str) -> Self {
        let (counters, ended) = (Arc::new(Progress::default()), Arc::new(AtomicBool::new(false)));
        let wanted = !args.quiet && !args.no_progress && std::io::stderr().is_terminal();
        let shared = (Arc::clone(&counters), Arc::clone(&ended));
        let thread = wanted.then(|| std::thread::spawn(move || show(&shared.0, &shared.1, things)));
        Shown { counters, ended, thread }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // If it panicked, there is no line; the scan does not depend on it.
            let _ = thread.join();
        }
    }
}

fn show(counters: &Progress, ended: &AtomicBool, things: &str) {
    let began = Instant::now();
    let wait = |time| {
        std::thread::park_timeout(time);
        !ended.load(Ordering::Relaxed)
    };
    while began.elapsed() < PATIENCE {
        if !wait(PATIENCE.saturating_sub(began.elapsed())) {
            return;
        }
    }
    let line = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
        line.set_style(style);
    }
    while wait(INTERVAL) {
        line.set_message(message(counters.read(), things, began.elapsed()));
        line.tick();
    }
    line.finish_and_clear();
}

/// Such as `81,920 of 372,000 objects (22%), 1.20 GiB, 12 s left`.
fn message((done, total, bytes): (u64, u64, u64), things: &str, elapsed: Duration) -> String {
    let bytes = HumanBytes(bytes);
    if total == 0 {
        return format!("{} {things}, {bytes}", HumanCount(done));
    }
    if done >= total {
        return format!("{} {things}, {bytes}: looking for where values come from", HumanCount(done));
    }
    let share = done as f64 / total as f64;
    let left = elapsed.as_secs_f64() * (1.0 - share) / share.max(1e-6);
    let left = match left {
        // Early guesses are far off.
        _ if share < 0.02 => String::new(),
        left if left < 90.0 => format!(", {left:.0} s left"),
        left => format!(", {:.0} min left", left / 60.0),
    };
    format!(
        "{} of {} {things} ({:.0}%), {bytes}{left}",
        HumanCount(done),
        HumanCount(total),
        (share * 100.0).floor()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_say_how_much_is_left() {
        let after = Duration::from_secs(10);
        assert_eq!(message((1234, 0, 2048), "files", after), "1,234 files, 2.00 KiB");
        assert_eq!(message((250, 1000, 0), "objects", after), "250 of 1,000 objects (25%), 0 B, 30 s left");
        assert_eq!(message((100, 10_000, 0), "objects", after), "100 of 10,000 objects (1%), 0 B");
        assert_eq!(
            message((500, 10_000, 0), "objects", after),
            "500 of 10,000 objects (5%), 0 B, 3 min left"
        );
        assert!(message((10, 10, 0), "commits", after).starts_with("10 commits, 0 B:"));
    }
}
