//! Holds what a client saw against the description. Whoever sends a request in
//! these tests ends up here, so that no answer drifts away from it.

use http::{HeaderMap, Method};
use serde_json::Value;

use super::document::{Operation, Part, at_path};

/// Lines of an answer that are looked at, from either end.
const LINES_MAX: usize = 50;
const SHOWN_BYTES_MAX: usize = 2_000;
/// Between two machines, whatever is said.
const OF_TRANSPORT: [&str; 5] = ["connection", "content-length", "content-type", "date", "transfer-encoding"];

/// A request and its answer.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    pub method: &'a str,
    /// Path and query.
    pub target: &'a str,
    /// Of the request.
    pub sent: &'a [u8],
    pub sent_type: Option<&'a str>,
    pub status: u16,
    pub headers: &'a HeaderMap,
    /// None where it was not read to its end.
    pub body: Option<&'a [u8]>,
}

/// Sends a request, and looks at what comes back.
#[track_caller]
pub fn exchange(request: reqwest::RequestBuilder) -> impl Future<Output = (u16, HeaderMap, bytes::Bytes)> {
    let (client, request) = request.build_split();
    let request = request.unwrap();
    async move {
        let (method, url) = (request.method().clone(), request.url().clone());
        let target = url.query().map_or(url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        let sent = request.body().and_then(|body| body.as_bytes()).unwrap_or_default().to_vec();
        let sent_type = request.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
        let response = client.execute(request).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.unwrap();
        hold(&Seen {
            method: method.as_str(),
            target: &target,
            sent: &sent,
            sent_type: sent_type.as_deref(),
            status,
            headers: &headers,
            body: Some(&body),
        });
        (status, headers, body)
    }
}

/// Panics where the description says otherwise.
#[track_caller]
pub fn hold(seen: &Seen<'_>) {
    if let Err(why) = look(seen) {
        let body = String::from_utf8_lossy(seen.body.unwrap_or_default());
        let shown: String = body.chars().take(SHOWN_BYTES_MAX).collect();
        let Seen { method, target, status, headers, .. } = seen;
        panic!("not as /openapi.json has it: {method} {target}: {status}: {why}\n{headers:#?}\n{shown}");
    }
}

fn look(seen: &Seen<'_>) -> Result<(), String> {
    let (path, query) = seen.target.split_once('?').unwrap_or((seen.target, ""));
    let Some(operations) = at_path(path) else { return Ok(()) };
    // Bytes that are no HTTP are refused before anybody knows what they mean.
    if [400, 431].contains(&seen.status) && !seen.headers.contains_key("x-request-id") {
        return Ok(());
    }
    let method = if seen.method == Method::HEAD { "GET" } else { seen.method };
    let Some(operation) = operations.iter().find(|known| known.method.to_uppercase() == method) else {
        return other_method(seen, path);
    };
    let response = operation.response(seen.status).ok_or("there is no such status")?;
    headers(seen, &response)?;
    body(seen, &response)?;
    if (200..300).contains(&seen.status) { request(seen, operation, query) } else { Ok(()) }
}

fn other_method(seen: &Seen<'_>, path: &str) -> Result<(), String> {
    // A path that no id of ours has is no path.
    if seen.status == 404 {
        return Ok(());
    }
    if !seen.headers.contains_key("allow") {
        return Err("it does not say which methods it takes".to_owned());
    }
    match (seen.method, seen.status) {
        ("OPTIONS", 204) => Ok(()),
        (_, 405) if path.starts_with("/number-recycling/") => {
            let schema = Part::root().at("components").at("schemas").at("ErrorInfo");
            said(schema.objects_to(&json(seen.body.unwrap_or_default())?))
        }
        (_, 405) => {
            let response = Part::root().at("components").at("responses").at("method_not_allowed");
            headers(seen, &response)?;
            body(seen, &response)
        }
        _ => Err("the method is not described".to_owned()),
    }
}

fn headers(seen: &Seen<'_>, response: &Part) -> Result<(), String> {
    let described = response.at("headers").parts();
    for (name, header) in &described {
        let sent: Vec<&str> =
            seen.headers.get_all(name.as_str()).iter().map(|v| v.to_str().unwrap()).collect();
        if sent.is_empty() && header.value["required"] == true {
            return Err(format!("{name} is missing"));
        }
        let schema = header.at("schema");
        for value in sent {
            let text = Value::from(value);
            let number = value.parse::<u64>().map(Value::from).unwrap_or(Value::Null);
            let objection = schema.objects_to(&text).filter(|_| schema.objects_to(&number).is_some());
            said(objection.map(|why| format!("{name}: {why}")))?;
        }
    }
    let is_described = |name: &str| described.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
    let stranger = seen.headers.keys().map(|name| name.as_str());
    let stranger = stranger.filter(|name| !OF_TRANSPORT.contains(name)).find(|name| !is_described(name));
    said(stranger.map(|name| format!("the field {name} is not described")))
}

fn body(seen: &Seen<'_>, response: &Part) -> Result<(), String> {
    let Some(content) = response.get("content") else {
        let is_empty = seen.body.is_none_or(<[u8]>::is_empty);
        return if is_empty { Ok(()) } else { Err("there is a body".to_owned()) };
    };
    let media_type = seen.headers.get("content-type").and_then(|value| value.to_str().ok());
    let media_type = media_type.and_then(|value| value.split(';').next()).ok_or("it has no Content-Type")?;
    let described = content.get(media_type).ok_or_else(|| format!("{media_type} is not described"))?;
    let is_plain = !seen.headers.contains_key("content-encoding") && seen.status != 206;
    match seen.body {
        Some(body) if is_plain && seen.method != Method::HEAD => fits(media_type, &described, body),
        _ => Ok(()),
    }
}

/// Whether the bytes are what is described.
pub fn fits(media_type: &str, described: &Part, body: &[u8]) -> Result<(), String> {
    let schema = described.at("schema");
    let text = || String::from_utf8(body.to_vec()).map_err(|_| "it is not UTF-8".to_owned());
    match media_type {
        "application/json" | "application/problem+json" => said(schema.objects_to(&json(body)?)),
        "application/x-ndjson" => {
            let line = described.at("x-each-line");
            let text = text()?;
            let lines: Vec<&str> = text.lines().collect();
            let from_the_end = lines.iter().rev().take(LINES_MAX);
            for one in lines.iter().take(LINES_MAX).chain(from_the_end) {
                said(line.objects_to(&json(one.as_bytes())?))?;
            }
            Ok(())
        }
        "text/csv" => csv(described, &text()?),
        _ if media_type.starts_with("text/") => said(schema.objects_to(&text()?.into())),
        _ => Ok(()),
    }
}

/// The header as it stands there, or columns in any order; and as many fields
/// in each line.
fn csv(described: &Part, text: &str) -> Result<(), String> {
    let header = text.lines().next().unwrap_or_default();
    let columns = described.value["x-columns"].as_array();
    let is_known = |column: &str| columns.is_some_and(|known| known.contains(&column.into()));
    if described.value["x-header"] != header && !header.split(',').all(is_known) {
        return Err(format!("the header is {header}"));
    }
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    said(reader.records().find_map(Result::err).map(|error| error.to_string()))
}

/// What was taken has to be described, or nobody would know of it.
fn request(seen: &Seen<'_>, operation: &Operation, query: &str) -> Result<(), String> {
    let names = form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name.into_owned());
    // Nobody reads what stands behind a path that takes nothing.
    let reads = operation.parameters().iter().any(|part| part.value["in"] == "query");
    if let Some(name) = names.into_iter().find(|name| reads && !operation.has_query(name)) {
        return Err(format!("it took the query's {name}"));
    }
    let bodies = operation.bodies();
    let essence = seen.sent_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if bodies.is_empty() {
        return Ok(());
    }
    let Some((_, described)) = bodies.iter().find(|(known, _)| known.eq_ignore_ascii_case(essence)) else {
        return Err(format!("it took {essence}"));
    };
    match essence.eq_ignore_ascii_case("application/json") {
        true => {
            said(described.at("schema").objects_to(&json(seen.sent)?)).map_err(|why| format!("it took {why}"))
        }
        false => Ok(()),
    }
}

fn json(bytes: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(bytes).map_err(|error| format!("it is not JSON: {error}"))
}

fn said(objection: Option<String>) -> Result<(), String> {
    objection.map_or(Ok(()), Err)
}
