//! The manual's pages and what shells complete, out of the definition that the
//! command line is parsed by: they cannot tell of a verb that is not there.
//!
//! Absent: where a package puts them.

use std::io::Write;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Failed;
use crate::cli::args::Arguments;

/// One page for the program and one for each verb.
pub fn pages(folder: &Path) -> Result<(), Failed> {
    let program = Arguments::command().disable_help_subcommand(true);
    clap_mangen::generate_to(program, folder)
        .map_err(|error| Failed::new(&format!("the manual's folder {}", folder.display()), &error))
}

pub fn completions(shell: Shell) -> Result<(), Failed> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "zhengming", &mut text);
    std::io::stdout().write_all(&text).map_err(|error| Failed::new("standard output", &error))
}
