//! The documentation on a phone, in both languages: each page is opened, and
//! each link of ours on it leads somewhere.

use std::collections::BTreeSet;

use fantoccini::Locator;

use super::person::Person;
use crate::support::{Setup, World};

/// Where links of the page lead, without what stands behind `#`.
async fn links(person: &Person<'_>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for link in person.browser.find_all(Locator::Css("a[href^='/']")).await.unwrap() {
        let href = link.attr("href").await.unwrap().unwrap();
        found.insert(href.split('#').next().unwrap().to_owned());
    }
    found
}

async fn walks_through(languages: &str, name: &'static str) {
    let world = World::with(Setup::default()).await;
    let person = Person::on_a_phone(&world, languages, name).await;
    let mut ahead = vec!["/docs".to_owned()];
    let mut seen = BTreeSet::new();
    while let Some(path) = ahead.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let (status, ..) = world.client.download(&path, "").await;
        assert_eq!(status, 200, "{path}");
        if path.starts_with("/docs") {
            person.opens(&path).await;
            person.shoots(&path[1..].replace('/', "-")).await;
            ahead.extend(links(&person).await.into_iter().filter(|path| !path.contains('?')));
        }
    }
    assert!(seen.iter().filter(|path| path.starts_with("/docs/api/")).count() > 8, "{seen:?}");
    assert!(seen.contains("/docs/problems") && seen.contains("/openapi.json"), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_documentation_is_read_in_chinese() {
    walks_through("zh-CN", "zh").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_documentation_is_read_in_english() {
    walks_through("en-US,en", "en").await;
}
