//! The fuzz targets' bodies over their seeds, and over a few thousand mutations
//! of them that are the same each time. `tests/fuzz/run` goes on from there.

#[path = "../fuzz/bodies/mod.rs"]
mod bodies;
mod mutate;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};

use crate::support::dice::Dice;
use mutate::mutated;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Real inputs, in the order of their names.
fn seeds(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = root().join("fixtures/fuzz").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// An input that breaks a promise is kept in a file, to become a seed.
#[allow(clippy::print_stderr)]
fn holds(target: &str, what: &str, input: &[u8]) {
    let body = bodies::body(target);
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| body(input))) {
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{target}"));
        fs::write(&kept, input).unwrap();
        eprintln!("{target}: {what}: kept as {}", kept.display());
        resume_unwind(panic);
    }
}

fn holds_for_seeds_and_mutations(target: &str, mutations: usize) {
    let seeds = seeds(target);
    assert!(!seeds.is_empty(), "{target} has no seeds");
    for (path, seed) in &seeds {
        holds(target, &path.display().to_string(), seed);
    }
    let seeds: Vec<Vec<u8>> = seeds.into_iter().map(|(_, seed)| seed).collect();
    let mut dice = Dice::new(crc32fast::hash(target.as_bytes()).into());
    for nth in 0..mutations {
        let input = mutated(&seeds, &mut dice);
        holds(target, &format!("mutation {nth}"), &input);
    }
}

/// So many mutations each that all of them together take seconds.
macro_rules! targets {
    ($($name:ident $mutations:literal,)*) => {
        $(
            #[test]
            fn $name() {
                holds_for_seeds_and_mutations(stringify!($name), $mutations);
            }
        )*

        const TESTED: &[&str] = &[$(stringify!($name),)*];
    };
}

targets! {
    values 5_000,
    headers 5_000,
    entries 5_000,
    snapshots 2_000,
    zms 300,
    notes 1_000,
    proofs 500,
    tenures 400,
    labels 1_000,
    filings 500,
    http 1_500,
    multipart 2_000,
    pictures 100,
    pdfs 300,
    config 2_000,
    reference 40,
    gateways 2_000,
}

/// Where a word in braces is no longer understood, a seed reaches nothing.
#[test]
fn requests_among_the_seeds_get_in() {
    let statuses = seeds("http").into_iter().map(|(path, seed)| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, bodies::http::status(&seed))
    });
    let shut_out: Vec<_> = statuses.filter(|(_, status)| matches!(status, None | Some(401))).collect();
    let shut_out: Vec<&str> = shut_out.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(shut_out, ["kannel-report", "log-in"]);
}

#[test]
fn each_target_is_tested_seeded_and_fuzzed() {
    let names: Vec<&str> = bodies::TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, TESTED);
    let sorted = |mut names: Vec<String>| {
        names.sort();
        names
    };
    let names = sorted(names.iter().map(|name| (*name).to_owned()).collect());
    let folders = fs::read_dir(root().join("fixtures/fuzz")).unwrap();
    let folders = folders.map(|folder| folder.unwrap().file_name().into_string().unwrap());
    assert_eq!(sorted(folders.collect()), names);
    let manifest = fs::read_to_string(root().join("tests/fuzz/Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let bins = manifest["bin"].as_array().unwrap().iter();
    let bins: Vec<String> = bins.map(|bin| bin["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(sorted(bins), names);
}
