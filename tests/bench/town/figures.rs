//! The figures: what the year came to, counted once it is over.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;
use zhengming::domain::correction::EntryReason;
use zhengming::domain::dispute::{Actor, Dispute, Flag, What};
use zhengming::domain::evidence::Answer;

use crate::holders::{Claim, Ended};
use crate::launderers::Plan;
use crate::life::{Day, day_of};
use crate::marks::{Applied, Mark};
use crate::providers::HABITS;
use crate::tally::within;
use crate::town::{Town, Who};

/// The publisher signs at most once in this time: a decision is published no
/// later.
pub const PUBLISHED_AFTER_S: i64 = 1;
/// At once, to a person who waits.
pub const AT_ONCE_S: i64 = 60;

#[derive(Debug, Default, Serialize)]
pub struct Figures {
    pub seed: u64,
    pub numbers: usize,
    pub days: Day,
    pub disputes: u64,
    pub honest_disputes: u64,
    pub corrections: u64,
    pub entries: BTreeMap<&'static str, u64>,
    /// Of honest disputes whose operator answered when it was first asked.
    pub decided_by_rule_share: f64,
    /// The same of all whose operator has an API, the late and the silent with it.
    pub decided_by_rule_of_all_share: f64,
    pub to_published_s_median: i64,
    pub to_published_s_p95: i64,
    pub to_published_s_p99: i64,
    /// Of honest disputes that people decided: half, 95 and 99 of a hundred, in hours.
    pub by_people_after_h: [i64; 3],
    pub wrongly_voided: u64,
    pub wrongly_voided_per_10k: f64,
    pub wrongly_voided_right_records: u64,
    pub wrongly_voided_by: BTreeMap<&'static str, u64>,
    pub wrongly_refused_share: f64,
    pub honest_ended: BTreeMap<String, u64>,
    pub honest_ended_unanswered: BTreeMap<String, u64>,
    /// By the book these are no change of hands.
    pub older_contract_ended: BTreeMap<String, u64>,
    pub laundering_success_share: f64,
    pub laundering: BTreeMap<&'static str, Laundering>,
    pub laundering_unanswered: BTreeMap<&'static str, Laundering>,
    pub released_labels: u64,
    pub released_corrected_share: f64,
    pub stale_labels: u64,
    pub gone_without_asking_share: f64,
    pub cases_per_100: f64,
    pub honest_cases_per_100: f64,
    pub cases_by_flag: BTreeMap<String, Case>,
    pub moderator_minutes_per_1000: f64,
    pub moderators_decided: BTreeMap<&'static str, u64>,
    pub bribes_stood: u64,
    pub bribes_undone: u64,
    pub bribe_shown_after_days: Option<Day>,
    pub served_after_min: BTreeMap<&'static str, [i64; 3]>,
    pub labels_brought_back: u64,
    pub labels_mended: u64,
    pub messages: u64,
    #[serde(skip)]
    pub serving: BTreeMap<&'static str, Vec<i64>>,
}

#[derive(Debug, Default, Clone, Copy, Serialize)]
pub struct Laundering {
    pub attempts: u64,
    pub successes: u64,
    pub share: f64,
    /// `None`: it never paid.
    pub yuan_per_success: Option<u64>,
}

/// What one reason for review brought in, and what came of it.
#[derive(Debug, Default, Clone, Copy, Serialize)]
pub struct Case {
    pub honest: u64,
    pub laundering: u64,
    pub honest_corrected: u64,
    pub laundering_corrected: u64,
}

impl Figures {
    pub async fn of(town: &mut Town, seed: u64) -> Self {
        let (numbers, days) = (town.numbers, town.days);
        let mut figures = Self { seed, numbers, days, ..Self::default() };
        figures.corrections = town.auditor.size();
        figures.entries = town.auditor.entries.clone();
        figures.messages = town.service.messages();
        let mut disputes = BTreeMap::new();
        for id in town.disputes.keys() {
            disputes.insert(*id, town.service.dispute(*id).await);
        }
        figures.count_disputes(town, &disputes);
        figures.count_claims(town, &disputes);
        figures.count_voided(town);
        figures.count_laundering(town);
        figures.count_released(town);
        figures.count_moderation(town);
        for provider in &mut town.providers {
            let id = HABITS[provider.nth].id;
            let shares = [0.5, 0.95, 0.99].map(|share| within(&mut provider.served_after_min, share));
            figures.served_after_min.insert(id, shares);
            figures.labels_brought_back += provider.brought_back;
            figures.labels_mended += provider.mended;
            figures.serving.insert(id, provider.served_after_min.clone());
        }
        figures
    }

    fn count_disputes(
        &mut self,
        town: &Town,
        disputes: &BTreeMap<zhengming::domain::id::DisputeId, Dispute>,
    ) {
        let (mut answered, mut by_rule, mut all, mut all_by_rule) = (0u64, 0u64, 0u64, 0u64);
        let (mut cases, mut honest_cases, mut of_answering, mut honest_answering) = (0u64, 0u64, 0u64, 0u64);
        let (mut seconds, mut hours) = (Vec::new(), Vec::new());
        for (id, who) in &town.disputes {
            let told = Told::of(&disputes[id]);
            let (is_honest, answers) = match who {
                Who::Claim(at) => (true, town.claims[*at].house.answers()),
                Who::Attempt(at) => (false, town.attempts[*at].house.answers()),
            };
            self.disputes += 1;
            self.honest_disputes += u64::from(is_honest);
            hours.extend(told.by_people_after_h.filter(|_| is_honest));
            if !answers {
                continue;
            }
            self.count_flags(&told, is_honest);
            of_answering += 1;
            cases += u64::from(told.was_case);
            if !is_honest {
                continue;
            }
            honest_answering += 1;
            honest_cases += u64::from(told.was_case);
            all += 1;
            all_by_rule += u64::from(told.is_by_rule_at_once());
            if told.was_answered {
                answered += 1;
                by_rule += u64::from(told.is_by_rule_at_once());
                seconds.extend(told.published_after_s);
            }
        }
        self.decided_by_rule_share = share(by_rule, answered);
        self.decided_by_rule_of_all_share = share(all_by_rule, all);
        self.to_published_s_median = within(&mut seconds, 0.5);
        self.to_published_s_p95 = within(&mut seconds, 0.95);
        self.to_published_s_p99 = within(&mut seconds, 0.99);
        self.by_people_after_h = [0.5, 0.95, 0.99].map(|share| within(&mut hours, share));
        self.cases_per_100 = 100.0 * share(cases, of_answering);
        self.honest_cases_per_100 = 100.0 * share(honest_cases, honest_answering);
    }

    fn count_flags(&mut self, told: &Told, is_honest: bool) {
        for flag in &told.flags {
            let case = self.cases_by_flag.entry(flag.clone()).or_default();
            let corrected = u64::from(told.is_corrected);
            if is_honest {
                case.honest += 1;
                case.honest_corrected += corrected;
            } else {
                case.laundering += 1;
                case.laundering_corrected += corrected;
            }
        }
    }

    fn count_claims(&mut self, town: &Town, disputes: &BTreeMap<zhengming::domain::id::DisputeId, Dispute>) {
        let (mut asked, mut refused) = (0u64, 0u64);
        for claim in town.claims.iter().filter(|claim| claim.asked_at.is_some()) {
            let ended = match &claim.ended {
                None => "under way".to_owned(),
                Some(Ended::Refused(code)) => format!("refused: {code}"),
                Some(Ended::TurnedAway(code)) => format!("turned away: {code}"),
                Some(Ended::Corrected) => "corrected".to_owned(),
                Some(Ended::GoneBefore) => "gone before".to_owned(),
                Some(Ended::Left) => "left".to_owned(),
            };
            let answered = claim.house.answers() && was_answered(claim, disputes);
            let among = match (claim.contract_is_older, answered) {
                (true, _) => &mut self.older_contract_ended,
                (false, true) => &mut self.honest_ended,
                (false, false) => &mut self.honest_ended_unanswered,
            };
            *among.entry(ended).or_default() += 1;
            if answered && !claim.contract_is_older {
                asked += 1;
                let is_refused = matches!(claim.ended, Some(Ended::Refused(_) | Ended::TurnedAway(_)));
                refused += u64::from(is_refused);
            }
        }
        self.wrongly_refused_share = share(refused, asked);
    }

    fn count_voided(&mut self, town: &Town) {
        for (nth, by) in &town.auditor.wrongly_voided {
            self.wrongly_voided += 1;
            *self.wrongly_voided_by.entry(*by).or_default() += 1;
            let is_right = town.lives[*nth].wrong.is_none();
            self.wrongly_voided_right_records += u64::from(is_right && town.lives[*nth].home.answers());
        }
        self.wrongly_voided_per_10k = 10_000.0 * share(self.wrongly_voided, self.corrections);
    }

    fn count_laundering(&mut self, town: &Town) {
        for attempt in town.attempts.iter().filter(|attempt| !attempt.filings.is_empty()) {
            let answered = attempt.house.answers();
            let among = if answered { &mut self.laundering } else { &mut self.laundering_unanswered };
            let of_plan = among.entry(attempt.plan.text()).or_default();
            of_plan.attempts += 1;
            of_plan.successes += u64::from(town.auditor.laundered.contains(&attempt.nth));
        }
        for plan in Plan::ALL {
            for among in [&mut self.laundering, &mut self.laundering_unanswered] {
                let Some(of_plan) = among.get_mut(plan.text()) else { continue };
                of_plan.share = share(of_plan.successes, of_plan.attempts);
                let spent = of_plan.attempts * plan.cost_yuan();
                of_plan.yuan_per_success = spent.checked_div(of_plan.successes);
            }
        }
        let shares = self.laundering.values().map(|of_plan| of_plan.share);
        self.laundering_success_share = shares.fold(0.0, f64::max);
    }

    /// Labels of former holders that were shown when numbers were released
    /// this year: how many are void without a dispute.
    fn count_released(&mut self, town: &Town) {
        let (mut released, mut corrected, mut gone) = (0u64, 0u64, 0u64);
        for (nth, life) in town.lives[..town.numbers].iter().enumerate() {
            for spell in life.spells.iter().filter(|spell| (0..town.days - 45).contains(&spell.from)) {
                if !life.rested_before(spell.holder) || life.began(spell.holder) != Some(spell.from) {
                    continue;
                }
                let stale = town.marks.get(&nth).into_iter().flatten();
                let stale: Vec<&Mark> =
                    stale.filter(|mark| mark.holder < spell.holder && mark.first <= spell.from).collect();
                for mark in stale {
                    let by_itself = is_void_without_asking(town, nth, mark);
                    self.stale_labels += 1;
                    gone += u64::from(by_itself);
                    if life.serving(spell.from).pushes() {
                        released += 1;
                        corrected += u64::from(by_itself);
                    }
                }
            }
        }
        self.released_labels = released;
        self.released_corrected_share = share(corrected, released);
        self.gone_without_asking_share = share(gone, self.stale_labels);
    }

    fn count_moderation(&mut self, town: &Town) {
        let moderators = &town.moderators;
        self.moderator_minutes_per_1000 = 1_000.0 * moderators.minutes as f64 / self.disputes.max(1) as f64;
        self.moderators_decided = moderators.decided.clone();
        self.bribes_stood = moderators.bribes_stood;
        self.bribes_undone = moderators.bribes_undone;
        self.bribe_shown_after_days = moderators.first_undone_at.map(day_of);
    }
}

/// Whether an operator's lines voided it before any dispute did.
fn is_void_without_asking(town: &Town, nth: usize, mark: &Mark) -> bool {
    let said = town.auditor.void_before.get(&nth).into_iter().flatten();
    let covering = said.clone().find(|(day, _)| {
        let applied = Applied { void_before: Some(*day), clears_name: false, on: town.days };
        mark.standing(Some(applied), town.days, false).is_none()
    });
    covering.is_some_and(|(_, reason)| *reason == EntryReason::Released)
}

fn was_answered(claim: &Claim, disputes: &BTreeMap<zhengming::domain::id::DisputeId, Dispute>) -> bool {
    claim.filings.first().is_some_and(|id| Told::of(&disputes[id]).was_answered)
}

/// A dispute's story in short.
struct Told {
    /// The operator knew what it was asked, the first time.
    was_answered: bool,
    was_case: bool,
    is_corrected: bool,
    flags: Vec<String>,
    /// By a rule and without anybody's help, so many seconds after the filing.
    by_rule_after_s: Option<i64>,
    published_after_s: Option<i64>,
    by_people_after_h: Option<i64>,
}

impl Told {
    fn of(dispute: &Dispute) -> Self {
        let (mut answers, mut unknown) = (0, false);
        for event in &dispute.events {
            match &event.what {
                What::Answered(evidence) => {
                    answers += 1;
                    unknown |= evidence.answer == Answer::Unknown;
                }
                What::Filed | What::Flagged { .. } => {}
                // A "no" in the days of the lag is read as unknown.
                What::AskingAgain { .. } => {
                    unknown = true;
                    break;
                }
                _ => break,
            }
        }
        let mut flags = BTreeSet::new();
        for event in &dispute.events {
            match &event.what {
                What::SentToReview { flags: why } => flags.extend(why.iter().map(flag_text)),
                What::Appealed { .. } => {
                    flags.insert("appeal".to_owned());
                }
                _ => {}
            }
        }
        let was_case = dispute.events.iter().any(|event| matches!(event.what, What::SentToReview { .. }));
        let decided = dispute.events.iter().find(|event| {
            event.actor == Actor::Rule && matches!(event.what, What::Approved { .. } | What::Refused(_))
        });
        let by_people = dispute.events.iter().find(|event| {
            event.moderator().is_some() && matches!(event.what, What::Approved { .. } | What::Refused(_))
        });
        let after = |at: Timestamp| at.duration_since(dispute.filed_at).as_secs() + PUBLISHED_AFTER_S;
        let by_rule = decided.filter(|_| !was_case);
        let is_corrected = dispute.state().approved.is_some();
        let published = by_rule.filter(|event| matches!(event.what, What::Approved { .. }));
        Self {
            was_answered: answers > 0 && !unknown,
            was_case,
            is_corrected,
            flags: flags.into_iter().collect(),
            by_rule_after_s: by_rule.map(|event| after(event.at)),
            published_after_s: published.map(|event| after(event.at)),
            by_people_after_h: by_people.map(|event| after(event.at) / 3_600),
        }
    }

    fn is_by_rule_at_once(&self) -> bool {
        self.by_rule_after_s.is_some_and(|seconds| seconds <= AT_ONCE_S)
    }
}

fn flag_text(flag: &Flag) -> String {
    let text = serde_json::to_value(flag).expect("a flag is a word");
    text.as_str().unwrap_or_default().to_owned()
}

fn share(part: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { part as f64 / of as f64 }
}
