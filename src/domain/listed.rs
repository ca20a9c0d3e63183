//! Lines of a list of numbers that an enterprise files as CSV. A number may
//! have several lines, each with one of the labels that are shown for it.

use serde::Deserialize;

use crate::domain::dispute::DisputedLabel;
use crate::domain::lines::{LineError, LineFormat, filled};
use crate::domain::name::parse_name;
use crate::domain::opened::Opened;

/// What a line says; its number as it stands there, for the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedLine {
    pub number: String,
    pub opened: Option<Opened>,
    pub label: Option<DisputedLabel>,
}

impl ListedLine {
    pub const COLUMNS: &[&str] = &["number", "opened", "provider", "name"];

    pub fn parse(line: &[u8], format: &LineFormat) -> Result<Self, LineError> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Line {
            number: String,
            #[serde(default)]
            opened: Option<String>,
            #[serde(default)]
            provider: Option<String>,
            #[serde(default)]
            name: Option<String>,
        }
        let Line { number, opened, provider, name } = format.read(line)?;
        let opened = filled(opened).map(|opened| opened.parse()).transpose();
        let opened = opened.map_err(|_| LineError::DateMalformed)?;
        let label = match (filled(provider), filled(name)) {
            (None, None) => None,
            (Some(provider), name) => {
                let provider = provider.parse().map_err(|_| LineError::LineMalformed)?;
                let name = name.map(|name| parse_name(&name)).transpose();
                let name = name.map_err(|_| LineError::NameMalformed)?;
                Some(DisputedLabel { provider, category: None, name })
            }
            // Whose name is it?
            (None, Some(_)) => return Err(LineError::LineMalformed),
        };
        Ok(Self { number, opened, label })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<ListedLine, LineError> {
        let format = LineFormat::csv(b"number,opened,provider,name", ListedLine::COLUMNS).unwrap();
        ListedLine::parse(line.as_bytes(), &format)
    }

    #[test]
    fn a_line_names_a_number_and_a_label_at_most() {
        let bare = parse("+861062345678,,,").unwrap();
        assert_eq!((bare.number.as_str(), bare.opened, bare.label), ("+861062345678", None, None));
        let full = parse("+861062345678,2025-03,baidu,\"某某, 外卖\"").unwrap();
        assert_eq!(full.opened, Some("2025-03".parse().unwrap()));
        assert_eq!(full.label.unwrap().name.as_deref(), Some("某某, 外卖"));
        for (line, why) in [
            ("+861062345678", LineError::LineMalformed),
            ("+861062345678,2025-13,,", LineError::DateMalformed),
            ("+861062345678,,BAIDU!,x", LineError::LineMalformed),
            ("+861062345678,,,某某外卖", LineError::LineMalformed),
        ] {
            assert_eq!(parse(line), Err(why), "{line}");
        }
    }

    #[test]
    fn columns_may_be_left_out() {
        let format = LineFormat::csv(b"number", ListedLine::COLUMNS).unwrap();
        let line = ListedLine::parse(b"+864001234567", &format).unwrap();
        assert_eq!((line.opened, line.label), (None, None));
    }
}
