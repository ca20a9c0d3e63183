//! About the store as a whole: is it well, a copy of it, a store out of a copy,
//! its files without what is gone.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::args::ConfigArg;

#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum StoreCommand {
    /// Read everything, and look whether it is whole and holds together.
    Check(ConfigArg),
    /// Write a copy of everything, as of one moment, into a new folder.
    Export(ExportArgs),
    /// Fill an empty store out of a copy; run again, it goes on where it was
    /// cut short.
    Import(StoreImportArgs),
    /// Write the database's files anew, without what was deleted or replaced in
    /// them; while nobody serves it.
    ///
    /// What the service purges is in no answer and no copy from then on, but
    /// the files of the embedded database (sled) go on holding it until they
    /// are written over. This makes a fresh database beside the old one, holds
    /// it against that, lets the two change places in one step, and removes the
    /// old one. It wants free space of one and a half times the database.
    Rewrite(RewriteArgs),
}

#[derive(Debug, PartialEq, Eq, Args)]
pub struct ExportArgs {
    /// The folder to write into; it is made, or is empty.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Do not compress.
    #[arg(long)]
    pub plain: bool,
    /// Begin a new file after so many bytes, before they are compressed.
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 20)]
    pub part_bytes: u64,
    #[command(flatten)]
    pub config: ConfigArg,
}

#[derive(Debug, PartialEq, Eq, Args)]
pub struct StoreImportArgs {
    /// A folder that `store export` wrote.
    #[arg(long = "in", value_name = "DIR")]
    pub from: PathBuf,
    #[command(flatten)]
    pub config: ConfigArg,
}

#[derive(Debug, PartialEq, Eq, Args)]
pub struct RewriteArgs {
    /// Do nothing, and do well, where that was done so many days ago or less,
    /// or where there is no database yet: for a supervisor, before each start.
    #[arg(long, value_name = "N")]
    pub if_older_than_days: Option<u16>,
    #[command(flatten)]
    pub config: ConfigArg,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::args::{Arguments, Command, WRONG_USAGE};

    fn parsed(line: &str) -> Result<Command, clap::Error> {
        let words = std::iter::once("zhengming").chain(line.split_whitespace());
        Arguments::try_parse_from(words).map(|arguments| arguments.command)
    }

    #[test]
    fn the_verbs() {
        let config = || ConfigArg { config: Some("z".into()) };
        assert_eq!(parsed("store check --config z").unwrap(), Command::Store(StoreCommand::Check(config())));
        let usual = ExportArgs { out: "o".into(), plain: false, part_bytes: 67_108_864, config: config() };
        let line = "store export --out o --config z";
        assert_eq!(parsed(line).unwrap(), Command::Store(StoreCommand::Export(usual)));
        let from = StoreImportArgs { from: "i".into(), config: config() };
        assert_eq!(
            parsed("store import --in i --config z").unwrap(),
            Command::Store(StoreCommand::Import(from))
        );
        for (line, if_older_than_days) in [("", None), ("--if-older-than-days 30 ", Some(30))] {
            assert_eq!(
                parsed(&format!("store rewrite {line}--config z")).unwrap(),
                Command::Store(StoreCommand::Rewrite(RewriteArgs { if_older_than_days, config: config() }))
            );
        }
    }

    #[test]
    fn wrong_usage_is_2() {
        for line in [
            "store",
            "store export --config z",
            "store import --config z",
            "store rewrite --if-older-than-days -1 --config z",
        ] {
            assert_eq!(parsed(line).unwrap_err().exit_code(), i32::from(WRONG_USAGE), "{line}");
        }
    }
}
