//! Where log lines go: to standard error, as text or as JSON.

use std::fmt;
use std::io::{self, IsTerminal};
use std::panic::PanicHookInfo;
use std::str::FromStr;

use tracing::subscriber::SetGlobalDefaultError;
use tracing::{Level, Subscriber};
use tracing_subscriber::filter::{EnvFilter, FilterFn, ParseError};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;

/// At `trace`, libraries write down what passes through them, numbers and
/// tokens too: only our own lines are written at that level.
const OURS: &str = "zhengming";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("the log filter is malformed: {0}")]
    Filter(#[from] ParseError),
    #[error("a subscriber is set already")]
    SetTwice(#[from] SetGlobalDefaultError),
}

/// Sets up the process's subscriber, once, for panics too. The filter has the
/// form of `tracing-subscriber`: `info`, or `warn,zhengming=debug`.
pub fn init(format: LogFormat, filter: &str) -> Result<(), TelemetryError> {
    let ansi = io::stderr().is_terminal();
    tracing::subscriber::set_global_default(subscriber(format, filter, ansi, io::stderr)?)?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Where and why, in the form of every other line.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let at = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(at, why = panic.payload_as_str().unwrap_or("no words"), "panicked");
}

fn subscriber<W>(
    format: LogFormat,
    filter: &str,
    ansi: bool,
    writer: W,
) -> Result<Box<dyn Subscriber + Send + Sync>, ParseError>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines =
        tracing_subscriber::fmt().with_env_filter(EnvFilter::builder().parse(filter)?).with_writer(writer);
    let is_ours_or_brief =
        FilterFn::new(|line| *line.level() < Level::TRACE || line.target().starts_with(OURS));
    Ok(match format {
        LogFormat::Text => Box::new(lines.with_ansi(ansi).finish().with(is_ours_or_brief)),
        LogFormat::Json => Box::new(lines.json().flatten_event(true).finish().with(is_ours_or_brief)),
    })
}

impl FromStr for LogFormat {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("a log format is text or json"),
        }
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(format: LogFormat, filter: &str) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = subscriber(format, filter, false, move || writer.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(count = 3, "numbers corrected");
            tracing::debug!("a detail");
            tracing::trace!("a step");
            tracing::debug!(target: "warp::filters", "a detail of theirs");
            tracing::trace!(target: "warp::filters", "8613800138000");
        });
        let bytes = lines.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn json_is_one_flat_object_for_each_line() {
        let text = written(LogFormat::Json, "info");
        let line: serde_json::Value = serde_json::from_str(text.trim_end()).unwrap();
        assert_eq!(line["message"], "numbers corrected");
        assert_eq!(line["count"], 3);
        assert_eq!(line["level"], "INFO");
    }

    #[test]
    fn the_filter_decides_what_is_written() {
        assert!(written(LogFormat::Text, "debug").contains("a detail"));
        assert!(!written(LogFormat::Text, "info").contains("a detail"));
        assert_eq!(written(LogFormat::Text, "off"), "");
    }

    #[test]
    fn what_libraries_trace_is_never_written() {
        let text = written(LogFormat::Text, "trace");
        assert!(text.contains("a step") && text.contains("a detail of theirs"), "{text}");
        assert!(!text.contains("8613800138000"), "{text}");
    }

    #[test]
    fn a_malformed_filter_is_said() {
        let error = subscriber(LogFormat::Text, "zhengming=loud", false, io::sink).err().unwrap();
        let said = TelemetryError::from(error).to_string();
        assert!(said.starts_with("the log filter is malformed"), "{said}");
    }

    #[test]
    fn formats_parse_as_they_print() {
        for format in [LogFormat::Text, LogFormat::Json] {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        assert!("xml".parse::<LogFormat>().is_err());
    }
}
