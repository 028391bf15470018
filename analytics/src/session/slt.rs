//! The SQL logic tests: each `.slt` beside a file of SQL makes stored rows with `CREATE TABLE … AS`, in a scratch
//! context (and takes them away with `DROP TABLE`), and then asks a real session over them. Columns left out are null;
//! facts that are made of ledger and matches alone are made as `sql/facts/` says, where a test does not make them itself.
//! `answer NAME` asks a question of the catalogue, `specification NAME` runs the SQL that says what an operator answers;
//! `SET scope.KEY = 'VALUE'` narrows the session, and `RESET scope.KEY` widens it again.

use std::{path::Path, sync::Arc};

use arrow::{array::new_null_array, compute::cast, record_batch::RecordBatch, util::display::array_value_to_string};
use datafusion::{common::ScalarValue, datasource::MemTable, prelude::SessionContext};
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Record, Runner};

use gilbreth_collector::schema::Table;

use super::{Providers, Session, stored_tables};
use crate::{
    Error, catalogue,
    facts::sql,
    parameters::Parameters,
    scope::Scope,
    tables::{LEDGER, MATCH_LISTS, MATCHED_TIMES, MATCHES, TRIED_VALUES, WEEKLY_TIMES},
};

struct Bench {
    scratch: SessionContext,
    scope: Scope,
    session: Option<Session>,
}

impl Bench {
    fn new() -> Self {
        Self { scratch: SessionContext::new(), scope: Scope::default(), session: None }
    }

    async fn session(&mut self) -> Result<&Session, Error> {
        if self.session.is_none() {
            let mut providers = Providers::new();
            for table in stored_tables() {
                let Ok(rows) = self.scratch.table(table.name).await else { continue };
                providers.insert(table.name, rows_as(table, &rows.collect().await?)?);
            }
            add_up(&mut providers).await?;
            let zone = chrono_tz::Europe::London;
            self.session = Some(Session::over(providers, &self.scope, &Parameters::default(), Vec::new(), zone).await?);
        }
        Ok(self.session.as_ref().expect("was just made"))
    }

    fn narrow(&mut self, key: &str, value: Option<&str>) {
        let value = value.map(str::to_owned);
        match key {
            "from" => self.scope.from = value,
            "to" => self.scope.to = value,
            "system" => self.scope.system = value,
            "organisation" => self.scope.organisation = value,
            "role" => self.scope.role = value,
            "task" => self.scope.task = value,
            other => panic!("a test narrows by {other}"),
        }
        self.session = None;
    }
}

#[async_trait::async_trait]
impl AsyncDB for Bench {
    type Error = Failure;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, Failure> {
        self.answer(sql).await.map_err(|error| Failure::of(&error))
    }

    async fn shutdown(&mut self) {}
}

/// Rows with the columns of a table; those left out are null.
fn rows_as(table: &Table, batches: &[RecordBatch]) -> Result<Arc<MemTable>, Error> {
    let batches = batches.iter().map(|batch| {
        let columns = table.columns.iter().map(|column| {
            let wanted = column.kind.data_type();
            batch
                .column_by_name(column.name)
                .map_or_else(|| Ok(new_null_array(&wanted, batch.num_rows())), |given| cast(given, &wanted))
        });
        Ok(RecordBatch::try_new(table.arrow_schema(), columns.collect::<Result<_, _>>()?)?)
    });
    let batches = batches.collect::<Result<Vec<_>, Error>>()?;
    Ok(Arc::new(MemTable::try_new(table.arrow_schema(), vec![batches])?))
}

/// Makes the facts that are made of ledger and matches alone.
async fn add_up(providers: &mut Providers) -> Result<(), Error> {
    let context = SessionContext::new();
    for table in [&LEDGER, &MATCHES] {
        match providers.get(table.name) {
            Some(given) => context.register_table(table.name, given.clone())?,
            None => context.register_table(table.name, rows_as(table, &[])?)?,
        };
    }
    let parameters = Parameters::default();
    let us = |seconds: f64| ScalarValue::Int64(Some((seconds * 1e6).round() as i64));
    let (idle, switch) = (us(parameters.idle_threshold_s), us(parameters.switch_s));
    let listed_ledger = "SELECT l.* EXCLUDE (match_list), t.list AS match_list FROM ledger l
        LEFT JOIN (SELECT DISTINCT worker, span_id, list FROM matches) t
        ON t.worker = l.worker AND t.span_id = l.target_span_id AND l.category = 'matched'";
    for (table, sql) in [
        (&MATCHES, sql::LISTED_MATCHES),
        (&LEDGER, listed_ledger),
        (&MATCH_LISTS, sql::MATCH_LISTS),
        (&MATCHED_TIMES, sql::MATCHED_TIMES),
        (&WEEKLY_TIMES, sql::WEEKLY_TIMES),
        (&TRIED_VALUES, sql::TRIED_VALUES),
    ] {
        let mut rows = context.sql(sql).await?;
        if table.name == TRIED_VALUES.name {
            rows = rows.with_param_values(vec![("idle_us", idle.clone()), ("switch_us", switch.clone())])?;
        }
        let made = rows_as(table, &rows.collect().await?)?;
        context.deregister_table(table.name)?;
        context.register_table(table.name, made.clone())?;
        let is_sum = table.name != LEDGER.name && table.name != MATCHES.name;
        if !is_sum || !providers.contains_key(table.name) {
            providers.insert(table.name, made);
        }
    }
    Ok(())
}

/// An error with its causes, so that a failing test says why.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn of(error: &Error) -> Self {
        Self(Chain(error).to_string())
    }
}

struct Chain<'a>(&'a dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}", self.0)?;
        self.0.source().map_or(Ok(()), |source| write!(formatter, ": {}", Chain(source)))
    }
}

impl Bench {
    async fn answer(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, Error> {
        if let Some((key, value)) = sql.strip_prefix("SET scope.").and_then(|rest| rest.split_once(" = ")) {
            self.narrow(key, Some(value.trim_matches('\'')));
            return Ok(DBOutput::StatementComplete(0));
        }
        if let Some(key) = sql.strip_prefix("RESET scope.") {
            self.narrow(key.trim(), None);
            return Ok(DBOutput::StatementComplete(0));
        }
        if sql.starts_with("CREATE TABLE") || sql.starts_with("DROP TABLE") {
            self.scratch.sql(sql).await?.collect().await?;
            self.session = None;
            return Ok(DBOutput::StatementComplete(0));
        }
        let sql = match sql.split_once(' ') {
            Some(("answer", name)) => catalogue::answer(name.trim()).text,
            Some(("specification", name)) => catalogue::specification(name.trim()).text,
            _ => sql,
        };
        rows_of(&self.session().await?.sql(sql).await?)
    }
}

/// Rows as the tests compare them.
pub(crate) fn rows_of(batches: &[RecordBatch]) -> Result<DBOutput<DefaultColumnType>, Error> {
    let mut rows = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let cells = batch.columns().iter().map(|column| cell(column, row));
            rows.push(cells.collect::<Result<_, _>>()?);
        }
    }
    let columns = batches.first().map_or(1, RecordBatch::num_columns);
    Ok(DBOutput::Rows { types: vec![DefaultColumnType::Any; columns], rows })
}

/// Doubles to six significant places after the point, so that a test says what a person worked out.
fn cell(column: &arrow::array::ArrayRef, row: usize) -> Result<String, Error> {
    if column.is_null(row) {
        return Ok("NULL".to_owned());
    }
    let text = array_value_to_string(column, row)?;
    if column.data_type().is_floating() {
        let rounded = format!("{:.6}", text.parse::<f64>().unwrap());
        return Ok(rounded.trim_end_matches('0').trim_end_matches('.').to_owned());
    }
    Ok(if text.is_empty() { "(empty)".to_owned() } else { text })
}

#[tokio::test]
async fn every_sql_file_answers_as_worked_out_by_hand() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql");
    let only = std::env::var("GILBRETH_SLT").unwrap_or_default();
    let mut failures = Vec::new();
    let files = catalogue::views()
        .chain(catalogue::ANSWERS)
        .chain(catalogue::SPECIFICATIONS)
        .map(|file| file.path.replace(".sql", ".slt"));
    let derived = catalogue::DERIVED.iter().map(|derived| derived.table);
    let tests = files.chain(derived.map(|table| format!("{}/{}.slt", table.folder, table.name)));
    for test in tests.filter(|test| test.contains(&only)) {
        let path = folder.join(test);
        let mut runner = Runner::new(|| async { Ok(Bench::new()) });
        if let Err(error) = runner.run_file_async(&path).await {
            failures.push(error.display(false).to_string());
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// The rows of an answer, as text.
async fn rows(bench: &mut Bench, sql: &str) -> Vec<Vec<String>> {
    let DBOutput::Rows { rows, .. } = bench.answer(sql).await.unwrap() else { panic!("{sql} asks nothing") };
    rows
}

/// The estates of the test of `claims` in turn.
#[tokio::test]
async fn each_query_of_the_claims_gives_the_figure_shown() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql/views/claims.slt");
    let mut bench = Bench::new();
    let (mut estates, mut available) = (0, 0);
    for record in sqllogictest::parse_file::<DefaultColumnType>(&path).unwrap() {
        match record {
            Record::Statement { sql, .. } => drop(bench.answer(&sql).await.unwrap()),
            Record::Query { .. } => {
                let claims = rows(&mut bench, "SELECT number, figure, query FROM claims ORDER BY number").await;
                assert_eq!(claims.len(), 10);
                for claim in claims {
                    let [number, figure, query] = &claim[..] else { panic!("three columns were asked for") };
                    assert_eq!(rows(&mut bench, query).await, [[figure.clone()]], "claim {number}: {query}");
                    available += usize::from(figure != "NULL");
                }
                estates += 1;
            }
            _ => {}
        }
    }
    assert_eq!(
        (estates, available),
        (6, 42),
        "every claim has a figure in one of the estates; the second is asked three times"
    );
}
