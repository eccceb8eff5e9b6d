//! Ctrl-C and SIGTERM: a scan that is asked to stop ends with what it has found so far, marked incomplete.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether a signal came.
static STOP: AtomicBool = AtomicBool::new(false);

/// From now on a signal asks the scan to stop, instead of ending the process; a second signal ends it.
pub fn watch() {
    /// What shells report for a process that Ctrl-C ended.
    const INTERRUPTED: i32 = 130;
    let ignored = ignored();
    // Where it fails signals end the process, as they do without us.
    let _ = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::SeqCst) {
            std::process::exit(INTERRUPTED);
        }
    });
    ignore(&ignored);
}

/// The signals that this process was told to ignore, as shells tell what they start in the background of Ctrl-C: that
/// holds, and the others are watched all the same.
#[cfg(unix)]
fn ignored() -> Vec<libc::c_int> {
    let is_ignored = |signal: &libc::c_int| {
        let mut action = std::mem::MaybeUninit::<libc::sigaction>::uninit();
        // SAFETY: nothing is set, and what is asked for is written where there is room for it; it is read only if so.
        unsafe {
            libc::sigaction(*signal, std::ptr::null(), action.as_mut_ptr()) == 0
                && action.assume_init().sa_sigaction == libc::SIG_IGN
        }
    };
    [libc::SIGINT, libc::SIGTERM, libc::SIGHUP].into_iter().filter(is_ignored).collect()
}

#[cfg(unix)]
fn ignore(signals: &[libc::c_int]) {
    for &signal in signals {
        // SAFETY: to ignore a signal calls no code of ours.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

#[cfg(not(unix))]
fn ignored() {}

#[cfg(not(unix))]
fn ignore(_: &()) {}

/// Whether a scan should stop; it never should before [`watch`] was called.
pub fn stop() -> &'static AtomicBool {
    &STOP
}
