//! Keys of providers and operators: issued, replaced with an overlap, revoked.

use askama::Template;
use http::StatusCode;
use jiff::Timestamp;

use super::once::{forget, hand_over, taken_over};
use crate::casework::actors::Grant;
use crate::casework::owner::KeyLine;
use crate::domain::id::KeyId;
use crate::http::body::BodyStream;
use crate::http::pages::console::desk::Desk;
use crate::http::pages::form::{Draft, Form, back, taken};
use crate::http::pages::shell::{Shell, page, see};
use crate::http::pages::visit::Visit;
use crate::http::pages::words;
use crate::http::problem::{Answer, Code, Problem};
use crate::http::service::Service;

const PLACE: &str = "/console/keys";

#[derive(Template)]
#[template(path = "console/running/keys.html")]
struct KeysPage<'a> {
    shell: &'a Shell,
    desk: &'a Desk,
    draft: &'a Draft,
    said: &'a str,
    now: Timestamp,
    keys: Vec<KeyLine>,
    providers: Vec<String>,
    /// Shown for this once.
    fresh: Option<String>,
}

impl KeysPage<'_> {
    fn holder(&self, key: &KeyLine) -> String {
        let (kind, id) = match &key.grant {
            Grant::Provider(id) => (self.shell.say("服务商", "provider"), id.to_string()),
            Grant::Operator(id) => (self.shell.say("运营商", "operator"), id.to_string()),
        };
        format!("{id} · {kind}")
    }

    fn is_good(&self, key: &KeyLine) -> bool {
        key.revoked_at.is_none() && key.ends_at.is_none_or(|end| self.now < end)
    }
}

pub(super) async fn show(app: &Service, visit: &Visit) -> Answer {
    let desk = Desk::of(app, visit).await?;
    let mut keys: Vec<KeyLine> =
        app.casework.keys(desk.moderator.as_owner()?).await?.into_iter().map(KeyLine::from).collect();
    keys.reverse();
    let draft = Draft::of(visit);
    let said = words::said(&draft, visit.shell.language);
    let fresh = taken_over(visit, PLACE).and_then(|secrets| secrets.into_iter().next());
    let mut response = page(
        StatusCode::OK,
        &KeysPage {
            shell: &visit.shell,
            desk: &desk,
            said: &said,
            draft: &draft,
            now: app.casework.now(),
            providers: app.casework.reference().labels.provider_ids().map(ToString::to_string).collect(),
            keys,
            fresh,
        },
    )?;
    forget(visit, &mut response, PLACE);
    Ok(response)
}

pub(super) async fn issue(app: &Service, visit: &Visit, body: BodyStream) -> Answer {
    let desk = Desk::of(app, visit).await?;
    let form = Form::read(app, visit, body).await?;
    let owner = desk.moderator.as_owner()?;
    let issued = async {
        let malformed = |_| Problem::field_malformed("id", "id: lower-case letters, digits and hyphens");
        let grant = match form.get("to") {
            "provider" => Grant::Provider(form.get("id").parse().map_err(malformed)?),
            "operator" => Grant::Operator(form.get("id").parse().map_err(malformed)?),
            _ => return Err(Problem::field_malformed("to", "to: provider or operator")),
        };
        Ok(app.casework.issue_key(owner, grant, form.get("name")).await?)
    };
    match issued.await {
        Ok((_, key)) => shown_once(visit, &key),
        Err(problem) => back(visit, PLACE, form, &problem),
    }
}

pub(super) async fn rotate(app: &Service, visit: &Visit, id: KeyId, body: BodyStream) -> Answer {
    let desk = Desk::of(app, visit).await?;
    let form = Form::read(app, visit, body).await?;
    let owner = desk.moderator.as_owner()?;
    let days = form.get("overlap_days").parse().unwrap_or(0);
    match app.casework.rotate_key(owner, id, days).await {
        Ok((_, key)) => shown_once(visit, &key),
        Err(error) => back(visit, PLACE, Form::default(), &error.into()),
    }
}

/// Asked for with a tick, since it cannot be taken back.
pub(super) async fn revoke(app: &Service, visit: &Visit, id: KeyId, body: BodyStream) -> Answer {
    let desk = Desk::of(app, visit).await?;
    let form = Form::read(app, visit, body).await?;
    let owner = desk.moderator.as_owner()?;
    if !form.has("sure", "yes") {
        let unsure = Problem::new(StatusCode::BAD_REQUEST, Code::NOT_CONFIRMED, "tick the box to confirm");
        return back(visit, PLACE, Form::default(), &unsure);
    }
    match app.casework.revoke_key(owner, id).await {
        Ok(()) => see(&format!("{PLACE}?done=key_revoked")),
        Err(error) => back(visit, PLACE, Form::default(), &error.into()),
    }
}

fn shown_once(visit: &Visit, key: &str) -> Answer {
    let mut response = see(PLACE)?;
    hand_over(visit, &mut response, PLACE, &[key]);
    taken(visit, PLACE, &mut response);
    Ok(response)
}
