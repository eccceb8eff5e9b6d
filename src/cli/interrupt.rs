//! Ctrl-C and SIGTERM: a scan that is asked to stop ends with what it has found so far, marked incomplete.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether a signal came.
static STOP: AtomicBool = AtomicBool::new(false);

/// From now on a signal asks the scan to stop, instead of ending the process; a second signal ends it.
pub fn watch() {
    /// What shells report for a process that Ctrl-C ended.
    const INTERRUPTED: i32 = 130;
    // It fails only where there is a handler already: then signals end the process, as they do without us.
    let _ = ctrlc::try_set_handler(|| {
        if STOP.swap(true, Ordering::SeqCst) {
            std::process::exit(INTERRUPTED);
        }
    });
}

/// Whether a scan should stop; it never should before [`watch`] was called.
pub fn stop() -> &'static AtomicBool {
    &STOP
}
