//! The configuration: a file, and behind a line `--env--` variables.

use zhengming::cli::config::Config;
use zhengming::feed::note::NoteSigner;

const FILE: &str = "zhengming.toml";

pub fn run(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let (file, env) = text.split_once("\n--env--\n").unwrap_or((text, ""));
    let env = env.lines().filter_map(|line| line.split_once('='));
    let env: Vec<(String, String)> = env.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let loaded = Config::load(file, FILE, env.clone());
    assert_eq!(Config::load(file, FILE, env.clone()), loaded);
    match loaded {
        Ok(config) => fits_together(&config),
        Err(error) => {
            // It says where.
            let line = error.place.strip_prefix("zhengming.toml:").map(|line| line.parse::<usize>().unwrap());
            let lines = 1 + file.matches('\n').count();
            let is_there = line.is_some_and(|line| (1..=lines).contains(&line));
            assert!(is_there || env.iter().any(|(name, _)| *name == error.place), "{error}");
            assert!(!error.message.contains('\n'), "{error}");
        }
    }
}

/// What was let through is of use.
fn fits_together(config: &Config) {
    assert!(NoteSigner::new(&config.feed.origin, &[9; 32]).is_ok(), "{}", config.feed.origin);
    assert!(!config.public_url.ends_with('/') && config.public_url.starts_with("http"));
    assert!(config.listen != config.admin_listen || config.listen.port() == 0);
    assert!((1..=1_000).contains(&config.instances));
    // What holds a password is shown without it.
    let shown = format!("{config:?}");
    assert!(!shown.contains("correct-horse"), "{shown}");
}
