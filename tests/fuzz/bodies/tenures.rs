//! What operators push: tenure lines as NDJSON and as CSV.

use serde_json::json;
use zhengming::domain::lines::{LineFormat, TenureSaid};
use zhengming::http::uploads::Form;

use super::REFERENCE;
use super::lines::said;

pub fn run(data: &[u8]) {
    let numbering = &REFERENCE.numbering;
    let parse = |line: &[u8], format: &LineFormat| TenureSaid::parse(line, format, numbering);
    for form in [Form::Ndjson, Form::Csv] {
        let said = said(form, data, TenureSaid::COLUMNS, parse).unwrap_or_default();
        for said in said.into_iter().filter_map(|(_, said)| said.ok()) {
            let line = json!({ "number": said.number, "event": said.event, "on": said.on });
            assert_eq!(parse(line.to_string().as_bytes(), &LineFormat::Json), Ok(said));
            let columns = LineFormat::csv(b"number,event,on", TenureSaid::COLUMNS).unwrap();
            let event = line["event"].as_str().unwrap();
            let line = format!("{},{event},{}", said.number, said.on);
            assert_eq!(parse(line.as_bytes(), &columns), Ok(said));
        }
    }
}
