//! About a feed: of those who read it, without a configuration, for it is
//! somebody else's; and of its owner after a restore.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::cli::args::{ConfigArg, Input};
use crate::domain::progress::Stage;
use crate::feed::mirror::Format;
use crate::feed::note::NoteVerifier;

#[derive(Debug, PartialEq, Eq, Args)]
pub struct MirrorArgs {
    #[command(flatten)]
    pub log: LogArgs,
    /// The file with the provider's key, zmp_….
    #[arg(long, value_name = "FILE")]
    pub key_file: PathBuf,
    /// The folder to write into; it is made if there is none.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// As what the corrections are written.
    #[arg(long, value_enum, default_value = "sqlite")]
    pub format: FormatArg,
    /// Catch up once and end, instead of following.
    #[arg(long)]
    pub once: bool,
    /// What to acknowledge once they are written: `serving` where apps read
    /// the file, `applied` where something is done with it first.
    #[arg(long, value_enum, default_value = "serving")]
    pub stage: StageArg,
}

#[derive(Debug, PartialEq, Eq, Args)]
pub struct LogArgs {
    /// The service's address, without /feed/v1.
    #[arg(long, value_name = "URL")]
    pub url: String,
    /// The log's verifier key, from whoever runs the service: name+hash+base64.
    #[arg(long, value_name = "VKEY")]
    pub verifier: NoteVerifier,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FormatArg {
    Sqlite,
    Csv,
    Ndjson,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StageArg {
    Applied,
    Serving,
}

#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum FeedCommand {
    /// Look at a whole log from outside: does everything add up?
    Verify(VerifyArgs),
    /// Check a receipt: is its entry in the log?
    VerifyReceipt(VerifyReceiptArgs),
    /// Begin a new log out of this database, because the old one cannot be
    /// gone on with. The old one stays readable.
    NewLog {
        /// The new log's name, such as corrections.example/2027.
        #[arg(long, value_parser = crate::cli::config::origin)]
        origin: String,
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Say that this database is the newest one, though its high-water mark is
    /// missing or older.
    ConfirmHead(ConfigArg),
}

#[derive(Debug, PartialEq, Eq, Args)]
pub struct VerifyArgs {
    #[command(flatten)]
    pub log: LogArgs,
    /// A provider's key; without one entries and snapshots are left out.
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
}

#[derive(Debug, PartialEq, Eq, Args)]
pub struct VerifyReceiptArgs {
    #[arg(value_name = "FILE|-")]
    pub from: Input,
    /// The log's verifier key: name+hash+base64.
    #[arg(long, value_name = "VKEY")]
    pub verifier: NoteVerifier,
}

impl From<FormatArg> for Format {
    fn from(format: FormatArg) -> Self {
        match format {
            FormatArg::Sqlite => Self::Sqlite,
            FormatArg::Csv => Self::Csv,
            FormatArg::Ndjson => Self::Ndjson,
        }
    }
}

impl From<StageArg> for Stage {
    fn from(stage: StageArg) -> Self {
        match stage {
            StageArg::Applied => Self::Applied,
            StageArg::Serving => Self::Serving,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::args::{Arguments, Command, WRONG_USAGE};

    /// From the documentation of Go's `sumdb/note`.
    const VKEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

    fn parsed(line: &str) -> Result<Command, clap::Error> {
        let line = line.replace("VKEY", VKEY);
        let words = std::iter::once("zhengming").chain(line.split_whitespace());
        Arguments::try_parse_from(words).map(|arguments| arguments.command)
    }

    fn log() -> LogArgs {
        LogArgs { url: "http://x".to_owned(), verifier: VKEY.parse().unwrap() }
    }

    #[test]
    fn a_mirror_follows_into_sqlite_unless_told_otherwise() {
        let usual = MirrorArgs {
            log: log(),
            key_file: "k".into(),
            out: "o".into(),
            format: FormatArg::Sqlite,
            once: false,
            stage: StageArg::Serving,
        };
        let line = "mirror --url http://x --key-file k --verifier VKEY --out o";
        assert_eq!(parsed(line).unwrap(), Command::Mirror(usual));
        let line = format!("{line} --format ndjson --once --stage applied");
        let Command::Mirror(args) = parsed(&line).unwrap() else { panic!("{line}") };
        assert_eq!((args.format, args.once, args.stage), (FormatArg::Ndjson, true, StageArg::Applied));
    }

    #[test]
    fn what_is_checked_from_outside() {
        assert_eq!(
            parsed("feed verify --url http://x --verifier VKEY").unwrap(),
            Command::Feed(FeedCommand::Verify(VerifyArgs { log: log(), key_file: None }))
        );
        let verifier = VKEY.parse().unwrap();
        assert_eq!(
            parsed("feed verify-receipt - --verifier VKEY").unwrap(),
            Command::Feed(FeedCommand::VerifyReceipt(VerifyReceiptArgs { from: Input::Stdin, verifier }))
        );
    }

    #[test]
    fn wrong_usage_is_2() {
        for line in [
            "mirror --url http://x --key-file k --verifier VKEY",
            "mirror --url http://x --key-file k --out o",
            "mirror --url http://x --key-file k --verifier a+b+c --out o",
            "mirror --url http://x --key-file k --verifier VKEY --out o --format xml",
            "mirror --url http://x --key-file k --verifier VKEY --out o --stage received",
            "feed verify-receipt --verifier VKEY",
            "feed verify --verifier VKEY",
        ] {
            assert_eq!(parsed(line).unwrap_err().exit_code(), i32::from(WRONG_USAGE), "{line}");
        }
    }
}
