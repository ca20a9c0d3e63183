//! What an hour of a national service has. It is played six times as fast.

use std::fmt::Write;

/// So many seconds of a real hour pass in one of ours.
pub const COMPRESSION: u64 = 6;

/// Two thirds of the country's mobile numbers change hands within years; a
/// thousandth of a day's 500 thousand releases is disputed within minutes.
pub const VERIFICATIONS_PER_HOUR: u64 = 8_000;
/// Of five who have proved control, four file.
pub const FILERS_OF_FIVE: u64 = 4;
pub const STATE_POLLS_PER_FILING: u64 = 10;
/// Start, style, script, figures, documentation.
pub const PAGES_PER_VERIFICATION: u64 = 5;
/// Of ten, so many are about numbers that no operator knows: they go to people.
pub const CASES_OF_TEN_FILINGS: u64 = 1;

pub const MODERATORS: u64 = 12;
/// Each: a look at the desk and at the queue, a case if there is one.
pub const DESK_ROUNDS_PER_HOUR: u64 = 120;

pub const PROVIDERS: u64 = 100;
/// Of these, so many wait for the next entry all the time.
pub const PROVIDERS_THAT_WAIT: u64 = 20;
/// And so many take tiles and bundles in place of pages.
pub const PROVIDERS_BY_TILES: u64 = 10;
/// Each asks every ten seconds.
pub const POLLS_PER_PROVIDER_PER_HOUR: u64 = 360;
pub const LOOK_UPS_PER_PROVIDER_PER_HOUR: u64 = 3_600;
pub const LABEL_UPLOADS_PER_HOUR: u64 = 100;
pub const LABELS_PER_UPLOAD: u64 = 200;

pub const OPERATORS: u64 = 2;
pub const TENURE_UPLOADS_PER_OPERATOR_PER_HOUR: u64 = 60;
/// Two for each release: 500 thousand a day.
pub const LINES_PER_UPLOAD: u64 = 348;

/// What is asked for, as a table; `corrections` are there from the beginning.
pub fn table(seconds: u64, corrections: u64) -> String {
    let filings = VERIFICATIONS_PER_HOUR * FILERS_OF_FIVE / 5;
    let rows = [
        ("corrections at the start", corrections, "a copy of the same ones for each run"),
        (
            "verifications_per_hour",
            VERIFICATIONS_PER_HOUR,
            "challenge, proof of work, SMS code, a look at the labels",
        ),
        (
            "filings_per_hour",
            filings,
            "seven of ten are decided by CAMARA's answers, two by the ledger, one by people",
        ),
        ("state_polls_per_hour", filings * STATE_POLLS_PER_FILING, "a new connection each"),
        (
            "pages_per_hour",
            VERIFICATIONS_PER_HOUR * PAGES_PER_VERIFICATION,
            "/, style and script, /stats, /docs",
        ),
        (
            "sms_per_hour",
            VERIFICATIONS_PER_HOUR + filings,
            "codes and decisions, with a report of delivery for each",
        ),
        (
            "desk_rounds_per_hour",
            MODERATORS * DESK_ROUNDS_PER_HOUR,
            "12 moderators: /console, queue, next, the case's page, decision",
        ),
        (
            "provider_polls_per_hour",
            (PROVIDERS - PROVIDERS_THAT_WAIT) * POLLS_PER_PROVIDER_PER_HOUR,
            "70 by pages, 10 by tiles; each acknowledges what is new",
        ),
        ("providers_that_wait", PROVIDERS_THAT_WAIT, "wait=30, again at once"),
        ("point_look_ups_per_hour", PROVIDERS * LOOK_UPS_PER_PROVIDER_PER_HOUR, "any of the numbers"),
        ("labels_uploaded_per_hour", LABEL_UPLOADS_PER_HOUR * LABELS_PER_UPLOAD, "NDJSON, 200 a time"),
        (
            "tenure_lines_per_hour",
            OPERATORS * TENURE_UPLOADS_PER_OPERATOR_PER_HOUR * LINES_PER_UPLOAD,
            "NDJSON by two operators, each minute; half as many releases",
        ),
    ];
    let mut text = format!("An hour has, and this run plays {seconds} s {COMPRESSION} times as fast:\n\n");
    for (what, count, how) in rows {
        let _ = writeln!(text, "{what:<28} {count:>10}  {how}");
    }
    text
}

/// Between two of them, in this run.
pub fn period(per_hour: u64) -> std::time::Duration {
    std::time::Duration::from_secs_f64(3_600.0 / (per_hour * COMPRESSION) as f64)
}
