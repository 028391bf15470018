//! The SQL logic tests of the facts: each `.slt` beside a file makes the tables that the file reads with
//! `CREATE TABLE … AS` (columns left out are null, ids are written as text), runs it with `facts NAME` and the default
//! parameters, and asks `result`.

use std::{path::Path, sync::Arc};

use arrow::{
    array::new_null_array,
    compute::cast,
    datatypes::{DataType, Field, Schema, SchemaRef},
    record_batch::RecordBatch,
};
use datafusion::{datasource::MemTable, prelude::SessionContext};
use gilbreth_collector::schema::SPANS;
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner};

use crate::{
    Error,
    facts::{Facts, sql},
    local_time::LocalTime,
    operators::ledger::parts,
    parameters::Parameters,
    reference::tables::REFERENCE,
    session::slt::{Failure, rows_of},
    tables::FACTS,
};

/// Files whose rows others read under the name of the file, in an order in which each finds its inputs.
const READ_BY_OTHERS: [&str; 4] = ["task_roots", "task_names", "corrected_spans", "holdings"];

#[derive(Default)]
struct Bench {
    scratch: SessionContext,
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

impl Bench {
    async fn answer(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, Error> {
        if let Some(name) = sql.strip_prefix("facts ") {
            let rows = self.rows(name.trim()).await?;
            self.scratch.deregister_table("result")?;
            self.scratch.register_batch("result", rows)?;
            return Ok(DBOutput::StatementComplete(0));
        }
        let rows = self.scratch.sql(sql).await?.collect().await?;
        if sql.starts_with("CREATE TABLE") { Ok(DBOutput::StatementComplete(0)) } else { rows_of(&rows) }
    }

    /// The rows of a file over the tables made so far, with ids as text.
    async fn rows(&self, name: &str) -> Result<RecordBatch, Error> {
        let context = SessionContext::new();
        for table in [&SPANS].into_iter().chain(FACTS).chain(REFERENCE) {
            self.provide(&context, table.name, &table.arrow_schema()).await?;
        }
        self.provide(&context, "task_parts", &parts::SCHEMA).await?;
        let parameters = Parameters::default();
        let facts =
            Facts { context: &context, parameters: &parameters, local: LocalTime::new(chrono_tz::Europe::London) };
        for read in READ_BY_OTHERS {
            let schema = facts.query(text(read)).await?.schema().inner().clone();
            self.provide(&context, read, &schema).await?;
        }
        let frame = facts.query(text(name)).await?;
        let schema = frame.schema().inner().clone();
        let rows = arrow::compute::concat_batches(&schema, &frame.collect().await?)?;
        let columns = schema.fields().iter().zip(rows.columns()).map(|(field, column)| {
            let readable = if field.data_type().is_binary() { DataType::Utf8 } else { field.data_type().clone() };
            Ok((field.name().clone(), cast(column, &readable)?))
        });
        Ok(RecordBatch::try_from_iter(columns.collect::<Result<Vec<_>, Error>>()?)?)
    }

    /// Registers what the test made under this name, with these columns; nothing made is no rows.
    async fn provide(&self, context: &SessionContext, name: &str, schema: &SchemaRef) -> Result<(), Error> {
        let fields = schema.fields().iter().map(|field| field.as_ref().clone().with_nullable(true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<Field>>()));
        let mut batches = Vec::new();
        if let Ok(made) = self.scratch.table(name).await {
            for batch in made.collect().await? {
                let columns = schema.fields().iter().map(|field| {
                    let wanted = field.data_type();
                    batch
                        .column_by_name(field.name())
                        .map_or_else(|| Ok(new_null_array(wanted, batch.num_rows())), |given| cast(given, wanted))
                });
                batches.push(RecordBatch::try_new(schema.clone(), columns.collect::<Result<_, _>>()?)?);
            }
        }
        context.register_table(name, Arc::new(MemTable::try_new(schema, vec![batches])?))?;
        Ok(())
    }
}

fn text(name: &str) -> &'static str {
    let file = format!("{name}.sql");
    sql::FILES.iter().find(|(listed, _)| *listed == file).expect("a test runs a file that is listed").1
}

#[tokio::test]
async fn every_sql_file_of_the_facts_answers_as_worked_out_by_hand() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql/facts");
    let only = std::env::var("GILBRETH_SLT").unwrap_or_default();
    let mut failures = Vec::new();
    for test in sql::FILES.iter().map(|(file, _)| file.replace(".sql", ".slt")).filter(|test| test.contains(&only)) {
        let mut runner = Runner::new(|| async { Ok(Bench::default()) });
        if let Err(error) = runner.run_file_async(folder.join(test)).await {
            failures.push(error.display(false).to_string());
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
