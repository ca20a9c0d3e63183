//! People whose own marks are true, and who want them gone. Each has a plan
//! and a number that is made for it.

use jiff::SignedDuration;
use zhengming::casework::filing::{Filing, Saying};
use zhengming::domain::dispute::Status;
use zhengming::domain::id::DisputeId;
use zhengming::domain::opened::Opened;

use crate::chance::{between, dice_of, happens, pick};
use crate::holders::{Next, labels_of};
use crate::life::{Day, House, Life, Port, Spell, Trade, date_of};
use crate::marks::Mark;
use crate::moderators::Papers;
use crate::numbers::number_of;
use crate::service::Service;

const DICE: u64 = 7;
const RING: u16 = 1;
/// Forged papers that nobody can tell from true ones.
const FORGED_WELL: f64 = 0.005;
const FILINGS_MAX: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Plan {
    /// Says it has the number only since lately.
    LaterDate,
    /// Says it has had it for longer.
    EarlierDate,
    /// Ports out and back before.
    PortBack,
    /// Hands the contract to an accomplice, without rest.
    Accomplice,
    /// Cancels, and has the contract reinstated within the rest.
    Reinstated,
    /// A card that another signed for (AB 卡).
    Rented,
    /// Buys what was just released, and begins at once.
    Fresh,
    /// Thirty numbers in a row, one contact, one network.
    FarmOfOne,
    /// As many, each from somewhere else.
    FarmOfMany,
    /// Appeals with forged papers.
    Papers,
    /// Appeals again and again.
    Series,
    /// Says that its own shop's name is not its own.
    NotMyName,
    /// Has paid one of the moderators.
    Bribe,
}

impl Plan {
    pub const ALL: [Self; 13] = [
        Self::LaterDate,
        Self::EarlierDate,
        Self::PortBack,
        Self::Accomplice,
        Self::Reinstated,
        Self::Rented,
        Self::Fresh,
        Self::FarmOfOne,
        Self::FarmOfMany,
        Self::Papers,
        Self::Series,
        Self::NotMyName,
        Self::Bribe,
    ];

    pub fn text(self) -> &'static str {
        match self {
            Self::LaterDate => "a later date",
            Self::EarlierDate => "an earlier date",
            Self::PortBack => "ported out and back",
            Self::Accomplice => "transferred to an accomplice",
            Self::Reinstated => "cancelled and reinstated",
            Self::Rented => "a card that another signed for",
            Self::Fresh => "a number just released",
            Self::FarmOfOne => "SIM farm, one contact",
            Self::FarmOfMany => "SIM farm, many names",
            Self::Papers => "forged papers",
            Self::Series => "appeals in series",
            Self::NotMyName => "own name denied",
            Self::Bribe => "a bribed moderator",
        }
    }

    /// What an attempt costs, in yuan: cards, names, papers, fees.
    pub fn cost_yuan(self) -> u64 {
        match self {
            Self::LaterDate | Self::EarlierDate | Self::NotMyName | Self::FarmOfOne | Self::Series => 5,
            Self::PortBack | Self::Reinstated => 60,
            Self::Accomplice | Self::Rented | Self::FarmOfMany => 220,
            Self::Fresh => 80,
            Self::Papers => 300,
            Self::Bribe => 1_000,
        }
    }

    fn appeals(self) -> u32 {
        match self {
            Self::Papers | Self::Accomplice | Self::Bribe | Self::Reinstated => 1,
            Self::Series => 6,
            _ => 0,
        }
    }

    fn has_papers(self) -> bool {
        matches!(self, Self::Papers | Self::Accomplice | Self::Bribe)
    }
}

#[derive(Debug, Clone)]
pub struct Attempt {
    pub nth: usize,
    pub plan: Plan,
    pub house: House,
    pub on: Day,
    pub papers: Papers,
    pub filings: Vec<DisputeId>,
    appeals: u32,
    seed: u64,
}

/// The number's life, and what will be tried with it.
pub fn draw(seed: u64, nth: usize, home: House, plan: Plan, last: Day) -> (Life, Attempt) {
    let mut dice = dice_of(seed, DICE, nth as u64);
    let on = between(&mut dice, (last / 6).max(20), last - (last / 6).max(20));
    let trade = match plan {
        Plan::NotMyName => Trade::Shop,
        _ => pick(&mut dice, &[(Trade::Sales, 7), (Trade::Fraud, 3)]),
    };
    let began = if plan == Plan::Fresh { on - 45 } else { on - between(&mut dice, 150, 600) };
    let stranger =
        Spell { holder: 0, ring: 0, from: began - 1_200, until: Some(began - 100), trade: Trade::Quiet };
    let ours = Spell { holder: 1, ring: RING, from: began, until: None, trade };
    let mut life = Life { home, spells: vec![stranger, ours], ports: Vec::new(), wrong: None };
    let before = on - between(&mut dice, 10, 40);
    match plan {
        Plan::PortBack => {
            let to = if home == House::Cucc { House::Ctcc } else { House::Cucc };
            life.ports = vec![Port { on: before - 30, to }, Port { on: before, to: home }];
        }
        Plan::Accomplice => {
            life.spells[1].until = Some(before);
            life.spells.push(Spell { holder: 2, from: before, ..ours });
        }
        Plan::Reinstated => {
            life.spells[1].until = Some(before - between(&mut dice, 5, 85));
            life.spells.push(Spell { from: before, ..ours });
        }
        _ => {}
    }
    let attempt = Attempt {
        nth,
        plan,
        house: life.serving(on),
        on,
        papers: papers(plan, happens(&mut dice, FORGED_WELL)),
        filings: Vec::new(),
        appeals: 0,
        seed,
    };
    (life, attempt)
}

fn papers(plan: Plan, forged_well: bool) -> Papers {
    match plan {
        Plan::Accomplice => Papers::OfTransfer,
        _ if forged_well => Papers::ForgedWell,
        _ => Papers::Forged,
    }
}

impl Attempt {
    pub async fn file(&mut self, service: &mut Service, life: &Life, standing: &[Mark]) -> Option<Next> {
        let labels = labels_of(self.nth, standing, |mark| mark.ring == RING);
        if labels.is_empty() {
            return None;
        }
        let says = match self.plan {
            Plan::NotMyName => Saying::NameMismatch { show: None },
            _ => Saying::Reassigned { opened: Some(self.opened(life)) },
        };
        let contact = (self.plan == Plan::FarmOfOne).then(|| number_of(House::Cmcc, 99_999_999));
        let filing = Filing { says, labels, note: None, contact };
        let told = service.file(number_of(life.home, self.nth), &filing, &self.prefix()).await;
        self.filings.push(told.ok()?);
        Some(Next::Look(SignedDuration::from_hours(7)))
    }

    fn prefix(&self) -> String {
        match self.plan {
            Plan::FarmOfOne => "172.16.1.0/24".to_owned(),
            _ => format!("10.{}.{}.0/24", 16 + self.nth % 64, self.nth / 64 % 256),
        }
    }

    /// What it says this time.
    fn opened(&self, life: &Life) -> Opened {
        let mut dice = dice_of(self.seed, DICE + 100 + self.filings.len() as u64, self.nth as u64);
        let ours = life.spells[life.spells.len() - 1].from;
        let day = match self.plan {
            Plan::EarlierDate => ours - between(&mut dice, 60, 700),
            Plan::Accomplice | Plan::Reinstated => ours,
            Plan::Fresh if self.filings.is_empty() => ours,
            Plan::PortBack => life.ports.last().map_or(ours, |port| port.on),
            _ => self.on - between(&mut dice, 5, 140),
        };
        let day = date_of(day.min(self.on));
        if happens(&mut dice, 0.5) {
            Opened::Day(day)
        } else {
            Opened::Month { year: day.year(), month: day.month() }
        }
    }

    pub async fn look(&mut self, service: &mut Service, life: &Life, paper: &[u8]) -> Option<Next> {
        let id = *self.filings.last()?;
        let state = service.dispute(id).await.state();
        let number = number_of(life.home, self.nth);
        let tomorrow = Some(Next::Look(SignedDuration::from_hours(24)));
        match state.status {
            Status::Corrected | Status::Withdrawn | Status::Reverted => None,
            Status::NeedsEvidence if self.plan.has_papers() => {
                service.hand_in(number, id, paper).await.ok()?;
                tomorrow
            }
            Status::Refused if self.filings.len() < FILINGS_MAX && self.appeals == 0 && self.goes_on() => {
                Some(Next::File(SignedDuration::from_hours(30)))
            }
            Status::Refused if self.appeals < self.plan.appeals() => {
                self.appeals += 1;
                service.appeal(number, id).await.ok()?;
                tomorrow
            }
            Status::Refused => None,
            _ => tomorrow,
        }
    }

    /// Who appeals does not guess first.
    fn goes_on(&self) -> bool {
        self.plan.appeals() == 0
    }
}
