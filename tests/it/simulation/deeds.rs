//! What holders, providers and operators do, and what they may rely on then.

use jiff::SignedDuration;
use sha2::{Digest, Sha256};
use zhengming::casework::actors::Owner;
use zhengming::casework::control::{Language, Method};
use zhengming::casework::filing::{Filing, Idempotency, Saying};
use zhengming::domain::day::plus_days;
use zhengming::domain::dispute::{DisputedLabel, Show};
use zhengming::domain::id::ProviderId;
use zhengming::domain::label::{Category, Label, LabelKind, Source};
use zhengming::domain::lines::{LabelSaid, Shown, TenureSaid};
use zhengming::domain::opened::Opened;
use zhengming::domain::progress::Stage;
use zhengming::domain::tenure::TenureEvent;
use zhengming::domain::uscc::Uscc;
use zhengming::feed::{Acknowledgement, Feed, RefusedEntry};
use zhengming::store::{Listing, Tally};

use super::life::told_day;
use super::op::{Op, Says};
use super::town::{Case, Token, Town, number_of};
use crate::support::service::signer;

const PROVIDERS: [&str; 2] = ["tencent", "baidu"];
const OPERATORS: [&str; 3] = ["cmcc", "cucc", "registry"];
const LIAR: &str = "ctcc";
/// Nobody reads the codes of the companies of a town.
const USCC: &str = "91350211M000100Y46";

/// What can be sent again under the same key.
#[derive(Debug, Clone)]
pub enum Repeatable {
    Filing { token: Token, filing: Filing, key: String, told: Option<String> },
    Upload { by: &'static str, lines: Vec<TenureSaid>, key: String, told: Option<Tally> },
}

impl Town {
    pub async fn act(&mut self, op: Op) -> Result<(), String> {
        match op {
            Op::Pass { minutes } => self.clock.advance(SignedDuration::from_mins(minutes)),
            Op::Prove { number } => self.prove(number % self.lives.len()).await,
            Op::File { nth_token, says } => return self.file(nth_token, says).await,
            Op::Withdraw { nth } => self.withdraw(nth).await,
            Op::Appeal { nth } => {
                if let Some(claimant) = self.claimant(nth).await {
                    let _ = self.casework.appeal(&claimant, "请再看看").await;
                }
            }
            Op::Mine { nth_token } => self.mine(nth_token).await,
            Op::View { nth } => return self.view(nth).await,
            Op::Work => self.casework.work_off().await.map_err(|error| error.to_string())?,
            Op::Push { by, mask } => return self.push(OPERATORS[by % 3], mask).await,
            Op::Lie { number, days_ago } => return self.lie(number % self.lives.len(), days_ago).await,
            Op::Mark { .. } | Op::Unmark { .. } => self.upload_label(op).await?,
            Op::Ack { provider, stage, behind, refuse } => self.ack(provider, stage, behind, refuse).await,
            Op::Operators(mood) => *self.mood.lock().unwrap() = mood,
            Op::Sms { works } => *self.outbox.broken.lock().unwrap() = !works,
            Op::Again => return self.again().await,
            Op::Decide { .. }
            | Op::Take { .. }
            | Op::GiveBack { .. }
            | Op::Revert { .. }
            | Op::Sign { .. } => {
                return self.moderate(op).await;
            }
            Op::Cut { .. } | Op::Crash => {}
        }
        Ok(())
    }

    /// Whoever has the telephone asks for a code, and enters it.
    async fn prove(&mut self, number: usize) {
        let (casework, of) = (self.casework.clone(), number_of(number));
        let started = casework.start_verification(of, Method::SmsCode, Language::Zh, None).await;
        let Ok(started) = started else { return };
        casework.work_off().await.unwrap();
        let id = format!("code-{}", started.id);
        let arrived = self.outbox.sent.lock().unwrap().iter().any(|message| message.id == id);
        let Some(holder) = self.lives[number].holder_at(self.now()).filter(|_| arrived) else { return };
        let code = casework.code_for(Owner::at_the_command_line(), started.id);
        if let Ok(confirmed) = casework.confirm_verification(started.id, &code).await {
            self.tokens.push(Token {
                number,
                holder,
                proved_at: self.now(),
                expires_at: confirmed.expires_at,
                text: confirmed.token,
            });
        }
    }

    pub fn token(&self, nth: usize) -> Option<Token> {
        let at = self.tokens.len().checked_sub(1 + nth % self.tokens.len().max(1))?;
        self.tokens.get(at).cloned()
    }

    fn case(&self, nth: usize) -> Option<usize> {
        self.cases.len().checked_sub(1 + nth % self.cases.len().max(1))
    }

    async fn claimant(&self, nth: usize) -> Option<zhengming::casework::actors::Claimant> {
        let case = &self.cases[self.case(nth)?];
        self.casework.claimant(&case.token, case.id).await.ok()
    }

    async fn withdraw(&mut self, nth: usize) {
        let Some(claimant) = self.claimant(nth).await else { return };
        if self.casework.withdraw(&claimant).await.is_ok() {
            let at = self.case(nth).unwrap();
            self.cases[at].withdrawn = true;
        }
    }

    async fn mine(&mut self, nth_token: usize) {
        let Some(token) = self.token(nth_token) else { return };
        let Ok(holder) = self.casework.holder(&token.text).await else { return };
        for (dispute, text) in self.casework.my_disputes(&holder).await.unwrap() {
            for case in self.cases.iter_mut().filter(|case| case.id == dispute.id) {
                (case.token, case.proved_at) = (text.clone(), token.proved_at);
            }
        }
    }

    async fn view(&self, nth: usize) -> Result<(), String> {
        let Some(claimant) = self.claimant(nth).await else { return Ok(()) };
        let published = *zhengming::store::Store::log_size(&self.disk.memory).borrow();
        let view = self.casework.my_dispute(&claimant, published).await.map_err(|error| error.to_string())?;
        match (view.state.approved.is_some(), view.seq) {
            (true, None) => Err(format!("the entry of {} is not found", view.dispute.id)),
            _ => Ok(()),
        }
    }

    async fn file(&mut self, nth_token: usize, says: Says) -> Result<(), String> {
        let Some(token) = self.token(nth_token) else { return Ok(()) };
        let listing = Listing::LabelsOf(number_of(token.number));
        let (shown, _) = self.store().page::<Label>(&listing, None, 10).await.unwrap();
        let filing = self.filing(&token, says, shown.into_iter().map(|label| label.value).collect());
        let key = self.next_key();
        self.last =
            Some(Repeatable::Filing { token: token.clone(), filing: filing.clone(), key, told: None });
        self.send_filing().await
    }

    fn filing(&self, token: &Token, says: Says, shown: Vec<Label>) -> Filing {
        let life = &self.lives[token.number];
        let began = life.began(token.holder);
        let name = |holder| Show { name: life.name_of(holder), uscc: Uscc::parse(USCC).unwrap() };
        let says = match says {
            Says::Month(off) => {
                let month = began.saturating_add(jiff::ToSpan::months(i32::from(off)));
                Saying::Reassigned {
                    opened: Some(Opened::Month { year: month.year(), month: month.month() }),
                }
            }
            Says::Day(off) => Saying::Reassigned { opened: Some(Opened::Day(plus_days(began, off))) },
            Says::Nothing => Saying::Reassigned { opened: None },
            Says::NotMine => Saying::NameMismatch { show: None },
            Says::ShowMine => Saying::NameMismatch { show: Some(name(token.holder)) },
            Says::ShowAnothers => Saying::NameMismatch { show: Some(name(token.holder.saturating_sub(1))) },
        };
        let label = |provider: ProviderId, name| DisputedLabel { provider, category: None, name };
        let named = shown.into_iter().filter(|shown| shown.name.is_some());
        let mut labels: Vec<DisputedLabel> = named.map(|shown| label(shown.provider, shown.name)).collect();
        if labels.is_empty() {
            let former = life.name_of(token.holder.saturating_sub(1));
            labels.push(label(PROVIDERS[0].parse().unwrap(), Some(former)));
        }
        Filing { says, labels, note: None, contact: None }
    }

    fn next_key(&mut self) -> String {
        self.keys += 1;
        format!("key-{}", self.keys)
    }

    async fn send_filing(&mut self) -> Result<(), String> {
        let Some(Repeatable::Filing { token, filing, key, told }) = self.last.clone() else { return Ok(()) };
        let Ok(holder) = self.casework.holder(&token.text).await else { return Ok(()) };
        let idempotency = Idempotency { key, body_digest: Sha256::digest(format!("{filing:?}")).into() };
        let Ok(filed) = self.casework.file(&holder, filing, &idempotency, None).await else {
            return if told.is_some() { self.told_otherwise(&token) } else { Ok(()) };
        };
        if told.as_ref().is_some_and(|told| *told != filed.id.to_string()) {
            return self.told_otherwise(&token);
        }
        if let Some(Repeatable::Filing { told, .. }) = &mut self.last {
            *told = Some(filed.id.to_string());
        }
        if !self.cases.iter().any(|case| case.id == filed.id) {
            self.cases.push(Case {
                number: token.number,
                id: filed.id,
                proved_at: token.proved_at,
                token: filed.token,
                withdrawn: false,
            });
        }
        Ok(())
    }

    fn told_otherwise(&self, token: &Token) -> Result<(), String> {
        Err(format!("a filing of number {} sent again is not the same filing", token.number))
    }

    /// The lines that a mask picks. Where one holder had the number twice,
    /// lines come in their order: a hole would make two holders of them.
    async fn push(&mut self, by: &'static str, mask: u32) -> Result<(), String> {
        let mut lines = Vec::new();
        let mut bits = (0..32u32).cycle();
        for (number, life) in self.lives.iter().enumerate() {
            let known = life.lines_of(by, self.now());
            let picked: Vec<bool> =
                known.iter().map(|_| by == "registry" || mask >> bits.next().unwrap() & 1 == 1).collect();
            let whole = picked.iter().take_while(|picked| **picked).count();
            for (at, (event, on)) in known.into_iter().enumerate() {
                if picked[at] && (at < whole || !life.has_lapse) {
                    lines.push(TenureSaid { number: number_of(number), event, on });
                }
            }
        }
        if mask & 1 == 0 {
            lines.reverse();
        }
        let key = self.next_key();
        self.last = Some(Repeatable::Upload { by, lines, key, told: None });
        self.send_upload().await.map(|_| ())
    }

    async fn lie(&mut self, number: usize, days_ago: i32) -> Result<(), String> {
        let on = plus_days(told_day(self.now()), -days_ago);
        let event = if days_ago % 2 == 0 { TenureEvent::Activated } else { TenureEvent::Disconnected };
        let lines = vec![TenureSaid { number: number_of(number), event, on }];
        let key = self.next_key();
        self.last = Some(Repeatable::Upload { by: LIAR, lines, key, told: None });
        match self.send_upload().await? {
            Some(tally) if tally.rejected != 1 => Err("a stranger's line was taken".to_owned()),
            _ => Ok(()),
        }
    }

    async fn send_upload(&mut self) -> Result<Option<Tally>, String> {
        let Some(Repeatable::Upload { by, lines, key, told }) = self.last.clone() else { return Ok(None) };
        let operator = self.casework.operator_for(Owner::at_the_command_line(), by.parse().unwrap());
        let digest: [u8; 32] = Sha256::digest(format!("{lines:?}")).into();
        let upload = self.casework.receive_tenures(&operator, Some(&key)).await;
        let mut upload = upload.map_err(|error| error.to_string())?;
        for (at, said) in lines.iter().enumerate() {
            upload.push(at as u64 + 1, Ok(*said)).await.map_err(|error| error.to_string())?;
        }
        let tally = match upload.finish(digest).await {
            Ok(tally) => tally,
            Err(error) if told.is_some() => return Err(format!("an upload sent again: {error}")),
            Err(_) => return Ok(None),
        };
        if told.as_ref().is_some_and(|told| *told != tally) {
            return Err(format!("an upload sent again: {tally:?} after {told:?}"));
        }
        let sum = tally.accepted + tally.unchanged + tally.rejected + tally.held;
        if (tally.lines, sum) != (lines.len() as u64, lines.len() as u64) {
            return Err(format!("a tally of {} lines: {tally:?}", lines.len()));
        }
        if let Some(Repeatable::Upload { told, .. }) = &mut self.last {
            *told = Some(tally.clone());
        }
        Ok(Some(tally))
    }

    async fn again(&mut self) -> Result<(), String> {
        match &self.last {
            Some(Repeatable::Filing { .. }) => self.send_filing().await,
            Some(Repeatable::Upload { .. }) => self.send_upload().await.map(|_| ()),
            None => Ok(()),
        }
    }

    /// A mark is made while somebody has the number, of whoever that is.
    async fn upload_label(&mut self, op: Op) -> Result<(), String> {
        let (provider, said) = match op {
            Op::Mark { number, provider, day, lasts, is_name, harm } => {
                let number = number % self.lives.len();
                let life = &self.lives[number];
                let today = told_day(self.now());
                let first = plus_days(super::life::FIRST_DAY, day).min(today);
                let Some(spell) = life.spell_on(first) else { return Ok(()) };
                let last = plus_days(first, lasts).min(today);
                let category = if harm { Category::Fraud } else { Category::Express };
                let shown = Shown {
                    category: (!is_name).then_some(category),
                    code: None,
                    name: is_name.then(|| life.name_of(spell.holder)),
                    text: None,
                    source: Source::Business,
                    count: Some(3),
                    first_marked_on: Some(first),
                    last_marked_on: Some(last),
                };
                (provider, said(number, is_name, Some(shown)))
            }
            Op::Unmark { number, provider, is_name } => {
                (provider, said(number % self.lives.len(), is_name, None))
            }
            _ => return Ok(()),
        };
        let id = PROVIDERS[provider % 2].parse().unwrap();
        let provider = self.casework.provider_for(Owner::at_the_command_line(), id);
        let wrong = |error: zhengming::casework::Error| error.to_string();
        let mut upload = self.casework.receive_labels(&provider).await.map_err(wrong)?;
        upload.push(1, Ok(said)).await.map_err(wrong)?;
        upload.finish().await.map_err(wrong)?;
        Ok(())
    }

    async fn ack(&self, provider: usize, stage: usize, behind: u64, refuse: bool) {
        let folder = tempfile::tempdir().unwrap();
        let feed = Feed::open(self.process(), folder.path(), signer()).await.unwrap();
        let size = feed.size().saturating_sub(behind);
        let Some(root) = feed.root_at(size).unwrap() else { return };
        let newest = size.checked_sub(1).filter(|_| refuse);
        let refused = newest.map(|seq| RefusedEntry { seq, code: "no_dated_reports".to_owned(), text: None });
        let stage = Stage::ALL[stage % 3];
        let ack =
            Acknowledgement { size, root, stage, refused: refused.into_iter().collect(), software: None };
        let provider = PROVIDERS[provider % 2].parse().unwrap();
        feed.ack(&provider, &ack, self.now()).await.unwrap();
    }
}

fn said(number: usize, is_name: bool, shown: Option<Shown>) -> LabelSaid {
    let kind = if is_name { LabelKind::Name } else { LabelKind::Category };
    LabelSaid { number: number_of(number), kind, shown }
}
