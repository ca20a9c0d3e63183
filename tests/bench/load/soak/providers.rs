//! Providers: follow the log by pages, waiting or not, or by its tiles, and
//! acknowledge; ask about single numbers; tell what they show.

use std::rc::Rc;

use serde_json::json;
use tokio::time::{Instant, sleep_until};
use zhengming::feed::tiles::{TILE_WIDTH, TilePlace};

use super::caller::{Call, Caller};
use super::{Soak, mix};
use crate::dice::Dice;
use crate::fill;

const PAGE_ENTRIES: u64 = 1_000;

/// How one follows the log.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Waiting,
    Tiles,
    Pages,
}

pub struct Provider {
    soak: Rc<Soak>,
    nth: u64,
    key: String,
    caller: Caller,
    /// How many entries it has.
    has: u64,
}

impl Provider {
    pub fn new(soak: &Rc<Soak>, nth: u64, key: &str) -> Self {
        let caller = Caller::new(&soak.place, 1_000_000 + nth);
        Self { soak: soak.clone(), nth, key: key.to_owned(), caller, has: soak.corrections }
    }

    pub async fn follows(mut self) {
        let way = match self.nth {
            nth if nth < mix::PROVIDERS_THAT_WAIT => Way::Waiting,
            nth if nth < mix::PROVIDERS_THAT_WAIT + mix::PROVIDERS_BY_TILES => Way::Tiles,
            _ => Way::Pages,
        };
        let period = mix::period(mix::POLLS_PER_PROVIDER_PER_HOUR);
        let mut due = Instant::now() + period.mul_f64(self.nth as f64 / mix::PROVIDERS as f64);
        while due < self.soak.ends {
            sleep_until(due).await;
            // What went wrong is noted; one comes again.
            let _ = match way {
                Way::Waiting => self.waits().await,
                Way::Tiles => self.by_tiles().await,
                Way::Pages => self.by_pages().await,
            };
            due = if way == Way::Waiting { Instant::now() } else { due + period };
        }
    }

    /// What the newest checkpoint says: size and root.
    async fn checkpoint(&mut self) -> Option<(u64, String)> {
        let heard = self.caller.ask("GET /feed/v1/checkpoint", Call::get("/feed/v1/checkpoint")).await?;
        let note = String::from_utf8(heard.body).expect("a note is UTF-8");
        let mut lines = note.lines().skip(1);
        let size = lines.next().and_then(|size| size.parse().ok()).expect("a checkpoint has a size");
        self.soak.size.set(self.soak.size.get().max(size));
        Some((size, lines.next().expect("a checkpoint has a root").to_owned()))
    }

    async fn page(&mut self, route: &'static str, limit: u64, wait: &str) -> Option<()> {
        let path = format!("/feed/v1/corrections?after={}&limit={limit}{wait}", self.has);
        let heard = self.caller.ask(route, Call::get(&path).bearer(&self.key)).await?;
        self.has = heard.next.expect("a page says what is next");
        Some(())
    }

    async fn by_pages(&mut self) -> Option<()> {
        let (size, root) = self.checkpoint().await?;
        let is_new = self.has < size;
        while self.has < size {
            let limit = PAGE_ENTRIES.min(size - self.has);
            self.page("GET /feed/v1/corrections", limit, "").await?;
        }
        if is_new { self.acknowledges(size, &root).await } else { Some(()) }
    }

    async fn waits(&mut self) -> Option<()> {
        self.page("GET /feed/v1/corrections (wait=30)", PAGE_ENTRIES, "&wait=30").await?;
        self.by_pages().await
    }

    async fn by_tiles(&mut self) -> Option<()> {
        let (size, root) = self.checkpoint().await?;
        if self.has == size {
            return Some(());
        }
        for nth in self.has / TILE_WIDTH..size.div_ceil(TILE_WIDTH) {
            let place = TilePlace { nth, width: TILE_WIDTH.min(size - nth * TILE_WIDTH) };
            let bundle = Call::get(&format!("/feed/v1/tile/entries/{place}")).bearer(&self.key);
            self.caller.ask("GET /feed/v1/tile/entries/{N}", bundle).await?;
            let tile = Call::get(&format!("/feed/v1/tile/0/{place}"));
            self.caller.ask("GET /feed/v1/tile/{L}/{N}", tile).await?;
        }
        self.has = size;
        self.acknowledges(size, &root).await
    }

    async fn acknowledges(&mut self, size: u64, root: &str) -> Option<()> {
        let body = json!({ "size": size, "root": root, "stage": "serving" }).to_string();
        let call = Call::new("PUT", "/feed/v1/ack").body("application/json", body).bearer(&self.key);
        self.caller.ask("PUT /feed/v1/ack", call).await.map(drop)
    }

    /// About numbers by chance, over a connection of its own.
    pub async fn looks_up(mut self) {
        let mut dice = Dice::new(self.nth);
        let period = mix::period(mix::LOOK_UPS_PER_PROVIDER_PER_HOUR);
        let mut due = Instant::now() + period.mul_f64(self.nth as f64 / mix::PROVIDERS as f64);
        while due < self.soak.ends {
            sleep_until(due).await;
            let number = fill::number(dice.roll(self.soak.corrections));
            let call = Call::get(&format!("/feed/v1/corrections/{number}")).bearer(&self.key);
            self.caller.ask("GET /feed/v1/corrections/{digits}", call).await;
            due += period;
        }
    }
}

/// One provider after the other tells what it shows.
pub async fn upload_labels(soak: Rc<Soak>, keys: Rc<Vec<String>>) {
    let (mut nth, mut due) = (0, Instant::now());
    while due < soak.ends {
        sleep_until(due).await;
        let of = |line| fill::number((nth * mix::LABELS_PER_UPLOAD + line) * 7_919 % soak.corrections);
        let label = |line| {
            format!(
                "{{\"number\":\"+{}\",\"kind\":\"category\",\"category\":\"express\",\"count\":{nth}}}\n",
                of(line)
            )
        };
        let body: String = (0..mix::LABELS_PER_UPLOAD).map(label).collect();
        let call = Call::new("POST", "/v1/labels").body("application/x-ndjson", body);
        let mut caller = Caller::new(&soak.place, 1_001_000 + nth);
        let key = &keys[nth as usize % keys.len()];
        caller.ask("POST /v1/labels (200 lines)", call.bearer(key)).await;
        nth += 1;
        due += mix::period(mix::LABEL_UPLOADS_PER_HOUR);
    }
}
