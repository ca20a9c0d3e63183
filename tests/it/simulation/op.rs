//! What may happen in a town, as plain data: a list of these is a story that
//! can be told again.

use zhengming::casework::batches::Fate;
use zhengming::casework::moderation::Verdict;

use super::disk::How;
use super::life::Chapter;
use crate::support::dice::Dice;

/// How a town is from the beginning.
#[derive(Debug, Clone)]
pub struct Scene {
    /// Each number's life.
    pub lives: Vec<Vec<Chapter>>,
    /// Moderators approve what is true, and only that.
    pub truthful: bool,
    pub follows_ports: bool,
    /// 0: no limit.
    pub releases_per_operator_per_day: u64,
    pub publish_all_releases: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Prompt,
    /// Answers out of records that are so many days old.
    Lagging(i32),
    Clueless,
    Down,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// Months off the true one.
    Month(i16),
    /// Days off the true one.
    Day(i32),
    /// Whatever the operator told.
    Nothing,
    /// The names that are shown, or those of a holder, are not mine.
    NotMine,
    ShowMine,
    /// Show the name of the holder before.
    ShowAnothers,
}

/// Numbers, people and cases are picked modulo how many there are; `nth`
/// counts back from the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    Pass {
        minutes: i64,
    },
    Prove {
        number: usize,
    },
    File {
        nth_token: usize,
        says: Says,
    },
    Withdraw {
        nth: usize,
    },
    Appeal {
        nth: usize,
    },
    /// Looks up one's disputes, for fresh tokens.
    Mine {
        nth_token: usize,
    },
    View {
        nth: usize,
    },
    Work,
    Decide {
        by: usize,
        verdict: Verdict,
    },
    Take {
        by: usize,
    },
    GiveBack {
        by: usize,
    },
    Revert {
        by: usize,
        nth: u64,
    },
    Sign {
        by: usize,
        fate: Fate,
    },
    /// `mask` picks among the lines that can be told by now.
    Push {
        by: usize,
        mask: u32,
    },
    /// A line about somebody else's number.
    Lie {
        number: usize,
        days_ago: i32,
    },
    Mark {
        number: usize,
        provider: usize,
        day: i32,
        lasts: i32,
        is_name: bool,
        harm: bool,
    },
    Unmark {
        number: usize,
        provider: usize,
        is_name: bool,
    },
    Ack {
        provider: usize,
        stage: usize,
        behind: u64,
        refuse: bool,
    },
    Operators(Mood),
    Sms {
        works: bool,
    },
    /// Sends the last filing or upload again, as after a lost answer.
    Again,
    /// What is done next ends after so many calls of the store.
    Cut {
        calls: u32,
        how: How,
    },
    Crash,
}

impl Scene {
    pub fn draw(dice: &mut Dice) -> Self {
        Self {
            lives: (0..3).map(|_| draw_life(dice)).collect(),
            truthful: !dice.once_in(4),
            follows_ports: dice.once_in(2),
            releases_per_operator_per_day: if dice.once_in(4) { 1 } else { 0 },
            publish_all_releases: dice.once_in(3),
        }
    }
}

fn draw_life(dice: &mut Dice) -> Vec<Chapter> {
    use Chapter::{Handed, Held, Lapse, Ported, Rest};
    let may_lapse = dice.once_in(2);
    let mut chapters = vec![Held(500 + int(dice, 350))];
    for _ in 0..2 + dice.roll(3) {
        let turn = match dice.roll(6) {
            0 | 1 => vec![Handed, Held(1 + int(dice, 150))],
            // What was held for less than the rest before is not told from
            // the former holder's time by any question.
            2 if may_lapse => vec![Held(90), Lapse(1 + int(dice, 89)), Held(90 + int(dice, 90))],
            3 if !may_lapse && !chapters.contains(&Ported) => vec![Ported, Held(1 + int(dice, 200))],
            _ => vec![Rest(90 + int(dice, 60)), Held(1 + int(dice, 150))],
        };
        chapters.extend(turn);
    }
    chapters
}

fn int(dice: &mut Dice, sides: u64) -> i32 {
    i32::try_from(dice.roll(sides)).unwrap()
}

fn nth(dice: &mut Dice, sides: u64) -> usize {
    usize::try_from(dice.roll(sides)).unwrap()
}

/// What often happens in a row, with anything at all between.
pub fn draw_story(dice: &mut Dice, steps: usize) -> Vec<Op> {
    let mut story = Vec::new();
    while story.len() < steps {
        match dice.roll(13) {
            0..3 => story.extend(files(dice)),
            3 => {
                let (number, nth_token) = (nth(dice, 3), 0);
                let next = if dice.once_in(2) { Op::Appeal { nth: nth(dice, 4) } } else { files(dice)[1] };
                story.extend([Op::Prove { number }, Op::Mine { nth_token }, next]);
            }
            4 => {
                let nth = dice.roll(3);
                story.extend([Op::Revert { by: 0, nth }, Op::Revert { by: 1 + self::nth(dice, 3), nth }]);
            }
            5 => {
                let fate = fate(dice);
                story.extend([Op::Sign { by: 0, fate }, Op::Sign { by: 1 + nth(dice, 3), fate }]);
            }
            6 => {
                story.extend([
                    Op::Prove { number: nth(dice, 3) },
                    Op::File { nth_token: 0, says: Says::ShowMine },
                ]);
                story.extend([Op::Work, Op::Pass { minutes: passes(dice) }]);
                story.push(Op::Push { by: nth(dice, 2), mask: mask(dice) });
            }
            7 => story.extend(brings_back(dice)),
            _ => story.extend((0..1 + dice.roll(3)).map(|_| Op::draw(dice))),
        }
        if dice.once_in(12) {
            let calls = u32::try_from(dice.roll(14)).unwrap();
            story.insert(story.len() - 1, Op::Cut { calls, how: how(dice) });
            story.push(Op::Again);
        }
    }
    story
}

fn files(dice: &mut Dice) -> [Op; 3] {
    let last = match dice.roll(4) {
        0 => Op::Decide { by: nth(dice, 4), verdict: verdict(dice) },
        1 => Op::Push { by: nth(dice, 3), mask: mask(dice) },
        _ => Op::Work,
    };
    [Op::Prove { number: nth(dice, 3) }, Op::File { nth_token: 0, says: says(dice) }, last]
}

/// A provider says that it serves all there is, and later shows something.
fn brings_back(dice: &mut Dice) -> [Op; 4] {
    let whose = nth(dice, 2);
    let mut shows = || match mark(dice) {
        Op::Mark { number, day, lasts, is_name, harm, .. } => {
            Op::Mark { number, provider: whose, day, lasts, is_name, harm }
        }
        other => other,
    };
    let shown = [shows(), shows()];
    let serves = Op::Ack { provider: whose, stage: 2, behind: 0, refuse: dice.once_in(6) };
    [serves, Op::Pass { minutes: passes(dice) }, shown[0], shown[1]]
}

impl Op {
    pub fn draw(dice: &mut Dice) -> Self {
        match dice.roll(100) {
            0..16 => Self::Pass { minutes: passes(dice) },
            16..18 => Self::Prove { number: nth(dice, 3) },
            18..22 => Self::File { nth_token: nth(dice, 6), says: says(dice) },
            22..24 => Self::Withdraw { nth: nth(dice, 4) },
            24..26 => Self::Appeal { nth: nth(dice, 4) },
            26..28 => Self::View { nth: nth(dice, 4) },
            28..42 => Self::Work,
            42..58 => Self::Decide { by: nth(dice, 4), verdict: verdict(dice) },
            58..60 => Self::Take { by: nth(dice, 4) },
            60 => Self::GiveBack { by: nth(dice, 4) },
            61..74 => Self::Push { by: nth(dice, 3), mask: mask(dice) },
            74 => Self::Lie { number: nth(dice, 3), days_ago: int(dice, 200) },
            75..86 => mark(dice),
            86 => Self::Unmark { number: nth(dice, 3), provider: nth(dice, 2), is_name: dice.once_in(2) },
            87 => Self::Ack {
                provider: nth(dice, 2),
                stage: nth(dice, 3),
                behind: dice.roll(2),
                refuse: dice.once_in(3),
            },
            88..92 => Self::Operators(mood(dice)),
            92..94 => Self::Sms { works: !dice.once_in(3) },
            94..97 => Self::Again,
            _ => Self::Crash,
        }
    }
}

fn passes(dice: &mut Dice) -> i64 {
    let minutes = match dice.roll(4) {
        0 => 1 + dice.roll(120),
        1 => 60 * (1 + dice.roll(36)),
        2 => 24 * 60 * (1 + dice.roll(12)),
        _ => 24 * 60 * (1 + dice.roll(70)),
    };
    i64::try_from(minutes).unwrap()
}

fn says(dice: &mut Dice) -> Says {
    match dice.roll(12) {
        0..4 => Says::Month(i16::try_from(dice.roll(5)).unwrap() - 2),
        4 => Says::Month(i16::try_from(dice.roll(40)).unwrap() - 30),
        5 => Says::Day(int(dice, 5) - 2),
        6 => Says::Nothing,
        7 | 8 => Says::NotMine,
        9 | 10 => Says::ShowMine,
        _ => Says::ShowAnothers,
    }
}

fn verdict(dice: &mut Dice) -> Verdict {
    match dice.roll(5) {
        0..3 => Verdict::Approve,
        3 => Verdict::Refuse,
        _ => Verdict::Ask,
    }
}

fn fate(dice: &mut Dice) -> Fate {
    if dice.once_in(3) { Fate::Discard } else { Fate::Release }
}

fn mask(dice: &mut Dice) -> u32 {
    let any = u32::try_from(dice.next() >> 32).unwrap();
    if dice.once_in(2) { u32::MAX } else { any }
}

fn mood(dice: &mut Dice) -> Mood {
    match dice.roll(6) {
        0..2 => Mood::Prompt,
        2..4 => Mood::Lagging(5 + int(dice, 4)),
        4 => Mood::Clueless,
        _ => Mood::Down,
    }
}

fn how(dice: &mut Dice) -> How {
    [How::CallerGone, How::KilledBefore, How::KilledAfter][nth(dice, 3)]
}

fn mark(dice: &mut Dice) -> Op {
    Op::Mark {
        number: nth(dice, 3),
        provider: nth(dice, 2),
        day: int(dice, 1_200),
        lasts: if dice.once_in(3) { int(dice, 200) } else { 0 },
        is_name: dice.once_in(2),
        harm: dice.once_in(3),
    }
}
