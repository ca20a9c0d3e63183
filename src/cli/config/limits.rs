//! `[limits]`: rates and stored quotas. 0 switches one off.

use super::ConfigError;
use super::reader::Section;

macro_rules! limits {
    ($($(#[$doc:meta])* $name:ident: $kind:ty = $default:literal,)*) => {
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct LimitsConfig {
            $($(#[$doc])* pub $name: $kind,)*
        }

        impl LimitsConfig {
            pub(super) fn read(mut section: Section) -> Result<Self, ConfigError> {
                let limits = Self {
                    $($name: section.whole(stringify!($name), $default, 0..=<$kind>::MAX)?,)*
                };
                section.finish()?;
                Ok(limits)
            }
        }

        impl Default for LimitsConfig {
            fn default() -> Self {
                Self { $($name: $default,)* }
            }
        }
    };
}

limits! {
    /// Of one address prefix; bursts of five seconds' worth are fine.
    requests_per_address_per_second: u32 = 20,
    requests_per_provider_per_second: u32 = 200,
    requests_per_operator_per_second: u32 = 50,
    /// Of whoever holds a token of the number.
    requests_per_number_per_second: u32 = 20,
    requests_per_moderator_per_second: u32 = 20,
    verifications_per_address_per_hour: u32 = 20,
    /// And as many phrases to be sent from it.
    codes_per_number_per_day: u32 = 5,
    /// Of the whole service.
    sms_per_minute: u32 = 600,
    /// For each reason.
    filings_per_number_per_90_days: u32 = 4,
    /// Of adjacent numbers, or with one contact; twenty times as many from one
    /// address prefix. More are flagged and slowed, never refused for that.
    cluster_filings_per_30_days: u32 = 10,
    /// Of so many approvals that one person may give alone, one waits for a
    /// second person: which, is drawn after it was given.
    approvals_per_second_look: u32 = 0,
    logins_per_address_per_minute: u32 = 5,
    /// From browsers in which nobody has logged in to it, from wherever.
    logins_per_account_per_hour: u32 = 30,
    snapshots_per_provider_per_day: u32 = 20,
    /// For each key.
    recycling_dates_per_number_per_day: u32 = 3,
    connections_max: u32 = 10_000,
    /// Or 1 % of the corrections in force if that is more; the rest is held.
    releases_per_operator_per_day: u64 = 10_000,
    /// New or changed ones; what is only sent again is free.
    labels_per_provider_per_day: u64 = 2_000_000,
}
