//! The `stanch` command: everything happens in the library, so that it can be tested and reused.

use std::process::ExitCode;

use stanch::memory::Counting;

/// A scan allocates on all threads at once, for which musl's own allocator is not made: it takes minutes for seconds.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: Counting<mimalloc::MiMalloc> = Counting(mimalloc::MiMalloc);

#[cfg(not(target_env = "musl"))]
#[global_allocator]
static ALLOCATOR: Counting<std::alloc::System> = Counting(std::alloc::System);

fn main() -> ExitCode {
    stanch::cli::run()
}
