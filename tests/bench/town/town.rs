//! The town and its year: who does what when, one thing after the other.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use zhengming::casework::AskedOperator;
use zhengming::casework::actors::Owner;
use zhengming::casework::batches::Fate;
use zhengming::domain::id::DisputeId;
use zhengming::env::clock::MockClock;

use crate::chance::dice_of;
use crate::holders::{self, Claim, Next};
use crate::launderers::{self, Attempt, Plan};
use crate::life::{Day, FIRST_DAY, House, Life, date_of, day_of, zone};
use crate::marks::{self, Marks};
use crate::moderators::{Moderators, PEOPLE, Papers, Truth};
use crate::numbers::home_of;
use crate::operators::{self, Api, Pusher, Pushes};
use crate::providers::{Provider, TOLD_EVERY_DAYS};
use crate::service::{Service, refused};
use crate::tally::Auditor;

const PROVIDERS: u64 = 8;
const MODERATORS: u64 = 9;
/// A provider reads what came back by its own fault so often.
const MENDS_EVERY_DAYS: Day = 7;

const DAY_BEGINS_MIN: i64 = 2 * 60;
const WORK_BEGINS_MIN: i64 = 9 * 60;
const WORK_ENDS_HOUR: i8 = 18;
const LOOKS_IN_EVERY_MIN: i64 = 20;

#[derive(Debug, Clone, Copy)]
enum Happening {
    Day(Day),
    Poll(usize),
    Files(Who),
    Looks(Who),
    Turn(usize),
}

/// Whose a dispute is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Claim(usize),
    Attempt(usize),
}

/// How a town is from the beginning.
#[derive(Debug, Clone)]
pub struct Founding {
    pub seed: u64,
    pub numbers: usize,
    pub days: Day,
    /// Who try it with each plan.
    pub launderers: usize,
    pub approvals_per_second_look: u32,
    /// What people hand in who are asked for papers.
    pub paper: Vec<u8>,
}

pub struct Town {
    pub numbers: usize,
    pub days: Day,
    pub lives: Arc<Vec<Life>>,
    pub marks: Marks,
    pub claims: Vec<Claim>,
    pub attempts: Vec<Attempt>,
    pub providers: Vec<Provider>,
    pub moderators: Moderators,
    pub service: Service,
    pub auditor: Auditor,
    pub disputes: BTreeMap<DisputeId, Who>,
    pushes: Pushes,
    agenda: BTreeMap<(Timestamp, u64), Happening>,
    planned: u64,
    told_on: Vec<Vec<usize>>,
    paper: Vec<u8>,
}

impl Town {
    pub async fn found(plan: Founding) -> Self {
        let Founding { seed, numbers, days, launderers, approvals_per_second_look, paper } = plan;
        let last = days - 1;
        let mut lives: Vec<Life> =
            (0..numbers).map(|nth| Life::draw(seed, nth as u64, home_of(nth), last)).collect();
        let mut attempts = Vec::new();
        for plan in Plan::ALL {
            for _ in 0..launderers {
                let nth = lives.len();
                let (life, attempt) = launderers::draw(seed, nth, home_of(nth), plan, last);
                lives.push(life);
                attempts.push(attempt);
            }
        }
        let pushes = operators::pushes(&lives, seed);
        let marks = marks::draw(&lives, seed, last);
        let drawn = holders::draw(&lives[..numbers], &marks, seed, last);
        let lives = Arc::new(lives);
        let clock = MockClock::at(at_minute(0));
        let asked =
            [(House::Cmcc, false), (House::Cucc, true), (House::Ctcc, true)].map(|(house, follows_ports)| {
                let api = Arc::new(Api::new(house, follows_ports, &lives, &clock, seed, days));
                AskedOperator { id: house.id().parse().expect("an operator's name"), follows_ports, api }
            });
        let service = Service::open(&clock, seed, asked.into(), approvals_per_second_look).await;
        let mut told_on = vec![Vec::new(); TOLD_EVERY_DAYS as usize];
        marks.keys().for_each(|nth| told_on[nth % TOLD_EVERY_DAYS as usize].push(*nth));
        let provider = |nth: usize| Provider::new(nth, dice_of(seed, PROVIDERS, nth as u64));
        let mut town = Self {
            numbers,
            days,
            lives,
            marks,
            claims: Vec::new(),
            attempts,
            providers: (0..marks::PROVIDERS).map(provider).collect(),
            moderators: Moderators::new(dice_of(seed, MODERATORS, 0)),
            service,
            auditor: Auditor::default(),
            disputes: BTreeMap::new(),
            pushes,
            agenda: BTreeMap::new(),
            planned: 0,
            told_on,
            paper,
        };
        town.plan_all(drawn);
        town
    }

    fn plan_all(&mut self, claims: Vec<(i64, Claim)>) {
        self.plan(at_minute(DAY_BEGINS_MIN), Happening::Day(0));
        for nth in 0..self.providers.len() {
            self.plan(at_minute(1), Happening::Poll(nth));
        }
        for (minute, claim) in claims {
            self.plan(at_minute(minute), Happening::Files(Who::Claim(self.claims.len())));
            self.claims.push(claim);
        }
        for at in 0..self.attempts.len() {
            let attempt = &self.attempts[at];
            let minute = i64::from(attempt.on) * 1_440 + 600 + (attempt.nth % 600) as i64;
            self.plan(at_minute(minute), Happening::Files(Who::Attempt(at)));
        }
    }

    fn plan(&mut self, at: Timestamp, what: Happening) {
        self.planned += 1;
        self.agenda.insert((at, self.planned), what);
    }

    /// Until the year is over.
    pub async fn live(&mut self, mut every_day: impl FnMut(Day)) {
        let end = at_minute(i64::from(self.days) * 1_440);
        loop {
            let task_at = self.service.next_task_at().await;
            let Some(((at, _), _)) = self.agenda.first_key_value() else { return };
            let at = task_at.map_or(*at, |task_at| task_at.min(*at));
            if at >= end {
                return;
            }
            if at > self.service.now() {
                self.service.clock.set(at);
            }
            if task_at == Some(at) {
                self.service.work_off().await;
            } else if let Some((_, what)) = self.agenda.pop_first() {
                if let Happening::Day(day) = what {
                    every_day(day);
                }
                self.happen(what).await;
            }
            self.auditor.read(&self.service, &self.lives, &self.marks).await;
        }
    }

    async fn happen(&mut self, what: Happening) {
        match what {
            Happening::Day(day) => self.begin_day(day).await,
            Happening::Poll(nth) => {
                let provider = &mut self.providers[nth];
                provider.poll(&self.service).await;
                let next = self.service.now() + SignedDuration::from_mins(provider.habits.polls_every_min);
                self.plan(next, Happening::Poll(nth));
            }
            Happening::Files(who) => self.file(who).await,
            Happening::Looks(who) => self.look(who).await,
            Happening::Turn(nth) => self.turn(nth).await,
        }
    }

    async fn begin_day(&mut self, day: Day) {
        for pusher in [Pusher::Registry, Pusher::Cmcc, Pusher::Cucc] {
            let lines = self.pushes.remove(&(day, pusher)).unwrap_or_default();
            push(&self.service, pusher, &lines).await;
        }
        self.service.feed.publish().await.expect("the log's files are written");
        let all: Vec<usize>;
        let of_today: &[usize] = if day == 0 {
            all = self.marks.keys().copied().collect();
            &all
        } else {
            &self.told_on[(day % TOLD_EVERY_DAYS) as usize]
        };
        for provider in &mut self.providers {
            provider.maybe_reimport(&self.marks);
            provider.acknowledge(&self.service).await;
            if day % MENDS_EVERY_DAYS == 0 {
                provider.mend(&self.service).await;
            }
            provider.tell(&self.service, &self.lives, &self.marks, of_today).await;
        }
        while self.service.casework.purge().await.expect("memory does not fail") {}
        let midnight = i64::from(day) * 1_440;
        if self.service.casework.reference().working_days.is_working_day(date_of(day)) {
            self.sign_held().await;
            for nth in 0..PEOPLE.len() {
                self.plan(at_minute(midnight + WORK_BEGINS_MIN + nth as i64), Happening::Turn(nth));
            }
        }
        self.plan(at_minute(midnight + 1_440 + DAY_BEGINS_MIN), Happening::Day(day + 1));
    }

    /// Two people look at what an operator's limit held back, and release it.
    async fn sign_held(&self) {
        for nth in [0, 1] {
            let actor = self.service.moderator(nth, PEOPLE[nth]).await;
            let held =
                refused(self.service.casework.held_batches(&actor).await).expect("moderators may look");
            for batch in held {
                let _ = refused(self.service.casework.sign_batch(&actor, batch.id, Fate::Release).await);
            }
        }
        self.service.work_off().await;
    }

    async fn file(&mut self, who: Who) {
        let now = self.service.now();
        let nth = match who {
            Who::Claim(at) => self.claims[at].nth,
            Who::Attempt(at) => self.attempts[at].nth,
        };
        let life = &self.lives[nth];
        let standing: Vec<_> =
            self.providers.iter().flat_map(|provider| provider.standing(&self.marks, nth, now)).collect();
        let (next, filed) = match who {
            Who::Claim(at) => {
                let claim = &mut self.claims[at];
                if life.spell_on(day_of(now)).is_none_or(|spell| spell.holder != claim.holder) {
                    claim.ended.get_or_insert(holders::Ended::Left);
                    return;
                }
                let next = claim.file(&mut self.service, life, &standing).await;
                (next, claim.filings.last().copied())
            }
            Who::Attempt(at) => {
                let attempt = &mut self.attempts[at];
                let next = attempt.file(&mut self.service, life, &standing).await;
                (next, attempt.filings.last().copied())
            }
        };
        if let Some(id) = filed {
            self.disputes.insert(id, who);
        }
        self.go_on(who, next);
    }

    async fn look(&mut self, who: Who) {
        let next = match who {
            Who::Claim(at) => {
                let claim = &mut self.claims[at];
                claim.look(&mut self.service, &self.lives[claim.nth], &self.paper).await
            }
            Who::Attempt(at) => {
                let attempt = &mut self.attempts[at];
                attempt.look(&mut self.service, &self.lives[attempt.nth], &self.paper).await
            }
        };
        self.go_on(who, next);
    }

    fn go_on(&mut self, who: Who, next: Option<Next>) {
        let now = self.service.now();
        match next {
            Some(Next::Look(after)) => self.plan(now + after, Happening::Looks(who)),
            Some(Next::File(after)) => self.plan(now + after, Happening::Files(who)),
            None => {}
        }
    }

    async fn turn(&mut self, nth: usize) {
        let now = self.service.now();
        if zone().to_datetime(now).hour() >= WORK_ENDS_HOUR {
            return;
        }
        let (disputes, claims, attempts, lives) = (&self.disputes, &self.claims, &self.attempts, &self.lives);
        let truth_of = |id: DisputeId| match disputes.get(&id)? {
            Who::Claim(at) => Some(truth_of_claim(&claims[*at], lives)),
            Who::Attempt(at) => Some(truth_of_attempt(&attempts[*at])),
        };
        let took = self.moderators.turn(&self.service, nth, truth_of).await;
        let pause = SignedDuration::from_mins(took.unwrap_or(LOOKS_IN_EVERY_MIN));
        self.plan(now + pause, Happening::Turn(nth));
    }
}

fn truth_of_claim(claim: &Claim, lives: &[Life]) -> Truth {
    Truth {
        is_so: !claim.contract_is_older,
        papers: Papers::True,
        record_is_wrong: lives[claim.nth].wrong.is_some(),
        began: Some(date_of(claim.began)),
        is_paid_for: false,
    }
}

fn truth_of_attempt(attempt: &Attempt) -> Truth {
    Truth {
        is_so: false,
        papers: attempt.papers,
        record_is_wrong: false,
        began: None,
        is_paid_for: attempt.plan == Plan::Bribe,
    }
}

async fn push(service: &Service, pusher: Pusher, lines: &[zhengming::domain::lines::TenureSaid]) {
    let operator = pusher.id().parse().expect("an operator's name");
    let actor = service.casework.operator_for(Owner::at_the_command_line(), operator);
    let mut upload = service.casework.receive_tenures(&actor, None).await.expect("lines are taken");
    for (at, line) in lines.iter().enumerate() {
        upload.push(at as u64 + 1, Ok(*line)).await.expect("lines are taken");
    }
    upload.finish([0; 32]).await.expect("lines are taken");
    service.work_off().await;
}

/// Of the town's time.
pub fn at_minute(minute: i64) -> Timestamp {
    let midnight = zone().to_timestamp(FIRST_DAY.to_datetime(jiff::civil::Time::midnight()));
    midnight.expect("a day of this century") + SignedDuration::from_mins(minute)
}
