//! Forms that none of our pages gave to anybody.

use crate::support::World;
use crate::support::desk::Desk;

/// What was typed waits in a cookie, of which there is little: packing it again
/// for each field that is left out would take seconds.
#[tokio::test]
async fn a_form_of_thousands_of_fields_is_refused() {
    let world = World::new().await;
    let browser = Desk::with(&world, "zm_lang=en");
    let fields: String = (0..4_000).map(|nth| format!("{nth:x}={:x}&", nth * 7_919 % 4_001)).collect();
    assert!(browser.posts("/", &fields).await.ok(400).body.contains("<html"));
    let fields: String = (0..150).map(|nth| format!("f{nth}={}&", "x".repeat(150))).collect();
    browser.posts("/", &fields).await.leads_to("/");
}
