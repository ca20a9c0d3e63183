//! What `serve` says of where it stands: what it made because there was
//! nothing, what is good for trying only, and what comes next.
//!
//! At level `info`: whoever tries it has chosen so, and an alarm is for what
//! has gone wrong.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use url::{Host, Url};

use crate::cli::USUAL_CONFIG;
use crate::cli::config::{Config, SmsGateway, StoreUrl};

/// Which of what a service needs was not there before it began.
#[derive(Debug)]
pub struct Found {
    missing: Vec<(PathBuf, &'static str)>,
}

impl Found {
    pub fn look(config: &Config) -> Self {
        let mut wanted = vec![
            (config.data_dir.clone(), "all that it keeps"),
            (config.data_dir.join("secret.key"), "codes and tokens follow from it: keep a copy elsewhere"),
            (config.data_dir.join("feed.key"), "the log is signed with it: keep a copy elsewhere"),
        ];
        if let StoreUrl::Sled(folder) = &config.store {
            wanted.push((folder.clone(), "the database: `zhengming store export` copies it"));
        }
        wanted.retain(|(path, _)| !path.exists());
        Self { missing: wanted }
    }

    /// Once it listens. `named`: the configuration, where one was named.
    pub fn tell(&self, config: &Config, named: Option<&Path>, public: SocketAddr) {
        if named.is_none() && !Path::new(USUAL_CONFIG).exists() {
            tracing::info!(would_be = USUAL_CONFIG, "without a configuration: every key is at its default");
        }
        for (path, what) in self.missing.iter().filter(|(path, _)| path.exists()) {
            tracing::info!(path = %path.display(), "made: {what}");
        }
        for Trial { key, what, remedy } in trials(config) {
            tracing::info!(key, remedy, "good for trying only: {what}");
        }
        if !self.missing.is_empty() {
            let with = named.map(|path| format!(" --config {}", path.display())).unwrap_or_default();
            tracing::info!("next: holders and moderators open http://{public}/ and http://{public}/console");
            tracing::info!("next: zhengming moderator add li-lei --role moderator{with}");
            tracing::info!("next: zhengming key issue provider tencent --name 腾讯{with}");
            tracing::info!("next: zhengming key issue operator cmcc --name 中国移动{with}");
        }
    }
}

/// A setting that nobody should be served with.
#[derive(Debug, PartialEq, Eq)]
struct Trial {
    key: &'static str,
    what: String,
    remedy: &'static str,
}

fn trials(config: &Config) -> Vec<Trial> {
    let mut trials = Vec::new();
    let mut say = |key, what, remedy| trials.push(Trial { key, what, remedy });
    if config.store == StoreUrl::Memory {
        say("store", "everything is forgotten at the end".to_owned(), "leave it out, or name a database");
    }
    if let SmsGateway::Outbox { outbox_file } = &config.sms.gateway {
        let what = format!("messages reach {} and nobody else", outbox_file.display());
        say("sms.gateway", what, "set gateway of [sms] to kannel or http");
    }
    if config.feed.origin.starts_with("localhost") {
        let what = format!("the log is named {}", config.feed.origin);
        say("feed.origin", what, "choose a name before providers take the log's key: it is signed each time");
    }
    if leads_here(&config.public_url) {
        let what = format!("links lead to {}", config.public_url);
        say("public_url", what, "set it to what people and providers call the service");
    }
    trials
}

/// Nowhere but to this machine.
fn leads_here(url: &str) -> bool {
    match Url::parse(url).ok().as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn keys(config: &Config) -> Vec<&'static str> {
        trials(config).iter().map(|trial| trial.key).collect()
    }

    #[test]
    fn the_defaults_are_for_trying() {
        assert_eq!(keys(&Config::default()), ["sms.gateway", "feed.origin", "public_url"]);
        let forgetful = Config { store: StoreUrl::Memory, ..Config::default() };
        assert_eq!(keys(&forgetful)[0], "store");
    }

    #[test]
    fn of_what_is_set_nothing_is_said() {
        let text = "public_url = \"https://corrections.example.org\"\n[feed]\norigin = \"example.org/1\"\n\
            [sms]\ngateway = \"http\"\nurl = \"https://sms.example.org/\"\nhmac_key_file = \"k\"\n";
        assert_eq!(keys(&Config::load(text, "z.toml", []).unwrap()), [""; 0]);
    }

    #[test]
    fn an_address_of_this_machine_is_one() {
        for url in ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:80"] {
            assert!(leads_here(url), "{url}");
        }
        for url in ["https://localhost.example.org", "http://10.0.0.1", "http://[2001:db8::1]"] {
            assert!(!leads_here(url), "{url}");
        }
    }
}
