//! `[feed]`: the log's name, its rhythm, what it publishes.

use super::reader::Section;
use super::{ConfigError, values};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedConfig {
    /// The log's name, which its key name is too.
    pub origin: String,
    pub checkpoint_interval_ms: u64,
    pub snapshot_interval_s: u64,
    pub keep_entries_days: u32,
    pub publish_releases: PublishReleases,
    /// Otherwise webhooks lead to the public internet only.
    pub webhooks_to_private_addresses: bool,
}

/// Which releases that operators push become corrections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublishReleases {
    /// Where a label or a correction of the number is known.
    Labelled,
    All,
}

impl FeedConfig {
    pub(super) fn read(mut section: Section) -> Result<Self, ConfigError> {
        let default = Self::default();
        let config = Self {
            origin: section.parsed("origin", default.origin, values::origin)?,
            checkpoint_interval_ms: section.whole(
                "checkpoint_interval_ms",
                default.checkpoint_interval_ms,
                1..=3_600_000,
            )?,
            snapshot_interval_s: section.whole(
                "snapshot_interval_s",
                default.snapshot_interval_s,
                1..=31_536_000,
            )?,
            keep_entries_days: section.whole("keep_entries_days", default.keep_entries_days, 1..=36_500)?,
            publish_releases: section.choice(
                "publish_releases",
                &[("labelled", PublishReleases::Labelled), ("all", PublishReleases::All)],
            )?,
            webhooks_to_private_addresses: section
                .flag("webhooks_to_private_addresses", default.webhooks_to_private_addresses)?,
        };
        section.finish()?;
        Ok(config)
    }
}

impl Default for FeedConfig {
    fn default() -> Self {
        Self {
            origin: "localhost/feed".into(),
            checkpoint_interval_ms: 1_000,
            snapshot_interval_s: 86_400,
            keep_entries_days: 180,
            publish_releases: PublishReleases::Labelled,
            webhooks_to_private_addresses: false,
        }
    }
}
