use super::*;
use crate::feed::merkle::Frontier;

struct Quiet;

impl Progress for Quiet {
    fn at(&self, _: Phase, _: u64, _: u64) {}
}

fn state(checkpoint: &str) -> State {
    let tree = Frontier::default();
    State { verifier: "v".to_owned(), tree, checkpoint: checkpoint.to_owned(), acked: None }
}

#[test]
fn a_full_disk_is_named_and_leaves_the_last_state() {
    let dir = tempfile::tempdir().unwrap();
    let nothing = Spool::create(dir.path(), Frontier::default()).unwrap();
    let mut output = SqliteOutput::open(dir.path()).unwrap();
    output.add(&nothing, state("small"), &Quiet).unwrap();
    output.connection.pragma_update(None, "max_page_count", 5).unwrap();
    let error = output.add(&nothing, state(&"large ".repeat(10_000)), &Quiet).unwrap_err();
    assert!(matches!(error, MirrorError::DiskFull { .. }), "{error}");
    assert_eq!(output.state(), Some(&state("small")));
    drop(output);
    assert_eq!(SqliteOutput::open(dir.path()).unwrap().state(), Some(&state("small")));
}

/// They wait for us, and we for them, but neither for ever.
#[test]
fn readers_see_the_last_step_while_the_next_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let nothing = Spool::create(dir.path(), Frontier::default()).unwrap();
    let mut output = SqliteOutput::open(dir.path()).unwrap();
    output.add(&nothing, state("first"), &Quiet).unwrap();
    let reader = Connection::open(dir.path().join("corrections.sqlite")).unwrap();
    let seen = || -> String {
        let sql = "SELECT value FROM meta WHERE key = 'checkpoint'";
        reader.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let written = output.write(state("second"), false, |_| {
        assert_eq!(seen(), "first");
        Ok(())
    });
    written.unwrap();
    assert_eq!(seen(), "second");
}

/// Files of before there were recent rows had the one table only.
#[test]
fn an_older_file_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let nothing = Spool::create(dir.path(), Frontier::default()).unwrap();
    SqliteOutput::open(dir.path()).unwrap().add(&nothing, state("old"), &Quiet).unwrap();
    let app = Connection::open(dir.path().join("corrections.sqlite")).unwrap();
    let back = "DROP TABLE recent;
        INSERT INTO corrections(number, at, seq) VALUES (8613800138000, '2025-01-30T00:00:00Z', 7)";
    app.execute_batch(back).unwrap();
    let mut output = SqliteOutput::open(dir.path()).unwrap();
    assert_eq!(output.state(), Some(&state("old")));
    for _ in 0..2 {
        output.add(&nothing, state("new"), &Quiet).unwrap();
        assert_eq!(seq_of(&app, 8_613_800_138_000), Some(7));
        output.settle().unwrap();
        assert_eq!(seq_of(&app, 8_613_800_138_000), Some(7));
    }
}

/// What an app has prepared goes on through both forms, and at rest the table
/// is the documented one.
#[test]
fn apps_read_on_while_rows_settle() {
    let dir = tempfile::tempdir().unwrap();
    let nothing = Spool::create(dir.path(), Frontier::default()).unwrap();
    let mut output = SqliteOutput::open(dir.path()).unwrap();
    output.add(&nothing, state("first"), &Quiet).unwrap();
    let app = Connection::open(dir.path().join("corrections.sqlite")).unwrap();
    let mut count = app.prepare("SELECT count(*) FROM corrections").unwrap();
    let mut count = || count.query_row([], |row| row.get::<_, i64>(0)).unwrap();
    assert!(is_settled(&app).unwrap());
    output.add(&nothing, state("second"), &Quiet).unwrap();
    assert_eq!((is_settled(&app), count()), (Ok(false), 0));
    output.settle().unwrap();
    assert_eq!((is_settled(&app), count()), (Ok(true), 0));
    let key: String = app
        .query_row("SELECT name FROM pragma_table_info('corrections') WHERE pk = 1", [], |row| row.get(0))
        .unwrap();
    assert_eq!(key, "number");
}

/// Looking up a number must not read the table.
#[test]
fn the_view_is_searched_by_number() {
    let dir = tempfile::tempdir().unwrap();
    let nothing = Spool::create(dir.path(), Frontier::default()).unwrap();
    let mut output = SqliteOutput::open(dir.path()).unwrap();
    output.add(&nothing, state("first"), &Quiet).unwrap();
    output.add(&nothing, state("second"), &Quiet).unwrap();
    let sql = "EXPLAIN QUERY PLAN SELECT void_before FROM corrections WHERE number = 8613800138000";
    let mut statement = output.connection.prepare(sql).unwrap();
    let plan = statement.query_map([], |row| row.get::<_, String>(3)).unwrap();
    let plan: Vec<String> = plan.map(Result::unwrap).collect();
    for table in ["settled", "recent"] {
        let search = format!("SEARCH {table} USING INTEGER PRIMARY KEY (rowid=?)");
        assert!(plan.contains(&search), "{plan:#?}");
    }
    assert!(!plan.iter().any(|step| step.starts_with("SCAN")), "{plan:#?}");
}

fn seq_of(app: &Connection, number: i64) -> Option<i64> {
    let sql = "SELECT seq FROM corrections WHERE number = ?1";
    app.query_row(sql, [number], |row| row.get(0)).optional().unwrap()
}
