//! What the routes stand on, and who may come through them: each call pays
//! its rates first, then shows its credential, and only then is its body read.

use std::convert::Infallible;
use std::future::ready;
use std::sync::Arc;

use http::HeaderMap;
use http::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, HeaderValue};
use tokio::sync::Mutex;
use warp::filters::BoxedFilter;
use warp::path::Peek;
use warp::reply::Response;
use warp::{Filter, Rejection};

use super::call::{Call, call};
use super::limits::{Limits, Standing};
use super::meters::RequestMeters;
use super::negotiate::bearer;
use super::pages::{self, PageSettings};
use super::problem::{Answer, Problem};
use super::{assets, docs, feed, holders, moderation, recycling, sms, uploads};
use crate::casework::actors::{
    Claimant, Filer, GatewayActor, Holder, ModeratorActor, OperatorActor, ProviderActor,
};
use crate::casework::control::Language;
use crate::casework::{self, Casework};
use crate::domain::id::{DisputeId, FilingId};
use crate::domain::refusal::Refusal;
use crate::env::metrics::Registry;
use crate::feed::snapshot::Snapshots;
use crate::feed::{Feed, FeedError};

/// Everything that a route can reach.
#[derive(Debug)]
pub struct Service {
    pub casework: Casework,
    pub feed: Feed,
    pub snapshots: Snapshots,
    pub limits: Limits,
    pub pages: PageSettings,
    pub requests: RequestMeters,
    /// All that is counted; locked by who shows it.
    pub metrics: Mutex<Registry>,
}

pub type App = Arc<Service>;

/// A room's routes, boxed at its door.
pub type Routes = BoxedFilter<(Response,)>;

/// All public routes. Where a path begins tells which rooms may know it, and
/// the others are not asked; what is asked most is asked first.
pub fn routes(app: &App) -> Routes {
    let people = holders::routes(app).or(moderation::routes(app)).unify();
    let machines = uploads::routes(app).or(sms::routes(app)).unify();
    let v1 = people.or(machines).unify().or(labels(app)).unify();
    let pulled = begins("feed").and(feed::routes(app));
    let asked = begins("number-recycling").and(recycling::routes(app));
    let rest = assets::routes(app).or(pages::routes(app)).unify().or(docs::routes(app)).unify();
    pulled.or(begins("v1").and(v1)).unify().or(asked).unify().or(rest).unify().boxed()
}

/// Lets paths through that begin with this segment, and leaves it to be read.
fn begins(first: &'static str) -> impl Filter<Extract = (), Error = Rejection> + Clone + Send + Sync {
    let begins = move |path: Peek| path.segments().next() == Some(first);
    warp::path::peek()
        .and_then(move |path| ready(if begins(path) { Ok(()) } else { Err(warp::reject::not_found()) }))
        .untuple_one()
}

/// One path for two audiences: holders see theirs, providers upload theirs.
fn labels(app: &App) -> Routes {
    warp::path!("v1" / "labels")
        .and(with(app))
        .and(call())
        .then(|app: App, call: Call| async move {
            by_method!(call => {
                GET: holders::list_labels(&app, call),
                POST: uploads::post_labels(&app, call),
            })
        })
        .boxed()
}

/// Hands the service to a route, in front of its `call()`.
pub fn with(app: &App) -> impl Filter<Extract = (App,), Error = Infallible> + Clone + Send + Sync + 'static {
    let app = app.clone();
    warp::any().map(move || app.clone())
}

/// A caller that has paid its rates; tells on the answer how it stands.
#[derive(Debug, Default)]
pub struct Paid(Vec<Standing>);

impl Paid {
    pub fn tell(&self, mut response: Response) -> Response {
        for standing in &self.0 {
            standing.tell(response.headers_mut());
        }
        response
    }
}

impl Service {
    /// Whoever calls: pays by network prefix.
    pub fn anyone(&self, call: &Call) -> Result<Paid, Problem> {
        let standing = self.limits.requests_by_address.check(&call.client().prefix())?;
        Ok(Paid(standing.into_iter().collect()))
    }

    /// Whoever wants a code sent.
    pub fn verifier(&self, call: &Call) -> Result<Paid, Problem> {
        let Paid(mut standings) = self.anyone(call)?;
        standings.extend(self.limits.verifications_by_address.check(&call.client().prefix())?);
        Ok(Paid(standings))
    }

    /// Whoever tries to log in.
    pub fn login(&self, call: &Call) -> Result<Paid, Problem> {
        let Paid(mut standings) = self.anyone(call)?;
        standings.extend(self.limits.logins_by_address.check(&call.client().prefix())?);
        Ok(Paid(standings))
    }

    /// And to which account. Whoever guesses from many addresses is slowed
    /// here; a browser that knows the account is not kept out by that.
    pub fn login_to(&self, name: &str, device: Option<&str>) -> Result<(), Problem> {
        match name.parse() {
            Ok(name) if !device.is_some_and(|token| self.casework.device_token_is(&name, token)) => {
                self.limits.logins_by_account.check(&name).map(drop)
            }
            _ => Ok(()),
        }
    }

    pub async fn holder(&self, call: &Call) -> Result<(Holder, Paid), Problem> {
        let Paid(mut standings) = self.anyone(call)?;
        let holder = self.casework.holder(credential(call)?).await?;
        standings.extend(self.limits.requests_by_number.check(&holder.number())?);
        Ok((holder, Paid(standings)))
    }

    pub async fn claimant(&self, call: &Call, dispute: DisputeId) -> Result<(Claimant, Paid), Problem> {
        let Paid(mut standings) = self.anyone(call)?;
        let claimant = self.casework.claimant(credential(call)?, dispute).await?;
        standings.extend(self.limits.requests_by_number.check(&claimant.number())?);
        Ok((claimant, Paid(standings)))
    }

    pub async fn filer(&self, call: &Call, filing: FilingId) -> Result<(Filer, Paid), Problem> {
        let Paid(mut standings) = self.anyone(call)?;
        let filer = self.casework.filer(credential(call)?, filing).await?;
        standings.extend(self.limits.requests_by_number.check(&filer.contact())?);
        Ok((filer, Paid(standings)))
    }

    /// Pays by its key; by network prefix too only where the key is no good,
    /// so that many providers behind one address do not slow each other.
    pub async fn provider(&self, call: &Call) -> Result<(ProviderActor, Paid), Problem> {
        match self.casework.provider(credential(call)?).await {
            Ok(provider) => {
                let standing = self.limits.requests_by_provider.check(provider.id())?;
                Ok((provider, Paid(standing.into_iter().collect())))
            }
            Err(error) => Err(self.refused(call, error)),
        }
    }

    /// A provider that is about to be sent a snapshot.
    pub fn downloader(&self, provider: &ProviderActor, paid: Paid) -> Result<Paid, Problem> {
        let Paid(mut standings) = paid;
        standings.extend(self.limits.snapshots_by_provider.check(provider.id())?);
        Ok(Paid(standings))
    }

    pub async fn operator(&self, call: &Call) -> Result<(OperatorActor, Paid), Problem> {
        match self.casework.operator(credential(call)?).await {
            Ok(operator) => {
                let standing = self.limits.requests_by_operator.check(operator.id())?;
                Ok((operator, Paid(standing.into_iter().collect())))
            }
            Err(error) => Err(self.refused(call, error)),
        }
    }

    /// The SMS gateway pays nothing: it hands over what everybody sends. The
    /// token is what it showed, wherever that was.
    pub fn gateway(&self, call: &Call, token: Option<&str>) -> Result<GatewayActor, Problem> {
        let found = self.casework.gateway(token.unwrap_or_default());
        found.map_err(|error| self.refused(call, error))
    }

    pub async fn moderator(&self, call: &Call) -> Result<(ModeratorActor, Paid), Problem> {
        self.moderator_with(call, bearer(&call.headers)).await
    }

    /// A moderator's session, wherever it was shown.
    pub async fn moderator_with(
        &self,
        call: &Call,
        session: Option<&str>,
    ) -> Result<(ModeratorActor, Paid), Problem> {
        let Paid(mut standings) = self.anyone(call)?;
        let moderator = self.casework.moderator(session.ok_or(Refusal::Unauthenticated)?).await?;
        standings.extend(self.limits.requests_by_moderator.check(moderator.name())?);
        Ok((moderator, Paid(standings)))
    }

    /// Guessing keys costs the guesser's address.
    pub fn refused(&self, call: &Call, error: casework::Error) -> Problem {
        match self.anyone(call) {
            Ok(_) => error.into(),
            Err(problem) => problem,
        }
    }
}

fn credential(call: &Call) -> Result<&str, Problem> {
    bearer(&call.headers).ok_or_else(|| Refusal::Unauthenticated.into())
}

/// The first of zh and en in Accept-Language; Chinese where neither is.
pub fn language(headers: &HeaderMap) -> Language {
    let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or("");
    for range in accepted.split(',') {
        let range = range.trim_start().to_ascii_lowercase();
        if range.starts_with("zh") {
            return Language::Zh;
        }
        if range.starts_with("en") {
            return Language::En;
        }
    }
    Language::Zh
}

/// An answer that belongs to its caller alone and is never kept.
pub fn private(paid: &Paid, answer: Answer) -> Answer {
    answer.map(|mut response| {
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        paid.tell(response)
    })
}

impl From<casework::Error> for Problem {
    fn from(error: casework::Error) -> Self {
        match error {
            casework::Error::Refused(refusal) => refusal.into(),
            casework::Error::Busy(_) | casework::Error::Stale => Self::busy(),
            casework::Error::Fatal(_) | casework::Error::TooLarge(_) => {
                tracing::error!(%error, "use case failed");
                Self::internal()
            }
        }
    }
}

impl From<FeedError> for Problem {
    fn from(error: FeedError) -> Self {
        match error {
            FeedError::Refused(refusal) => refusal.into(),
            FeedError::Store(error) => casework::Error::from(error).into(),
            FeedError::Files(_)
            | FeedError::OtherLog { .. }
            | FeedError::SetBack { .. }
            | FeedError::Fatal(_) => {
                tracing::error!(%error, "feed failed");
                Self::internal()
            }
        }
    }
}
