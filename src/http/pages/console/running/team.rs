//! The team: who is in it, who joins, who leaves.

use askama::Template;
use http::StatusCode;

use super::once::{forget, hand_over, taken_over};
use super::qr::Qr;
use crate::casework::actors::Role;
use crate::casework::team::Member;
use crate::domain::id::ModeratorName;
use crate::http::body::BodyStream;
use crate::http::pages::console::desk::Desk;
use crate::http::pages::form::{Draft, Form, back, taken};
use crate::http::pages::shell::{Shell, page, see};
use crate::http::pages::visit::Visit;
use crate::http::pages::words;
use crate::http::problem::{Answer, Problem};
use crate::http::service::Service;
use crate::http::words::Words;

const PLACE: &str = "/console/team";

#[derive(Template)]
#[template(path = "console/running/team.html")]
struct TeamPage<'a> {
    shell: &'a Shell,
    desk: &'a Desk,
    draft: &'a Draft,
    said: &'a str,
    members: &'a [Member],
    fresh: Option<Fresh>,
}

/// What a new moderator needs, shown for this once.
struct Fresh {
    name: String,
    password: String,
    uri: String,
    qr: Option<Qr>,
}

impl TeamPage<'_> {
    fn role(&self, role: &Role) -> &'static str {
        self.shell.words(&match role {
            Role::Moderator => Words { zh: "审核员", en: "Moderator" },
            Role::Senior => Words { zh: "资深审核员", en: "Senior" },
            Role::Admin => Words { zh: "管理员", en: "Admin" },
        })
    }

    fn is_me(&self, member: &Member) -> bool {
        member.name == *self.desk.moderator.name()
    }
}

pub(super) async fn show(app: &Service, visit: &Visit) -> Answer {
    let desk = Desk::of(app, visit).await?;
    let members = app.casework.team(&desk.moderator).await?;
    let draft = Draft::of(visit);
    let said = words::said(&draft, visit.shell.language);
    let fresh = taken_over(visit, PLACE).and_then(|secrets| match <[String; 3]>::try_from(secrets) {
        Ok([name, password, uri]) => Some(Fresh { qr: Qr::of(&uri), name, password, uri }),
        Err(_) => None,
    });
    let view =
        TeamPage { shell: &visit.shell, desk: &desk, said: &said, draft: &draft, members: &members, fresh };
    let mut response = page(StatusCode::OK, &view)?;
    forget(visit, &mut response, PLACE);
    Ok(response)
}

pub(super) async fn add(app: &Service, visit: &Visit, body: BodyStream) -> Answer {
    let desk = Desk::of(app, visit).await?;
    let form = Form::read(app, visit, body).await?;
    let owner = desk.moderator.as_owner()?;
    let password = app.casework.new_password();
    let added = async {
        let name: ModeratorName = form
            .get("name")
            .parse()
            .map_err(|_| Problem::field_malformed("name", "name: lower-case letters, digits and hyphens"))?;
        let role = match form.get("role") {
            "moderator" => Role::Moderator,
            "senior" => Role::Senior,
            "admin" => Role::Admin,
            _ => return Err(Problem::field_malformed("role", "role: moderator, senior or admin")),
        };
        let uri = app.casework.add_moderator(owner, &name, role, &password).await?;
        Ok((name, uri))
    };
    match added.await {
        Ok((name, uri)) => shown_once(visit, &name, &password, &uri),
        Err(problem) => back(visit, PLACE, form, &problem),
    }
}

pub(super) async fn change(app: &Service, visit: &Visit, name: ModeratorName, body: BodyStream) -> Answer {
    let desk = Desk::of(app, visit).await?;
    let form = Form::read(app, visit, body).await?;
    let owner = desk.moderator.as_owner()?;
    let casework = &app.casework;
    let changed = match form.get("do") {
        "disable" => casework.disable_moderator(owner, &name).await.map(|()| "moderator_disabled"),
        "enable" => casework.enable_moderator(owner, &name).await.map(|()| "moderator_enabled"),
        "end_sessions" => casework.end_sessions(owner, &name).await.map(|()| "sessions_ended"),
        "reset" => {
            let password = casework.new_password();
            match casework.reset_moderator(owner, &name, &password).await {
                Ok(uri) => return shown_once(visit, &name, &password, &uri),
                Err(error) => Err(error),
            }
        }
        _ => return Err(Problem::field_malformed("do", "do: disable, enable, end_sessions or reset")),
    };
    match changed {
        Ok(done) => see(&format!("{PLACE}?done={done}")),
        Err(error) => back(visit, PLACE, Form::default(), &error.into()),
    }
}

fn shown_once(visit: &Visit, name: &ModeratorName, password: &str, uri: &str) -> Answer {
    let mut response = see(PLACE)?;
    hand_over(visit, &mut response, PLACE, &[name.as_str(), password, uri]);
    taken(visit, PLACE, &mut response);
    Ok(response)
}
