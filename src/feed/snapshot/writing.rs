//! One pass over the lines of a snapshot writes all its forms.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use super::SnapshotError;
use super::folder::{Drafts, Folder, NamedDraft};
use super::form::Form;
use super::lines::Line;
use crate::feed::Coding;
use crate::feed::merkle::Hash;
use crate::feed::render::{self, Table};

/// Written once, and read by every provider.
const ZSTD_LEVEL: i32 = 9;
const GZIP_LEVEL: u32 = 6;

pub struct Writing {
    ndjson: Coded,
    csv: Table<Coded>,
    count: u64,
}

/// What was written, and not put in its place yet.
pub struct Written {
    pub count: u64,
    pub digests: Vec<(Form, Hash)>,
    pub drafts: Drafts,
}

impl Writing {
    pub fn begin(folder: &Folder) -> io::Result<Self> {
        let csv = Table::new(Coded::begin(folder)?)?;
        Ok(Self { ndjson: Coded::begin(folder)?, csv, count: 0 })
    }

    pub fn push(&mut self, line: &Line) -> Result<(), SnapshotError> {
        self.ndjson.write_all(&line.text)?;
        self.ndjson.write_all(b"\n")?;
        // The line is the entry and its number: what is more is passed over.
        self.csv.row(line.seq, render::entry(line.seq, &line.text)?)?;
        self.count += 1;
        Ok(())
    }

    pub fn finish(self) -> io::Result<Written> {
        let mut written = Written { count: self.count, digests: Vec::new(), drafts: Vec::new() };
        self.ndjson.finish(Form::Ndjson, &mut written)?;
        self.csv.finish()?.finish(Form::Csv, &mut written)?;
        Ok(written)
    }
}

/// A form as it is and in each coding, and the digest of what it is.
struct Coded {
    digest: Sha256,
    identity: NamedDraft,
    zstd: zstd::Encoder<'static, NamedDraft>,
    gzip: GzEncoder<NamedDraft>,
}

impl Coded {
    fn begin(folder: &Folder) -> io::Result<Self> {
        let mut zstd = zstd::Encoder::new(folder.draft()?, ZSTD_LEVEL)?;
        zstd.include_checksum(true)?;
        // Its head has no time and no name: the same text, the same bytes.
        let gzip = GzEncoder::new(folder.draft()?, Compression::new(GZIP_LEVEL));
        Ok(Self { digest: Sha256::new(), identity: folder.draft()?, zstd, gzip })
    }

    fn finish(self, form: Form, written: &mut Written) -> io::Result<()> {
        let coded = [
            (form, None, self.identity),
            (form, Some(Coding::Zstd), self.zstd.finish()?),
            (form, Some(Coding::Gzip), self.gzip.finish()?),
        ];
        written.digests.push((form, self.digest.finalize().into()));
        written.drafts.extend(coded);
        Ok(())
    }
}

impl Write for Coded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.digest.update(bytes);
        self.identity.write_all(bytes)?;
        self.zstd.write_all(bytes)?;
        self.gzip.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.identity.flush()
    }
}

/// Lines for `lines::of_file`, in a file without a name.
pub fn scratch(
    folder: &Folder,
    lines: impl IntoIterator<Item = Result<Line, SnapshotError>>,
) -> Result<File, SnapshotError> {
    let mut file: BufWriter<_> = folder.scratch()?;
    for line in lines {
        file.write_all(&line?.text)?;
        file.write_all(b"\n")?;
    }
    Ok(file.into_inner().map_err(io::IntoInnerError::into_error)?.into_file())
}
