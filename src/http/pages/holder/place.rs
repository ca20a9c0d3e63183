//! Where a holder wanted to go before control of the number was asked for,
//! and the page that asks. Only places of ours, by name: never an address.

use std::fmt;
use std::str::FromStr;

use askama::Template;
use http::StatusCode;
use serde::Deserialize;
use warp::reply::Response;

use super::file::holder;
use crate::domain::id::{DisputeId, FilingId};
use crate::http::pages::cookies::Cookie;
use crate::http::pages::shell::{Shell, page};
use crate::http::pages::visit::Visit;
use crate::http::problem::{Answer, Problem};
use crate::http::service::Service;

/// As long as it takes to get a code, twice.
const WANTED: Cookie<'_> = Cookie { name: "wanted", path: "/", seconds_max: 1_200 };

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    File,
    Dispute(DisputeId),
    Filings,
    Filing(FilingId),
}

#[derive(Debug, Deserialize)]
struct To {
    to: Option<String>,
}

impl Place {
    /// Named by a link of ours.
    pub fn named(visit: &Visit) -> Option<Self> {
        visit.call.query::<To>().ok()?.to?.parse().ok()
    }

    /// Kept since.
    pub fn kept(visit: &Visit) -> Option<Self> {
        visit.cookie(&WANTED)?.parse().ok()
    }

    pub fn keep(self, visit: &Visit, response: &mut Response) {
        visit.set(response, &WANTED, &self.to_string());
    }

    /// There, or nowhere any more.
    pub fn forget(visit: &Visit, response: &mut Response) {
        if visit.cookie(&WANTED).is_some() {
            visit.remove(response, &WANTED);
        }
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(path: &str) -> Result<Self, ()> {
        let (room, id) = match path.strip_prefix('/').ok_or(())?.split_once('/') {
            Some((room, id)) => (room, Some(id)),
            None => (&path[1..], None),
        };
        match (room, id) {
            ("file", None) => Ok(Self::File),
            ("filings", None) => Ok(Self::Filings),
            ("filings", Some(id)) => id.parse().map(Self::Filing).map_err(|_| ()),
            ("d", Some(id)) => id.parse().map(Self::Dispute).map_err(|_| ()),
            _ => Err(()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File => f.write_str("/file"),
            Self::Dispute(id) => write!(f, "/d/{id}"),
            Self::Filings => f.write_str("/filings"),
            Self::Filing(id) => write!(f, "/filings/{id}"),
        }
    }
}

/// Goes on by itself, from a page of ours: a cookie for our own pages only
/// does not travel on a way that began elsewhere.
#[derive(Template)]
#[template(path = "holder/moved.html")]
pub(super) struct MovedPage<'a> {
    pub shell: &'a Shell,
    pub to: &'a str,
}

#[derive(Template)]
#[template(path = "holder/prove.html")]
struct ProvePage<'a> {
    shell: &'a Shell,
    place: Place,
    /// Proved here, and it does not open this.
    other: Option<String>,
}

/// Ends a page that belongs to somebody. Whoever it is not opened to is asked
/// for a proof, in the same words whether or not there is such a thing.
pub(super) async fn or_prove(
    app: &Service,
    visit: &Visit,
    place: Place,
    answering: impl Future<Output = Answer>,
) -> Answer {
    match answering.await {
        Err(problem) if is_closed(&problem) => prove(app, visit, place).await,
        answer => answer,
    }
}

fn is_closed(problem: &Problem) -> bool {
    ["unauthenticated", "forbidden", "not_found"].contains(&problem.code())
}

async fn prove(app: &Service, visit: &Visit, place: Place) -> Answer {
    // A link elsewhere led here, and our cookies were left at home. Once.
    const HERE: &str = "here";
    if visit.came_from_elsewhere() && visit.call.raw_query() != HERE {
        let to = format!("{place}?{HERE}");
        return page(StatusCode::OK, &MovedPage { shell: &visit.shell, to: &to });
    }
    let mut shell = visit.shell.clone();
    // Also where a form was sent from it.
    shell.path = place.to_string();
    let other = holder(app, visit).await.ok().map(|holder| holder.number().masked());
    page(StatusCode::UNAUTHORIZED, &ProvePage { shell: &shell, place, other })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_places_of_ours_are_gone_back_to() {
        let id = "0197a000-0000-7000-8000-00000000000b";
        for path in ["/file", "/filings", &format!("/d/{id}"), &format!("/filings/{id}")] {
            assert_eq!(path.parse::<Place>().unwrap().to_string(), path);
        }
        let attempts = [
            "",
            "/",
            "//evil.example",
            "https://evil.example/d/",
            "/d/",
            "/d/..",
            "/d/../code",
            "/console",
            "/filings/",
            "/filings/x",
            "/file/",
            "/file ",
            "/file\r\nset-cookie: a=b",
        ];
        for path in attempts {
            assert_eq!(path.parse::<Place>(), Err(()), "{path}");
        }
        let trailing = format!("/d/{id}?token=x");
        assert_eq!(trailing.parse::<Place>(), Err(()));
    }
}
