//! The figures as a table, each beside what it is to be.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::figures::{Figures, Laundering};

pub fn text(figures: &Figures) -> String {
    let mut text = format!(
        "A town of {} numbers, {} days, seed {}: {} disputes ({} honest), {} corrections.\n\n",
        figures.numbers,
        figures.days,
        figures.seed,
        figures.disputes,
        figures.honest_disputes,
        figures.corrections
    );
    bars(&mut text, figures);
    let _ = writeln!(text, "\nHow it ended for honest people whose operator answered:");
    counts(&mut text, &figures.honest_ended);
    let _ = writeln!(text, "… whose operator did not know, or does not answer:");
    counts(&mut text, &figures.honest_ended_unanswered);
    let _ = writeln!(text, "… whose contract began before they had the telephone:");
    counts(&mut text, &figures.older_contract_ended);
    let _ = writeln!(text, "\nLaundering, where the operator answers:");
    laundering(&mut text, &figures.laundering);
    let _ = writeln!(text, "… where it does not:");
    laundering(&mut text, &figures.laundering_unanswered);
    let _ = writeln!(
        text,
        "\nCases by flag, where the operator answers: honest (corrected), laundering (corrected):"
    );
    for (flag, case) in &figures.cases_by_flag {
        let _ = writeln!(
            text,
            "  {flag:<24} {:>7} ({:>6}) {:>7} ({:>6})",
            case.honest, case.honest_corrected, case.laundering, case.laundering_corrected
        );
    }
    let _ =
        writeln!(text, "Moderators: {:.0} minutes for 1,000 disputes", figures.moderator_minutes_per_1000);
    counts(&mut text, &figures.moderators_decided);
    let [half, most, nearly] = figures.by_people_after_h;
    let _ = writeln!(
        text,
        "Honest disputes that people decided: 50 % within {half} h, 95 % {most} h, 99 % {nearly} h"
    );
    let _ = writeln!(
        text,
        "A bribed moderator: {} approvals stood, {} undone by a second person, first on day {:?}",
        figures.bribes_stood, figures.bribes_undone, figures.bribe_shown_after_days
    );
    let _ = writeln!(text, "\nMinutes from an entry to its serving: 50 %, 95 %, 99 %");
    for (provider, [half, most, nearly]) in &figures.served_after_min {
        let _ = writeln!(text, "  {provider:<24} {half:>7} {most:>7} {nearly:>7}");
    }
    let _ = writeln!(
        text,
        "Labels that old data brought back: {}, and taken away again: {}",
        figures.labels_brought_back, figures.labels_mended
    );
    let _ = writeln!(text, "Entries by reason:");
    counts(&mut text, &figures.entries);
    let _ = writeln!(text, "Wrongly voided by reason:");
    counts(&mut text, &figures.wrongly_voided_by);
    let _ = writeln!(text, "Messages sent: {}", figures.messages);
    text
}

fn bars(text: &mut String, figures: &Figures) {
    let mut row = |what: &str, value: f64, least: Option<f64>, most: Option<f64>| {
        let (bar, held) = match (least, most) {
            (Some(least), _) => (format!("at least {least}"), value >= least),
            (_, Some(most)) => (format!("at most {most}"), value <= most),
            _ => (String::new(), true),
        };
        let verdict = match (bar.is_empty(), held) {
            (true, _) => "",
            (false, true) => "held",
            (false, false) => "MISSED",
        };
        let _ = writeln!(text, "{what:<62} {value:>10.4}  {bar:<16} {verdict}");
    };
    row(
        "decided by rule within a minute, operator answered",
        figures.decided_by_rule_share,
        Some(0.95),
        None,
    );
    row("  of all whose operator has an API", figures.decided_by_rule_of_all_share, None, None);
    row("published after, s, median", figures.to_published_s_median as f64, None, None);
    row("published after, s, 95 %", figures.to_published_s_p95 as f64, None, None);
    row("published after, s, 99 %", figures.to_published_s_p99 as f64, None, Some(60.0));
    row("wrongly voided, of 10,000 corrections", figures.wrongly_voided_per_10k, None, Some(1.0));
    row(
        "  where the operator's records were right",
        figures.wrongly_voided_right_records as f64,
        None,
        Some(0.0),
    );
    row("honest claims wrongly refused, after appeal", figures.wrongly_refused_share, None, Some(0.005));
    row("laundering that succeeds, worst plan", figures.laundering_success_share, None, Some(0.001));
    row(
        "released numbers' labels corrected unasked, operator pushes",
        figures.released_corrected_share,
        Some(0.9),
        None,
    );
    row("  of all released numbers", figures.gone_without_asking_share, None, None);
    row("cases of 100 disputes, operator answers", figures.cases_per_100, None, Some(3.0));
    row("  of 100 honest ones", figures.honest_cases_per_100, None, None);
}

fn counts<K: std::fmt::Display>(text: &mut String, counts: &BTreeMap<K, u64>) {
    for (what, count) in counts {
        let _ = writeln!(text, "  {what:<40} {count:>8}");
    }
}

fn laundering(text: &mut String, plans: &BTreeMap<&'static str, Laundering>) {
    for (plan, of) in plans {
        let price = of.yuan_per_success.map_or("never".to_owned(), |yuan| format!("{yuan} yuan"));
        let _ = writeln!(
            text,
            "  {plan:<32} {:>6} attempts {:>6} succeed {:>9.4}  {price} each",
            of.attempts, of.successes, of.share
        );
    }
}
