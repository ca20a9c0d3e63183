//! The compact form, which is made first: each new entry is parsed once and
//! kept as a few bytes, in runs that are sorted by number and lie in scratch
//! files. Two merges of these and of the earlier snapshot write it.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};

use sha2::{Digest, Sha256};

use super::SnapshotError;
use super::folder::Folder;
use super::form::Form;
use super::sum::Sum;
use super::writing::{Coded, Written};
use crate::domain::number::Number;
use crate::feed::merkle::Hash;
use crate::feed::render::{self, LeafMalformed};
use crate::feed::zms::{Decoder, Encoder, Header, Record, Statistics, plain};

/// What an entry says of its number.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    number: Number,
    seq: u64,
    /// `None`: withdrawn.
    record: Option<Record>,
}

type AllSaid<'a> = Box<dyn Iterator<Item = Result<Said, SnapshotError>> + 'a>;

/// The newest that is said of each number in stretches of the log, a scratch
/// file for each.
#[derive(Debug, Default)]
pub struct Runs(Vec<File>);

impl Runs {
    /// Takes the stretch that begins at `first`.
    pub fn add(&mut self, folder: &Folder, first: u64, leaves: &[Vec<u8>]) -> Result<(), SnapshotError> {
        let said = (first..).zip(leaves).map(|(seq, leaf)| Said::of_leaf(seq, leaf));
        let mut said = said.collect::<Result<Vec<_>, _>>()?;
        said.sort_unstable_by_key(Said::order);
        // The first of those that remain is the newest.
        said.dedup_by_key(|said| said.number);
        let mut file: BufWriter<_> = folder.scratch()?;
        for said in said {
            said.write(&mut file)?;
        }
        self.0.push(file.into_inner().map_err(io::IntoInnerError::into_error)?.into_file());
        Ok(())
    }

    /// Writes all that is in force. `go_on` is asked now and then.
    pub fn write(
        &self,
        folder: &Folder,
        header: &Header,
        previous: Option<&File>,
        go_on: impl Fn() -> Result<(), SnapshotError>,
    ) -> Result<Written, SnapshotError> {
        let mut previous = previous.map(Decoder::open).transpose()?;
        let mut statistics = Statistics::default();
        in_force(self.sources(previous.as_mut())?, &go_on, |record| Ok(statistics.observe(record)?))?;
        let mut encoder = Encoder::new(Coded::begin(folder, Form::Zms)?, header, &statistics)?;
        in_force(self.sources(previous.as_mut())?, &go_on, |record| Ok(encoder.push(record)?))?;
        let mut written = Written { count: statistics.count(), digests: Vec::new(), drafts: Vec::new() };
        encoder.finish()?.finish(&mut written)?;
        Ok(written)
    }

    fn sources<'a>(
        &'a self,
        previous: Option<&'a mut Decoder<&File>>,
    ) -> Result<Vec<AllSaid<'a>>, SnapshotError> {
        let mut sources: Vec<AllSaid<'a>> = Vec::new();
        if let Some(previous) = previous {
            // Older than all that is new.
            let said = |record: Record| Said { number: record.number, seq: 0, record: Some(record) };
            sources.push(Box::new(previous.records().map(move |record| Ok(said(record?)))));
        }
        for mut file in &self.0 {
            file.rewind()?;
            let mut file = BufReader::new(file);
            sources.push(Box::new(std::iter::from_fn(move || Said::read(&mut file).transpose())));
        }
        Ok(sources)
    }
}

/// The compact form of an earlier snapshot, if its bytes are those that were
/// signed.
pub fn of_signed(folder: &Folder, sum: &Sum) -> Result<File, SnapshotError> {
    let damaged = || SnapshotError::Damaged { size: sum.size };
    let mut file = File::open(folder.path(sum.size, Form::Zms, None)).map_err(|_| damaged())?;
    let (mut hasher, mut some) = (Sha256::new(), vec![0; READ_BYTES]);
    loop {
        match file.read(&mut some)? {
            0 => break,
            read => hasher.update(&some[..read]),
        }
    }
    let digest: Hash = hasher.finalize().into();
    if sum.digest(Form::Zms) == Some(&digest) { Ok(file) } else { Err(damaged()) }
}

const READ_BYTES: usize = 256 * 1024;
/// How many records to take between looks at whether to stop.
const RECORDS_BETWEEN_LOOKS: u64 = 4_096;

/// The newest of each number, ascending, but for what was withdrawn.
fn in_force(
    sources: Vec<AllSaid>,
    go_on: impl Fn() -> Result<(), SnapshotError>,
    mut each: impl FnMut(&Record) -> Result<(), SnapshotError>,
) -> Result<(), SnapshotError> {
    let mut merge = Merge::new(sources)?;
    let (mut last, mut count) = (None, 0_u64);
    while let Some(said) = merge.next()? {
        if last.replace(said.number) == Some(said.number) {
            continue;
        }
        if count.is_multiple_of(RECORDS_BETWEEN_LOOKS) {
            go_on()?;
        }
        count += 1;
        if let Some(record) = said.record {
            each(&record)?;
        }
    }
    Ok(())
}

impl Said {
    fn of_leaf(seq: u64, leaf: &[u8]) -> Result<Self, LeafMalformed> {
        let entry = render::entry(seq, leaf)?;
        Ok(Self { number: entry.number, seq, record: Record::of(entry) })
    }

    /// By number, the newest first.
    fn order(&self) -> (Number, Reverse<u64>) {
        (self.number, Reverse(self.seq))
    }

    /// `seq u64 | withdrawn u8`, and the record or the number.
    fn write(&self, to: &mut impl Write) -> Result<(), SnapshotError> {
        to.write_all(&self.seq.to_be_bytes())?;
        to.write_all(&[u8::from(self.record.is_none())])?;
        match &self.record {
            Some(record) => Ok(plain::write(record, to)?),
            None => Ok(to.write_all(&self.number.digits().to_be_bytes())?),
        }
    }

    /// `None` at the end.
    fn read(from: &mut impl Read) -> Result<Option<Self>, SnapshotError> {
        let mut head = [0; 9];
        let read = from.read(&mut head)?;
        if read == 0 {
            return Ok(None);
        }
        from.read_exact(&mut head[read..])?;
        let seq = u64::from_be_bytes(*head.first_chunk().expect("nine bytes"));
        if head[8] == 0 {
            let record = plain::read(from)?;
            return Ok(Some(Self { number: record.number, seq, record: Some(record) }));
        }
        let mut number = [0; 8];
        from.read_exact(&mut number)?;
        let number = Number::from_digits(u64::from_be_bytes(number));
        let number = number.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no number"))?;
        Ok(Some(Self { number, seq, record: None }))
    }
}

/// Several ascending sources as one.
struct Merge<'a> {
    sources: Vec<AllSaid<'a>>,
    heads: BinaryHeap<Reverse<Head>>,
}

/// The next of a source.
struct Head {
    said: Said,
    source: usize,
}

impl<'a> Merge<'a> {
    fn new(sources: Vec<AllSaid<'a>>) -> Result<Self, SnapshotError> {
        let count = sources.len();
        let mut merge = Self { sources, heads: BinaryHeap::with_capacity(count) };
        for source in 0..count {
            merge.pull(source)?;
        }
        Ok(merge)
    }

    fn next(&mut self) -> Result<Option<Said>, SnapshotError> {
        let Some(Reverse(Head { said, source })) = self.heads.pop() else { return Ok(None) };
        self.pull(source)?;
        Ok(Some(said))
    }

    fn pull(&mut self, source: usize) -> Result<(), SnapshotError> {
        if let Some(said) = self.sources[source].next() {
            self.heads.push(Reverse(Head { said: said?, source }));
        }
        Ok(())
    }
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> Ordering {
        self.said.order().cmp(&other.said.order())
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Head {}
