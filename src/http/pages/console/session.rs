//! Logging in and out. Whatever was wrong, the answer is the same.

use askama::Template;
use http::StatusCode;

use super::desk::{SESSION, WANTED, is_room};
use crate::http::body::BodyStream;
use crate::http::pages::cookies::Cookie;
use crate::http::pages::form::{Draft, Form, back, taken};
use crate::http::pages::shell::{Shell, page, see};
use crate::http::pages::visit::Visit;
use crate::http::pages::words;
use crate::http::problem::{Answer, Problem};
use crate::http::service::Service;

/// Somebody logged in here before, and may again while others guess.
const DEVICE: Cookie<'_> = Cookie { name: "device", path: "/console/login", seconds_max: 90 * 86_400 };

const PLACE: &str = "/console/login";

#[derive(Template)]
#[template(path = "console/login.html")]
struct LoginPage<'a> {
    shell: &'a Shell,
    draft: &'a Draft,
    said: &'a str,
}

pub(super) async fn show(app: &Service, visit: &Visit) -> Answer {
    if app.moderator_with(&visit.call, visit.cookie(&SESSION)).await.is_ok() {
        return see("/console");
    }
    let draft = Draft::of(visit);
    let said = words::said(&draft, visit.shell.language);
    page(StatusCode::OK, &LoginPage { shell: &visit.shell, said: &said, draft: &draft })
}

pub(super) async fn log_in(app: &Service, visit: &Visit, body: BodyStream) -> Answer {
    let form = Form::read(app, visit, body).await?;
    let logged_in = async {
        app.login(&visit.call)?;
        app.login_to(form.get("name"), visit.cookie(&DEVICE))?;
        let totp: String = form.get("totp").chars().filter(|c| !c.is_whitespace()).collect();
        Ok::<_, Problem>(app.casework.log_in(form.get("name"), form.get("password"), &totp).await?)
    };
    match logged_in.await {
        Ok(session) => {
            let wanted = visit.cookie(&WANTED).filter(|path| is_room(path));
            let mut response = see(wanted.unwrap_or("/console"))?;
            visit.remove(&mut response, &WANTED);
            visit.set(&mut response, &SESSION, &session.token);
            visit.set(&mut response, &DEVICE, &session.device);
            taken(visit, PLACE, &mut response);
            Ok(response)
        }
        Err(problem) => back(visit, PLACE, form.only(&["name"]), &problem),
    }
}

pub(super) async fn log_out(app: &Service, visit: &Visit, body: BodyStream) -> Answer {
    app.anyone(&visit.call)?;
    Form::read(app, visit, body).await?;
    if let Some(session) = visit.cookie(&SESSION) {
        app.casework.log_out(session).await?;
    }
    let mut response = see(PLACE)?;
    visit.remove(&mut response, &SESSION);
    Ok(response)
}
