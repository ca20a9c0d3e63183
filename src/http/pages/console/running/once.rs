//! A secret that is shown once: it travels from the form's answer to the page
//! in a cookie of that page, which nothing but our server reads, and which is
//! gone when it is shown. So it is in no address, no log and no history, and a
//! reload does not make another one.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use warp::reply::Response;

use crate::http::pages::cookies::Cookie;
use crate::http::pages::visit::Visit;

fn cookie(page: &str) -> Cookie<'_> {
    Cookie { name: "once", path: page, seconds_max: 60 }
}

/// `secrets`: without newlines.
pub(super) fn hand_over(visit: &Visit, response: &mut Response, page: &str, secrets: &[&str]) {
    visit.set(response, &cookie(page), &URL_SAFE_NO_PAD.encode(secrets.join("\n")));
}

pub(super) fn taken_over(visit: &Visit, page: &str) -> Option<Vec<String>> {
    let bytes = URL_SAFE_NO_PAD.decode(visit.cookie(&cookie(page))?).ok()?;
    Some(String::from_utf8(bytes).ok()?.split('\n').map(str::to_owned).collect())
}

/// It has been shown.
pub(super) fn forget(visit: &Visit, response: &mut Response, page: &str) {
    if visit.cookie(&cookie(page)).is_some() {
        visit.remove(response, &cookie(page));
    }
}
