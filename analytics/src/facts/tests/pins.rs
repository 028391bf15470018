//! A store refreshed several times: each version can be read again, exactly, whatever came after it.

use std::{collections::BTreeMap, path::Path};

use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use gilbreth_collector::{
    schema::{INTAKE, SPANS, Table},
    store::{Manifest, Store, Writer},
};

use super::{estate, memory};
use crate::{
    conversation::{Answer, Conversation},
    parameters::Parameters,
    reference::tables::REFERENCE,
    refresh,
    scope::Scope,
    session::Session,
    tables::FACTS,
};

pub(super) async fn put(writer: &Writer, table: &Table, rows: Vec<arrow::record_batch::RecordBatch>) {
    let rows = futures::stream::iter(rows.into_iter().map(Ok));
    writer.replace(table, Box::pin(RecordBatchStreamAdapter::new(table.arrow_schema(), rows))).await.unwrap();
}

/// One commit of the collector that took in so many spans.
fn intake(received: i64) -> arrow::record_batch::RecordBatch {
    let columns = INTAKE.columns.iter().map(|column| -> arrow::array::ArrayRef {
        match column.name {
            "at" => std::sync::Arc::new(
                arrow::array::TimestampMicrosecondArray::from_iter_values([received]).with_timezone("UTC"),
            ),
            _ => std::sync::Arc::new(arrow::array::Int64Array::from_iter_values([received])),
        }
    });
    arrow::record_batch::RecordBatch::try_new(INTAKE.arrow_schema(), columns.collect()).unwrap()
}

/// Spans, what came in, and the facts; what they are made with.
async fn version(writer: &Writer, seed: u64, count: u64, parameters: &Parameters) -> u64 {
    let mut spans = estate::busy(seed, count);
    for span in &mut spans {
        span.offset *= seed as i64;
        span.cases.iter_mut().for_each(|case| *case += 100 * seed as u32);
    }
    put(writer, &SPANS, vec![estate::batch(&spans)]).await;
    put(writer, &INTAKE, vec![intake(count as i64)]).await;
    refresh::run(writer, parameters, false).await.unwrap().version
}

fn pinned(version: u64) -> Scope {
    Scope { as_of: Some(version.to_string()), ..Scope::default() }
}

pub(super) async fn open(root: &Path, scope: &Scope) -> Session {
    // A store opened anew, as another process would, that knows no table yet.
    let store = Store::open(root).unwrap();
    Session::open(&store, scope, &Parameters::default(), Vec::new()).await.unwrap()
}

/// Every row of every stored table, sorted as text.
pub(super) async fn rows(session: &Session) -> BTreeMap<&'static str, Vec<String>> {
    let mut all = BTreeMap::new();
    for table in [&SPANS, &INTAKE].into_iter().chain(FACTS).chain(REFERENCE) {
        let mut rows = memory::lines(&session.sql(&format!("SELECT * FROM {}", table.name)).await.unwrap());
        rows.sort();
        all.insert(table.name, rows);
    }
    all
}

pub(super) fn store(folder: &Path) -> Writer {
    let manifest = Manifest { format: 0, estate: "Test".to_owned(), time_zone: chrono_tz::Europe::London };
    Store::open_or_create(&folder.join("store"), manifest).unwrap().lock().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_table_of_a_pinned_version_has_the_rows_that_it_had() {
    let folder = tempfile::tempdir().unwrap();
    let writer = store(folder.path());
    let root = writer.store().root().to_owned();
    let first = version(&writer, 1, 400, &Parameters::default()).await;
    let then = rows(&open(&root, &Scope::default()).await).await;
    let switch_s = 2.0;
    let second = version(&writer, 2, 600, &Parameters { switch_s, ..Parameters::default() }).await;
    assert_eq!((first, second), (1, 2));

    let now = rows(&open(&root, &Scope::default()).await).await;
    let again = open(&root, &pinned(1)).await;
    for (table, rows) in rows(&again).await {
        assert_eq!(rows, then[table], "{table}");
        let made = !REFERENCE.iter().any(|reference| reference.name == table);
        assert!(!made || (!rows.is_empty() && rows != now[table]), "{table} is the same in both versions");
    }
    assert_eq!((again.version(), again.parameters()), (1, &Parameters::default()));
    assert_eq!(open(&root, &pinned(2)).await.parameters().switch_s, switch_s);
    // A store that knows the newest version of each table is no different.
    let known = Session::open(writer.store(), &pinned(1), &Parameters::default(), Vec::new()).await.unwrap();
    assert_eq!(rows(&known).await, then);
}

/// Where sessions leave rows of views for others, of the newest version.
fn kept(root: &Path, view: &str) -> std::path::PathBuf {
    let folders: Vec<_> = std::fs::read_dir(root.join("kept")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(folders.len(), 1, "{folders:?}");
    folders[0].join(view).with_extension("arrow")
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_a_session_left_are_read_where_they_hold_and_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let writer = store(folder.path());
    let root = writer.store().root().to_owned();
    version(&writer, 1, 400, &Parameters::default()).await;
    let ask = "SELECT * FROM time_by_function ORDER BY system, function";
    let of = async |scope: &Scope| memory::lines(&open(&root, scope).await.sql(ask).await.unwrap());
    let one_system = Scope { system: Some("a".to_owned()), ..Scope::default() };
    let (all, one) = (of(&Scope::default()).await, of(&one_system).await);
    assert_ne!(all, one);

    // What is left says that there is nothing: who reads it, says so too.
    let left = kept(&root, "time_by_function");
    let schema = arrow::ipc::reader::FileReader::try_new(std::fs::File::open(&left).unwrap(), None).unwrap().schema();
    let file = std::fs::File::create(&left).unwrap();
    arrow::ipc::writer::FileWriter::try_new(file, &schema).unwrap().finish().unwrap();
    assert!(of(&Scope::default()).await.is_empty() && of(&pinned(1)).await.is_empty(), "nobody reads what was left");
    assert_eq!(of(&one_system).await, one, "a scope has rows of its own");

    // Of the version before they are read no more, and those of the newest are left in their place.
    version(&writer, 2, 600, &Parameters::default()).await;
    let newest = of(&Scope::default()).await;
    assert!(!newest.is_empty() && newest != all);
    assert!(!left.exists() && kept(&root, "time_by_function").exists());
    assert_eq!(of(&pinned(1)).await, all, "a session of before works out its own");
    assert!(kept(&root, "time_by_function").exists(), "and takes nothing away");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_not_there_names_those_that_are() {
    let folder = tempfile::tempdir().unwrap();
    let writer = store(folder.path());
    let refused = async |as_of: &str| {
        let scope = Scope { as_of: Some(as_of.to_owned()), ..Scope::default() };
        let opened = Session::open(writer.store(), &scope, &Parameters::default(), Vec::new()).await;
        opened.expect_err("there is no such version").to_string()
    };
    assert!(refused("1").await.contains("it has none before its first refresh"));
    version(&writer, 1, 40, &Parameters::default()).await;
    version(&writer, 2, 40, &Parameters::default()).await;
    assert_eq!(refused("7").await, "there is no version 7 in this store: it has 1 to 2");
    assert!(refused("yesterday").await.contains("`gilbreth versions` lists them"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_that_cannot_be_honoured_fails_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let writer = store(folder.path());
    for seed in 1..=2 {
        version(&writer, seed, 300, &Parameters::default()).await;
    }
    let begin = async || {
        let store = writer.store().clone();
        Conversation::open(store, &Scope::default(), &Parameters::default()).await.unwrap()
    };
    let (mut one, other) = (begin().await, begin().await);
    assert!(matches!(one.run("SET gilbreth.as_of = 1").await.unwrap(), Answer::Changed));
    assert!(matches!(one.run("set gilbreth.system to 'a'").await.unwrap(), Answer::Changed));
    assert_eq!((one.session().version(), other.session().version()), (1, 2));
    for (statement, said) in [
        ("SET gilbreth.as_of = '9'", "it has 1 to 2"),
        ("SET gilbreth.system = 'c'", "no time was measured of system `c`, only of a, b"),
        ("SET gilbreth.role = 'x'", "no time was measured of role `x`"),
        ("SET gilbreth.from = 'soon'", "`from` is `soon`, and not a day"),
        ("SET gilbreth.colour = 'red'", "there is no setting gilbreth.colour: from, to"),
        ("SET gilbreth.from = 2026-01-05", "write SET gilbreth.from = '2026-01-05'"),
        ("SET LOCAL gilbreth.from = '2026-01-05'", "SET LOCAL cannot be honoured"),
        ("SET gilbreth.*", "write SET gilbreth.from"),
        ("SET datafusion.execution.batch_size = 1", "refused"),
        ("SHOW gilbreth.colour", "there is no setting gilbreth.colour"),
    ] {
        let error = one.run(statement).await.err().expect(statement);
        assert!(error.to_string().contains(said), "{statement}: {error}");
    }
    let scope = one.session().scope();
    assert_eq!((scope.as_of.as_deref(), scope.system.as_deref(), scope.role.as_deref()), (Some("1"), Some("a"), None));
    assert!(matches!(one.run("RESET gilbreth.system").await.unwrap(), Answer::Changed));
    assert_eq!(one.session().scope(), &pinned(1));
    assert!(matches!(one.run("RESET gilbreth.*").await.unwrap(), Answer::Changed));
    assert_eq!(one.session().version(), 2);
}
