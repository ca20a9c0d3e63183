//! What a mirror knows of itself: whose log it follows, how far it has come,
//! and what it has told the service. It is kept with the data, so that the two
//! always speak of the same moment.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::domain::progress::Stage;
use crate::feed::merkle::{Frontier, Hash};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Record", into = "Record")]
pub struct State {
    /// The log's verifier key.
    pub verifier: String,
    /// Of the entries that the data comes from. It grows by new ones, and its
    /// root is what is signed.
    pub tree: Frontier,
    /// The signed note that this tree is the beginning of: kept as evidence,
    /// should the log ever deny it.
    pub checkpoint: String,
    pub acked: Option<Acked>,
}

/// The last acknowledgement that got through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acked {
    pub size: u64,
    pub stage: Stage,
}

/// As it is written: flat, so that it fits into a table of keys and values.
#[derive(Serialize, Deserialize)]
struct Record {
    verifier: String,
    size: u64,
    /// Follows from `frontier`; for readers, and against damage.
    root: String,
    /// Hashes with a space between them.
    frontier: String,
    checkpoint: String,
    acked_size: Option<u64>,
    acked_stage: Option<Stage>,
}

impl From<State> for Record {
    fn from(state: State) -> Self {
        let frontier: Vec<String> = state.tree.edge().iter().map(|hash| STANDARD.encode(hash)).collect();
        Self {
            verifier: state.verifier,
            size: state.tree.size(),
            root: STANDARD.encode(state.tree.root()),
            frontier: frontier.join(" "),
            checkpoint: state.checkpoint,
            acked_size: state.acked.as_ref().map(|acked| acked.size),
            acked_stage: state.acked.as_ref().map(|acked| acked.stage),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the tree's hashes do not fit together")]
pub struct StateMalformed;

impl TryFrom<Record> for State {
    type Error = StateMalformed;

    fn try_from(record: Record) -> Result<Self, StateMalformed> {
        let hash = |text: &str| Hash::try_from(STANDARD.decode(text).ok()?).ok();
        let edge: Option<Vec<Hash>> = record.frontier.split_ascii_whitespace().map(hash).collect();
        let tree = edge.and_then(|edge| Frontier::new(record.size, edge));
        let tree = tree.filter(|tree| STANDARD.encode(tree.root()) == record.root).ok_or(StateMalformed)?;
        let acked = record.acked_size.zip(record.acked_stage).map(|(size, stage)| Acked { size, stage });
        Ok(Self { verifier: record.verifier, tree, checkpoint: record.checkpoint, acked })
    }
}
