//! The binary: hands the command line to `cli` and its answer to the shell.

fn main() {}
