use arrow::{
    array::{ArrayRef, BinaryArray, StringArray, new_null_array},
    util::pretty::pretty_format_batches,
};

use super::*;

async fn session(scope: &Scope, pending: Vec<RecordBatch>) -> Session {
    Session::over(Providers::new(), scope, &Parameters::default(), pending, chrono_tz::UTC).await.unwrap()
}

async fn everything() -> Session {
    session(&Scope::default(), Vec::new()).await
}

/// Rows of `spans` with nothing but an id and a kind.
fn spans(ids: &[&str]) -> RecordBatch {
    let columns = SPANS.columns.iter().map(|column| -> ArrayRef {
        match column.name {
            "span_id" => Arc::new(ids.iter().map(|id| Some(id.as_bytes())).collect::<BinaryArray>()),
            "kind" => Arc::new(ids.iter().map(|_| Some("entry")).collect::<StringArray>()),
            "system" => Arc::new(ids.iter().map(|id| Some(&id[..1])).collect::<StringArray>()),
            _ => new_null_array(&column.kind.data_type(), ids.len()),
        }
    });
    RecordBatch::try_new(SPANS.arrow_schema(), columns.collect()).unwrap()
}

async fn count(session: &Session, table: &str) -> i64 {
    let rows = session.sql(&format!("SELECT count(*) FROM {table}")).await.unwrap();
    arrow::array::AsArray::as_primitive::<arrow::datatypes::Int64Type>(rows[0].column(0)).value(0)
}

#[tokio::test]
async fn whatever_would_change_something_is_refused() {
    let session = everything().await;
    for sql in [
        "CREATE TABLE x AS SELECT 1",
        "CREATE VIEW x AS SELECT 1",
        "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '/etc/passwd'",
        "DROP TABLE spans",
        "INSERT INTO spans SELECT * FROM spans",
        "DELETE FROM spans",
        "COPY spans TO '/tmp/out.parquet'",
        "SET datafusion.execution.batch_size = 1",
        "EXPLAIN ANALYZE INSERT INTO spans SELECT * FROM spans",
        "SELECT 1; DROP TABLE spans",
        "SELECT * FROM '/etc/passwd'",
    ] {
        let error = session.sql(sql).await.expect_err(sql);
        assert_eq!(error.kind(), gilbreth_collector::ErrorKind::Invalid, "{sql}: {error:?}");
    }
    assert_eq!(count(&session, "spans").await, 0);
}

#[tokio::test]
async fn a_store_without_rows_answers_every_view() {
    let session = everything().await;
    let derived = catalogue::DERIVED.iter().map(|derived| derived.table.name);
    for name in catalogue::views().map(|file| file.name).chain(derived) {
        let rows = session.sql(&format!("SELECT * FROM {name}")).await;
        assert!(rows.is_ok(), "{name}: {rows:?}");
    }
    assert!(crate::findings::gather(&session).await.is_ok());
}

#[tokio::test]
async fn every_worked_query_of_the_documentation_runs() {
    let session = everything().await;
    let text = include_str!("../../../docs/sql.md");
    let queries: Vec<&str> = text.split("```sql\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(queries.len() >= 10, "{}", queries.len());
    for query in queries {
        let rows = session.sql(query).await;
        assert!(rows.is_ok(), "{query}: {rows:?}");
    }
}

#[tokio::test]
async fn an_error_says_where_it_is() {
    let session = everything().await;
    for (sql, place) in
        [("SELECT span_id,\n  nothing FROM spans", "line 2, column 3"), ("SELECT *\nFROM nowhere", "line 2, column 6")]
    {
        let error = session.sql(sql).await.expect_err(sql);
        assert!(error.to_string().contains(place), "{error:?}");
    }
    let error = session.sql("SELECT 1\nFROM spans )").await.expect_err("nothing is open");
    let mut said = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        said.push_str(&error.to_string());
        cause = error.source();
    }
    assert!(said.contains("Line: 2") || said.contains("line 2"), "{said}");
}

#[tokio::test]
async fn tables_at_hand_cannot_be_pinned() {
    let scope = Scope { as_of: Some("1".to_owned()), ..Scope::default() };
    let opened = Session::over(Providers::new(), &scope, &Parameters::default(), Vec::new(), chrono_tz::UTC).await;
    assert!(opened.expect_err("there is one version").to_string().contains("have one version"));
}

#[tokio::test]
async fn rows_not_committed_yet_are_seen_and_scoped() {
    let pending = vec![spans(&["a1", "b1"]), spans(&["a2"])];
    assert_eq!(count(&session(&Scope::default(), pending.clone()).await, "interactions").await, 3);
    let scope = Scope { system: Some("a".to_owned()), ..Scope::default() };
    assert_eq!(count(&session(&scope, pending).await, "interactions").await, 2);
}

#[tokio::test]
async fn every_column_means_something() {
    let session = everything().await;
    let silent: Vec<String> = session
        .dictionary(None)
        .unwrap()
        .entries()
        .iter()
        .filter(|entry| entry.meaning.is_empty())
        .map(|entry| format!("{}.{}", entry.table, entry.column.as_deref().unwrap_or_default()))
        .collect();
    assert!(silent.is_empty(), "no meaning: {silent:?}");
    for file in catalogue::views() {
        let columns = session.dictionary(Some(file.name)).unwrap();
        for named in file.head().columns.keys() {
            let there = columns.entries().iter().any(|entry| entry.column.as_ref() == Some(named));
            assert!(there, "{} explains {named}, which it does not have", file.path);
        }
    }
    assert!(session.dictionary(Some("nothing")).is_err());
}

#[tokio::test]
async fn the_dictionary_is_a_table_too() {
    let session = everything().await;
    let rows = session
        .sql("SELECT \"type\", meaning FROM data_dictionary WHERE \"table\" = 'headline' AND \"column\" = 'grade'")
        .await
        .unwrap();
    let text = pretty_format_batches(&rows).unwrap().to_string();
    assert!(text.contains("text | evidence grade: measured, estimated, reported or assumed"), "{text}");
}

#[tokio::test]
async fn a_view_answers_alike_kept_or_too_large_to_keep() {
    let small = kept_rows(1 << 20).await;
    assert_eq!(small, (3, 3));
    assert_eq!(kept_rows(1).await, (3, 3));
}

/// Counts a kept view twice.
async fn kept_rows(bytes_max: usize) -> (usize, usize) {
    let context = context().unwrap();
    let plan = context.state().create_logical_plan("SELECT * FROM (VALUES (1), (2), (3)) AS t (n)").await.unwrap();
    let view = kept::Kept::new("three", plan, "", bytes_max, None);
    context.register_table("three", Arc::new(view)).unwrap();
    let first = context.table("three").await.unwrap().count().await.unwrap();
    (first, context.table("three").await.unwrap().count().await.unwrap())
}

static DOUBLED: Table = Table {
    name: "doubled",
    folder: "",
    grain: "a number",
    partition: &[],
    sort: &[],
    columns: &[gilbreth_collector::schema::required(
        "n",
        gilbreth_collector::schema::ColumnType::Integer,
        "the number",
    )],
};

fn double(_: &Parameters, inputs: &[RecordBatch]) -> Result<RecordBatch, Error> {
    let numbers = arrow::compute::cast(inputs[0].column(0), &arrow::datatypes::DataType::Int64)?;
    let numbers = arrow::compute::sum(arrow::array::AsArray::as_primitive::<arrow::datatypes::Int64Type>(&numbers));
    let Some(sum) = numbers else { return Err(Error::Invalid("there is nothing to double".to_owned())) };
    let doubled: ArrayRef = Arc::new(arrow::array::Int64Array::from(vec![2 * sum]));
    Ok(RecordBatch::try_new(DOUBLED.arrow_schema(), vec![doubled])?)
}

/// Reads a derived table twice, over an input of this SQL.
async fn doubled(input: &str) -> Result<(usize, i64), datafusion::error::DataFusionError> {
    static DERIVED: Derived = Derived { table: &DOUBLED, about: "", inputs: &["numbers"], work_out: double };
    let context = context().unwrap();
    let plan = context.state().create_logical_plan(input).await?;
    context.register_table("numbers", Arc::new(ViewTable::new(plan, None)))?;
    let provider = derived::Provider::new(&context, &DERIVED, &Parameters::default(), None).await?;
    context.register_table("doubled", Arc::new(provider))?;
    let rows = context.table("doubled").await?.count().await?;
    let batches = context.table("doubled").await?.collect().await?;
    Ok((rows, arrow::array::AsArray::as_primitive::<arrow::datatypes::Int64Type>(batches[0].column(0)).value(0)))
}

#[tokio::test]
async fn a_derived_table_is_made_of_all_rows_of_its_inputs() {
    assert_eq!(doubled("SELECT * FROM (VALUES (1), (2), (3)) AS t (n)").await.unwrap(), (1, 12));
    let error = doubled("SELECT 1 AS n WHERE false").await.expect_err("there are no rows");
    assert!(error.to_string().contains("there is nothing to double"), "{error}");
}
