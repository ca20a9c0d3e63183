//! What moderators do: four people, each logged in (the password's hash is
//! slow on purpose, so their sessions are put where a log-in puts them).

use jiff::SignedDuration;
use uuid::Uuid;
use zhengming::casework::actors::ModeratorActor;
use zhengming::casework::moderation::{CaseInHand, Verdict};
use zhengming::domain::correction::{Effect, Entry};
use zhengming::domain::dispute::{Claim, Ruling, Status};
use zhengming::domain::id::{ModeratorName, SessionId};
use zhengming::store::{Changeset, Moderator, Role, Session, Store, Versioned};

use super::life::Life;
use super::op::Op;
use super::town::{Town, number_of, secret};

const PEOPLE: [&str; 4] = ["ayi", "beifeng", "chunhua", "dashan"];

impl Town {
    pub async fn moderate(&mut self, op: Op) -> Result<(), String> {
        match op {
            Op::Take { by } => {
                let moderator = self.moderator(by).await;
                self.casework.next_case(&moderator).await.map_err(|error| error.to_string())?;
            }
            Op::GiveBack { by } => {
                let moderator = self.moderator(by).await;
                if let Some(case) = self.casework.next_case(&moderator).await.ok().flatten() {
                    let _ = self.casework.give_back(&moderator, case.dispute.value.id).await;
                }
            }
            Op::Decide { by, verdict } => return self.decide(by, verdict).await,
            Op::Revert { by, nth } => self.revert(by, nth).await,
            Op::Sign { by, fate } => {
                let moderator = self.moderator(by).await;
                let held = self.casework.held_batches(&moderator).await.unwrap();
                if let Some(batch) = held.first() {
                    let _ = self.casework.sign_batch(&moderator, batch.id, fate).await;
                }
            }
            _ => {}
        }
        Ok(())
    }

    async fn moderator(&self, by: usize) -> ModeratorActor {
        let by = by % PEOPLE.len();
        let id = SessionId(Uuid::from_u128(by as u128 + 1));
        let store = &self.disk.memory as &dyn Store;
        let found = store.load::<Session>(&id).await.unwrap();
        if found.as_ref().is_none_or(|found| found.value.expires_at <= self.now()) {
            let name: ModeratorName = PEOPLE[by].parse().unwrap();
            let mut changes = Changeset::default();
            if store.load::<Moderator>(&name).await.unwrap().is_none() {
                changes.put_new(Moderator::new(name.clone(), Role::Admin, String::new()));
            }
            changes.put(Versioned {
                version: found.map_or(0, |found| found.version),
                value: Session {
                    id,
                    totp_generation: 0,
                    moderator: name,
                    started_at: self.now(),
                    expires_at: self.now() + SignedDuration::from_hours(12),
                },
            });
            store.commit(changes).await.unwrap();
        }
        self.casework.moderator(&secret().session_token(id)).await.unwrap()
    }

    async fn decide(&mut self, by: usize, verdict: Verdict) -> Result<(), String> {
        let moderator = self.moderator(by).await;
        let case = self.casework.next_case(&moderator).await.map_err(|error| error.to_string())?;
        let Some(case) = case else { return Ok(()) };
        let is_true = !self.truthful || self.is_true(&case);
        let verdict = if verdict == Verdict::Approve && !is_true { Verdict::Refuse } else { verdict };
        let ruling = Ruling { reason_code: "looked_at".to_owned(), note: None, public_note: None };
        let id = case.dispute.value.id;
        let told = self.casework.decide(&moderator, id, verdict, ruling, case.dispute.version).await;
        let kept = (&self.disk.memory as &dyn Store).load::<zhengming::domain::dispute::Dispute>(&id).await;
        match (told, kept.unwrap().unwrap().value.status()) {
            (Ok(told), kept) if told != kept => Err(format!("a moderator was told {told:?}, it is {kept:?}")),
            (Err(zhengming::casework::Error::Fatal(why)), _) => Err(why),
            _ => Ok(()),
        }
    }

    /// Whether what the claimant says is so, as moderators find out.
    fn is_true(&self, case: &CaseInHand) -> bool {
        let dispute = &case.dispute.value;
        let number = self.cases.iter().find(|known| known.id == dispute.id).map(|known| known.number);
        let number = number.or_else(|| (0..self.lives.len()).find(|at| number_of(*at) == dispute.number));
        let life: &Life = &self.lives[number.unwrap()];
        let present = life.latest_holder(self.now());
        let filed_by = life.holder_at(dispute.control_proved_at);
        let holds = life.holder_at(self.now()) == Some(present) && filed_by == Some(present);
        holds
            && match &dispute.claim {
                Claim::Reassigned { window, .. } => {
                    window.is_none_or(|window| window.void_before() <= life.began(present))
                }
                Claim::NameMismatch { show: Some(show) } => show.name == life.name_of(present),
                Claim::NameMismatch { show: None } => {
                    dispute.disputed_names().all(|name| name != life.name_of(present))
                }
            }
    }

    /// What ended a name stays: nobody who tells the truth takes that back.
    async fn revert(&mut self, by: usize, nth: u64) {
        let moderator = self.moderator(by).await;
        let size = *self.disk.memory.log_size().borrow();
        let Some(seq) = size.checked_sub(1 + nth) else { return };
        let leaf = self.disk.memory.log(seq, 1).await.unwrap().remove(0);
        let entry: Entry = serde_json::from_slice(&leaf).unwrap();
        let file = self.file_of(entry.number).await;
        let clears = file.decision_of_entry(&entry).is_some_and(|at| {
            let of = &file.decisions[at];
            file.decisions.iter().any(|other| other.at == of.at && other.effect == Effect::ClearName)
        });
        if !(clears && self.truthful) {
            let _ = self.casework.revert(&moderator, seq, Some("wrong"), None).await;
        }
    }
}

pub fn is_told(status: Status) -> bool {
    matches!(status, Status::Corrected | Status::Refused | Status::NeedsEvidence | Status::Reverted)
}
