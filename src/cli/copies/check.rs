//! `store check`: reads everything, through the running service or from the
//! store itself, and says what it found.

use crate::cli::Failed;
use crate::cli::config::{Config, StoreUrl};
use crate::cli::copies::reckoning::Total;
use crate::cli::copies::source::Source;
use crate::cli::house::World;
use crate::cli::progress::Bar;
use crate::store::Piece;

pub async fn check(config: &Config, world: &World) -> Result<(), Failed> {
    let bar = Bar::default();
    // An embedded store that is behind its high-water mark does not open.
    let mut source = Source::open(config, world).await?;
    let extent = source.extent().clone();
    let show = |last: &Piece, done: u64| match last {
        Piece::Entry { seq, .. } => bar.show("log", seq + 1, extent.log_size),
        Piece::Audit { seq, .. } => bar.show("audit", seq + 1, extent.audit_size),
        Piece::Record(_) | Piece::Damage(_) => bar.show("records", done, 0),
    };
    let (total, problems) = source.reckon(show).await?;
    bar.clear();
    print!("{}", told(&total));
    if problems.is_empty() {
        match config.store {
            StoreUrl::Sled(_) => println!("The indexes agree, and the high-water mark is not ahead."),
            StoreUrl::Memory | StoreUrl::Postgres(_) => {}
        }
        println!("Everything is in order.");
        return Ok(());
    }
    Err(Failed::because(&format!("the store does not hold together:\n{}", problems.text()))
        .hint("bring back the newest copy that does: `zhengming store import` into an empty store"))
}

fn told(total: &Total) -> String {
    let count: u64 = total.records.values().map(|kind| kind.count).sum();
    let mut text = format!("records  {count} of {} kinds\n", total.records.len());
    for (kind, of) in &total.records {
        text.push_str(&format!("         {} {}\n", of.count, kind.replace('_', " ")));
    }
    let log = &total.log;
    text.push_str(&format!("log      {} entries, root {}\n", log.size, log.root));
    match &log.head {
        Some(head) => text.push_str(&format!("         signed up to {} by {}\n", head.size, head.verifier)),
        None => text.push_str("         nothing of it is signed\n"),
    }
    let audit = &total.audit;
    text.push_str(&format!("audit    {} lines, the last one's hash {}\n", audit.size, audit.hash));
    text
}
