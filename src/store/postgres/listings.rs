//! Each listing as what it selects, in its order; and its pages.

use deadpool_postgres::{ClientWrapper, Object};
use serde::{Deserialize, Serialize};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::store::embedded::layout::of_json;
use crate::store::postgres::error::Trouble;
use crate::store::postgres::tables::{self as t, Table, cluster_cell, text, word};
use crate::store::{Cursor, Listing, PAGE_RECORDS_MAX, Page, Record, StoreError, Versioned};

/// Rows of a table, sorted by columns that end with its key.
pub struct Select {
    table: &'static Table,
    /// With `$1`, `$2`, … for the arguments.
    filter: &'static str,
    arguments: Vec<String>,
    order: Vec<&'static str>,
}

/// The last row of a page: its table's kind, and what it was sorted by.
#[derive(Debug, Serialize, Deserialize)]
pub struct After {
    kind: u8,
    order: Vec<String>,
}

/// A row as it was found, and where it is.
struct Found {
    record: Versioned<Record>,
    after: After,
}

const NOTHING: Page = Page { records: Vec::new(), next: None };

/// A cursor that another listing or another engine made is behind nothing.
pub async fn list(
    client: &Object,
    listing: &Listing,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Page, Trouble> {
    let limit = limit.clamp(1, PAGE_RECORDS_MAX);
    let after = after.map(|Cursor(bytes)| serde_json::from_slice::<After>(bytes));
    let Ok(after) = after.transpose() else { return Ok(NOTHING) };
    let selects = selects_of(listing);
    let fits = |after: &After| {
        selects
            .iter()
            .any(|select| select.table.kind == after.kind && select.order.len() == after.order.len())
    };
    if after.as_ref().is_some_and(|after| !fits(after)) {
        return Ok(NOTHING);
    }
    let mut found = Vec::new();
    for select in &selects {
        for row in select.rows(client, after.as_ref(), limit + 1).await? {
            found.push(Found { record: select.record(&row)?, after: select.after(&row) });
        }
    }
    if selects.len() > 1 {
        // Of several tables only what is over is listed: by when, then by kind.
        found.sort_by_key(|found| (found.record.value.expires_at(), found.after.kind));
    }
    let is_more = found.len() > limit;
    found.truncate(limit);
    let next = found
        .last()
        .filter(|_| is_more)
        .map(|last| Cursor(serde_json::to_vec(&last.after).expect("strings and a number always serialize")));
    Ok(Page { records: found.into_iter().map(|found| found.record).collect(), next })
}

impl Select {
    /// All rows of a table, by its key.
    pub fn all(table: &'static Table) -> Self {
        let order = table.key.iter().map(|(name, _)| *name).collect();
        Self { table, filter: "true", arguments: Vec::new(), order }
    }

    pub async fn rows(
        &self,
        client: &ClientWrapper,
        after: Option<&After>,
        limit: usize,
    ) -> Result<Vec<Row>, Trouble> {
        let mut arguments = self.arguments.clone();
        let shown: String = self.order.iter().map(|column| format!(", {column}::text")).collect();
        let table = self.table.name;
        // Not what is shown under the same name: that is text.
        let order =
            self.order.iter().map(|column| format!("{table}.{column}")).collect::<Vec<_>>().join(", ");
        let beyond = after.map(|after| self.beyond(after, &mut arguments)).unwrap_or_default();
        let filter = self.filter;
        let sql = format!(
            "SELECT version, body::text{shown} FROM {table} WHERE {filter}{beyond} ORDER BY {order} LIMIT {limit}"
        );
        let statement = client.prepare_cached(&sql).await?;
        let arguments: Vec<&(dyn ToSql + Sync)> = arguments.iter().map(|value| value as _).collect();
        client.query(&statement, &arguments).await.or_else(nothing_where_malformed)
    }

    /// What comes after a row of this table; or, where tables are merged,
    /// after one of another table: its first column is the same in all, and of
    /// rows that are equal there, those of later kinds are still to come.
    fn beyond(&self, after: &After, arguments: &mut Vec<String>) -> String {
        let (than, sorted_by) = match after.kind.cmp(&self.table.kind) {
            std::cmp::Ordering::Equal => (">", after.order.as_slice()),
            std::cmp::Ordering::Less => (">=", &after.order[..1]),
            std::cmp::Ordering::Greater => (">", &after.order[..1]),
        };
        let columns = self.order[..sorted_by.len()].join(", ");
        let values = self.order.iter().zip(sorted_by).map(|(column, value)| {
            arguments.push(value.clone());
            format!("${}::text::{}", arguments.len(), self.table.type_of(column))
        });
        let values = values.collect::<Vec<_>>().join(", ");
        format!(" AND ({columns}) {than} ({values})")
    }

    pub fn record(&self, row: &Row) -> Result<Versioned<Record>, StoreError> {
        record(self.table, row)
    }

    pub fn after(&self, row: &Row) -> After {
        let order = (0..self.order.len()).map(|nth| row.get(2 + nth)).collect();
        After { kind: self.table.kind, order }
    }
}

/// In a cursor that somebody made up.
fn nothing_where_malformed(error: tokio_postgres::Error) -> Result<Vec<Row>, Trouble> {
    let is_data = error.code().is_some_and(|state| state.code().starts_with("22"));
    if is_data { Ok(Vec::new()) } else { Err(error.into()) }
}

/// A row's version and record, its first two columns.
pub fn record(table: &Table, row: &Row) -> Result<Versioned<Record>, StoreError> {
    let version: i64 = row.get(0);
    let body: &str = row.get(1);
    let version = u64::try_from(version).map_err(|_| StoreError::Fatal("a version is negative".into()))?;
    Ok(Versioned { version, value: of_json(&[table.kind], body.as_bytes())? })
}

fn selects_of(listing: &Listing) -> Vec<Select> {
    let one = |table, filter, arguments: Vec<String>, order: &[&'static str]| {
        vec![Select { table, filter, arguments, order: order.to_vec() }]
    };
    const OF_NUMBER: &str = "number = $1::text::bigint";
    const OPEN: &str = "state IN ('applying', 'held', 'releasing') AND expires_at IS NULL";
    match listing {
        Listing::LabelsOf(number) => {
            one(&t::LABELS, OF_NUMBER, vec![text(number.digits())], &["provider", "kind"])
        }
        Listing::Regressed { provider: None } => {
            one(&t::LABELS, "regressed", vec![], &["provider", "number", "kind"])
        }
        Listing::Regressed { provider: Some(provider) } => {
            let order = ["provider", "number", "kind"];
            one(&t::LABELS, "regressed AND provider = $1", vec![text(provider)], &order)
        }
        Listing::DisputesOf(number) => {
            one(&t::DISPUTES, OF_NUMBER, vec![text(number.digits())], &["filed_at", "id"])
        }
        Listing::Queue => one(&t::DISPUTES, "queued", vec![], &["due_on", "id"]),
        Listing::TasksDue { until } => {
            one(&t::TASKS, "run_at <= $1::text::timestamptz", vec![text(until)], &["run_at", "task"])
        }
        Listing::AcksAbove { provider, stage, size } => {
            let filter = "provider = $1 AND stage = $2 AND size > $3::text::numeric";
            one(&t::ACKNOWLEDGEMENTS, filter, vec![text(provider), word(stage), text(size)], &["size"])
        }
        Listing::RefusalsOf(provider) => {
            one(&t::PROVIDER_REFUSALS, "provider = $1", vec![text(provider)], &["seq"])
        }
        Listing::ReversalsAsked => {
            one(&t::NUMBERS, "reversal_asked_at IS NOT NULL", vec![], &["reversal_asked_at", "number"])
        }
        Listing::AccessKeys => one(&t::ACCESS_KEYS, "true", vec![], &["issued_at", "id"]),
        Listing::Moderators => one(&t::MODERATORS, "true", vec![], &["name"]),
        Listing::Webhooks => one(&t::WEBHOOKS, "true", vec![], &["provider", "place"]),
        Listing::OpenBatches => one(&t::BATCHES, OPEN, vec![], &["received_at", "id"]),
        Listing::PartsOf(filing) => {
            one(&t::FILING_PARTS, "filing = $1::text::uuid", vec![text(filing)], &["nth"])
        }
        Listing::TracesSince { cluster, since } => {
            let filter = "cluster = $1::text::bytea AND at >= $2::text::timestamptz";
            one(&t::FILING_TRACES, filter, vec![cluster_cell(cluster), text(since)], &["at", "filing"])
        }
        Listing::Expired { until } => EXPIRING.iter().map(|table| expired(table, text(until))).collect(),
    }
}

static EXPIRING: [&Table; 8] = [
    &t::VERIFICATIONS,
    &t::CODE_COUNTS,
    &t::CLAIMS,
    &t::SESSIONS,
    &t::BATCHES,
    &t::FILING_TRACES,
    &t::LABEL_COUNTS,
    &t::COUNTED_WEEKS,
];

fn expired(table: &'static Table, until: String) -> Select {
    let key = table.key.iter().map(|(name, _)| *name);
    let order = std::iter::once("expires_at").chain(key).collect();
    Select { table, filter: "expires_at <= $1::text::timestamptz", arguments: vec![until], order }
}
