//! A log in memory that speaks like the service, and lies as told.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use jiff::civil::date;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use crate::domain::correction::{Entry, EntryReason, InForce, NameAction};
use crate::domain::evidence::Assurance;
use crate::domain::hex::hex;
use crate::domain::number::Number;
use crate::env::entropy::{Entropy, SeededEntropy};
use crate::feed::checkpoint::Checkpoint;
use crate::feed::merkle::{Frontier, Hash, leaf_hash};
use crate::feed::mirror::log::width;
use crate::feed::mirror::source::{ByteStream, Source, SourceError};
use crate::feed::note::{NoteSigner, NoteVerifier};
use crate::feed::render;

type Lie = Box<dyn Fn(&str, Vec<u8>) -> Result<Vec<u8>, SourceError> + Send>;

pub struct Fake {
    pub now: Mutex<Now>,
    dice: SeededEntropy,
    /// The size of the last acknowledgement.
    pub acked: watch::Sender<u64>,
}

#[derive(Default)]
pub struct Now {
    pub leaves: Vec<Vec<u8>>,
    hashes: Vec<Hash>,
    newest: BTreeMap<Number, u64>,
    /// What the checkpoint signs for.
    pub published: u64,
    pub snapshot: Option<u64>,
    pub oldest: u64,
    pub acks: Vec<(u64, Hash, String)>,
    pub asked: Vec<String>,
    pub lie: Option<Lie>,
    /// Streams break off after so many bytes.
    pub breaks_after: Option<usize>,
}

pub fn signer() -> NoteSigner {
    NoteSigner::new("localhost/feed", &[7; 32]).unwrap()
}

pub fn verifier() -> NoteVerifier {
    signer().verifier().clone()
}

impl Fake {
    pub fn new(seed: u64) -> Self {
        Self { now: Mutex::default(), dice: SeededEntropy::new(seed), acked: watch::Sender::new(0) }
    }

    pub fn with(seed: u64, entries: u64) -> std::sync::Arc<Self> {
        let fake = Self::new(seed);
        fake.grow(entries);
        std::sync::Arc::new(fake)
    }

    pub fn dice(&self, below: u64) -> u64 {
        let mut random = [0; 8];
        self.dice.fill(&mut random);
        u64::from_be_bytes(random) % below
    }

    /// Appends and publishes entries of a few numbers.
    pub fn grow(&self, count: u64) {
        for _ in 0..count {
            let entry = self.entry();
            self.append(entry.leaf());
            let mut now = self.now.lock().unwrap();
            let seq = now.published - 1;
            now.newest.insert(entry.number, seq);
        }
    }

    pub fn append(&self, leaf: Vec<u8>) {
        let mut now = self.now.lock().unwrap();
        now.hashes.push(leaf_hash(&leaf));
        now.leaves.push(leaf);
        now.published = now.leaves.len() as u64;
    }

    fn entry(&self) -> Entry {
        let number = Number::from_digits(8_613_800_000_000 + self.dice(97) * 7).unwrap();
        let supersedes = self.now.lock().unwrap().newest.get(&number).copied();
        let named = self.dice(3) == 0;
        let correction = InForce {
            void_before: (self.dice(4) > 0).then_some(date(2025, 1 + self.dice(12) as i8, 1)),
            name_action: if named { NameAction::Set } else { NameAction::Keep },
            name: named.then(|| format!("甲, \"乙\" {} 有限公司", self.dice(1_000))),
            name_until: named.then_some(date(2027, 2, 21)),
            assurance: Assurance::Operator,
        };
        let correction = (self.dice(5) > 0).then_some(correction);
        let salt = format!("AAECAwQFBgcICQoLDA{:04}", self.dice(10_000));
        Entry::new(number, correction, EntryReason::Reassigned, supersedes, Timestamp::UNIX_EPOCH, salt)
    }

    /// The corrections in force at a size, as simply as can be.
    pub fn fold(&self, size: u64) -> Vec<(u64, Vec<u8>)> {
        let leaves = self.now.lock().unwrap().leaves[..size as usize].to_vec();
        in_force(&leaves)
    }

    pub fn size(&self) -> u64 {
        self.now.lock().unwrap().published
    }

    pub fn root(&self, size: u64) -> Hash {
        tree(&self.now.lock().unwrap().hashes[..size as usize])
    }

    pub fn lie(&self, lie: impl Fn(&str, Vec<u8>) -> Result<Vec<u8>, SourceError> + Send + 'static) {
        self.now.lock().unwrap().lie = Some(Box::new(lie));
    }

    pub fn tell_the_truth(&self) {
        self.now.lock().unwrap().lie = None;
    }

    /// Everything that was asked for since the last time.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.now.lock().unwrap().asked)
    }

    pub fn acks(&self) -> Vec<(u64, Hash, String)> {
        self.now.lock().unwrap().acks.clone()
    }

    fn answer(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        let mut now = self.now.lock().unwrap();
        now.asked.push(path.to_owned());
        let truth = now.body(path);
        match &now.lie {
            Some(lie) => truth.and_then(|body| lie(path, body)),
            None => truth,
        }
    }
}

impl Now {
    fn body(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        let path = path.strip_prefix("/feed/v1/").unwrap();
        if path == "checkpoint" {
            let root = tree(&self.hashes[..self.published as usize]);
            return Ok(Checkpoint { size: self.published, root }.sign(&signer()).into_bytes());
        }
        if path.starts_with("corrections?") {
            return Ok(Vec::new());
        }
        if let Some(name) = path.strip_prefix("snapshots/") {
            return self.snapshot_file(name);
        }
        let (level, place) = path.strip_prefix("tile/").unwrap().split_once('/').unwrap();
        let (place, partial) = place.split_once(".p/").map_or((place, None), |(n, w)| (n, Some(w)));
        let nth: u64 = place.replace(['x', '/'], "").parse().unwrap();
        let tile_level = level.parse().unwrap_or(0);
        let there = width(tile_level, nth, self.published);
        let width = partial.map_or(256, |width| width.parse().unwrap());
        if there == 0 || width > there || (partial.is_some() && there == 256) {
            return Err(refused(path, 404));
        }
        let first = nth * 256;
        if level == "entries" {
            if first < self.oldest {
                return Err(refused(path, 410));
            }
            let leaves = &self.leaves[first as usize..(first + width) as usize];
            return Ok(leaves
                .iter()
                .flat_map(|leaf| [&(leaf.len() as u16).to_be_bytes()[..], leaf].concat())
                .collect());
        }
        let span = 8 * tile_level;
        let hash = |nth: u64| tree(&self.hashes[(nth << span) as usize..((nth + 1) << span) as usize]);
        Ok((first..first + width).flat_map(hash).collect())
    }

    fn snapshot_file(&self, name: &str) -> Result<Vec<u8>, SourceError> {
        let (size, form) = name.split_once('.').unwrap();
        let size: u64 = size.parse().unwrap();
        assert_eq!(Some(size), self.snapshot);
        let fold = in_force(&self.leaves[..size as usize]);
        let entries: Vec<(u64, &[u8])> = fold.iter().map(|(seq, leaf)| (*seq, leaf.as_slice())).collect();
        let (ndjson, csv) = (render::ndjson(&entries).unwrap(), render::csv(&entries).unwrap());
        Ok(match form {
            "ndjson" => ndjson,
            "csv" => csv,
            "sum" => {
                let root = STANDARD.encode(tree(&self.hashes[..size as usize]));
                let (count, ndjson, csv) =
                    (fold.len(), hex(&Sha256::digest(ndjson)), hex(&Sha256::digest(csv)));
                let text = format!(
                    "localhost/feed/snapshot/v1\n{size}\n{root}\n{count}\nndjson {ndjson}\ncsv {csv}\n"
                );
                signer().under("/snapshot/v1").unwrap().sign(&text).into_bytes()
            }
            _ => return Err(refused(name, 404)),
        })
    }
}

#[async_trait]
impl Source for Fake {
    async fn get(&self, path: &str, bytes_max: usize) -> Result<Vec<u8>, SourceError> {
        let body = self.answer(path)?;
        if body.len() > bytes_max {
            return Err(SourceError::Strange { path: path.to_owned(), why: "too long".to_owned() });
        }
        Ok(body)
    }

    async fn stream(&self, path: &str, from: u64) -> Result<ByteStream, SourceError> {
        let body = self.answer(path)?.split_off(from as usize);
        let breaks_after = self.now.lock().unwrap().breaks_after.filter(|after| *after < body.len());
        let whole = breaks_after.unwrap_or(body.len());
        let mut pieces: Vec<Result<Bytes, SourceError>> =
            body[..whole].chunks(1_000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        if breaks_after.is_some() {
            pieces.push(Err(SourceError::Unreachable { path: path.to_owned(), why: "broke off".to_owned() }));
        }
        Ok(stream::iter(pieces).boxed())
    }

    async fn location(&self, path: &str, accept: &str) -> Result<String, SourceError> {
        assert_eq!(accept, "application/x-ndjson");
        let mut now = self.now.lock().unwrap();
        now.asked.push(path.to_owned());
        let size = now.snapshot.ok_or_else(|| refused(path, 404))?;
        Ok(format!("/feed/v1/snapshots/{size}.ndjson"))
    }

    async fn put(&self, path: &str, json: Vec<u8>) -> Result<(), SourceError> {
        assert_eq!(path, "/feed/v1/ack");
        self.answer("/feed/v1/corrections?ack")?;
        let ack: Value = serde_json::from_slice(&json).unwrap();
        let root = STANDARD.decode(ack["root"].as_str().unwrap()).unwrap().try_into().unwrap();
        let ack = (ack["size"].as_u64().unwrap(), root, ack["stage"].as_str().unwrap().to_owned());
        self.acked.send_replace(ack.0);
        self.now.lock().unwrap().acks.push(ack);
        Ok(())
    }
}

impl fmt::Debug for Fake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fake").finish_non_exhaustive()
    }
}

pub fn refused(path: &str, status: u16) -> SourceError {
    SourceError::Refused { path: path.to_owned(), status, code: "told_to".to_owned() }
}

fn tree(hashes: &[Hash]) -> Hash {
    let mut tree = Frontier::default();
    hashes.iter().for_each(|hash| tree.push(*hash));
    tree.root()
}

fn in_force(leaves: &[Vec<u8>]) -> Vec<(u64, Vec<u8>)> {
    let mut fold = BTreeMap::new();
    for (seq, leaf) in (0..).zip(leaves) {
        let entry = render::entry(seq, leaf).unwrap();
        match entry.withdrawn {
            true => fold.remove(&entry.number),
            false => fold.insert(entry.number, (seq, leaf.clone())),
        };
    }
    fold.into_values().collect()
}
