//! The composition root: arguments, configuration, wiring, offline verbs.
//!
//! Absent: anything that another room needs.
#![allow(clippy::print_stdout, clippy::print_stderr)] // The only room that has a terminal.

pub mod args;
pub mod config;
pub mod copies;
pub mod demo;
mod feed;
mod first_run;
pub mod house;
mod import;
mod manual;
mod mirror;
mod new_log;
mod owner;
mod partners;
mod patient;
mod progress;
mod remote;
mod secrets;
pub mod serve;
mod sms;

use std::ffi::OsString;
use std::fmt;
use std::io::ErrorKind;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use crate::cli::args::{Command, ConfigArg, ImportCommand};
use crate::cli::config::Config;
use crate::cli::house::World;
use crate::env::clock::SystemClock;
use crate::env::entropy::OsEntropy;
use crate::env::{secret_files, telemetry};

/// Of the working directory, where no other one is named.
const USUAL_CONFIG: &str = "zhengming.toml";

/// Why a command did not do what it was asked, in words for its caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    why: String,
    hint: Option<String>,
}

impl Failed {
    pub fn new(what: &str, error: &dyn std::error::Error) -> Self {
        let mut why = format!("{what}: {error}");
        let mut source = error.source();
        while let Some(error) = source {
            let error_text = error.to_string();
            // Many errors repeat their source in their own words.
            if !why.contains(&error_text) {
                why = format!("{why}: {error_text}");
            }
            source = error.source();
        }
        Self { why, hint: None }
    }

    pub fn because(why: &str) -> Self {
        Self { why: why.to_owned(), hint: None }
    }

    pub fn hint(mut self, hint: &str) -> Self {
        self.hint = Some(hint.to_owned());
        self
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "\n  {hint}"))
    }
}

/// Runs a command line: 0 done, 1 failed, 2 wrong usage.
///
/// Of no generic types: the binary would compile all that is asked for here
/// once more.
pub fn run(args: Vec<OsString>, env: Vec<(String, String)>) -> ExitCode {
    let arguments = match args::parse(args) {
        Ok(arguments) => arguments,
        Err(code) => return code,
    };
    let usual = match &arguments.command {
        Command::Serve(_) => "info",
        Command::Mirror(args) if !args.once => "info",
        _ => "warn",
    };
    let log = arguments.log.as_deref().unwrap_or(usual);
    let outcome = telemetry::init(arguments.log_format, log)
        .map_err(|error| Failed::new("--log", &error))
        .and_then(|()| tokio::runtime::Runtime::new().map_err(|error| Failed::new("the runtime", &error)))
        .and_then(|runtime| runtime.block_on(carry_out(arguments.command, env)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            eprintln!("zhengming: {failed}");
            ExitCode::FAILURE
        }
    }
}

async fn carry_out(command: Command, env: Vec<(String, String)>) -> Result<(), Failed> {
    let world = World { clock: Arc::new(SystemClock), entropy: Arc::new(OsEntropy) };
    let load = |arg: &ConfigArg| load(arg.config.as_deref(), env.clone());
    match command {
        Command::Serve(arg) => serve::serve(&load(&arg)?, arg.config.as_deref(), &world).await,
        Command::Demo(args) => demo::demo(args.listen, args.once, &world).await,
        Command::Key(command) => owner::key(command, load, &world).await,
        Command::Moderator(command) => owner::moderator(command, load, &world).await,
        Command::Webhook(command) => owner::webhook(command, load, &world).await,
        Command::Import(ImportCommand::Labels { from, provider, config }) => {
            import::labels(from, provider, &load(&config)?, &world).await
        }
        Command::Import(ImportCommand::Tenures { from, operator, config }) => {
            import::tenures(from, operator, &load(&config)?, &world).await
        }
        Command::Store(command) => copies::store(command, load, &world).await,
        Command::Mirror(args) => mirror::mirror(args, &world).await,
        Command::Feed(command) => feed::feed(command, load, &world).await,
        Command::Man { folder } => manual::pages(&folder),
        Command::Completions { shell } => manual::completions(shell),
    }
}

fn load(named: Option<&Path>, env: Vec<(String, String)>) -> Result<Config, Failed> {
    let path = named.unwrap_or(Path::new(USUAL_CONFIG));
    let name = path.display().to_string();
    let text = match std::fs::read_to_string(path) {
        // Nobody has asked for it.
        Err(error) if named.is_none() && error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(
                Failed::new(&name, &error).hint("an empty file is a configuration: each key has a default")
            );
        }
        read => read.map_err(|error| Failed::new(&name, &error))?,
    };
    let config = Config::load(&text, &name, env).map_err(|error| Failed::because(&error.to_string()))?;
    // One out of the environment lies elsewhere.
    if config.store.with_password().is_some_and(|url| text.contains(url)) {
        secret_files::must_be_private(path)
            .map_err(|error| Failed::new("store has a password, and its file", &error))?;
    }
    Ok(config)
}
