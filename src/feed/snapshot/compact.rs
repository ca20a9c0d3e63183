//! The compact form, which is made first: each new entry is parsed once and
//! kept as a few bytes, in runs that are sorted by number and lie in scratch
//! files. Two merges of these and of the earlier snapshot write it.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};

use tokio_util::sync::CancellationToken;

use super::SnapshotError;
use super::folder::Folder;
use super::form::Form;
use super::merge::{Dated, Merge, Source, order, watched};
use super::sum::Sum;
use super::writing::{Coded, Written};
use crate::domain::number::Number;
use crate::env::digest::sha256_of;
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

/// The newest that is said of each number in stretches of the log, a scratch
/// file for each.
#[derive(Debug, Default)]
pub struct Runs(Vec<File>);

impl Runs {
    /// Takes the stretch that begins at `first`.
    pub fn add(&mut self, folder: &Folder, first: u64, leaves: &[Vec<u8>]) -> Result<(), SnapshotError> {
        let said = (first..).zip(leaves).map(|(seq, leaf)| Said::of_leaf(seq, leaf));
        let mut said = said.collect::<Result<Vec<_>, _>>()?;
        said.sort_unstable_by_key(order);
        // The first of those that remain is the newest.
        said.dedup_by_key(|said| said.number);
        let mut file: BufWriter<_> = folder.scratch()?;
        for said in said {
            said.write(&mut file)?;
        }
        self.0.push(file.into_inner().map_err(io::IntoInnerError::into_error)?.into_file());
        Ok(())
    }

    /// Writes all that is in force.
    pub fn write(
        &self,
        folder: &Folder,
        header: &Header,
        previous: Option<&File>,
        stop: &CancellationToken,
    ) -> Result<Written, SnapshotError> {
        let mut previous = previous.map(Decoder::open).transpose()?;
        let mut statistics = Statistics::default();
        in_force(self.sources(previous.as_mut())?, stop, |record| Ok(statistics.observe(record)?))?;
        let mut encoder = Encoder::new(Coded::begin(folder, Form::Zms)?, header, &statistics)?;
        in_force(self.sources(previous.as_mut())?, stop, |record| Ok(encoder.push(record)?))?;
        let mut written = Written { count: statistics.count(), digests: Vec::new(), drafts: Vec::new() };
        encoder.finish()?.finish(&mut written)?;
        Ok(written)
    }

    fn sources<'a>(
        &'a self,
        previous: Option<&'a mut Decoder<&File>>,
    ) -> Result<Vec<Source<'a, Said>>, SnapshotError> {
        let mut sources: Vec<Source<'a, Said>> = Vec::new();
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
    let file = File::open(folder.path(sum.size, Form::Zms, None)).map_err(|_| damaged())?;
    let is_whole = sum.digest(Form::Zms) == Some(&sha256_of(&file)?);
    if is_whole { Ok(file) } else { Err(damaged()) }
}

/// All that was not withdrawn, ascending by number.
fn in_force(
    sources: Vec<Source<Said>>,
    stop: &CancellationToken,
    mut each: impl FnMut(&Record) -> Result<(), SnapshotError>,
) -> Result<(), SnapshotError> {
    for said in watched(Merge::new(sources)?, stop) {
        if let Some(record) = said?.record {
            each(&record)?;
        }
    }
    Ok(())
}

impl Dated for Said {
    fn number(&self) -> Number {
        self.number
    }

    fn seq(&self) -> u64 {
        self.seq
    }
}

impl Said {
    fn of_leaf(seq: u64, leaf: &[u8]) -> Result<Self, LeafMalformed> {
        let entry = render::entry(seq, leaf)?;
        Ok(Self { number: entry.number, seq, record: Record::of(entry) })
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
