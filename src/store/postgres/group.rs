//! Which of the changesets that wait can be one transaction.

use std::collections::BTreeSet;

use crate::store::queue::Commit;
use crate::store::{Changeset, Key};

/// A transaction holds the head's row while it is made durable, so that many
/// changesets for each save most of the waiting; one that is no longer current
/// has all of its group tried again in halves.
const CHANGESETS_MAX: usize = 64;
/// Rows that a transaction of several changesets changes or holds.
const ROWS_MAX: usize = 1_024;

/// Keys that a group has, to find out who may join it.
#[derive(Debug, Default)]
struct Keys {
    changed: BTreeSet<Key>,
    read: BTreeSet<Key>,
}

/// Takes the first of those who wait, and who can go with it: nobody changes
/// what another one changes or has read. The others stay, in their order.
pub fn take(waiting: &mut Vec<Commit>) -> Vec<Commit> {
    let mut keys = Keys::default();
    let mut group = Vec::new();
    let mut rows = 0;
    let mut others = Vec::new();
    for commit in waiting.drain(..) {
        let more = size(&commit.changeset);
        let fits = group.is_empty() || group.len() < CHANGESETS_MAX && rows + more <= ROWS_MAX;
        if fits && keys.join(&commit.changeset) {
            rows += more;
            group.push(commit);
        } else {
            others.push(commit);
        }
    }
    *waiting = others;
    group
}

fn size(changeset: &Changeset) -> usize {
    let changes = changeset.puts.len() + changeset.deletes.len() + changeset.expects.len();
    changes + changeset.entries.len() + changeset.audit.len()
}

impl Keys {
    /// Whether it could.
    fn join(&mut self, changeset: &Changeset) -> bool {
        let puts = changeset.puts.iter().map(|put| put.record.key());
        let changes: Vec<_> = puts.chain(changeset.deletes.iter().map(|(key, _)| key.clone())).collect();
        let reads = || changeset.expects.iter().map(|(key, _)| key);
        let is_free = !changes.iter().any(|key| self.changed.contains(key) || self.read.contains(key))
            && !reads().any(|key| self.changed.contains(key));
        if is_free {
            self.read.extend(reads().cloned());
            self.changed.extend(changes);
        }
        is_free
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key::Claim(name.to_owned())
    }

    /// Changes some, reads others.
    fn commit(changes: &[&str], reads: &[&str]) -> Commit {
        let at_version_1 = |names: &[&str]| names.iter().map(|name| (key(name), 1)).collect();
        let (deletes, expects) = (at_version_1(changes), at_version_1(reads));
        Commit::new(Changeset { deletes, expects, ..Changeset::default() }).0
    }

    fn taken(commits: &[(&[&str], &[&str])]) -> (Vec<usize>, usize) {
        let mut waiting: Vec<_> = commits.iter().map(|(changes, reads)| commit(changes, reads)).collect();
        let all: Vec<_> = waiting.iter().map(|commit| commit.changeset.clone()).collect();
        let group = take(&mut waiting);
        let nth = |commit: &Commit| all.iter().position(|changeset| *changeset == commit.changeset);
        (group.iter().map(|commit| nth(commit).expect("one of them")).collect(), waiting.len())
    }

    #[test]
    fn who_touches_other_records_goes_together() {
        assert_eq!(taken(&[(&["a"], &[]), (&["b"], &["c"]), (&["d"], &["c"])]), (vec![0, 1, 2], 0));
    }

    #[test]
    fn who_changes_what_another_changes_or_has_read_waits_and_holds_up_nobody() {
        assert_eq!(taken(&[(&["a"], &[]), (&["a"], &[]), (&["b"], &[])]), (vec![0, 2], 1));
        assert_eq!(taken(&[(&["a"], &["c"]), (&["c"], &[]), (&["b"], &[])]), (vec![0, 2], 1));
        assert_eq!(taken(&[(&["a"], &[]), (&["c"], &["a"]), (&["b"], &[])]), (vec![0, 2], 1));
    }

    #[test]
    fn a_group_has_an_end_and_its_first_always_goes() {
        let names: Vec<_> = (0..1_100).map(|nth| format!("p{nth}")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let mut waiting: Vec<_> = names[..80].iter().map(|name| commit(&[name], &[])).collect();
        assert_eq!((take(&mut waiting).len(), waiting.len()), (CHANGESETS_MAX, 80 - CHANGESETS_MAX));
        let mut waiting =
            vec![commit(&names[..1_000], &[]), commit(&names[1_000..], &[]), commit(&["b"], &[])];
        assert_eq!((take(&mut waiting).len(), waiting.len()), (2, 1));
        let mut waiting = vec![commit(&names, &[]), commit(&["b"], &[])];
        assert_eq!((take(&mut waiting).len(), waiting.len()), (1, 1));
    }
}
