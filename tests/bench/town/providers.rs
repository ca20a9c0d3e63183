//! Providers: they show labels, tell us of them, pull the feed at their own
//! pace, and now and then bring back what they had taken away.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use zhengming::casework::actors::Owner;
use zhengming::domain::correction::{Entry, NameAction};
use zhengming::domain::id::ProviderId;
use zhengming::domain::label::{LabelKind, Source};
use zhengming::domain::lines::{LabelSaid, Shown};
use zhengming::domain::progress::Stage;
use zhengming::feed::Acknowledgement;
use zhengming::store::{LOG_ENTRIES_MAX, PAGE_RECORDS_MAX, Store};

use crate::chance::happens;
use crate::dice::Dice;
use crate::life::{Day, Life, date_of, day_of, number_of_day};
use crate::marks::{Applied, Mark, Marks};
use crate::numbers::{index_of, number_of};
use crate::operators::name_of;
use crate::service::Service;

/// Each number's labels are told of once in so many days.
pub const TOLD_EVERY_DAYS: Day = 14;
/// A dump of old data is imported so often in a year, and brings back so much.
const REIMPORTS_PER_YEAR: f64 = 1.5;
const BROUGHT_BACK: f64 = 0.02;

/// How one of them goes about it.
#[derive(Debug, Clone, Copy)]
pub struct Habits {
    pub id: &'static str,
    pub polls_every_min: i64,
    /// From a poll to what people see.
    pub serves_after_min: i64,
    /// Refuses to take away a label whose days it does not know.
    pub keeps_undated: bool,
}

pub const HABITS: [Habits; 5] = [
    Habits { id: "tencent", polls_every_min: 5, serves_after_min: 30, keeps_undated: false },
    Habits { id: "baidu", polls_every_min: 30, serves_after_min: 6 * 60, keeps_undated: false },
    Habits { id: "qihoo360", polls_every_min: 240, serves_after_min: 24 * 60, keeps_undated: true },
    Habits { id: "dianhuabang", polls_every_min: 60, serves_after_min: 3 * 24 * 60, keeps_undated: false },
    Habits {
        id: "teddymobile",
        polls_every_min: 24 * 60,
        serves_after_min: 5 * 24 * 60,
        keeps_undated: false,
    },
];

#[derive(Debug)]
pub struct Provider {
    pub nth: usize,
    pub habits: Habits,
    cursor: u64,
    /// Of each number what was pulled, and from when it is served.
    applied: BTreeMap<usize, Vec<(Timestamp, Applied)>>,
    polls: Vec<(Timestamp, u64)>,
    told: BTreeSet<(usize, bool)>,
    /// Minutes from an entry to its serving.
    pub served_after_min: Vec<i64>,
    pub brought_back: u64,
    pub mended: u64,
    /// What was brought back, and is not known to be wrong yet.
    forgotten: BTreeMap<usize, Vec<(Timestamp, Applied)>>,
    dice: Dice,
}

impl Provider {
    pub fn new(nth: usize, dice: Dice) -> Self {
        Self {
            nth,
            habits: HABITS[nth],
            cursor: 0,
            applied: BTreeMap::new(),
            polls: Vec::new(),
            told: BTreeSet::new(),
            served_after_min: Vec::new(),
            brought_back: 0,
            mended: 0,
            forgotten: BTreeMap::new(),
            dice,
        }
    }

    fn id(&self) -> ProviderId {
        self.habits.id.parse().expect("a provider's name")
    }

    /// What it serves of a number's correction.
    fn serves(&self, nth: usize, now: Timestamp) -> Option<Applied> {
        let pulled = self.applied.get(&nth)?;
        pulled.iter().rfind(|(from, _)| *from <= now).map(|(_, applied)| *applied)
    }

    /// The marks behind what it shows for a number.
    pub fn standing(&self, marks: &Marks, nth: usize, now: Timestamp) -> Vec<Mark> {
        let (serves, today) = (self.serves(nth, now), day_of(now));
        let of_number = marks.get(&nth).into_iter().flatten();
        let mine = of_number.filter(|mark| usize::from(mark.provider) == self.nth);
        mine.filter_map(|mark| mark.standing(serves, today, self.habits.keeps_undated)).collect()
    }

    /// Takes what is new in the log.
    pub async fn poll(&mut self, service: &Service) {
        let size = *service.store.log_size().borrow();
        let now = service.now();
        let from = now + SignedDuration::from_mins(self.habits.serves_after_min);
        while self.cursor < size {
            let leaves = service.store.log(self.cursor, LOG_ENTRIES_MAX).await.expect("memory is read");
            for leaf in &leaves {
                let entry: Entry = serde_json::from_slice(leaf).expect("the log's own words");
                let applied = Applied {
                    void_before: entry.void_before.map(number_of_day),
                    clears_name: entry.name_action != NameAction::Keep,
                    on: day_of(entry.at),
                };
                self.applied.entry(index_of(entry.number)).or_default().push((from, applied));
                self.served_after_min.push(from.duration_since(entry.at).as_mins());
            }
            self.cursor += leaves.len() as u64;
        }
        if self.polls.last().is_none_or(|(_, seen)| *seen < self.cursor) {
            self.polls.push((from, self.cursor));
        }
    }

    /// Says how far it serves.
    pub async fn acknowledge(&mut self, service: &Service) {
        let now = service.now();
        let Some(size) = self.polls.iter().rfind(|(from, _)| *from <= now).map(|(_, size)| *size) else {
            return;
        };
        self.polls.retain(|(from, of)| *from > now || *of == size);
        let root = service.feed.root_at(size).expect("the log's files are read").expect("published");
        let ack = Acknowledgement { size, root, stage: Stage::Serving, refused: Vec::new(), software: None };
        service.feed.ack(&self.id(), &ack, now).await.expect("what it says is so");
    }

    /// Now and then an old dump is imported, and what was taken away is back.
    pub fn maybe_reimport(&mut self, marks: &Marks) {
        if !happens(&mut self.dice, REIMPORTS_PER_YEAR / 365.0) {
            return;
        }
        let known: Vec<usize> = self.applied.keys().copied().filter(|nth| marks.contains_key(nth)).collect();
        for nth in known {
            if happens(&mut self.dice, BROUGHT_BACK) {
                let forgotten = self.applied.remove(&nth).unwrap_or_default();
                self.forgotten.insert(nth, forgotten);
                self.brought_back += 1;
            }
        }
    }

    /// Reads what came back by its own fault, and takes it away again.
    pub async fn mend(&mut self, service: &Service) {
        let actor = service.casework.provider_for(Owner::at_the_command_line(), self.id());
        let from = service.now() + SignedDuration::from_mins(self.habits.serves_after_min);
        let mut after = None;
        loop {
            let page = service.casework.regressed_at(&actor, after, PAGE_RECORDS_MAX).await;
            let (labels, next) = page.expect("memory is read");
            for label in labels {
                let nth = index_of(label.number);
                let Some((_, applied)) = self.forgotten.remove(&nth).and_then(|mut known| known.pop()) else {
                    continue;
                };
                self.applied.entry(nth).or_default().push((from, applied));
                self.mended += 1;
            }
            after = next;
            if after.is_none() {
                return;
            }
        }
    }

    /// Tells us what it shows now of these numbers.
    pub async fn tell(&mut self, service: &Service, lives: &[Life], marks: &Marks, numbers: &[usize]) {
        let now = service.now();
        let mut lines = Vec::new();
        for &nth in numbers {
            let standing = self.standing(marks, nth, now);
            for is_name in [false, true] {
                let of_kind: Vec<&Mark> =
                    standing.iter().filter(|mark| mark.category.is_none() == is_name).collect();
                let kind = if is_name { LabelKind::Name } else { LabelKind::Category };
                let number = number_of(lives[nth].home, nth);
                if let Some(shown) = shown(nth, &of_kind) {
                    self.told.insert((nth, is_name));
                    lines.push(LabelSaid { number, kind, shown: Some(shown) });
                } else if self.told.remove(&(nth, is_name)) {
                    lines.push(LabelSaid { number, kind, shown: None });
                }
            }
        }
        if lines.is_empty() {
            return;
        }
        let actor = service.casework.provider_for(Owner::at_the_command_line(), self.id());
        let mut upload = service.casework.receive_labels(&actor).await.expect("labels are taken");
        for (at, line) in lines.into_iter().enumerate() {
            upload.push(at as u64 + 1, Ok(line)).await.expect("lines are taken");
        }
        upload.finish().await.expect("labels are taken");
    }
}

/// Marks of one kind as a label.
fn shown(nth: usize, marks: &[&Mark]) -> Option<Shown> {
    let most = marks.iter().max_by_key(|mark| mark.count())?;
    let dated = || marks.iter().filter(|mark| mark.is_dated);
    let source =
        if marks.iter().any(|mark| mark.source == Source::Crowd) { Source::Crowd } else { most.source };
    Some(Shown {
        category: most.category,
        code: None,
        name: most.category.is_none().then(|| name_of(nth, most.holder)),
        text: None,
        source,
        count: most.category.map(|_| marks.iter().map(|mark| mark.count()).sum()),
        first_marked_on: dated().map(|mark| mark.first).min().map(date_of),
        last_marked_on: dated().map(|mark| mark.last).max().map(date_of),
    })
}
