//! Rounds for ever, on a clock that moves by itself.

use tokio_util::sync::CancellationToken;

use super::*;
use crate::env::entropy::SeededEntropy;

/// Runs until the service has heard of `size` entries, and ends then.
async fn follow_to(fake: &Arc<Fake>, mirror: &Mirror, size: u64) {
    let stop = CancellationToken::new();
    let (entropy, mut acked) = (SeededEntropy::new(1), fake.acked.subscribe());
    let heard = async {
        acked.wait_for(|acked| *acked == size).await.unwrap();
        stop.cancel();
    };
    let (ended, ()) = tokio::join!(follow(mirror, &entropy, &stop), heard);
    ended.unwrap();
}

#[tokio::test(start_paused = true)]
async fn news_is_followed_and_errors_are_outlived() {
    for format in Format::ALL {
        let (fake, dir) = (Fake::with(4, 300), folder());
        let mirror = mirror(&fake, dir.path(), format);
        follow_to(&fake, &mirror, 300).await;
        fake.grow(10);
        follow_to(&fake, &mirror, 310).await;
        // Every eleventh request fails, whatever it is.
        let nth = std::sync::atomic::AtomicU32::new(0);
        fake.grow(1_000);
        fake.lie(move |path, truth| match nth.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % 11 {
            0 => Err(SourceError::Unreachable { path: path.to_owned(), why: "now and then".to_owned() }),
            _ => Ok(truth),
        });
        follow_to(&fake, &mirror, 1_310).await;
        assert_eq!(read(dir.path(), format), expected(&fake, 1_310, format));
    }
}

#[tokio::test(start_paused = true)]
async fn what_only_other_arguments_can_help_is_not_tried_again() {
    let (fake, dir) = (Fake::with(4, 3), folder());
    once(&fake, dir.path(), Format::Csv).await.unwrap();
    let mirror = mirror(&fake, dir.path(), Format::Ndjson);
    let ended = follow(&mirror, &SeededEntropy::new(1), &CancellationToken::new()).await;
    assert!(matches!(ended, Err(MirrorError::OtherFormat { .. })));
}
