//! How far something long has come: a bar on a terminal, else a line in the
//! log for every tenth of what takes long.

use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};

use crate::feed::mirror::{Phase, Progress};

/// What is shorter is over before a line about it is read.
const LONG_FROM: u64 = 50_000;

pub struct Bar {
    bar: ProgressBar,
    /// What the log was told of, and which tenth of it.
    told: Mutex<Option<(&'static str, u64)>>,
}

impl Default for Bar {
    fn default() -> Self {
        let style = ProgressStyle::with_template("{msg:20} {bar:40} {human_pos}/{human_len} {per_sec} {eta}");
        let style = style.expect("the template is fixed and well-formed");
        // Hidden until there is something to show, and where there is no terminal.
        let bar = ProgressBar::no_length().with_style(style);
        Self { bar, told: Mutex::default() }
    }
}

impl Progress for Bar {
    fn at(&self, phase: Phase, done: u64, total: u64) {
        let what = match phase {
            Phase::Tiles => "hash tiles",
            Phase::Fetching => "entries",
            Phase::Snapshot => "snapshot",
            Phase::Applying => "writing",
        };
        self.show(what, done, total);
    }
}

impl Bar {
    /// `total` is 0 where nobody knows it.
    pub fn show(&self, what: &'static str, done: u64, total: u64) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|(before, _)| before != what) {
            *told = Some((what, 0));
            self.bar.reset();
            self.bar.set_message(what);
        }
        if self.bar.is_hidden() {
            let tenth = done * 10 / total.max(1);
            if total >= LONG_FROM && *told != Some((what, tenth)) {
                tracing::info!(done, total, "{what}");
            }
            *told = Some((what, tenth));
            return;
        }
        match total {
            0 => self.bar.unset_length(),
            total => self.bar.set_length(total),
        }
        self.bar.set_position(done);
        if done == total {
            self.bar.finish_and_clear();
            *told = None;
        }
    }

    /// There is nothing more to show.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
