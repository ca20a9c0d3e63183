//! Step 1: the number, and how to show that one holds it.

use askama::Template;
use http::StatusCode;

use super::code::VERIFICATION;
use super::place::Place;
use crate::casework::control::Method;
use crate::domain::refusal::Refusal;
use crate::http::body::BodyStream;
use crate::http::pages::form::{Draft, Form, back, taken};
use crate::http::pages::shell::{Shell, page, see};
use crate::http::pages::visit::Visit;
use crate::http::pages::words;
use crate::http::problem::{Answer, Problem};
use crate::http::service::Service;

#[derive(Template)]
#[template(path = "holder/start.html")]
struct StartPage<'a> {
    shell: &'a Shell,
    draft: &'a Draft,
    said: &'a str,
    number_is_wrong: bool,
    by_text: bool,
    offers_texting: bool,
    needs_script: bool,
    /// Where one goes from here, if not to file for this number.
    files_list: bool,
    comes_back: bool,
}

pub(super) async fn show(app: &Service, visit: &Visit) -> Answer {
    app.anyone(&visit.call)?;
    let draft = Draft::of(visit);
    let named = Place::named(visit);
    let place = named.or_else(|| Place::kept(visit));
    let mut response = page(
        StatusCode::OK,
        &StartPage {
            shell: &visit.shell,
            said: &words::said(&draft, visit.shell.language),
            number_is_wrong: draft.code.starts_with("number_") || draft.code == "sms_unreachable",
            by_text: draft.form.get("method") == Method::SendSms.as_str(),
            offers_texting: app.casework.offers_texting(),
            needs_script: app.casework.wants_work(),
            files_list: place == Some(Place::Filings),
            comes_back: place.is_some_and(|place| place != Place::File),
            draft: &draft,
        },
    )?;
    match named {
        Some(Place::File) => Place::forget(visit, &mut response),
        Some(place) => place.keep(visit, &mut response),
        None => {}
    }
    Ok(response)
}

/// The same answer whether or not the number is known.
pub(super) async fn begin(app: &Service, visit: &Visit, body: BodyStream) -> Answer {
    let form = Form::read(app, visit, body).await?;
    match start(app, visit, &form).await {
        Ok(id) => {
            let mut response = see("/code")?;
            visit.set(&mut response, &VERIFICATION, &id);
            taken(visit, "/", &mut response);
            Ok(response)
        }
        Err(problem) => back(visit, "/", form, &problem),
    }
}

async fn start(app: &Service, visit: &Visit, form: &Form) -> Result<String, Problem> {
    app.verifier(&visit.call)?;
    let numbering = &app.casework.reference().numbering;
    let number = numbering.parse_typed(form.get("number")).map_err(Refusal::NumberMalformed)?;
    let method = if form.has("method", Method::SendSms.as_str()) { Method::SendSms } else { Method::SmsCode };
    let (language, solution) = (visit.shell.language, form.optional("altcha"));
    let started = app.casework.start_verification(number, method, language, solution).await?;
    Ok(started.id.to_string())
}
