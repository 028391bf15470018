//! Spans → facts: what is worked out, in which order.
//!
//! ```text
//! spans ─▶ case_links, clock_shifts, task names ─▶ corrected_spans ─┬▶ entries ─▶ chains and rework ─┐
//!                                                                   ├▶ holdings ─▶ index ─▶ matches, pair_counts
//!                                                                   └▶ activities ─▶ ledger, task_instances, worker_weeks
//! ```
//! Everything is recomputed from the spans. A day's facts depend on spans alone, never on verdicts. What is kept in
//! memory at once: case numbers, entries, and the posting lists of values held; spans and facts are streams, sorted by
//! DataFusion within its memory budget.

pub mod entries;
pub mod sink;
pub mod sql;

#[cfg(test)]
mod tests;

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use arrow::{
    array::{BinaryArray, BooleanArray, Int64Array, RecordBatch},
    datatypes::{DataType, Field},
};
use chrono_tz::Tz;
use datafusion::{
    catalog::MemTable,
    common::cast::as_binary_array,
    dataframe::DataFrame,
    error::Result,
    execution::{SendableRecordBatchStream, memory_pool::FairSpillPool, runtime_env::RuntimeEnvBuilder},
    physical_plan::execute_stream,
    prelude::{SessionConfig, SessionContext},
    scalar::ScalarValue,
};
use futures::TryStreamExt;
use gilbreth_collector::schema::Table;

use crate::{
    local_time::LocalTime,
    operators::{
        cases::Components,
        columns::column,
        grouped::{GroupCore, grouped},
        ledger::{EntryFacts, LedgerCore, activity::Rules, parts},
        matcher::{MatchCore, chance::Tallies, gather, index::Builder, output::pair_counts},
    },
    parameters::Parameters,
    tables,
};
pub use sink::Sink;

/// What DataFusion may hold at once before it spills.
const MEMORY_BYTES: usize = 4 << 30;

/// A context for working out facts: as many partitions as cores, a memory budget beyond which sorts spill.
pub fn context() -> Result<SessionContext> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(Arc::new(FairSpillPool::new(MEMORY_BYTES))).build_arc()?;
    Ok(SessionContext::new_with_config_rt(SessionConfig::new().with_target_partitions(cores), runtime))
}

/// Works out all facts from the table `spans` of the context and writes them to the sink, in the order of
/// [`tables::FACTS`].
pub async fn compute(context: &SessionContext, parameters: &Parameters, zone: Tz, sink: &mut impl Sink) -> Result<()> {
    let facts = Facts { context, parameters, local: LocalTime::new(zone) };
    facts.prepare(sink).await?;
    let judged = Arc::new(entries::judged(&facts).await?);

    let local = facts.local;
    let mut builder = Builder::default();
    let mut holdings = facts.query(sql::HOLDINGS).await?.execute_stream().await?;
    while let Some(batch) = holdings.try_next().await? {
        gather(&mut builder, &batch, local)?;
    }
    let index = Arc::new(builder.finish());
    let tallies = Arc::new(Mutex::new(Tallies::default()));
    let matched = Arc::new(Mutex::new(HashSet::new()));
    let matcher = MatchCore {
        index: index.clone(),
        judged: judged.clone(),
        look_back: microseconds(parameters.look_back_days * 86_400.0),
        local,
        tallies: tallies.clone(),
        matched: matched.clone(),
    };
    sink.write(&tables::MATCHES, facts.grouped(sql::HOLDINGS, matcher).await?).await?;
    let pairs = pair_counts(&std::mem::take(&mut *tallies.lock().unwrap_or_else(PoisonError::into_inner)), &index)?;
    drop((index, tallies));
    sink.write(&tables::PAIR_COUNTS, facts.stream(context.read_batch(pairs)?, &tables::PAIR_COUNTS).await?).await?;
    // The matcher tallies no workers: what resamples them then holds r and certainty as they are.
    let by_worker = RecordBatch::new_empty(tables::PAIR_WORKERS.arrow_schema());
    let by_worker = facts.stream(context.read_batch(by_worker)?, &tables::PAIR_WORKERS).await?;
    sink.write(&tables::PAIR_WORKERS, by_worker).await?;

    let matched = std::mem::take(&mut *matched.lock().unwrap_or_else(PoisonError::into_inner));
    let pieces = Arc::new(Mutex::new(Vec::new()));
    let ledger = LedgerCore {
        rules: Rules::new(parameters, local),
        entries: Arc::new(EntryFacts { judged, matched }),
        parts: pieces.clone(),
    };
    sink.write(&tables::LEDGER, facts.grouped(sql::ACTIVITIES, ledger).await?).await?;

    let pieces = std::mem::take(&mut *pieces.lock().unwrap_or_else(PoisonError::into_inner));
    let pieces = MemTable::try_new(parts::SCHEMA.clone(), vec![pieces])?;
    context.register_table("task_parts", Arc::new(pieces))?;
    let instances = facts.query(sql::TASK_INSTANCES).await?;
    sink.write(&tables::TASK_INSTANCES, facts.stream(instances, &tables::TASK_INSTANCES).await?).await?;
    context.register_table("ledger", sink.read(&tables::LEDGER).await?)?;
    let weeks = facts.query(sql::WORKER_WEEKS).await?;
    sink.write(&tables::WORKER_WEEKS, facts.stream(weeks, &tables::WORKER_WEEKS).await?).await
}

/// The step's surroundings.
pub(crate) struct Facts<'a> {
    context: &'a SessionContext,
    parameters: &'a Parameters,
    local: LocalTime,
}

fn microseconds(seconds: f64) -> i64 {
    (seconds * 1e6).round() as i64
}

impl Facts<'_> {
    /// The small tables on which the view of corrected spans rests, and that view.
    async fn prepare(&self, sink: &mut impl Sink) -> Result<()> {
        let mut components = Components::default();
        let mut spans = self.query(sql::CASE_REFS).await?.execute_stream().await?;
        while let Some(batch) = spans.try_next().await? {
            add_case_numbers(&mut components, &batch)?;
        }
        let most = usize::try_from(self.parameters.case_numbers_max).unwrap_or(usize::MAX);
        self.keep(&tables::CASE_LINKS, case_links(components, most)?, sink).await?;
        let shifts = self.query(sql::CLOCK_SHIFTS).await?;
        let shifts = self.stream(shifts, &tables::CLOCK_SHIFTS).await?.try_collect::<Vec<_>>().await?;
        let shifts = arrow::compute::concat_batches(&tables::CLOCK_SHIFTS.arrow_schema(), &shifts)?;
        self.keep(&tables::CLOCK_SHIFTS, shifts, sink).await?;
        for (name, text) in [("task_roots", sql::TASK_ROOTS), ("task_names", sql::TASK_NAMES)] {
            let kept = self.query(text).await?.cache().await?;
            self.context.register_table(name, kept.into_view())?;
        }
        let corrected = self.query(sql::CORRECTED_SPANS).await?;
        self.context.register_table("corrected_spans", corrected.into_view())?;
        Ok(())
    }

    /// Writes a small table and keeps it in memory under its name.
    async fn keep(&self, table: &'static Table, rows: RecordBatch, sink: &mut impl Sink) -> Result<()> {
        let kept = MemTable::try_new(rows.schema(), vec![vec![rows.clone()]])?;
        self.context.register_table(table.name, Arc::new(kept))?;
        sink.write(table, self.stream(self.context.read_batch(rows)?, table).await?).await
    }

    /// A query with the parameters that it names bound.
    pub(crate) async fn query(&self, text: &str) -> Result<DataFrame> {
        let parameters = [
            ("activity_max_us", self.parameters.activity_max_h * 3600.0),
            ("clock_tolerance_us", self.parameters.clock_tolerance_s),
            ("clock_replay_us", self.parameters.clock_replay_h * 3600.0),
        ];
        let named: Vec<(&str, ScalarValue)> = parameters
            .into_iter()
            .filter(|(name, _)| text.contains(&format!("${name}")))
            .map(|(name, seconds)| (name, ScalarValue::Int64(Some(microseconds(seconds)))))
            .collect();
        let query = self.context.sql(text).await?;
        if named.is_empty() { Ok(query) } else { query.with_param_values(named) }
    }

    /// The rows of a query, with the columns of a table.
    async fn stream(&self, query: DataFrame, table: &'static Table) -> Result<SendableRecordBatchStream> {
        Ok(sink::conform(query.execute_stream().await?, table))
    }

    /// The rows that a core makes of a query.
    async fn grouped(&self, text: &str, core: impl GroupCore) -> Result<SendableRecordBatchStream> {
        let input = self.query(text).await?.create_physical_plan().await?;
        let partitions = self.context.state().config().target_partitions();
        execute_stream(grouped(input, Arc::new(core), partitions)?, self.context.task_ctx())
    }

    pub(crate) fn local(&self) -> LocalTime {
        self.local
    }
}

fn add_case_numbers(components: &mut Components, batch: &RecordBatch) -> Result<()> {
    let numbers = DataType::List(Arc::new(Field::new("element", DataType::Binary, true)));
    let lists = column(batch, "case_refs", &numbers)?;
    for numbers in arrow::array::AsArray::as_list::<i32>(&lists).iter().flatten() {
        components.add(as_binary_array(&numbers)?.iter().flatten());
    }
    Ok(())
}

fn case_links(components: Components, most: usize) -> Result<RecordBatch> {
    let links = components.links(most);
    Ok(RecordBatch::try_new(
        tables::CASE_LINKS.arrow_schema(),
        vec![
            Arc::new(BinaryArray::from_iter_values(links.iter().map(|link| &link.number))),
            Arc::new(BinaryArray::from_iter_values(links.iter().map(|link| &link.case))),
            Arc::new(Int64Array::from_iter_values(links.iter().map(|link| link.numbers as i64))),
            Arc::new(BooleanArray::from_iter(links.iter().map(|link| Some(link.linked)))),
        ],
    )?)
}
