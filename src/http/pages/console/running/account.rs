//! A moderator's own account.

use askama::Template;
use http::StatusCode;

use crate::http::body::BodyStream;
use crate::http::pages::console::desk::{Desk, SESSION};
use crate::http::pages::form::{Draft, Form, back};
use crate::http::pages::shell::{Shell, page, see};
use crate::http::pages::visit::Visit;
use crate::http::pages::words;
use crate::http::problem::{Answer, Problem};
use crate::http::service::Service;

const PLACE: &str = "/console/me";

#[derive(Template)]
#[template(path = "console/running/account.html")]
struct AccountPage<'a> {
    shell: &'a Shell,
    desk: &'a Desk,
    draft: &'a Draft,
    said: &'a str,
}

pub(super) async fn show(app: &Service, visit: &Visit) -> Answer {
    let desk = Desk::of(app, visit).await?;
    let draft = Draft::of(visit);
    let said = words::said(&draft, visit.shell.language);
    page(StatusCode::OK, &AccountPage { shell: &visit.shell, desk: &desk, said: &said, draft: &draft })
}

/// A new password, or the end of all sessions: one logs in anew after either.
pub(super) async fn change(app: &Service, visit: &Visit, body: BodyStream) -> Answer {
    let desk = Desk::of(app, visit).await?;
    let form = Form::read(app, visit, body).await?;
    let changed = async {
        if form.get("do") == "end_sessions" {
            return Ok::<_, Problem>(app.casework.end_my_sessions(&desk.moderator).await?);
        }
        // Guessing here is guessing at the door.
        app.login(&visit.call)?;
        let totp: String = form.get("totp").chars().filter(|c| !c.is_whitespace()).collect();
        let changing = app.casework.change_password(&desk.moderator, form.get("old"), &totp, form.get("new"));
        Ok(changing.await?)
    };
    match changed.await {
        Ok(()) => {
            let mut response = see("/console/login")?;
            visit.remove(&mut response, &SESSION);
            Ok(response)
        }
        Err(problem) => back(visit, PLACE, Form::default(), &problem),
    }
}
