//! Brings an operator's lines into the order of their numbers and days, so
//! that each number is decided on all that the upload says of it. Uploads of
//! any length take bounded memory: runs are sorted as they come in, written,
//! and merged at the end.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::casework::Result;
use crate::casework::staging::{Incoming, Staged, StagedLines, Staging};
use crate::domain::lines::TenureSaid;

/// About 12 MB of lines in memory.
pub(super) const RUN_LINES_MAX: usize = 250_000;

#[derive(Debug)]
pub(super) struct Sorting {
    staging: Staging,
    name: String,
    run_lines_max: usize,
    run: Vec<(TenureSaid, u64)>,
    runs: Vec<Incoming>,
}

impl Sorting {
    pub(super) fn new(staging: &Staging, name: String, run_lines_max: usize) -> Self {
        Self { staging: staging.clone(), name, run_lines_max, run: Vec::new(), runs: Vec::new() }
    }

    pub(super) async fn push(&mut self, line: u64, said: TenureSaid) -> Result<()> {
        self.run.push((said, line));
        if self.run.len() == self.run_lines_max {
            let mut part = self.staging.receive(&format!("{}.{}", self.name, self.runs.len())).await?;
            self.write_run(&mut part).await?;
            self.runs.push(part);
        }
        Ok(())
    }

    /// Makes the upload whole, sorted and durable.
    pub(super) async fn finish(mut self) -> Result<()> {
        let mut whole = self.staging.receive(&self.name).await?;
        if self.runs.is_empty() {
            self.write_run(&mut whole).await?;
        } else {
            let mut last = self.staging.receive(&format!("{}.{}", self.name, self.runs.len())).await?;
            self.write_run(&mut last).await?;
            self.runs.push(last);
            merge(&mut self.runs, &mut whole).await?;
        }
        whole.finish().await
    }

    async fn write_run(&mut self, to: &mut Incoming) -> Result<()> {
        self.run.sort_unstable();
        for (said, line) in self.run.drain(..) {
            to.push(&Staged { line, said }).await?;
        }
        Ok(())
    }
}

async fn merge(runs: &mut [Incoming], whole: &mut Incoming) -> Result<()> {
    let mut readers: Vec<StagedLines> = Vec::new();
    let mut heads = BinaryHeap::new();
    for (nth, run) in runs.iter_mut().enumerate() {
        let mut reader = run.reread().await?;
        if let Some((staged, _)) = reader.next::<TenureSaid>().await? {
            heads.push(Reverse((staged.said, staged.line, nth)));
        }
        readers.push(reader);
    }
    while let Some(Reverse((said, line, nth))) = heads.pop() {
        whole.push(&Staged { line, said }).await?;
        if let Some((staged, _)) = readers[nth].next::<TenureSaid>().await? {
            heads.push(Reverse((staged.said, staged.line, nth)));
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::number::Number;
    use crate::domain::tenure::TenureEvent;

    async fn sorted(said: &[TenureSaid], run_lines_max: usize) -> Vec<(TenureSaid, u64)> {
        let folder = tempfile::tempdir().unwrap();
        let staging = Staging::open(folder.path()).unwrap();
        let mut sorting = Sorting::new(&staging, "upload".to_owned(), run_lines_max);
        for (line, said) in said.iter().enumerate() {
            sorting.push(line as u64, *said).await.unwrap();
        }
        sorting.finish().await.unwrap();
        let left: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(left, ["upload.lines"], "the parts are gone");
        let mut lines = staging.read("upload", false, 0).await.unwrap();
        let mut read = Vec::new();
        while let Some((staged, _)) = lines.next::<TenureSaid>().await.unwrap() {
            read.push((staged.said, staged.line));
        }
        read
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn any_upload_comes_out_by_number_and_day(
            drawn in prop::collection::vec((0u64..5, 0i8..28), 0..60),
            run_lines_max in 1usize..20,
        ) {
            let said: Vec<TenureSaid> = drawn
                .iter()
                .map(|(number, day)| TenureSaid {
                    number: Number::from_digits(8_613_800_138_000 + number).unwrap(),
                    on: date(2025, 3, day + 1),
                    event: TenureEvent::Activated,
                })
                .collect();
            let mut expected: Vec<(TenureSaid, u64)> = said.iter().copied().zip(0..).collect();
            expected.sort_unstable();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            prop_assert_eq!(runtime.block_on(sorted(&said, run_lines_max)), expected);
        }
    }
}
