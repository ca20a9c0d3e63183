//! The static part of the log as C2SP tlog-tiles names it: hash tiles and
//! entry bundles, full ones and the beginnings of those that are not full yet.

use std::ops::Range;

use crate::domain::refusal::Refusal;
use crate::feed::bundles::{Coding, bundle};
use crate::feed::checkpoint::decimal;
use crate::feed::kept::{Body, What};
use crate::feed::merkle::Hash;
use crate::feed::{Feed, FeedError};

/// How many hashes a full tile has, and how many entries a full bundle.
pub const TILE_WIDTH: u64 = 256;
/// Levels of the tree that a tile spans.
pub const TILE_LEVELS: u32 = 8;

/// Which tile, and how much of it: `{N}` or `{N}.p/{W}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TilePlace {
    pub nth: u64,
    /// 1 to 256; 256 is a full one.
    pub width: u64,
}

/// How many hashes a level has when there are `size` leaves.
pub fn hashes_at(level: u32, size: u64) -> u64 {
    size.checked_shr(TILE_LEVELS * level).unwrap_or(0)
}

impl TilePlace {
    pub fn full(nth: u64) -> Self {
        Self { nth, width: TILE_WIDTH }
    }

    /// Behind the last of its hashes or entries.
    fn end(self) -> Option<u64> {
        self.nth.checked_mul(TILE_WIDTH)?.checked_add(self.width)
    }

    /// Reads `x001/x234/067` and `x001/x234/067.p/12`, and no other form of
    /// the same.
    pub fn parse(path: &str) -> Option<Self> {
        let (nth, width) = match path.split_once(".p/") {
            None => (path, TILE_WIDTH),
            Some((nth, width)) => (nth, decimal(width).filter(|width| (1..TILE_WIDTH).contains(width))?),
        };
        let mut index: u64 = 0;
        for element in nth.split('/') {
            let digits = element.strip_prefix('x').unwrap_or(element);
            if digits.len() != 3 || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return None;
            }
            index = index.checked_mul(1_000)?.checked_add(digits.parse().ok()?)?;
        }
        let place = Self { nth: index, width };
        (place.to_string() == path).then_some(place)
    }
}

impl std::fmt::Display for TilePlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut path = format!("{:03}", self.nth % 1_000);
        let mut rest = self.nth / 1_000;
        while rest > 0 {
            path = format!("x{:03}/{path}", rest % 1_000);
            rest /= 1_000;
        }
        f.write_str(&path)?;
        if self.width < TILE_WIDTH { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

impl Feed {
    /// A hash tile; `None` where it is not published.
    pub async fn tile(&self, level: u32, place: TilePlace) -> Result<Option<Body>, FeedError> {
        let is_known = || place.end().is_some_and(|end| end <= hashes_at(level, self.size()));
        if !is_known() {
            // Perhaps it was published elsewhere a moment ago.
            self.look_again().await?;
        }
        if !is_known() {
            return Ok(None);
        }
        let tile = self.kept.body(What::Tile { level, place }, async {
            let tile = self.files.hashes().tile(level, place.nth, place.width, self.size())?;
            tile.ok_or_else(|| FeedError::Files("a published tile is not there".to_owned()))
        });
        tile.await.map(Some)
    }

    /// An entry bundle, in a coding or plain; `None` where it is not published.
    pub async fn bundle(&self, place: TilePlace, coding: Option<Coding>) -> Result<Option<Body>, FeedError> {
        let Some(end) = place.end() else { return Ok(None) };
        if end > self.size() {
            self.look_again().await?;
        }
        if end > self.size() {
            return Ok(None);
        }
        if (place.nth + 1) * TILE_WIDTH <= self.oldest() {
            return Err(Refusal::CursorExpired { oldest: self.oldest() }.into());
        }
        self.kept.body(What::Bundle { place, coding }, self.make_bundle(place, coding)).await.map(Some)
    }

    async fn make_bundle(&self, place: TilePlace, coding: Option<Coding>) -> Result<Vec<u8>, FeedError> {
        if let Some(coding) = coding.filter(|_| place.width == TILE_WIDTH)
            && let Some(kept) = self.files.bundle(place.nth, coding)?
        {
            return Ok(kept);
        }
        let first = place.nth * TILE_WIDTH;
        let plain = bundle(&self.all_leaves(first, first + place.width).await?);
        Ok(match coding {
            None => plain,
            Some(coding) => coding.compress(&plain)?,
        })
    }

    /// The hashes of stretches of published entries, for a proof.
    pub fn proof(&self, stretches: &[Range<u64>]) -> Result<Vec<Hash>, FeedError> {
        let hashes = stretches.iter().map(|stretch| self.files.hashes().stretch(stretch));
        Ok(hashes.collect::<std::io::Result<_>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_one_path() {
        for (path, nth, width) in [
            ("000", 0, 256),
            ("067", 67, 256),
            ("x001/x234/067", 1_234_067, 256),
            ("x001/000.p/1", 1_000, 1),
            ("999.p/255", 999, 255),
        ] {
            let place = TilePlace { nth, width };
            assert_eq!(TilePlace::parse(path), Some(place));
            assert_eq!(place.to_string(), path);
        }
        for path in [
            "",
            "0",
            "67",
            "0067",
            "x067",
            "001/067",
            "x000/067",
            "x001/x067",
            "067.p/0",
            "067.p/256",
            "067.p/01",
            "067.p",
            "067.p/",
            "067/",
            "/067",
            "067.p/1/2",
            "06７",
            "+67",
            "x001//067",
            "x999/x999/x999/x999/x999/x999/x999/999",
        ] {
            assert_eq!(TilePlace::parse(path), None, "{path}");
        }
    }
}
