//! What may stand on the command line, parsed into types.
//!
//! Absent: doing it.

mod feed;
mod store;

pub use feed::{FeedCommand, LogArgs, MirrorArgs, VerifyArgs, VerifyReceiptArgs};
pub use store::{ExportArgs, RewriteArgs, StoreCommand, StoreImportArgs};

use std::convert::Infallible;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use uuid::Uuid;

use crate::domain::id::{IdMalformed, KeyId, ModeratorName, OperatorId, ProviderId};
use crate::domain::webhook::WebhookUrl;
use crate::env::telemetry::LogFormat;

/// The exit code of wrong usage; 0 says done and 1 failed.
pub const WRONG_USAGE: u8 = 2;

/// 正名: the correction service for number marks (号码标记).
#[derive(Debug, PartialEq, Eq, Parser)]
#[command(name = "zhengming", version)]
pub struct Arguments {
    /// Which log lines to write, such as `info` or `warn,zhengming=debug`.
    /// Without it what runs on (`serve`, `mirror`) writes `info`, and
    /// everything else `warn`.
    #[arg(long, global = true, value_name = "FILTER", env = "ZHENGMING_LOG")]
    pub log: Option<String>,
    /// How to write them: text or json.
    #[arg(long, global = true, value_name = "FORMAT", env = "ZHENGMING_LOG_FORMAT", default_value_t)]
    pub log_format: LogFormat,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Run the service.
    Serve(ConfigArg),
    /// Play the main job in front of you, then keep serving.
    Demo(DemoArgs),
    /// Issue, list and revoke the keys of providers and operators.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Add, disable and reset moderators.
    #[command(subcommand)]
    Moderator(ModeratorCommand),
    /// Add, remove and list where providers are told of new checkpoints.
    #[command(subcommand)]
    Webhook(WebhookCommand),
    /// Take over what a provider or an operator delivered as a file.
    #[command(subcommand)]
    Import(ImportCommand),
    /// Look through the store, copy it, fill it out of a copy, rewrite its files.
    #[command(subcommand)]
    Store(StoreCommand),
    /// Keep a verified file of the corrections in force, for apps to read.
    Mirror(MirrorArgs),
    /// Check a log or a receipt from outside; after a restore, begin a new log.
    #[command(subcommand)]
    Feed(FeedCommand),
    /// Write the manual's pages into a folder that is there.
    Man {
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Print what a shell has to know to complete a command line.
    Completions { shell: Shell },
}

#[derive(Debug, PartialEq, Eq, Args)]
pub struct ConfigArg {
    /// The configuration. Without it zhengming.toml of the working directory;
    /// where there is none, every key is at its default.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

#[derive(Debug, PartialEq, Eq, Args)]
pub struct DemoArgs {
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// End after the last step; 0 only if every step held.
    #[arg(long)]
    pub once: bool,
}

#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum KeyCommand {
    /// Print a new key, once.
    Issue(KeyIssueArgs),
    /// List the keys, without their secrets.
    List(ConfigArg),
    /// End a key now.
    Revoke(KeyRevokeArgs),
}

#[derive(Debug, PartialEq, Eq, Args)]
pub struct KeyIssueArgs {
    pub kind: KeyKind,
    /// Such as tencent, or cmcc; `operator registry` is the porting registry.
    #[arg(value_name = "ID", value_parser = slug)]
    id: String,
    /// What people call it.
    #[arg(long)]
    pub name: String,
    #[command(flatten)]
    pub config: ConfigArg,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KeyKind {
    Provider,
    Operator,
}

/// Whose key it will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyHolder {
    Provider(ProviderId),
    Operator(OperatorId),
}

impl KeyIssueArgs {
    pub fn holder(&self) -> KeyHolder {
        const CHECKED: &str = "the id was checked when it was parsed, and both kinds have one shape";
        match self.kind {
            KeyKind::Provider => KeyHolder::Provider(self.id.parse().expect(CHECKED)),
            KeyKind::Operator => KeyHolder::Operator(self.id.parse().expect(CHECKED)),
        }
    }
}

#[derive(Debug, PartialEq, Eq, Args)]
pub struct KeyRevokeArgs {
    /// As `key list` shows it.
    #[arg(value_name = "KEY-ID", value_parser = key_id)]
    pub id: KeyId,
    #[command(flatten)]
    pub config: ConfigArg,
}

#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum ModeratorCommand {
    /// Add one, and print the otpauth:// URI for their authenticator.
    Add(ModeratorAddArgs),
    /// Let one in no more.
    Disable(ModeratorArgs),
    /// Give one a new password and a new authenticator.
    Reset(ModeratorResetArgs),
}

#[derive(Debug, PartialEq, Eq, Args)]
pub struct ModeratorAddArgs {
    pub name: ModeratorName,
    #[arg(long)]
    pub role: RoleArg,
    #[command(flatten)]
    pub config: ConfigArg,
    /// Read the password from standard input instead of asking for it.
    #[arg(long)]
    pub password_stdin: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RoleArg {
    Moderator,
    Senior,
    Admin,
}

#[derive(Debug, PartialEq, Eq, Args)]
pub struct ModeratorArgs {
    pub name: ModeratorName,
    #[command(flatten)]
    pub config: ConfigArg,
}

#[derive(Debug, PartialEq, Eq, Args)]
pub struct ModeratorResetArgs {
    pub name: ModeratorName,
    #[command(flatten)]
    pub config: ConfigArg,
    /// Read the password from standard input instead of asking for it.
    #[arg(long)]
    pub password_stdin: bool,
}

#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum WebhookCommand {
    /// Print the secret of a new one, once; also enables one that is disabled.
    Add(WebhookArgs),
    /// Call one no more.
    Remove(WebhookArgs),
    /// List them, and how they are doing.
    List(ConfigArg),
}

#[derive(Debug, PartialEq, Eq, Args)]
pub struct WebhookArgs {
    pub provider: ProviderId,
    /// An http or https URL, at most 2,048 bytes.
    pub url: WebhookUrl,
    #[command(flatten)]
    pub config: ConfigArg,
}

#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum ImportCommand {
    /// Labels that a provider shows, as NDJSON or CSV.
    Labels {
        #[arg(value_name = "FILE|-")]
        from: Input,
        #[arg(long, value_name = "ID")]
        provider: ProviderId,
        #[command(flatten)]
        config: ConfigArg,
    },
    /// Tenures that an operator knows, as NDJSON or CSV.
    Tenures {
        #[arg(value_name = "FILE|-")]
        from: Input,
        #[arg(long, value_name = "ID")]
        operator: OperatorId,
        #[command(flatten)]
        config: ConfigArg,
    },
}

/// Where lines come from; `-` is standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    Stdin,
    File(PathBuf),
}

impl FromStr for Input {
    type Err = Infallible;
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(if text == "-" { Self::Stdin } else { Self::File(text.into()) })
    }
}

/// Parses the command line, the program's name first. Where there is nothing
/// to do, what clap has to say is printed and its exit code given back: 0 for
/// help and version, 2 for wrong usage.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Arguments, ExitCode> {
    Arguments::try_parse_from(args).map_err(|error| {
        // A closed pipe (`zhengming help | head -1`) is no failure.
        let _ = error.print();
        u8::try_from(error.exit_code()).unwrap_or(WRONG_USAGE).into()
    })
}

fn slug(text: &str) -> Result<String, IdMalformed> {
    text.parse::<ProviderId>().map(String::from)
}

fn key_id(text: &str) -> Result<KeyId, uuid::Error> {
    Uuid::try_parse(text).map(KeyId)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
