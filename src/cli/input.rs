//! Standard input: what is fed to us, or the fact that nothing is.

use std::fs::File;
use std::io::{self, Read, StdinLock, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;

/// Standard input. To read it is an error when it is closed: that is no empty text, but one that did not arrive.
pub struct Input(Option<StdinLock<'static>>);

impl Input {
    /// That of this process.
    pub fn standard() -> Self {
        Input((!is_closed()).then(|| io::stdin().lock()))
    }
}

impl Read for Input {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Some(input) => input.read(out),
            None => Err(io::Error::other("standard input is closed")),
        }
    }
}

/// In place of a closed standard input, the runtime opens the null device for reading and writing before `main`.
/// A shell (`</dev/null`) opens it for reading only.
fn is_closed() -> bool {
    let Ok(input) = io::stdin().as_fd().try_clone_to_owned() else { return true };
    let mut input = File::from(input);
    let is_null = match (input.metadata(), std::fs::metadata("/dev/null")) {
        (Ok(input), Ok(null)) => input.rdev() != 0 && input.rdev() == null.rdev(),
        _ => false,
    };
    is_null && input.write(&[]).is_ok()
}
