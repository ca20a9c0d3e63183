//! Where everything is read from: a store, or a running service.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};

use crate::casework::everything::{Line, read};
use crate::cli::Failed;
use crate::cli::config::Config;
use crate::cli::copies::copy::line_of;
use crate::cli::copies::fill::is_mark;
use crate::cli::copies::reckoning::{Problems, Reckoning, Total};
use crate::cli::house::{World, open_store};
use crate::cli::remote::Remote;
use crate::store::{Everything, Extent, Piece, Store};

/// Longer lines are none of a service's.
const LINE_BYTES_MAX: usize = 1 << 20;

#[derive(Debug)]
pub struct Source {
    extent: Extent,
    from: From,
}

enum From {
    Store(Box<dyn Everything>),
    Service(Lines),
}

impl Source {
    pub async fn open(config: &Config, world: &World) -> Result<Self, Failed> {
        match Remote::find(config, world).await? {
            Some(remote) => Self::of_service(&remote).await,
            None => Self::of_store(&*open_store(config).await?.0).await,
        }
    }

    pub async fn of_store(store: &dyn Store) -> Result<Self, Failed> {
        let everything = store.everything().await.map_err(|error| Failed::new("the store", &error))?;
        Ok(Self { extent: everything.extent().clone(), from: From::Store(everything) })
    }

    async fn of_service(remote: &Remote) -> Result<Self, Failed> {
        let answer = remote.post("/owner/everything", "application/json", "{}".into()).await?;
        let chunks = answer.bytes_stream();
        let mut lines = Lines { chunks: Box::pin(chunks), buffer: Vec::new(), at: 0, is_over: false };
        match lines.next().await? {
            Line::Extent(extent) => Ok(Self { extent, from: From::Service(lines) }),
            _ => Err(not_understood()),
        }
    }

    /// How far log and audit had come.
    pub fn extent(&self) -> &Extent {
        &self.extent
    }

    /// The next pieces; none: that was all.
    pub async fn next(&mut self) -> Result<Vec<Piece>, Failed> {
        match &mut self.from {
            From::Store(everything) => loop {
                let mut pieces = everything.next().await.map_err(|error| Failed::new("the store", &error))?;
                let was_all = pieces.is_empty();
                pieces.retain(|piece| !is_mark(piece));
                if was_all || !pieces.is_empty() {
                    return Ok(pieces);
                }
            },
            From::Service(lines) => match lines.next().await? {
                Line::Piece(piece) => Ok(vec![piece]),
                Line::End => Ok(Vec::new()),
                Line::Failed(why) => Err(Failed::because(&format!("the running service said: {why}"))),
                Line::Extent(_) => Err(not_understood()),
            },
        }
    }
}

impl Source {
    /// Reads all of it: what it amounts to, and what is wrong with it. `told`
    /// hears of the last of some pieces, and how many there were by then.
    pub async fn reckon(&mut self, told: impl Fn(&Piece, u64)) -> Result<(Total, Problems), Failed> {
        let (mut reckoning, mut done) = (Reckoning::new(), 0);
        loop {
            let pieces = self.next().await?;
            let Some(last) = pieces.last() else { return Ok(reckoning.finish(&self.extent)) };
            for piece in &pieces {
                let line = line_of(piece).map(|(_, line)| line);
                reckoning.take(piece, &line.unwrap_or_default());
            }
            done += pieces.len() as u64;
            told(last, done);
        }
    }
}

/// The lines of an answer.
struct Lines {
    chunks: Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>,
    buffer: Vec<u8>,
    /// What of the buffer was read.
    at: usize,
    is_over: bool,
}

impl Lines {
    async fn next(&mut self) -> Result<Line, Failed> {
        if self.is_over {
            return Ok(Line::End);
        }
        loop {
            let rest = &self.buffer[self.at..];
            if let Some(length) = memchr::memchr(b'\n', rest) {
                let line = read(&rest[..length]).ok_or_else(not_understood)?;
                self.at += length + 1;
                self.is_over = line == Line::End;
                return Ok(line);
            }
            if rest.len() > LINE_BYTES_MAX {
                return Err(not_understood());
            }
            self.buffer.drain(..std::mem::take(&mut self.at));
            let chunk = self.chunks.next().await;
            let cut =
                || Failed::because("the running service ended before it had given everything; try again");
            let chunk = chunk.ok_or_else(cut)?;
            self.buffer
                .extend_from_slice(&chunk.map_err(|error| Failed::new("the running service", &error))?);
        }
    }
}

fn not_understood() -> Failed {
    Failed::because("the running service's answer is not understood: is it of another release?")
}

impl std::fmt::Debug for From {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Store(_) => "Store",
            Self::Service(_) => "Service",
        })
    }
}
