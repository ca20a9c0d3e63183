//! `store export`: a copy of everything, as of one moment, while the service
//! runs or not.
//!
//! Parts are written and synced one after the other, the manifest last, beside
//! its place and then renamed. A crash leaves parts without a manifest, which
//! nobody takes for a copy.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::cli::Failed;
use crate::cli::args::ExportArgs;
use crate::cli::config::Config;
use crate::cli::copies::Progress;
use crate::cli::copies::copy::line_of;
use crate::cli::copies::manifest::{Holds, MANIFEST, Manifest, Part};
use crate::cli::copies::parts::Writer;
use crate::cli::copies::reckoning::Reckoning;
use crate::cli::copies::source::Source;
use crate::cli::house::World;
use crate::cli::progress::Bar;
use crate::env::files;
use crate::store::Extent;

/// How a copy is written.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Of a part's lines, before they are compressed; one line more may be in it.
    pub part_bytes_max: u64,
    pub is_plain: bool,
    /// With less free space beside a part's size nothing more is written.
    pub disk_free_bytes_min: u64,
}

pub async fn export(args: &ExportArgs, config: &Config, world: &World) -> Result<(), Failed> {
    let folder = Folder::create(&args.out)?;
    let shape = Shape {
        part_bytes_max: args.part_bytes,
        is_plain: args.plain,
        disk_free_bytes_min: config.disk_free_bytes_min,
    };
    let created_at = world.clock.now();
    let mut source = Source::open(config, world).await?;
    let bar = Bar::default();
    let progress = |what, done, total| bar.show(what, done, total);
    let manifest = write(&mut source, &folder, &shape, created_at, &progress).await?;
    bar.clear();
    let total = &manifest.total;
    let records: u64 = total.records.values().map(|kind| kind.count).sum();
    println!(
        "{}: {records} records, {} log entries, {} audit lines, in {} parts",
        args.out.display(),
        total.log.size,
        total.audit.size,
        manifest.parts.len()
    );
    let data = config.data_dir.display();
    let documents = config.shared_dir.as_ref().unwrap_or(&config.data_dir).join("documents");
    println!(
        "Keep beside it, and apart from it: {data}/secret.key, {data}/feed.key and {}.",
        documents.display()
    );
    println!("Without the two keys this copy cannot be served.");
    Ok(())
}

/// Writes all of it, the manifest last.
pub async fn write(
    source: &mut Source,
    folder: &Folder,
    shape: &Shape,
    created_at: Timestamp,
    progress: Progress<'_>,
) -> Result<Manifest, Failed> {
    let mut parts = Parts { folder, shape, writer: None, finished: Vec::new() };
    let mut reckoning = Reckoning::new();
    loop {
        let pieces = source.next().await?;
        let Some(last) = pieces.last() else { break };
        for piece in &pieces {
            let Some((holds, line)) = line_of(piece) else {
                reckoning.take(piece, b"");
                continue;
            };
            reckoning.take(piece, &line);
            parts.push(holds, &line).map_err(|error| folder.failed(&error))?;
        }
        let (what, total) = match line_of(last) {
            Some((Holds::Log, _)) => ("log", source.extent().log_size),
            Some((Holds::Audit, _)) => ("audit", source.extent().audit_size),
            _ => ("records", 0),
        };
        progress(what, parts.lines_of(what), total);
    }
    let parts = parts.finish().map_err(|error| folder.failed(&error))?;
    finish(folder, reckoning, source.extent(), created_at, parts)
}

fn finish(
    folder: &Folder,
    reckoning: Reckoning,
    extent: &Extent,
    created_at: Timestamp,
    parts: Vec<Part>,
) -> Result<Manifest, Failed> {
    let (total, problems) = reckoning.finish(extent);
    if !problems.is_empty() {
        let why =
            format!("the store does not hold together, and no copy was made of it:\n{}", problems.text());
        return Err(Failed::because(&why).hint("`zhengming store check` looks through it"));
    }
    let manifest = Manifest::new(created_at, total, parts);
    folder.put_manifest(&manifest.text()).map_err(|error| folder.failed(&error))?;
    Ok(manifest)
}

/// Parts that are written one after the other.
struct Parts<'a> {
    folder: &'a Folder,
    shape: &'a Shape,
    writer: Option<Writer>,
    finished: Vec<Part>,
}

impl Parts<'_> {
    fn push(&mut self, holds: Holds, line: &[u8]) -> io::Result<()> {
        let is_full =
            |writer: &Writer| writer.holds() != holds || writer.written >= self.shape.part_bytes_max;
        if self.writer.as_ref().is_some_and(is_full) {
            self.finish_part()?;
        }
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => {
                self.folder.must_have_room(self.shape)?;
                let nth = self.finished.iter().filter(|part| part.holds == holds).count();
                none.insert(Writer::create(&self.folder.dir, holds, nth, self.shape.is_plain)?)
            }
        };
        writer.push(line)
    }

    fn lines_of(&self, what: &str) -> u64 {
        let finished = self.finished.iter().filter(|part| part.holds.name() == what).map(|part| part.lines);
        let open = self.writer.as_ref().filter(|writer| writer.holds().name() == what);
        finished.sum::<u64>() + open.map_or(0, Writer::lines)
    }

    fn finish_part(&mut self) -> io::Result<()> {
        if let Some(writer) = self.writer.take() {
            self.finished.push(writer.finish()?);
        }
        Ok(())
    }

    fn finish(mut self) -> io::Result<Vec<Part>> {
        self.finish_part()?;
        Ok(self.finished)
    }
}

/// The new folder, for its owner alone.
#[derive(Debug)]
pub struct Folder {
    dir: PathBuf,
}

impl Folder {
    /// A folder that holds anything is left alone: it may be another copy.
    pub fn create(dir: &Path) -> Result<Self, Failed> {
        let folder = Self { dir: dir.to_owned() };
        let found = || -> io::Result<bool> {
            if !dir.try_exists()? {
                DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
            }
            Ok(fs::read_dir(dir)?.next().is_some())
        };
        if found().map_err(|error| folder.failed(&error))? {
            let why = format!("{} is not empty: a copy is written into a folder of its own", dir.display());
            return Err(Failed::because(&why));
        }
        // One that was there may have been for others too.
        let private = fs::set_permissions(dir, fs::Permissions::from_mode(0o700));
        private.map_err(|error| folder.failed(&error))?;
        Ok(folder)
    }

    fn must_have_room(&self, shape: &Shape) -> io::Result<()> {
        if files::free_bytes(&self.dir)? < shape.disk_free_bytes_min.saturating_add(shape.part_bytes_max) {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "the disk is nearly full"));
        }
        Ok(())
    }

    fn put_manifest(&self, text: &str) -> io::Result<()> {
        let mut draft = tempfile::Builder::new()
            .prefix(".manifest-")
            .permissions(fs::Permissions::from_mode(0o600))
            .tempfile_in(&self.dir)?;
        draft.write_all(text.as_bytes())?;
        draft.as_file().sync_all()?;
        // The parts' names are durable before the manifest's.
        self.sync()?;
        draft.persist(self.dir.join(MANIFEST))?;
        self.sync()?;
        File::open(self.dir.join(".."))?.sync_all()
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.dir)?.sync_all()
    }

    fn failed(&self, error: &dyn std::error::Error) -> Failed {
        Failed::new(&self.dir.display().to_string(), error)
    }
}
