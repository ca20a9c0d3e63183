//! A year in a town: what the rules decide, held against the truth.
//!
//! ```text
//! cargo bench --bench town [-- --seed S --numbers N --json FILE --stories]
//! ```
//!
//! Numbers are cancelled, rest, are released, ported and handed on; operators
//! learn late and are wrong now and then; providers copy each other; honest
//! people misremember; others try to have true marks removed; moderators err.
//! All of it goes through the real use cases over a store in memory, by a clock
//! that the town moves, and is the same for the same seed.
//!
//! Prints a table, kept with its plots as `target/bench/town.txt` and
//! `target/bench/town-*.svg`.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod chance;
#[path = "../../it/support/dice.rs"]
#[allow(dead_code, reason = "not each benchmark asks for all of it")]
mod dice;
mod figures;
mod holders;
mod launderers;
mod life;
mod marks;
mod moderators;
mod numbers;
mod operators;
#[path = "../../it/support/pictures.rs"]
#[allow(clippy::unwrap_used)]
mod pictures;
mod plot;
mod providers;
mod report;
mod service;
mod stories;
mod tally;
mod town;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser;
use tokio::runtime::Builder;

use self::figures::Figures;
use self::life::Day;
use self::town::{Founding, Town};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// For each plan.
const NUMBERS_PER_LAUNDERER: usize = 10_000;
const LAUNDERERS_MIN: usize = 2;

#[derive(Debug, Parser)]
struct Args {
    /// The same town for the same seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Numbers in use, or at rest.
    #[arg(long)]
    numbers: Option<usize>,
    /// Days that are lived through.
    #[arg(long)]
    days: Option<Day>,
    /// Who try it with each plan; by default one for 10,000 numbers, about one
    /// dispute in eight.
    #[arg(long)]
    launderers: Option<usize>,
    /// Where the figures are to be written, as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Of so many approvals by one person one is looked at by a second; 0: none.
    #[arg(long, default_value_t = 10)]
    second_look: u32,
    /// Tells on standard error of each wrong decision how it came about.
    #[arg(long)]
    stories: bool,
    /// Given by `cargo bench`; without it a small town lives through its year
    /// twice, to see that it is the same one.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let args = Args::parse();
    let figures = lived(&args);
    if !args.bench {
        let again = lived(&args);
        assert_eq!(json(&figures), json(&again), "one seed, one year");
    }
    let text = report::text(&figures);
    println!("{text}");
    if let Some(path) = &args.json {
        fs::write(path, json(&figures)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    if args.bench {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench");
        fs::create_dir_all(&dir).expect("the build's folder is ours");
        fs::write(dir.join("town.txt"), text).expect("the build's folder is ours");
        for (name, svg) in plot::all(&figures) {
            fs::write(dir.join(format!("town-{name}.svg")), svg).expect("the build's folder is ours");
        }
    }
}

/// What a year comes to.
fn lived(args: &Args) -> Figures {
    let numbers = args.numbers.unwrap_or(if args.bench { 1_000_000 } else { 600 });
    let days = args.days.unwrap_or(if args.bench { 365 } else { 150 });
    let founding = Founding {
        seed: args.seed,
        numbers,
        days,
        launderers: args.launderers.unwrap_or((numbers / NUMBERS_PER_LAUNDERER).max(LAUNDERERS_MIN)),
        approvals_per_second_look: args.second_look,
        paper: pictures::picture(image::ImageFormat::Png, 200),
    };
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let mut town = Town::found(founding).await;
        town.live(|day| {
            if day % 30 == 0 {
                eprintln!("day {day} of {days}");
            }
        })
        .await;
        if args.stories {
            stories::tell(&town).await;
        }
        Figures::of(&mut town, args.seed).await
    })
}

fn json(figures: &Figures) -> String {
    serde_json::to_string_pretty(figures).expect("figures serialize")
}
