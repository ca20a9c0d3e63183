//! The binary: hands the command line to `cli` and its answer to the shell.

use std::process::ExitCode;

fn main() -> ExitCode {
    zhengming::cli::run(std::env::args_os(), std::env::vars())
}
