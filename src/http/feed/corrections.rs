//! Pages of the log, also for those who wait for the next entry, and the
//! correction in force for one number.

use std::time::Duration;

use http::header::{CONTENT_TYPE, ETAG, HeaderName, HeaderValue};
use serde::Deserialize;
use tokio::time::timeout;
use warp::reply::Response;

use super::keyed;
use crate::domain::hex::hex;
use crate::domain::refusal::Refusal;
use crate::feed::merkle::Hash;
use crate::feed::render::{self, PageForm};
use crate::feed::{FeedError, PageOfEntries};
use crate::http::call::Call;
use crate::http::negotiate::{holds, media_type, not_modified};
use crate::http::problem::{Answer, Problem};
use crate::http::service::App;

const LIMIT_DEFAULT: usize = 1_000;
const LIMIT_MAX: usize = 10_000;
const WAIT_S_MAX: u64 = 30;

const NEXT: HeaderName = HeaderName::from_static("zhengming-next");
const SIZE: HeaderName = HeaderName::from_static("zhengming-size");

const JSON: &str = "application/json";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Wanted {
    /// How many entries the caller has.
    after: u64,
    limit: usize,
    /// How many seconds to wait where there is nothing yet.
    wait: u64,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { after: 0, limit: LIMIT_DEFAULT, wait: 0 }
    }
}

/// A way to write a page.
struct Form {
    media_type: &'static str,
    content_type: &'static str,
    /// Tells the tags of the forms apart.
    name: &'static str,
    form: PageForm,
}

const FORMS: [Form; 3] = [
    Form {
        media_type: "application/x-ndjson",
        content_type: "application/x-ndjson",
        name: "ndjson",
        form: PageForm::Ndjson,
    },
    Form { media_type: JSON, content_type: JSON, name: "json", form: PageForm::Json },
    Form {
        media_type: "text/csv",
        content_type: "text/csv; charset=utf-8",
        name: "csv",
        form: PageForm::Csv,
    },
];

pub(super) async fn page(app: &App, call: Call) -> Answer {
    let (_, paid) = app.provider(&call).await?;
    let wanted: Wanted = call.query()?;
    if !(1..=LIMIT_MAX).contains(&wanted.limit) {
        return Err(Problem::query_malformed(format!("limit is 1 to {LIMIT_MAX}")));
    }
    if wanted.wait > WAIT_S_MAX {
        return Err(Problem::query_malformed(format!("wait is 0 to {WAIT_S_MAX} seconds")));
    }
    let form = form(&call)?;
    let page = page_or_wait(app, &call, &wanted).await?;
    let root = app.feed.root_at(page.next)?;
    let tag = tag(&page, &root.expect("a page ends within what can be seen"), form);
    let mut response = if holds(&call.headers, &tag) {
        not_modified(&tag)
    } else {
        let body = app.feed.page_body(&page, form.form).await?;
        let mut response = Response::new(body.bytes.into());
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(form.content_type));
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            response.headers_mut().insert(ETAG, tag);
        }
        response
    };
    response.headers_mut().insert(NEXT, page.next.into());
    response.headers_mut().insert(SIZE, page.size.into());
    Ok(keyed(&paid, response))
}

pub(super) async fn of_number(app: &App, digits: &str, call: Call) -> Answer {
    let (_, paid) = app.provider(&call).await?;
    let number = app.casework.reference().numbering.parse_digits(digits).map_err(Refusal::NumberMalformed)?;
    media_type(&call.headers, &[JSON])?;
    let (seq, leaf) = app.feed.correction_of(number).await?.ok_or_else(Problem::not_found)?;
    let mut response = Response::new(render::object(seq, &leaf).map_err(FeedError::from)?.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    Ok(keyed(&paid, response))
}

fn form(call: &Call) -> Result<&'static Form, Problem> {
    let chosen = media_type(&call.headers, &FORMS.each_ref().map(|form| form.media_type))?;
    Ok(FORMS.iter().find(|form| form.media_type == chosen).expect("it was chosen out of these"))
}

/// A page that is empty is asked for once more when the log has grown, the
/// caller's patience is at its end, or the service stops.
async fn page_or_wait(app: &App, call: &Call, wanted: &Wanted) -> Result<PageOfEntries, FeedError> {
    let page = app.feed.page(wanted.after, wanted.limit).await?;
    if page.size > wanted.after || wanted.wait == 0 {
        return Ok(page);
    }
    let patience = Duration::from_secs(wanted.wait);
    call.deadline().extend(patience);
    let enough = async {
        // Which of the two it was makes no difference.
        let _ = timeout(patience, call.draining().cancelled()).await;
    };
    app.feed.wait_beyond(wanted.after, enough).await;
    app.feed.page(wanted.after, wanted.limit).await
}

/// Two pages of one tag have the same bytes: the log only grows, and the root
/// where the page ends tells this log from any other, such as one that was
/// restored from a backup and has gone another way since.
fn tag(page: &PageOfEntries, root: &Hash, form: &Form) -> String {
    format!("\"{}-{}-{}-{}\"", page.first, page.next, hex(&root[..16]), form.name)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_tells_page_log_and_form() {
        let page = |first, next| PageOfEntries { first, next, size: 9 };
        let tags = [
            tag(&page(0, 9), &[1; 32], &FORMS[0]),
            tag(&page(1, 9), &[1; 32], &FORMS[0]),
            tag(&page(0, 8), &[1; 32], &FORMS[0]),
            tag(&page(0, 9), &[2; 32], &FORMS[0]),
            tag(&page(0, 9), &[1; 32], &FORMS[1]),
        ];
        assert_eq!(tags[0], format!("\"0-9-{}-ndjson\"", "01".repeat(16)));
        assert!(tags[1..].iter().all(|tag| *tag != tags[0]));
        let grown = PageOfEntries { size: 10, ..page(0, 9) };
        assert_eq!(tag(&grown, &[1; 32], &FORMS[0]), tags[0], "the size is in the head alone");
    }
}
