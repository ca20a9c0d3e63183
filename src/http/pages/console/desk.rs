//! Where a moderator sits: who it is, which rooms are open to them, and what
//! they have just done.

use http::Method;
use serde::Deserialize;

use super::words::done;
use crate::casework::actors::{ModeratorActor, Role};
use crate::http::pages::cookies::Cookie;
use crate::http::pages::shell::{Shell, see};
use crate::http::pages::visit::Visit;
use crate::http::problem::{Answer, Problem};
use crate::http::service::Service;
use crate::http::words::Words;

/// Sent to the console only; the session itself says when it ends.
pub(super) const SESSION: Cookie<'_> = Cookie { name: "session", path: "/console", seconds_max: 12 * 3_600 };

pub(super) struct Desk {
    pub moderator: ModeratorActor,
    /// What was done a moment ago, for whoever was sent on.
    pub done: Option<Words>,
}

/// A room's place, name, and who may enter.
const ROOMS: &[(&str, Words, Role)] = &[
    ("/console", Words { zh: "审核", en: "Cases" }, Role::Moderator),
    ("/console/queue", Words { zh: "队列", en: "Queue" }, Role::Moderator),
    ("/console/signatures", Words { zh: "两人签名", en: "Signatures" }, Role::Moderator),
    ("/console/providers", Words { zh: "服务商", en: "Providers" }, Role::Moderator),
    ("/console/gateways", Words { zh: "网关", en: "Gateways" }, Role::Senior),
    ("/console/keys", Words { zh: "密钥", en: "Keys" }, Role::Admin),
    ("/console/team", Words { zh: "团队", en: "Team" }, Role::Admin),
    ("/console/audit", Words { zh: "审计", en: "Audit" }, Role::Admin),
];

/// A place of the console, and nothing that could lead elsewhere.
pub(super) fn is_room(path: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'/' || b == b'-';
    path.starts_with("/console") && path.bytes().all(is_plain)
}

#[derive(Debug, Deserialize)]
struct Done {
    done: Option<String>,
}

impl Desk {
    pub async fn of(app: &Service, visit: &Visit) -> Result<Self, Problem> {
        let (moderator, _) = app.moderator_with(&visit.call, visit.cookie(&SESSION)).await?;
        let word = visit.call.query::<Done>().ok().and_then(|query| query.done);
        Ok(Self { moderator, done: word.and_then(|word| done(&word)) })
    }

    /// Each room that this moderator may enter: where, its name, and whether
    /// this page is it.
    pub fn rooms<'a>(
        &self,
        shell: &'a Shell,
    ) -> impl Iterator<Item = (&'static str, &'static str, bool)> + 'a {
        let role = self.moderator.role();
        let open = ROOMS.iter().filter(move |(.., least)| role >= *least);
        open.map(|(path, name, _)| (*path, shell.words(name), is_within(&shell.path, path)))
    }
}

/// Cases are at the console's own address; the other rooms have places below.
fn is_within(place: &str, room: &str) -> bool {
    let below = place.strip_prefix(room);
    let is_case = place.starts_with("/console/disputes/");
    match room {
        "/console" => place == room || is_case,
        _ => below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
    }
}

/// Where somebody without a session wanted to go.
pub(super) const WANTED: Cookie<'_> = Cookie { name: "wanted", path: "/console", seconds_max: 600 };

/// Ends a route of the console: whoever has no session is sent to log in, and
/// goes on from there.
pub(super) async fn at_desk(visit: &Visit, answering: impl Future<Output = Answer>) -> Answer {
    let answering = async {
        match answering.await {
            Err(problem) if problem.code() == "unauthenticated" => {
                let mut response = see("/console/login")?;
                if visit.method == Method::GET && is_room(&visit.shell.path) {
                    visit.set(&mut response, &WANTED, &visit.shell.path);
                }
                Ok(response)
            }
            answer => answer,
        }
    };
    visit.shown(answering).await
}
