//! The binary: hands the command line to `cli` and its answer to the shell.

use std::process::ExitCode;

/// A fifth of the time went into glibc's, whose arenas also held on to up to
/// twice what the store's cache was to take.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    zhengming::cli::run(std::env::args_os().collect(), std::env::vars().collect())
}
