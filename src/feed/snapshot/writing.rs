//! The files of a snapshot while they are written, and one pass over its lines
//! that writes those of text.

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

/// Salts do not compress: beyond these levels twice the time brings 2 %.
const ZSTD_LEVEL: i32 = 6;
const GZIP_LEVEL: u32 = 6;

/// The forms of text.
pub struct Texts {
    ndjson: Coded,
    csv: Table<Coded>,
    count: u64,
}

/// What was written, and not put in its place yet.
pub struct Written {
    pub count: u64,
    /// In the order of `Form::ALL`.
    pub digests: Vec<(Form, Hash)>,
    pub drafts: Drafts,
}

impl Texts {
    pub fn begin(folder: &Folder) -> io::Result<Self> {
        let ndjson = Coded::begin(folder, Form::Ndjson)?;
        let csv = Table::new(Coded::begin(folder, Form::Csv)?)?;
        Ok(Self { ndjson, csv, count: 0 })
    }

    pub fn push(&mut self, line: &Line) -> Result<(), SnapshotError> {
        self.ndjson.write_all(&line.text)?;
        self.ndjson.write_all(b"\n")?;
        // The line is the entry and its number: what is more is passed over.
        self.csv.row(line.seq, render::entry(line.seq, &line.text)?)?;
        self.count += 1;
        Ok(())
    }

    pub fn finish(self) -> Result<Written, SnapshotError> {
        let mut written = Written { count: self.count, digests: Vec::new(), drafts: Vec::new() };
        self.ndjson.finish(&mut written)?;
        self.csv.finish()?.finish(&mut written)?;
        Ok(written)
    }
}

/// A form as it is and in each of its codings, and the digest of what it is.
pub struct Coded {
    form: Form,
    digest: Sha256,
    identity: NamedDraft,
    zstd: Option<zstd::Encoder<'static, NamedDraft>>,
    gzip: Option<GzEncoder<NamedDraft>>,
}

impl Coded {
    pub fn begin(folder: &Folder, form: Form) -> io::Result<Self> {
        let mut coded =
            Self { form, digest: Sha256::new(), identity: folder.draft()?, zstd: None, gzip: None };
        for coding in form.codings() {
            let draft = folder.draft()?;
            match coding {
                Coding::Zstd => {
                    let mut zstd = zstd::Encoder::new(draft, ZSTD_LEVEL)?;
                    zstd.include_checksum(true)?;
                    coded.zstd = Some(zstd);
                }
                // Its head has no time and no name: the same text, the same bytes.
                Coding::Gzip => coded.gzip = Some(GzEncoder::new(draft, Compression::new(GZIP_LEVEL))),
            }
        }
        Ok(coded)
    }

    pub fn finish(self, written: &mut Written) -> io::Result<()> {
        written.digests.push((self.form, self.digest.finalize().into()));
        written.drafts.push((self.form, None, self.identity));
        if let Some(zstd) = self.zstd {
            written.drafts.push((self.form, Some(Coding::Zstd), zstd.finish()?));
        }
        if let Some(gzip) = self.gzip {
            written.drafts.push((self.form, Some(Coding::Gzip), gzip.finish()?));
        }
        Ok(())
    }
}

impl Write for Coded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.digest.update(bytes);
        self.identity.write_all(bytes)?;
        self.zstd.as_mut().map_or(Ok(()), |zstd| zstd.write_all(bytes))?;
        self.gzip.as_mut().map_or(Ok(()), |gzip| gzip.write_all(bytes))?;
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
