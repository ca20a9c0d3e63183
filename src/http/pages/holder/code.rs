//! Step 2: the code that came, or the text to send.

use askama::Template;
use http::StatusCode;

use super::place::Place;
use crate::casework::control::{Confirmed, Pending};
use crate::casework::texting::Wanted;
use crate::domain::control::MessageState;
use crate::domain::id::VerificationId;
use crate::domain::refusal::Refusal;
use crate::http::body::BodyStream;
use crate::http::pages::cookies::Cookie;
use crate::http::pages::form::{Draft, Form, back, taken};
use crate::http::pages::shell::{Shell, page, see};
use crate::http::pages::visit::Visit;
use crate::http::pages::words;
use crate::http::problem::{Answer, Problem};
use crate::http::service::Service;

/// The verification under way in this browser; its id hands out a token.
pub(super) const VERIFICATION: Cookie<'_> = Cookie { name: "verification", path: "/", seconds_max: 600 };
/// Control of a number, proved in this browser.
pub(super) const HOLDER: Cookie<'_> = Cookie { name: "holder", path: "/", seconds_max: 3_600 };

#[derive(Template)]
#[template(path = "holder/code.html")]
struct CodePage<'a> {
    shell: &'a Shell,
    draft: &'a Draft,
    said: &'a str,
    masked: String,
    undelivered: bool,
    wanted: Option<WantedText>,
}

struct WantedText {
    send_to: String,
    text: String,
    link: String,
}

impl From<Wanted> for WantedText {
    fn from(Wanted { send_to, text }: Wanted) -> Self {
        let body: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        // Phones disagree whether `?` or `&` comes first; both take `?&`.
        let link = format!("sms:{send_to}?&body={}", body.replace('+', "%20"));
        Self { send_to, text, link }
    }
}

pub(super) async fn show(app: &Service, visit: &Visit) -> Answer {
    app.anyone(&visit.call)?;
    let Some(id) = under_way(visit) else { return see("/") };
    // A head hands out no token.
    if !visit.call.is_head()
        && let (_, Some(confirmed)) = app.casework.take_token(id).await?
    {
        return proved(visit, &confirmed);
    }
    let Some(Pending { number, wanted, delivery }) = app.casework.pending(id, visit.shell.language).await?
    else {
        return back(visit, "/", Form::default(), &Refusal::VerificationSpent.into());
    };
    let draft = Draft::of(visit);
    page(
        StatusCode::OK,
        &CodePage {
            shell: &visit.shell,
            said: &words::said(&draft, visit.shell.language),
            draft: &draft,
            masked: number.masked(),
            undelivered: delivery == Some(MessageState::Failed),
            wanted: wanted.map(WantedText::from),
        },
    )
}

pub(super) async fn confirm(app: &Service, visit: &Visit, body: BodyStream) -> Answer {
    app.anyone(&visit.call)?;
    let form = Form::read(app, visit, body).await?;
    let Some(id) = under_way(visit) else { return see("/") };
    let code: String = form.get("code").chars().filter(|c| !c.is_whitespace()).collect();
    match app.casework.confirm_verification(id, &code).await {
        Ok(confirmed) => proved(visit, &confirmed),
        Err(error) => {
            let problem = Problem::from(error);
            let page = if problem.code() == "code_wrong" { "/code" } else { "/" };
            back(visit, page, Form::default(), &problem)
        }
    }
}

fn under_way(visit: &Visit) -> Option<VerificationId> {
    visit.cookie(&VERIFICATION)?.parse().ok()
}

fn proved(visit: &Visit, confirmed: &Confirmed) -> Answer {
    let place = Place::kept(visit).unwrap_or(Place::File);
    let mut response = see(&place.to_string())?;
    Place::forget(visit, &mut response);
    visit.set(&mut response, &HOLDER, &confirmed.token);
    visit.remove(&mut response, &VERIFICATION);
    taken(visit, "/code", &mut response);
    Ok(response)
}
