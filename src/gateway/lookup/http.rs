//! A provider that answers `GET {lookup_url}/{digits}` to a bearer key with a
//! JSON array of labels, in the shape in which holders get them or in which it
//! would upload them. Nothing shown is `[]`: a 404 may be our wrong address.

use std::fmt;

use async_trait::async_trait;
use reqwest::{Client, Url};
use serde_json::{Map, Value};

use super::RESPONSE_BYTES_MAX;
use crate::casework::ports::{LookUp, NoAnswer};
use crate::domain::id::ProviderId;
use crate::domain::label::LabelKind;
use crate::domain::lines::LabelSaid;
use crate::domain::number::Number;
use crate::gateway::{Misconfigured, Received, exchange};

/// One of each kind; a few more are read to say that they are too many.
const LABELS_MAX: usize = 8;

pub struct HttpLookUp {
    provider: ProviderId,
    client: Client,
    base: Url,
    key: String,
}

impl HttpLookUp {
    pub fn new(provider: ProviderId, lookup_url: &str, key: &str) -> Result<Self, Misconfigured> {
        let base = exchange::url("lookup_url", lookup_url)?;
        let client = exchange::client("lookup_url", &[&base])?;
        Ok(Self { provider, client, base, key: key.to_owned() })
    }

    /// What came back for a number, as lines of an upload.
    pub fn read(&self, number: Number, received: &Received) -> Result<Vec<String>, NoAnswer> {
        let labels: Vec<Map<String, Value>> =
            serde_json::from_slice(super::body(received)?).map_err(|_| NoAnswer::Malformed)?;
        if labels.len() > LABELS_MAX {
            return Err(NoAnswer::Malformed);
        }
        labels.into_iter().map(|label| self.line(number, label)).collect()
    }

    /// As a line of an upload. What only the answer's shape has is left out,
    /// but for what would make it somebody else's label.
    fn line(&self, number: Number, mut label: Map<String, Value>) -> Result<String, NoAnswer> {
        let is_of = |field: &str, expected: &str| label.get(field).is_none_or(|value| value == expected);
        if !is_of("number", &number.to_string()) || !is_of("provider", self.provider.as_str()) {
            return Err(NoAnswer::Malformed);
        }
        label.retain(|field, _| LabelSaid::COLUMNS.contains(&field.as_str()));
        label.insert("number".to_owned(), number.to_string().into());
        Ok(Value::Object(label).to_string())
    }
}

#[async_trait]
impl LookUp for HttpLookUp {
    fn kinds(&self) -> &'static [LabelKind] {
        &[LabelKind::Category, LabelKind::Name]
    }

    async fn ask(&self, number: Number) -> Result<Vec<String>, NoAnswer> {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/{}", self.base.path().trim_end_matches('/'), number.digits()));
        let request = self.client.get(url).bearer_auth(&self.key);
        let received = exchange::exchange(request, RESPONSE_BYTES_MAX).await?;
        self.read(number, &received)
    }
}

impl fmt::Debug for HttpLookUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpLookUp").field("base", &self.base.as_str()).finish_non_exhaustive()
    }
}
