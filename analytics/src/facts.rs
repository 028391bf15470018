//! Spans → facts: what is worked out, in which order.
//!
//! ```text
//! spans of a day ─▶ gather ─┐                        ┌▶ judgement: chains and rework ─┐
//! spans of a day ─▶ gather ─┼▶ assemble ─▶ field spans ┴▶ matching ─▶ match_lists, pair_counts, _workers, _totals
//!               …           │            └▶ correction                              │
//! spans of a day ───────────┴───────────────▶ activities ─▶ days ─▶ ledger, pieces, times ◀┘
//!          └▶ matched_times, matches, weekly_times, tried_values, task_instances, worker_weeks
//! ```
//! Spans are read twice, a UTC day at a time, on all cores. The first time what the whole estate must know is taken from
//! them: entries, choices and views as rows of 80 bytes, and each name and value once. From these, chains, rework and
//! matches are judged by case. The second time the spans of a day become activities, and these the ledger, whose rows are
//! written as they come. So memory grows with entries and values held, with matches and counts, and with the pieces of task
//! instances and worker-days (together about 150 bytes an interaction), and not with the rows of the ledger.
//!
//! `sql/facts/` says in SQL what the steps do; a test holds both equal. A day's facts depend on spans alone, never on
//! verdicts.

pub mod assemble;
pub mod cores;
pub mod correction;
pub mod days;
pub mod field_spans;
pub mod gather;
pub mod judgement;
pub mod known;
pub mod matched_times;
pub mod matching;
pub mod sink;
pub mod sql;

#[cfg(test)]
mod tests;

use std::{
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use arrow::array::{BinaryArray, BooleanArray, Date32Array, Int64Array, RecordBatch, UInt32Array};
use chrono_tz::Tz;
use datafusion::{
    common::DataFusionError,
    dataframe::DataFrame,
    error::Result,
    execution::{SendableRecordBatchStream, memory_pool::FairSpillPool, runtime_env::RuntimeEnvBuilder},
    physical_plan::stream::RecordBatchStreamAdapter,
    prelude::{SessionConfig, SessionContext, col, lit},
    scalar::ScalarValue,
};
use futures::{StreamExt, TryStreamExt};
use gilbreth_collector::schema::{SPANS, Table};
use tokio::sync::mpsc;

use crate::{
    local_time::LocalTime,
    operators::{
        SpanKey,
        cases::Link,
        hashing::FastMap,
        instances::{Instances, Pieces},
        ledger::{Cut, EntryFacts, activity::Rules, cut, tried},
        matcher::output::Named,
        weekly_times::{Sums, WeeklyTimes},
        worker_weeks::worker_weeks,
    },
    parameters::Parameters,
    tables,
};
use assemble::{Assembled, Shift, assemble};
use correction::Correction;
use days::{Pending, Stretches};
use field_spans::FieldSpans;
use gather::Part;
use judgement::{Judgement, judgement};
use known::{Known, known};
use matched_times::MatchedTimes;
use matching::{Matched, Matching, matching};
pub use sink::Sink;

/// What DataFusion may hold at once before it spills.
const MEMORY_BYTES: usize = 1 << 30;

/// A context for working out facts: as many partitions as cores, a memory budget beyond which sorts spill.
pub fn context() -> Result<SessionContext> {
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(Arc::new(FairSpillPool::new(MEMORY_BYTES))).build_arc()?;
    let config = SessionConfig::new().with_target_partitions(cores::cores()).with_batch_size(32_768);
    Ok(SessionContext::new_with_config_rt(config, runtime))
}

/// Works out all facts from the table `spans` of the context and writes them to the sink, in the order of
/// [`tables::FACTS`].
pub async fn compute(context: &SessionContext, parameters: &Parameters, zone: Tz, sink: &mut impl Sink) -> Result<()> {
    let facts = Facts { context, parameters, local: LocalTime::new(zone) };
    let days = facts.days().await?;
    let known = Arc::new(known(context).await?);
    let parts = facts.gather(&days, &known).await?;
    tracing::debug!(days = days.len(), "gathered");
    let (asked, local) = (parameters.clone(), facts.local);
    let Assembled { spans, correction, links, shifts } =
        blocking(move || assemble(parts, known, &asked, local)).await?;
    facts.write(&tables::CASE_LINKS, case_links(&links)?, sink).await?;
    facts.write(&tables::CLOCK_SHIFTS, clock_shifts(&shifts)?, sink).await?;
    drop((links, shifts));

    let look_back = microseconds(parameters.look_back_days * 86_400.0);
    let (spans, judged, matches, lists, pairs) = blocking(move || {
        let mut spans = spans;
        let judged = judgement(&spans, local);
        tracing::debug!(spans = spans.rows.len(), "judged");
        let Matching { matches, tallies, index, lists } = matching(&mut spans, &judged, look_back, local);
        tracing::debug!(matches = matches.len(), lists = lists.ids().len(), "matched");
        let pairs = Named::new(&tallies, index, spans.workers.clone());
        (spans, judged, matches, lists, pairs)
    })
    .await?;
    facts.write(&tables::MATCH_LISTS, lists.batch()?, sink).await?;
    let list_ids = lists.ids().to_vec();
    drop(lists);
    let spans = Arc::new(spans);
    let list_of = matched_times::lists(&spans, &matches);
    let pairs = Arc::new(pairs);
    let halves = |rows: usize| lots([rows.div_ceil(2), rows / 2].into_iter());
    let counts = streams(&tables::PAIR_COUNTS, halves(pairs.days()), &pairs, Named::pair_counts);
    sink.write_sorted(&tables::PAIR_COUNTS, counts).await?;
    let shares = streams(&tables::PAIR_WORKERS, halves(pairs.shares()), &pairs, Named::pair_workers);
    sink.write_sorted(&tables::PAIR_WORKERS, shares).await?;
    facts.write(&tables::PAIR_TOTALS, pairs.pair_totals()?, sink).await?;
    drop(pairs);

    let Judgement { heads, lasts, rework } = judged;
    let span_ids = spans.rows.iter().map(|span| span.key.span).collect();
    let entries = Arc::new(EntryFacts { heads, lasts, rework, lists: list_of, list_ids, span_ids });
    let Gathered { pieces, agreeing, times, tried } =
        facts.ledger(&days, &Arc::new(correction), &spans, &entries, sink).await?;

    let holidays = known::holidays(context).await?;
    let (matched, weekly, instances) = tokio::try_join!(
        blocking(move || MatchedTimes::new(agreeing, spans, entries, local)),
        blocking(move || WeeklyTimes::new(times)),
        blocking(move || Instances::new(pieces)),
    )?;
    let (matched, weekly, instances) = (Arc::new(matched), Arc::new(weekly), Arc::new(instances));
    let rows = streams(&tables::MATCHED_TIMES, lots(matched.weeks()), &matched, MatchedTimes::batch);
    sink.write_sorted(&tables::MATCHED_TIMES, rows).await?;
    let by_day = lots(matches.chunk_by(|one, other| one.day == other.day).map(<[Matched]>::len));
    let rows = Arc::new((matched, matches));
    let found = streams(&tables::MATCHES, by_day, &rows, |(matched, matches), rows| matched.matches(&matches[rows]));
    sink.write_sorted(&tables::MATCHES, found).await?;
    drop(rows);

    let weeks = streams(&tables::WEEKLY_TIMES, lots(weekly.weeks()), &weekly, WeeklyTimes::batch);
    sink.write_sorted(&tables::WEEKLY_TIMES, weeks).await?;
    facts.write(&tables::TRIED_VALUES, tried.batch()?, sink).await?;
    let rows = streams(&tables::TASK_INSTANCES, lots(instances.days()), &instances, Instances::batch);
    sink.write_sorted(&tables::TASK_INSTANCES, rows).await?;
    drop(instances);
    let weeks = blocking(move || worker_weeks(&weekly, &holidays)).await??;
    facts.write(&tables::WORKER_WEEKS, weeks, sink).await
}

/// What cutting the time of workers leaves beside the ledger.
#[derive(Debug, Default)]
struct Gathered {
    pieces: Pieces,
    agreeing: matched_times::Pieces,
    times: Sums,
    tried: tried::Sums,
}

impl Gathered {
    fn add(
        &mut self,
        parts: &RecordBatch,
        agreeing: &RecordBatch,
        cube: &RecordBatch,
        tried: tried::Sums,
    ) -> Result<()> {
        self.tried.merge(tried);
        self.pieces.add(parts)?;
        self.agreeing.add(agreeing)?;
        self.times.add(cube)
    }
}

/// The step's surroundings.
pub(crate) struct Facts<'a> {
    pub(crate) context: &'a SessionContext,
    pub(crate) parameters: &'a Parameters,
    pub(crate) local: LocalTime,
}

fn microseconds(seconds: f64) -> i64 {
    (seconds * 1e6).round() as i64
}

/// Work that takes a core for long, where it holds nothing up.
async fn blocking<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> Result<R> {
    tokio::task::spawn_blocking(work).await.map_err(|error| DataFusionError::External(error.into()))
}

impl Facts<'_> {
    /// The UTC days of which there are spans, in order.
    async fn days(&self) -> Result<Vec<i32>> {
        let days = self.context.table(SPANS.name).await?.select_columns(&["day"])?.distinct()?;
        let days = days.sort_by(vec![col("day")])?.collect().await?;
        let mut all = Vec::new();
        for batch in &days {
            let column = crate::operators::columns::column(batch, "day", &arrow::datatypes::DataType::Date32)?;
            all.extend(datafusion::common::cast::as_date32_array(&column)?.iter().flatten());
        }
        Ok(all)
    }

    /// These columns of a UTC day's spans.
    async fn spans_of(&self, day: i32, columns: &[&str]) -> Result<SendableRecordBatchStream> {
        let of_day = col("day").eq(lit(ScalarValue::Date32(Some(day))));
        let rows = self.context.table(SPANS.name).await?.filter(of_day)?.select_columns(columns)?;
        // Other days are read at the same time: within one, rows stay in the order of its files.
        let (mut state, plan) = rows.into_parts();
        state.config_mut().options_mut().execution.target_partitions = 1;
        DataFrame::new(state, plan).execute_stream().await
    }

    /// What each day's spans say, on all cores.
    async fn gather(&self, days: &[i32], known: &Arc<Known>) -> Result<Vec<Part>> {
        let activity_max_us = microseconds(self.parameters.activity_max_h * 3600.0);
        let mut gathered = Vec::with_capacity(days.len());
        let mut parts = futures::stream::iter(days)
            .map(async |&day| {
                let mut spans = self.spans_of(day, &gather::COLUMNS).await?;
                let known = known.clone();
                let part = tokio::spawn(async move {
                    let mut part = Part::new(day);
                    while let Some(batch) = spans.try_next().await? {
                        part.add(&batch, activity_max_us, &known)?;
                    }
                    Ok::<_, DataFusionError>(part)
                });
                part.await.map_err(|error| DataFusionError::External(error.into()))?
            })
            .buffer_unordered(cores::cores());
        while let Some(part) = parts.try_next().await? {
            gathered.push(part);
        }
        Ok(gathered)
    }

    /// Writes the ledger; gives what else the time of workers is cut into.
    async fn ledger(
        &self,
        days: &[i32],
        correction: &Arc<Correction>,
        spans: &Arc<FieldSpans>,
        entries: &Arc<EntryFacts>,
        sink: &mut impl Sink,
    ) -> Result<Gathered> {
        let rules = Rules::new(self.parameters, self.local);
        let gathered = Arc::new(Mutex::new(Gathered::default()));
        let (send, receive) = mpsc::channel::<Result<Stretches>>(1);
        let receive = Arc::new(tokio::sync::Mutex::new(receive));
        let local = self.local;
        let streams = (0..cores::cores())
            .map(|_| -> SendableRecordBatchStream {
                let stretches = futures::stream::unfold(receive.clone(), async |receive| {
                    let next = receive.lock().await.recv().await;
                    next.map(|stretches| (stretches, receive))
                });
                let lots = stretches.map(move |stretches| stretches.and_then(|stretches| stretches.lots(local)));
                let lots = lots.flat_map(|lots| match lots {
                    Ok(lots) => futures::stream::iter(lots).map(Ok).left_stream(),
                    Err(error) => futures::stream::iter([Err(error)]).right_stream(),
                });
                let (entries, gathered) = (entries.clone(), gathered.clone());
                let rows = lots.then(move |lot| cut_on_a_core(lot, rules, entries.clone(), gathered.clone()));
                Box::pin(RecordBatchStreamAdapter::new(tables::LEDGER.arrow_schema(), rows.boxed()))
            })
            .collect();
        let written = sink.write_sorted(&tables::LEDGER, streams);
        let (fed, written) = tokio::join!(self.feed(days, correction, spans, &rules, send), written);
        fed?;
        written?;
        let mut gathered = gathered.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(std::mem::take(&mut *gathered))
    }

    /// Reads the spans of each day as activities and sends on whole stretches of time.
    async fn feed(
        &self,
        days: &[i32],
        correction: &Arc<Correction>,
        spans: &Arc<FieldSpans>,
        rules: &Rules,
        send: mpsc::Sender<Result<Stretches>>,
    ) -> Result<()> {
        let activity_max_us = microseconds(self.parameters.activity_max_h * 3600.0);
        let shift_max_us = correction.shifts.values().map(|shift| shift.abs()).max().unwrap_or(0);
        let mut pending = Pending::new(*rules, self.local, shift_max_us);
        let mut activities = futures::stream::iter(days)
            .map(async |&day| {
                let mut rows = self.spans_of(day, &correction::COLUMNS).await?;
                let (correction, spans) = (correction.clone(), spans.clone());
                let read = tokio::spawn(async move {
                    let row_of = rows_of_day(&spans, day);
                    let mut activities = Vec::new();
                    while let Some(rows) = rows.try_next().await? {
                        activities.push(correction.activities(&rows, day, activity_max_us, &row_of)?);
                    }
                    Ok::<_, DataFusionError>(activities)
                });
                read.await.map_err(|error| DataFusionError::External(error.into()))?
            })
            .buffered(cores::cores());
        for place in 0..days.len() {
            let Some(batches) = activities.try_next().await? else { break };
            for batch in batches {
                pending.add(&batch)?;
            }
            let next = days.get(place + 1).copied();
            loop {
                let (done, again) = blocking(move || {
                    let done = pending.complete(next);
                    (done, pending)
                })
                .await?;
                pending = again;
                let Some(stretches) = done? else { break };
                // Nobody listens any more when the writing failed, which says so itself.
                if send.send(Ok(stretches)).await.is_err() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Writes a small table.
    async fn write(&self, table: &'static Table, rows: RecordBatch, sink: &mut impl Sink) -> Result<()> {
        sink.write(table, self.stream(self.context.read_batch(rows)?, table).await?).await
    }

    /// The rows of a query, with the columns of a table.
    async fn stream(&self, query: DataFrame, table: &'static Table) -> Result<SendableRecordBatchStream> {
        Ok(sink::conform(query.execute_stream().await?, table))
    }
}

/// Cuts stretches; gives the rows of the ledger, and keeps the rest.
async fn cut_on_a_core(
    stretches: Result<Stretches>,
    rules: Rules,
    entries: Arc<EntryFacts>,
    gathered: Arc<Mutex<Gathered>>,
) -> Result<RecordBatch> {
    let Stretches { batch, groups } = stretches?;
    let Cut { ledger, parts, cube, agreeing, tried } =
        blocking(move || cut(&batch, &groups, &rules, &entries)).await??;
    gathered.lock().unwrap_or_else(PoisonError::into_inner).add(&parts, &agreeing, &cube, tried)?;
    by_day(ledger)
}

/// Rows of the ledger by local day: stretches held over midnight have rows of several.
fn by_day(rows: RecordBatch) -> Result<RecordBatch> {
    let days = rows.column(rows.schema().index_of("day")?).clone();
    let days = datafusion::common::cast::as_date32_array(&days)?;
    if days.values().is_sorted() {
        return Ok(rows);
    }
    let mut order: Vec<u32> = (0..rows.num_rows() as u32).collect();
    order.sort_by_key(|&row| days.value(row as usize));
    Ok(arrow::compute::take_record_batch(&rows, &UInt32Array::from(order))?)
}

/// The places of a UTC day's spans about a field, by corrected start and key.
fn rows_of_day(spans: &FieldSpans, day: i32) -> FastMap<(i64, SpanKey), u32> {
    let Some(rows) = spans.days.get(&day) else { return FastMap::default() };
    (rows.start as u32..).zip(&spans.rows[rows.clone()]).map(|(row, span)| ((span.start, span.key), row)).collect()
}

/// Rows written at a time.
const BATCH_ROWS: usize = 65_536;

/// Runs of rows (of these lengths, one after the other) shared out over the cores, each a list of ranges of no more than
/// [`BATCH_ROWS`].
fn lots(runs: impl Iterator<Item = usize>) -> Vec<Vec<Range<usize>>> {
    let mut lots = vec![Vec::new(); cores::cores()];
    let mut first = 0;
    for (place, length) in runs.enumerate() {
        let end = first + length;
        let lot = place % lots.len();
        while first < end {
            let next = end.min(first + BATCH_ROWS);
            lots[lot].push(first..next);
            first = next;
        }
    }
    lots
}

/// A stream for each lot, of batches that are made as they are asked for.
fn streams<T: Send + Sync + 'static>(
    table: &'static Table,
    lots: Vec<Vec<Range<usize>>>,
    rows: &Arc<T>,
    batch: fn(&T, Range<usize>) -> Result<RecordBatch>,
) -> Vec<SendableRecordBatchStream> {
    lots.into_iter()
        .map(|lot| -> SendableRecordBatchStream {
            let rows = rows.clone();
            let batches = futures::stream::iter(lot).map(move |range| batch(&rows, range));
            Box::pin(RecordBatchStreamAdapter::new(table.arrow_schema(), batches))
        })
        .collect()
}

fn case_links(links: &[Link]) -> Result<RecordBatch> {
    Ok(RecordBatch::try_new(
        tables::CASE_LINKS.arrow_schema(),
        vec![
            Arc::new(BinaryArray::from_iter_values(links.iter().map(|link| link.number.to_be_bytes()))),
            Arc::new(BinaryArray::from_iter_values(links.iter().map(|link| link.case.to_be_bytes()))),
            Arc::new(Int64Array::from_iter_values(links.iter().map(|link| link.numbers as i64))),
            Arc::new(BooleanArray::from_iter(links.iter().map(|link| Some(link.linked)))),
        ],
    )?)
}

fn clock_shifts(shifts: &[Shift]) -> Result<RecordBatch> {
    Ok(RecordBatch::try_new(
        tables::CLOCK_SHIFTS.arrow_schema(),
        vec![
            Arc::new(BinaryArray::from_iter_values(shifts.iter().map(|shift| shift.0.to_be_bytes()))),
            Arc::new(BinaryArray::from_iter_values(shifts.iter().map(|shift| shift.1.to_be_bytes()))),
            Arc::new(Date32Array::from_iter_values(shifts.iter().map(|shift| shift.2))),
            Arc::new(Int64Array::from_iter_values(shifts.iter().map(|shift| shift.3))),
        ],
    )?)
}
