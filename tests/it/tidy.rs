//! Guards what nobody should have to remember: which room may name which,
//! sizes, calls that belong in one place, what lies at the top level.
//!
//! Each rule is a small function from sources to problems, `file:line: why`,
//! with a test that shows it fail on a bad snippet.

mod arrows;
mod calls;
mod places;
mod readmes;
mod sizes;
mod source;

use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn rooms_name_only_what_they_may() {
    holds(source::in_repository().iter().flat_map(arrows::problems));
}

#[test]
fn files_and_functions_are_small() {
    holds(source::in_repository().iter().flat_map(sizes::problems));
}

#[test]
fn calls_stay_where_they_belong() {
    holds(source::in_repository().iter().flat_map(calls::problems));
}

#[test]
fn no_file_names_a_machine() {
    holds(places::texts(root()).iter().flat_map(|(path, text)| places::machine_problems(path, text)));
}

#[test]
fn what_the_readme_names_is_there() {
    let texts = places::texts(root());
    let documents = texts.iter().filter(|(path, _)| path.ends_with(".md"));
    holds(documents.flat_map(|(path, text)| places::missing_places(root(), path, text)));
}

#[test]
fn the_top_level_holds_only_what_belongs_there() {
    holds(places::top_level_problems(&places::top_level(root())).into_iter());
}

#[test]
fn what_the_readme_shows_is_there() {
    let readme = readmes::shape(include_str!("../../README.md"));
    assert_eq!(readme.pictures.len(), 2);
    holds(readmes::bad_pictures(root(), &readme).into_iter());
}

#[test]
fn the_readme_is_the_same_in_both_languages() {
    let english = readmes::shape(include_str!("../../README.md"));
    let chinese = readmes::shape(include_str!("../../README.zh.md"));
    holds(readmes::differences(&english, &chinese).into_iter());
}

fn holds(problems: impl Iterator<Item = String>) {
    let problems: Vec<String> = problems.collect();
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}
