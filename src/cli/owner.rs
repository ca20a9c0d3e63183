//! `key`, `moderator` and `webhook`: orders to the service, through its admin listener
//! while it runs, else on the store itself.

use std::io::{IsTerminal, Read, stdin};

use crate::casework::actors::Owner;
use crate::casework::owner::{Order, Outcome, WebhookState};
use crate::cli::Failed;
use crate::cli::args::{ConfigArg, KeyCommand, KeyHolder, ModeratorCommand, RoleArg, WebhookCommand};
use crate::cli::config::Config;
use crate::cli::house::{House, World};
use crate::cli::remote::Remote;
use crate::store::{Grant, Role};

pub async fn key(
    command: KeyCommand,
    load: impl Fn(&ConfigArg) -> Result<Config, Failed>,
    world: &World,
) -> Result<(), Failed> {
    let (config, order) = match command {
        KeyCommand::Issue(args) => {
            let grant = match args.holder() {
                KeyHolder::Provider(id) => Grant::Provider(id),
                KeyHolder::Operator(id) => Grant::Operator(id),
            };
            (load(&args.config)?, Order::IssueKey { grant, name: args.name })
        }
        KeyCommand::List(config) => (load(&config)?, Order::ListKeys),
        KeyCommand::Revoke(args) => (load(&args.config)?, Order::RevokeKey { id: args.id }),
    };
    tell(&carry_out(&config, world, order).await?);
    Ok(())
}

pub async fn moderator(
    command: ModeratorCommand,
    load: impl Fn(&ConfigArg) -> Result<Config, Failed>,
    world: &World,
) -> Result<(), Failed> {
    let (config, order) = match command {
        ModeratorCommand::Add(args) => {
            let role = match args.role {
                RoleArg::Moderator => Role::Moderator,
                RoleArg::Senior => Role::Senior,
                RoleArg::Admin => Role::Admin,
            };
            let password = password(args.password_stdin)?;
            (load(&args.config)?, Order::AddModerator { name: args.name, role, password })
        }
        ModeratorCommand::Reset(args) => {
            let password = password(args.password_stdin)?;
            (load(&args.config)?, Order::ResetModerator { name: args.name, password })
        }
        ModeratorCommand::Disable(args) => (load(&args.config)?, Order::DisableModerator { name: args.name }),
    };
    tell(&carry_out(&config, world, order).await?);
    Ok(())
}

pub async fn webhook(
    command: WebhookCommand,
    load: impl Fn(&ConfigArg) -> Result<Config, Failed>,
    world: &World,
) -> Result<(), Failed> {
    let (config, order) = match command {
        WebhookCommand::Add(args) => {
            (load(&args.config)?, Order::AddWebhook { provider: args.provider, url: args.url })
        }
        WebhookCommand::Remove(args) => {
            (load(&args.config)?, Order::RemoveWebhook { provider: args.provider, url: args.url })
        }
        WebhookCommand::List(config) => (load(&config)?, Order::ListWebhooks),
    };
    tell(&carry_out(&config, world, order).await?);
    Ok(())
}

async fn carry_out(config: &Config, world: &World, order: Order) -> Result<Outcome, Failed> {
    if let Some(remote) = Remote::find(config, world).await? {
        return remote.order(&order).await;
    }
    let house = House::build(config, world).await?;
    let done = house.app.casework.carry_out(Owner::at_the_command_line(), order).await;
    done.map_err(|error| Failed::because(&error.to_string()))
}

fn password(from_stdin: bool) -> Result<String, Failed> {
    if from_stdin {
        let mut text = String::new();
        stdin().read_to_string(&mut text).map_err(|error| Failed::new("standard input", &error))?;
        return Ok(text.trim_end_matches(['\r', '\n']).to_owned());
    }
    if !stdin().is_terminal() {
        return Err(Failed::because("there is no terminal to ask for a password; use --password-stdin"));
    }
    rpassword::prompt_password("Password: ").map_err(|error| Failed::new("the terminal", &error))
}

fn tell(outcome: &Outcome) {
    match outcome {
        Outcome::Done => println!("done"),
        Outcome::Key { id, key } => println!("{key}\nkey id {id}; the key is shown this once"),
        Outcome::OtpauthUri(uri) => println!("{uri}"),
        Outcome::WebhookSecret(secret) => println!("{secret}\nthe secret is shown this once"),
        Outcome::Webhooks(webhooks) => {
            for webhook in webhooks {
                let state = match &webhook.state {
                    WebhookState::Working => "working".to_owned(),
                    WebhookState::Failing { since, why } => format!("failing since {since}: {why}"),
                    WebhookState::Disabled { at, why } => format!("disabled {at}: {why}"),
                };
                println!("{}  {}  {state}", webhook.provider, webhook.url.as_str());
            }
        }
        Outcome::Keys(keys) => {
            for key in keys {
                let (kind, holder) = match &key.grant {
                    Grant::Provider(id) => ("provider", id.to_string()),
                    Grant::Operator(id) => ("operator", id.to_string()),
                };
                let state = match (key.revoked_at, key.ends_at) {
                    (Some(at), _) => format!("revoked {at}"),
                    (None, Some(at)) => format!("valid until {at}"),
                    (None, None) => "valid".to_owned(),
                };
                println!("{}  {kind}  {holder}  {}  issued {}  {state}", key.id, key.name, key.issued_at);
            }
        }
    }
}
