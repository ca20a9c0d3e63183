//! What every engine promises about listings: who is in them, in which order,
//! and that pages together are the whole.

use std::sync::Arc;

use zhengming::domain::id::{DisputeId, FilingId};
use zhengming::domain::label::{Label, LabelKind};
use zhengming::domain::number_file::NumberFile;
use zhengming::domain::progress::Stage;
use zhengming::store::{
    Ack, Batch, BatchState, Changeset, Claim, Cursor, FilingPart, Listing, PAGE_RECORDS_MAX, Record, Store,
    Stored, TaskKind, Trace, Versioned,
};

use crate::store::engines::on_each_engine;
use crate::support::dice::Dice;
use crate::support::records::{
    access_key, any, at, batch, claim, cluster, code_count, day, dispute, filing, filing_part, label,
    label_count, moderator, number, provider, queued, refusal, regressed, reversal_asked, session, task,
    trace, uuid, verification, webhook,
};

on_each_engine!([memory sled postgres] [
    labels_of_a_number
    labels_that_have_regressed
    disputes_of_a_number_oldest_first
    the_queue_earliest_due_first
    tasks_that_are_due
    acknowledgements_above_a_size
    refusals_access_keys_and_moderators
    webhooks_by_provider_and_place
    batches_that_are_open
    reversals_with_one_signature_earliest_first
    parts_of_a_list_in_its_order
    traces_of_a_cluster_from_a_time_on
    what_has_expired_longest_first
    a_record_moves_with_its_times
    pages_are_the_whole
    a_cursor_from_elsewhere_opens_nothing
]);

type Any = Arc<dyn Store>;

async fn put_all<T: Stored>(store: &Any, records: impl IntoIterator<Item = T>) {
    let mut changeset = Changeset::default();
    records.into_iter().for_each(|record| changeset.put_new(record));
    store.commit(changeset).await.unwrap();
}

/// All of a listing, by pages of `limit`.
async fn pages(store: &Any, listing: &Listing, limit: usize) -> Vec<Versioned<Record>> {
    let mut all = Vec::new();
    let mut after: Option<Cursor> = None;
    loop {
        let page = store.list(listing, after.as_ref(), limit).await.unwrap();
        assert!(page.records.len() <= limit);
        all.extend(page.records);
        match page.next {
            Some(next) => after = Some(next),
            None => return all,
        }
    }
}

/// The listing holds just these, in this order, however it is paged.
async fn holds<T: Stored>(store: &Any, listing: Listing, expected: impl IntoIterator<Item = T>) {
    let expected: Vec<_> = expected.into_iter().map(Stored::into_record).collect();
    for limit in [1, 2, PAGE_RECORDS_MAX] {
        let found = pages(store, &listing, limit).await;
        let found: Vec<_> = found.into_iter().map(|found| found.value).collect();
        assert_eq!(found, expected, "{listing:?} by {limit}");
    }
}

async fn labels_of_a_number(store: Any) {
    let of = |nth, who, kind| label(number(nth), provider(who), kind);
    let kinds = [LabelKind::Category, LabelKind::Name];
    let mine: Vec<_> = (0..4).flat_map(|who| kinds.map(|kind| of(1, who, kind))).collect();
    put_all(&store, mine.iter().rev().cloned()).await;
    put_all(&store, [of(0, 0, LabelKind::Name), of(2, 0, LabelKind::Name)]).await;
    holds(&store, Listing::LabelsOf(number(1)), mine).await;
    holds::<Label>(&store, Listing::LabelsOf(number(3)), []).await;
}

async fn parts_of_a_list_in_its_order(store: Any) {
    let parts: Vec<_> = [0, 1, 2, 255, 256, 65_535].into_iter().map(|nth| filing_part(1, nth)).collect();
    put_all(&store, parts.iter().rev().cloned()).await;
    put_all(&store, [filing_part(0, 0), filing_part(2, 0)]).await;
    put_all(&store, [filing(1)]).await;
    holds(&store, Listing::PartsOf(FilingId(uuid(1))), parts).await;
    holds::<FilingPart>(&store, Listing::PartsOf(FilingId(uuid(3))), []).await;
}

async fn traces_of_a_cluster_from_a_time_on(store: Any) {
    for nth in 0..3 {
        let (mine, next) = (cluster(nth), cluster(nth + 3));
        let of = |cluster, second, filing| trace(cluster, at(second), filing, at(second + 9));
        let late = [of(mine, 5, 1), of(mine, 5, 2), of(mine, 6, 0)];
        put_all(&store, late.iter().rev().cloned()).await;
        put_all(&store, [of(mine, 4, 3), of(next, 5, 1)]).await;
        holds(&store, Listing::TracesSince { cluster: mine, since: at(5) }, late).await;
        holds::<Trace>(&store, Listing::TracesSince { cluster: mine, since: at(7) }, []).await;
    }
    // They are forgotten like whatever runs out.
    let expired = store.list(&Listing::Expired { until: at(13) }, None, 9).await.unwrap();
    assert_eq!(expired.records.len(), 3);
}

async fn labels_that_have_regressed(store: Any) {
    let of = |who, nth, kind| regressed(label(number(nth), provider(who), kind), 7);
    let back = [
        of(0, 1, LabelKind::Name),
        of(0, 2, LabelKind::Category),
        of(0, 2, LabelKind::Name),
        of(1, 0, LabelKind::Name),
        of(3, 1, LabelKind::Name),
    ];
    put_all(&store, back.iter().rev().cloned()).await;
    put_all(&store, [label(number(1), provider(0), LabelKind::Category)]).await;
    let by = |who| Listing::Regressed { provider: who };
    holds(&store, by(None), back.clone()).await;
    holds(&store, by(Some(provider(0))), back[..3].iter().cloned()).await;
    holds(&store, by(Some(provider(1))), back[3..4].iter().cloned()).await;
    holds::<Label>(&store, by(Some(provider(2))), []).await;
    // One is right again, and one is shown no more.
    let mut changeset = Changeset::default();
    let right = label(number(2), provider(0), LabelKind::Category);
    let before =
        store.load::<Label>(&(right.number, right.provider.clone(), right.kind)).await.unwrap().unwrap();
    changeset.put(Versioned { version: before.version, value: right });
    let gone = &back[3];
    let gone = store.load::<Label>(&(gone.number, gone.provider.clone(), gone.kind)).await.unwrap().unwrap();
    changeset.delete(&gone);
    store.commit(changeset).await.unwrap();
    let left = [0, 2, 4].map(|nth: usize| back[nth].clone());
    holds(&store, by(None), left).await;
}

async fn disputes_of_a_number_oldest_first(store: Any) {
    let of = |nth, who, second| dispute(nth, number(who), at(second), day(0));
    let mine = [of(4, 1, 10), of(1, 1, 20), of(2, 1, 20), of(0, 1, 30)];
    put_all(&store, mine.iter().rev().cloned()).await;
    put_all(&store, [of(5, 0, 15), of(6, 2, 15)]).await;
    holds(&store, Listing::DisputesOf(number(1)), mine).await;
}

async fn the_queue_earliest_due_first(store: Any) {
    let due = |nth, day_nth| dispute(nth, number(nth), at(nth), day(day_nth));
    let waiting = [queued(due(3, 1)), queued(due(1, 2)), queued(due(2, 2)), queued(due(0, 3))];
    put_all(&store, waiting.iter().rev().cloned()).await;
    put_all(&store, [due(8, 0), due(9, 2)]).await;
    holds(&store, Listing::Queue, waiting.clone()).await;
    // A decision takes it from the queue, and the number's list keeps it.
    let mut decided = store.load(&waiting[1].id).await.unwrap().unwrap();
    decided.value = due(1, 2);
    let mut changeset = Changeset::default();
    changeset.put(decided);
    store.commit(changeset).await.unwrap();
    let [first, _, third, last] = waiting;
    holds(&store, Listing::Queue, [first, third, last]).await;
    holds(&store, Listing::DisputesOf(number(1)), [due(1, 2)]).await;
}

async fn tasks_that_are_due(store: Any) {
    let check = |nth, second| task(TaskKind::Check(DisputeId(uuid(nth))), at(second));
    let tasks = [
        check(9, 10),
        check(1, 20),
        check(2, 20),
        task(TaskKind::RenewName(number(1)), at(20)),
        check(0, 30),
        check(3, 31),
    ];
    put_all(&store, tasks.iter().rev().cloned()).await;
    let due = |until| Listing::TasksDue { until: at(until) };
    holds(&store, due(9), tasks[..0].iter().cloned()).await;
    holds(&store, due(20), tasks[..4].iter().cloned()).await;
    holds(&store, due(30), tasks[..5].iter().cloned()).await;
    holds(&store, due(99), tasks).await;
}

async fn acknowledgements_above_a_size(store: Any) {
    let sizes = [1, 2, 255, 256, 70_000, u64::MAX];
    let all = || sizes.map(|size| ack_of(0, Stage::Applied, size));
    put_all(&store, all()).await;
    put_all(&store, [ack_of(0, Stage::Received, 3), ack_of(1, Stage::Applied, 3)]).await;
    let above = |size| Listing::AcksAbove { provider: provider(0), stage: Stage::Applied, size };
    holds(&store, above(0), all()).await;
    holds(&store, above(2), all().into_iter().skip(2)).await;
    holds(&store, above(254), all().into_iter().skip(2)).await;
    holds::<Ack>(&store, above(u64::MAX), []).await;
}

fn ack_of(who: u64, stage: Stage, size: u64) -> Ack {
    Ack { provider: provider(who), stage, size, at: at(0), software: None }
}

async fn refusals_access_keys_and_moderators(store: Any) {
    let refusals = || [1, 9, 300].map(|seq| refusal(provider(0), seq));
    put_all(&store, refusals().into_iter().rev()).await;
    put_all(&store, [refusal(provider(1), 2)]).await;
    holds(&store, Listing::RefusalsOf(provider(0)), refusals()).await;
    let keys = || [access_key(5, at(1)), access_key(2, at(2)), access_key(3, at(2)), access_key(1, at(3))];
    put_all(&store, keys().into_iter().rev()).await;
    holds(&store, Listing::AccessKeys, keys()).await;
    put_all(&store, [2, 0, 1].map(moderator)).await;
    holds(&store, Listing::Moderators, [0, 1, 2].map(moderator)).await;
}

async fn webhooks_by_provider_and_place(store: Any) {
    let all = || [(0, 0), (0, 3), (1, 0), (2, 1), (3, 0)].map(|(who, place)| webhook(provider(who), place));
    put_all(&store, all().into_iter().rev()).await;
    put_all(&store, [moderator(0)]).await;
    holds(&store, Listing::Webhooks, all()).await;
}

async fn batches_that_are_open(store: Any) {
    let states = [BatchState::Applying, BatchState::Done, BatchState::Held, BatchState::Discarded];
    let all = states.into_iter().chain([BatchState::Releasing]).zip(1..);
    put_all(&store, all.map(|(state, nth)| batch(nth, state))).await;
    let open = [batch(5, BatchState::Releasing), batch(3, BatchState::Held), batch(1, BatchState::Applying)];
    holds(&store, Listing::OpenBatches, open).await;
}

async fn reversals_with_one_signature_earliest_first(store: Any) {
    let asked = [reversal_asked(3, at(5)), reversal_asked(0, at(7)), reversal_asked(1, at(7))];
    put_all(&store, asked.iter().rev().cloned()).await;
    put_all(&store, [NumberFile::new(number(2)), NumberFile::new(number(4))]).await;
    holds(&store, Listing::ReversalsAsked, asked.clone()).await;
    // One is signed by a second person, and one is begun.
    let mut changeset = Changeset::default();
    for file in [NumberFile::new(number(0)), reversal_asked(4, at(6))] {
        let before = store.load::<NumberFile>(&file.number).await.unwrap().unwrap();
        changeset.put(Versioned { version: before.version, value: file });
    }
    store.commit(changeset).await.unwrap();
    let [first, _, last] = asked;
    holds(&store, Listing::ReversalsAsked, [first, reversal_asked(4, at(6)), last]).await;
}

async fn what_has_expired_longest_first(store: Any) {
    put_all(&store, [verification(1, at(40)), verification(2, at(10))]).await;
    put_all(&store, [session(1, at(20))]).await;
    put_all(&store, [code_count(number(1), at(30))]).await;
    put_all(&store, [label_count(provider(0), at(12))]).await;
    let over = || Batch { expires_at: Some(at(15)), ..batch(1, BatchState::Done) };
    put_all(&store, [over(), batch(2, BatchState::Done)]).await;
    let lasting = claim("lasting", 1);
    put_all(&store, [lasting, Claim { expires_at: Some(at(25)), ..claim("passing", 1) }]).await;
    let expected = [
        verification(2, at(10)).into_record(),
        label_count(provider(0), at(12)).into_record(),
        over().into_record(),
        session(1, at(20)).into_record(),
        Claim { expires_at: Some(at(25)), ..claim("passing", 1) }.into_record(),
        code_count(number(1), at(30)).into_record(),
    ];
    for limit in [1, 3, 10] {
        let found = pages(&store, &Listing::Expired { until: at(30) }, limit).await;
        assert!(found.iter().map(|found| &found.value).eq(&expected));
    }
    let mut changeset = Changeset::default();
    for expired in pages(&store, &Listing::Expired { until: at(30) }, 10).await {
        changeset.deletes.push((expired.value.key(), expired.version));
    }
    store.commit(changeset).await.unwrap();
    holds(&store, Listing::Expired { until: at(99) }, [verification(1, at(40))]).await;
}

async fn a_record_moves_with_its_times(store: Any) {
    let kind = TaskKind::RenewName(number(1));
    put_all(&store, [task(kind.clone(), at(10))]).await;
    let mut later = store.load(&kind).await.unwrap().unwrap();
    later.value = task(kind.clone(), at(50));
    let mut changeset = Changeset::default();
    changeset.put(later);
    store.commit(changeset).await.unwrap();
    assert!(pages(&store, &Listing::TasksDue { until: at(49) }, 10).await.is_empty());
    holds(&store, Listing::TasksDue { until: at(50) }, [task(kind, at(50))]).await;
}

async fn pages_are_the_whole(store: Any) {
    let mut dice = Dice::new(7);
    for _ in 0..400 {
        let record = any(&mut dice);
        let expected = store.get(&record.key()).await.unwrap().map_or(0, |old| old.version);
        let changeset =
            Changeset { puts: vec![zhengming::store::Put { record, expected }], ..Changeset::default() };
        store.commit(changeset).await.unwrap();
    }
    for listing in [Listing::Expired { until: at(9) }, Listing::TasksDue { until: at(9) }, Listing::Queue] {
        let whole = store.list(&listing, None, PAGE_RECORDS_MAX).await.unwrap();
        assert_eq!(whole.next, None);
        assert!(!whole.records.is_empty());
        for limit in 1..=whole.records.len() + 1 {
            assert_eq!(pages(&store, &listing, limit).await, whole.records, "{listing:?} by {limit}");
        }
        let exact = store.list(&listing, None, whole.records.len()).await.unwrap();
        assert_eq!(exact.next, None, "no page follows the last record");
    }
}

async fn a_cursor_from_elsewhere_opens_nothing(store: Any) {
    let of = |nth| label(number(nth), provider(0), LabelKind::Name);
    put_all(&store, [of(1), of(2), of(3)]).await;
    put_all(&store, [moderator(0), moderator(1)]).await;
    let first = store.list(&Listing::Moderators, None, 1).await.unwrap();
    let foreign = [first.next.unwrap(), Cursor(Vec::new()), Cursor(vec![0]), Cursor(vec![0xff; 99])];
    for cursor in foreign {
        let page = store.list(&Listing::LabelsOf(number(2)), Some(&cursor), 10).await.unwrap();
        assert!(page.records.iter().all(|found| found.value == of(2).into_record()));
        assert_eq!(page.next, None);
    }
}
