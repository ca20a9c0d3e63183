//! Honest people: the number is theirs, the labels are a former holder's, and
//! they ask for it to be put right as well as they remember.

use jiff::SignedDuration;
use jiff::Timestamp;
use zhengming::casework::filing::{Filing, Saying};
use zhengming::domain::dispute::{DisputedLabel, Status};
use zhengming::domain::id::DisputeId;
use zhengming::domain::opened::Opened;
use zhengming::domain::refusal::Refusal;

use crate::chance::{between, days, dice_of, happens, pick};
use crate::dice::Dice;
use crate::life::{Day, House, Life, date_of, day_of};
use crate::marks::{Mark, Marks};
use crate::numbers::number_of;
use crate::operators::name_of;
use crate::providers::HABITS;
use crate::service::Service;

const DICE: u64 = 6;

/// Of those whose number shows a stranger's label, how many ask.
const ASK: f64 = 0.4;
/// From the first day to the day on which they hear of it.
const HEAR_AFTER_DAYS: f64 = 45.0;
/// Company telephones, and those of a family.
const CONTRACT_IS_OLDER: f64 = 0.03;
/// Who can show a contract when asked.
const HAS_PAPERS: f64 = 0.9;
/// After so many refusals they look up when the contract began, as they were
/// told to; 9: never.
const LOOKS_UP_AFTER: [(usize, u64); 3] = [(1, 60), (2, 30), (9, 10)];
/// Filings before one appeals instead.
const FILINGS_MAX: usize = 4;
/// Who was told to let the number be quiet for a while comes back after it.
const QUIET_DAYS: i64 = 92;
const QUIET_TIMES_MAX: u32 = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remembers {
    Day,
    /// The month, or one that is so many off.
    Month(i16),
    Nothing,
}

/// One who asks.
#[derive(Debug, Clone)]
pub struct Claim {
    pub nth: usize,
    pub house: House,
    pub holder: u16,
    pub began: Day,
    pub remembers: Remembers,
    /// The contract is another's, and began before they had the telephone: by
    /// the book it has not changed hands.
    pub contract_is_older: bool,
    pub has_papers: bool,
    looks_up_after: usize,
    has_looked_up: bool,
    quiet_times: u32,
    prefix: String,
    /// What they will say next: months off the true one.
    guess: i16,
    /// Told for a guess that the number was theirs later, and earlier.
    bounds: (Option<i16>, Option<i16>),
    pub filings: Vec<DisputeId>,
    pub appeals: u32,
    pub asked_at: Option<Timestamp>,
    pub ended: Option<Ended>,
}

/// How it ended for one who asked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ended {
    /// Nothing was shown any more.
    GoneBefore,
    Corrected,
    Refused(String),
    /// Turned away at the door.
    TurnedAway(String),
    /// Moved on before it was decided.
    Left,
}

/// Who will ask, and at which minute of the town's time.
pub fn draw(lives: &[Life], marks: &Marks, seed: u64, last: Day) -> Vec<(i64, Claim)> {
    let mut claims = Vec::new();
    for (nth, life) in lives.iter().enumerate() {
        let mut dice = dice_of(seed, DICE, nth as u64);
        for at in 1..life.spells.len() {
            let (former, spell) = (life.spells[at - 1], life.spells[at]);
            let is_new = former.holder != spell.holder;
            let is_marked = marks.get(&nth).is_some_and(|marks| {
                marks.iter().any(|mark| mark.holder != spell.holder && mark.ring != spell.ring)
            });
            if !is_new || !is_marked || !happens(&mut dice, ASK) {
                continue;
            }
            let heard = spell.from.max(0) + 1 + days(&mut dice, HEAR_AFTER_DAYS);
            // Of those who had it long before the town began, most have asked elsewhere.
            let is_late = spell.from < -365 && happens(&mut dice, 0.5);
            if heard > last - 40 || is_late || spell.until.is_some_and(|until| until <= heard) {
                continue;
            }
            let minute = i64::from(heard) * 1_440 + i64::from(between(&mut dice, 8 * 60, 22 * 60));
            claims.push((minute, claim(nth, life, spell.holder, spell.from, heard, &mut dice)));
        }
    }
    claims
}

fn claim(nth: usize, life: &Life, holder: u16, began: Day, heard: Day, dice: &mut Dice) -> Claim {
    let off = |dice: &mut Dice, least, most| {
        let months = between(dice, least, most) as i16;
        Remembers::Month(if happens(dice, 0.5) { months } else { -months })
    };
    let remembers = match pick(dice, &[(0, 12), (1, 50), (2, 16), (3, 8), (4, 8), (5, 3), (6, 3)]) {
        0 => Remembers::Day,
        1 => Remembers::Month(0),
        2 => off(dice, 1, 1),
        3 => off(dice, 2, 2),
        4 => off(dice, 3, 6),
        5 => off(dice, 7, 24),
        _ => Remembers::Nothing,
    };
    let guess = match remembers {
        Remembers::Day => 0,
        Remembers::Month(off) => off,
        Remembers::Nothing => between(dice, -12, 12) as i16,
    };
    Claim {
        nth,
        house: life.serving(heard),
        holder,
        began,
        remembers,
        contract_is_older: happens(dice, CONTRACT_IS_OLDER),
        has_papers: happens(dice, HAS_PAPERS),
        looks_up_after: pick(dice, &LOOKS_UP_AFTER),
        has_looked_up: false,
        quiet_times: 0,
        prefix: format!("10.{}.{}.0/24", dice.roll(16), dice.roll(256)),
        guess,
        bounds: (None, None),
        filings: Vec::new(),
        appeals: 0,
        asked_at: None,
        ended: None,
    }
}

/// A former holder's labels that are shown now, as the telephone has them.
pub fn labels_of(nth: usize, standing: &[Mark], of: impl Fn(&Mark) -> bool) -> Vec<DisputedLabel> {
    let theirs = standing.iter().filter(|mark| of(mark));
    theirs
        .map(|mark| DisputedLabel {
            provider: HABITS[usize::from(mark.provider)].id.parse().expect("a provider's name"),
            category: mark.category,
            name: mark.category.is_none().then(|| name_of(nth, mark.holder)),
        })
        .collect()
}

impl Claim {
    /// Files, as well as they remember; when to look again.
    pub async fn file(&mut self, service: &mut Service, life: &Life, standing: &[Mark]) -> Option<Next> {
        let labels = labels_of(self.nth, standing, |mark| mark.holder != self.holder);
        if labels.is_empty() {
            self.ended = Some(if self.filings.is_empty() { Ended::GoneBefore } else { Ended::Corrected });
            return None;
        }
        self.asked_at.get_or_insert(service.now());
        let knows_nothing = self.remembers == Remembers::Nothing && self.filings.is_empty();
        let opened = (!knows_nothing).then(|| self.opened(service.now()));
        let filing = Filing { says: Saying::Reassigned { opened }, labels, note: None, contact: None };
        let number = number_of(life.home, self.nth);
        let told = match service.file(number, &filing, &self.prefix).await {
            Err(Refusal::OpenedNeeded) => {
                let opened = Some(self.opened(service.now()));
                let filing = Filing { says: Saying::Reassigned { opened }, ..filing };
                service.file(number, &filing, &self.prefix).await
            }
            told => told,
        };
        match told {
            Ok(id) => {
                self.filings.push(id);
                Some(Next::Look(SignedDuration::from_mins(2)))
            }
            // Four filings in ninety days.
            Err(Refusal::FilingsExhausted) if !self.filings.is_empty() => {
                Some(Next::File(SignedDuration::from_hours(QUIET_DAYS * 24)))
            }
            Err(refusal) => {
                self.ended = Some(Ended::TurnedAway(refusal.code().to_owned()));
                None
            }
        }
    }

    /// The day or month that they would name.
    fn opened(&self, now: Timestamp) -> Opened {
        let is_own = !self.contract_is_older || self.has_looked_up;
        let began = date_of(if is_own { self.began } else { self.began + 400 });
        let today = date_of(day_of(now));
        if self.remembers == Remembers::Day && self.filings.is_empty() {
            return Opened::Day(began.min(today));
        }
        let months = began.year() * 12 + i16::from(began.month()) - 1 + self.guess;
        let latest = today.year() * 12 + i16::from(today.month()) - 1;
        let months = months.min(latest);
        Opened::Month { year: months / 12, month: (months % 12) as i8 + 1 }
    }

    /// Looks at what became of it; when to look again.
    pub async fn look(&mut self, service: &mut Service, life: &Life, paper: &[u8]) -> Option<Next> {
        let id = *self.filings.last()?;
        let state = service.dispute(id).await.state();
        match state.status {
            Status::Corrected => self.ends(Ended::Corrected),
            Status::Withdrawn | Status::Reverted => self.ends(Ended::Left),
            Status::Refused => {
                let code = state.refusal.map(|refused| refused.code).unwrap_or_default();
                self.after_refusal(service, life, id, &code).await
            }
            Status::NeedsEvidence if self.has_papers => {
                let number = number_of(life.home, self.nth);
                match service.hand_in(number, id, paper).await {
                    Ok(()) => Some(Next::Look(SignedDuration::from_hours(24))),
                    Err(refusal) => self.ends(Ended::TurnedAway(refusal.code().to_owned())),
                }
            }
            _ => Some(Next::Look(SignedDuration::from_hours(24))),
        }
    }

    async fn after_refusal(
        &mut self,
        service: &mut Service,
        life: &Life,
        id: DisputeId,
        code: &str,
    ) -> Option<Next> {
        match code {
            "not_held_since" => self.bounds.0 = Some(self.guess),
            "no_change_of_holder" => self.bounds.1 = Some(self.guess),
            _ => {}
        }
        if code == "not_rested" && self.quiet_times < QUIET_TIMES_MAX {
            self.quiet_times += 1;
            return Some(Next::File(SignedDuration::from_hours(QUIET_DAYS * 24)));
        }
        let tries = self.filings.len();
        let is_about_the_date = matches!(code, "not_held_since" | "no_change_of_holder" | "looked_at");
        // Who has shown a contract to a moderator was told what it says.
        let was_told = code == "looked_at" && self.has_papers;
        if is_about_the_date && !self.has_looked_up && (was_told || tries >= self.looks_up_after) {
            (self.has_looked_up, self.guess) = (true, 0);
            return Some(Next::File(SignedDuration::from_hours(20)));
        }
        if is_about_the_date && tries < FILINGS_MAX && self.appeals == 0 && !self.has_looked_up {
            self.guess = match self.bounds {
                (Some(later), Some(earlier)) => later.midpoint(earlier),
                (Some(later), None) => later + 2 + 2 * tries as i16,
                (None, Some(earlier)) => earlier - 2 - 2 * tries as i16,
                (None, None) => self.guess,
            };
            return Some(Next::File(SignedDuration::from_hours(20)));
        }
        if self.appeals == 2 || (self.contract_is_older && self.appeals == 1) {
            return self.ends(Ended::Refused(code.to_owned()));
        }
        self.appeals += 1;
        let number = number_of(life.home, self.nth);
        match service.appeal(number, id).await {
            Ok(()) => Some(Next::Look(SignedDuration::from_hours(24))),
            Err(refusal) => self.ends(Ended::TurnedAway(refusal.code().to_owned())),
        }
    }

    fn ends(&mut self, ended: Ended) -> Option<Next> {
        self.ended = Some(ended);
        None
    }
}

/// What they do next, after so long.
#[derive(Debug, Clone, Copy)]
pub enum Next {
    Look(SignedDuration),
    File(SignedDuration),
}
