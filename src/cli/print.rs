//! `println!` and `eprintln!` for this room, in place of the standard library's, which panic when nobody takes
//! what they write. Here a reader that went away is no error, and a full disk is one: see [`finish`].

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};
use std::sync::Mutex;

/// The first error of standard output.
static FAILED: Mutex<Option<io::Error>> = Mutex::new(None);

macro_rules! println {
    ($($arg:tt)*) => { $crate::cli::print::line(format_args!($($arg)*)) };
}

macro_rules! eprintln {
    ($($arg:tt)*) => { $crate::cli::print::error_line(format_args!($($arg)*)) };
}

/// Writes a line to standard output. An error is kept for [`finish`].
pub fn line(text: Arguments<'_>) {
    let mut out = io::stdout().lock();
    keep(out.write_fmt(text).and_then(|()| out.write_all(b"\n")));
}

/// Writes a line to standard error. There is nobody to tell when that fails; the exit code still speaks.
pub fn error_line(text: Arguments<'_>) {
    let mut out = io::stderr().lock();
    let _ = out.write_fmt(text).and_then(|()| out.write_all(b"\n"));
}

/// Writes bytes to standard output. An error is kept for [`finish`].
pub fn bytes(text: &[u8]) {
    keep(io::stdout().lock().write_all(text));
}

/// Flushes standard output.
///
/// # Errors
/// The first error that was met there; a broken pipe is none.
pub fn finish() -> io::Result<()> {
    keep(io::stdout().lock().flush());
    let failed = FAILED.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    failed.map_or(Ok(()), Err)
}

fn keep(result: io::Result<()>) {
    if let Err(error) = result
        && error.kind() != ErrorKind::BrokenPipe
    {
        FAILED.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get_or_insert(error);
    }
}
