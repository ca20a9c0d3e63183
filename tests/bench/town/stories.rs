//! The stories behind the figures that should be zero, for whoever wants to
//! know why they are not.

use zhengming::domain::dispute::{Dispute, What};

use crate::holders::Ended;
use crate::town::{Town, Who};

pub async fn tell(town: &Town) {
    for (nth, by) in &town.auditor.wrongly_voided {
        eprintln!("wrongly voided by {by}: {nth}");
        of_number(town, *nth).await;
    }
    for attempt in town.attempts.iter().filter(|attempt| town.auditor.laundered.contains(&attempt.nth)) {
        eprintln!("laundered, {}: {} at {:?}", attempt.plan.text(), attempt.nth, attempt.house);
        of_number(town, attempt.nth).await;
    }
    for claim in &town.claims {
        let is_refused = matches!(claim.ended, Some(Ended::Refused(_) | Ended::TurnedAway(_)));
        if is_refused && !claim.contract_is_older && claim.house.answers() {
            eprintln!("refused in the end: {claim:?}");
            of_number(town, claim.nth).await;
        }
    }
}

async fn of_number(town: &Town, nth: usize) {
    eprintln!("  {:?}", town.lives[nth]);
    for mark in town.marks.get(&nth).into_iter().flatten() {
        eprintln!("  {mark:?}");
    }
    for (id, who) in &town.disputes {
        let is_theirs = match who {
            Who::Claim(at) => town.claims[*at].nth == nth,
            Who::Attempt(at) => town.attempts[*at].nth == nth,
        };
        if is_theirs {
            of_dispute(&town.service.dispute(*id).await);
        }
    }
}

fn of_dispute(dispute: &Dispute) {
    eprintln!("  {} filed {}: {:?}", dispute.id, dispute.filed_at, dispute.claim);
    for event in &dispute.events {
        match &event.what {
            What::Answered(evidence) => eprintln!("    {:?} {:?}", evidence.question, evidence.answer),
            what => eprintln!("    {} {what:?}", event.at),
        }
    }
}
