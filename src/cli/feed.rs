//! `feed verify` and `feed verify-receipt`: what anybody can check who has a
//! log's verifier key.

use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use serde::Serialize;

use crate::cli::args::{ConfigArg, FeedCommand, Input, VerifyArgs, VerifyReceiptArgs};
use crate::cli::config::Config;
use crate::cli::house::World;
use crate::cli::mirror::source;
use crate::cli::patient::Patient;
use crate::cli::progress::Bar;
use crate::cli::{Failed, new_log};
use crate::domain::correction::{Entry, NameAction};
use crate::feed::audit::{Report, audit};
use crate::feed::mirror::Log;
use crate::feed::receipt::{RECEIPT_BYTES_MAX, Receipt};

pub async fn feed(
    command: FeedCommand,
    load: impl Fn(&ConfigArg) -> Result<Config, Failed>,
    world: &World,
) -> Result<(), Failed> {
    match command {
        FeedCommand::NewLog { origin, config } => new_log::new_log(&origin, load(&config)?, world).await,
        FeedCommand::ConfirmHead(config) => new_log::confirm_head(&load(&config)?, world).await,
        FeedCommand::Verify(args) => verify(args).await,
        FeedCommand::VerifyReceipt(args) => verify_receipt(&args),
    }
}

async fn verify(args: VerifyArgs) -> Result<(), Failed> {
    let source = source(&args.log, args.key_file.as_deref())?;
    let log = Log { source: Arc::new(Patient(source)), verifier: args.log.verifier };
    let report = audit(&log, args.key_file.is_some(), &std::env::temp_dir(), &Bar::default()).await;
    let report = report.map_err(|error| Failed::because(&error.to_string()))?;
    print!("{}", told(&report, log.verifier.name()));
    Ok(())
}

fn told(report: &Report, origin: &str) -> String {
    let Report { checkpoint, tiles, entries, later_size } = report;
    let mut lines = vec![
        format!("checkpoint   signed by {origin}, {} entries", checkpoint.size),
        format!("hash tiles   {tiles}, all add up to the checkpoint's root"),
    ];
    match entries {
        None => lines.push("entries      not looked at: that takes a provider's --key-file".to_owned()),
        Some(entries) => {
            let (checked, numbers) = (entries.checked, entries.numbers);
            lines.push(format!(
                "entries      {checked} of {numbers} numbers, each in the tree, well-formed, in its chain"
            ));
            if entries.first > 0 {
                lines.push(format!("             those before {} are no longer kept", entries.first));
            }
            lines.push(match &entries.snapshot {
                None => "snapshot     there is none yet".to_owned(),
                Some(snapshot) => format!(
                    "snapshot     at {}, {} corrections, signed as {}, the fold of the log",
                    snapshot.size,
                    snapshot.count,
                    snapshot.forms.join(", ")
                ),
            });
        }
    }
    lines.push(format!("later        {later_size} entries, a continuation of the first checkpoint"));
    lines.push("Everything is in order.\n".to_owned());
    lines.join("\n")
}

fn verify_receipt(args: &VerifyReceiptArgs) -> Result<(), Failed> {
    let text = read(&args.from)?;
    let wrong = |error: &dyn std::error::Error| Failed::because(&format!("not genuine: {error}"));
    let receipt: Receipt = text.parse().map_err(|error| wrong(&error))?;
    let (entry, checkpoint) = receipt.verify(&args.verifier).map_err(|error| wrong(&error))?;
    let (index, origin, size) = (receipt.index, args.verifier.name(), checkpoint.size);
    println!("genuine: entry {index} of the log {origin}, signed when it had {size} entries");
    print!("{}", said(&entry));
    Ok(())
}

fn read(from: &Input) -> Result<String, Failed> {
    let (name, reader): (String, Box<dyn Read>) = match from {
        Input::Stdin => ("standard input".to_owned(), Box::new(std::io::stdin())),
        Input::File(path) => {
            let name = path.display().to_string();
            let file = File::open(path).map_err(|error| Failed::new(&name, &error))?;
            (name, Box::new(file))
        }
    };
    let mut text = String::new();
    // One byte more is too much for a receipt too, and it says so itself.
    let read = reader.take(RECEIPT_BYTES_MAX as u64 + 1).read_to_string(&mut text);
    read.map_err(|error| Failed::new(&name, &error))?;
    Ok(text)
}

/// An entry in words.
fn said(entry: &Entry) -> String {
    let mut lines = vec![format!("  number     {}", entry.number)];
    if entry.withdrawn {
        lines.push("  withdrawn  no correction of this number is in force any more".to_owned());
    }
    if let Some(day) = entry.void_before {
        lines.push(format!("  marks      those from before {day} are a former holder's, and void"));
    }
    match (entry.name_action, &entry.name, entry.name_until) {
        (NameAction::Clear, ..) => {
            lines.push(format!("  name       names known before {} are wrong", entry.at));
        }
        (NameAction::Set, Some(name), Some(until)) => {
            lines.push(format!("  name       {name}, to be shown until {until}"));
        }
        _ => {}
    }
    lines.push(format!("  reason     {}, vouched for by {}", word(&entry.reason), word(&entry.assurance)));
    lines.push(format!("  at         {}\n", entry.at));
    lines.join("\n")
}

fn word(value: &impl Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().replace('_', " ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn entry(json: &str) -> Entry {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn an_entry_in_words() {
        let void = r#"{"v":1,"number":"+8613800138000","void_before":"2025-03-01","name_action":"clear","name":null,"name_until":null,"reason":"name_mismatch","assurance":"operator","withdrawn":false,"supersedes":null,"at":"2026-11-23T03:04:05Z","salt":"AAECAwQFBgcICQoLDA0ODw"}"#;
        assert_eq!(
            said(&entry(void)),
            "  number     +8613800138000\n  marks      those from before 2025-03-01 are a former holder's, and void\n  \
             name       names known before 2026-11-23T03:04:05Z are wrong\n  \
             reason     name mismatch, vouched for by operator\n  at         2026-11-23T03:04:05Z\n"
        );
        let shown = void.replace(
            r#""clear","name":null,"name_until":null"#,
            r#""set","name":"甲","name_until":"2027-02-21""#,
        );
        assert!(said(&entry(&shown)).contains("  name       甲, to be shown until 2027-02-21\n"));
        let gone = void.replace(r#""2025-03-01","name_action":"clear""#, r#"null,"name_action":"keep""#);
        let gone = gone.replace(r#""withdrawn":false"#, r#""withdrawn":true"#);
        assert!(said(&entry(&gone)).contains("  withdrawn  no correction"));
    }
}
