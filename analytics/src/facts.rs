//! Spans → facts: what is worked out, in which order.
//!
//! ```text
//! spans of a day ─▶ gather ─▶ day ─┐                              ┌▶ judgement: chains and rework ─┐
//! spans of a day ─▶ gather ─▶ day ─┼▶ assemble ─▶ field spans ────┴▶ matching ─▶ match_lists, pair_counts, _workers, _totals
//!               …           (kept) │  (touched)  └▶ correction                              │
//! spans of a day ──────────────────┴─────────────▶ activities ─▶ days ─▶ ledger, pieces, times ◀┘
//!          └▶ matched_times, matches, weekly_times, tried_values, task_instances, worker_weeks
//! ```
//! Spans are read twice, a UTC day at a time, on all cores. The first time what the whole estate must know is taken from
//! them: entries, choices and views as rows of 80 bytes, and each name and value once. From these, chains, rework and
//! matches are judged by case. The second time the spans of a day become activities, and these the ledger, whose rows are
//! written as they come. So memory grows with entries and values held, with matches and counts, and with the pieces of task
//! instances and worker-days (together about 150 bytes an interaction), and not with the rows of the ledger.
//!
//! What was taken from each day, and what trials of matches and pieces of instances add up to, is [`kept`]. When spans of
//! some days change, facts [`resume`] from there: [`touched`] says which local days and cases that may make others; these
//! are worked out again, in the same steps, and their partitions replaced. Either way ends in the same facts: a test holds both equal.
//!
//! `sql/facts/` says in SQL what the steps do; a test holds both equal. A day's facts depend on spans alone, never on
//! verdicts.

pub mod agreeing;
pub mod assemble;
pub mod cores;
pub mod correction;
pub mod cutting;
pub mod day;
pub mod days;
pub mod estate;
pub mod field_spans;
pub mod gather;
pub mod judgement;
pub mod kept;
pub mod known;
pub mod matched_times;
pub mod matching;
pub mod resume;
pub mod sink;
pub mod sql;
pub mod touched;
pub mod trials;
pub mod writing;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use chrono_tz::Tz;
use datafusion::{
    common::DataFusionError,
    dataframe::DataFrame,
    error::Result,
    execution::{SendableRecordBatchStream, memory_pool::FairSpillPool, runtime_env::RuntimeEnvBuilder},
    prelude::{SessionConfig, SessionContext, col, lit},
    scalar::ScalarValue,
};
use futures::{StreamExt, TryStreamExt};
use gilbreth_collector::schema::SPANS;

use crate::{
    local_time::LocalTime,
    operators::{encoding::Torn, hashing::FastSet},
    parameters::Parameters,
};
use assemble::{Context, Names, context as context_of, rows};
use day::{Day, DayRows};
use field_spans::FieldSpans;
use gather::Part;
use judgement::{Judgement, judgement};
use kept::{Kept, Leaving};
use known::{Known, known};
use matching::{Matching, matching};
use resume::Stop;
pub use sink::Sink;

/// What DataFusion may hold at once before it spills.
const MEMORY_BYTES: usize = 1 << 30;

/// A context for working out facts: as many partitions as cores, a memory budget beyond which sorts spill.
pub fn context() -> Result<SessionContext> {
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(Arc::new(FairSpillPool::new(MEMORY_BYTES))).build_arc()?;
    let config = SessionConfig::new().with_target_partitions(cores::cores()).with_batch_size(32_768);
    Ok(SessionContext::new_with_config_rt(config, runtime))
}

/// What the last refresh left, and where to leave what the next may go on from.
#[derive(Debug)]
pub struct Keeping<'a> {
    /// What was left. The facts that it belongs to are tables of the context.
    pub kept: &'a Arc<Kept>,
    /// Where to leave things.
    pub leaving: &'a Arc<Leaving>,
    /// Tells the files of each UTC day's spans from others.
    pub files: BTreeMap<i32, u64>,
    /// Everything is worked out again where that is more than this share of days: then it is quicker.
    pub share_max: f64,
}

/// The usual [`Keeping::share_max`].
pub const SHARE_MAX: f64 = 0.3;

/// How much was worked out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Nothing: the facts are as they were.
    Nothing,
    /// So many local days.
    Days(usize),
    /// Everything.
    Everything,
}

/// Works out facts from the table `spans` of the context and writes them to the sink, in the order of
/// [`tables::FACTS`](crate::tables::FACTS): all of them, or those that differ from the ones that `keeping` goes on from.
pub async fn compute(
    context: &SessionContext,
    parameters: &Parameters,
    zone: Tz,
    keeping: Option<&Keeping<'_>>,
    sink: &mut impl Sink,
) -> Result<Extent> {
    let facts = Facts { context, parameters, local: LocalTime::new(zone) };
    let days = match keeping {
        Some(keeping) => keeping.files.keys().copied().collect(),
        None => facts.days().await?,
    };
    let known = Arc::new(known(context).await?);
    if let Some(keeping) = keeping.filter(|keeping| !keeping.kept.is_empty()) {
        match facts.go_on(&days, &known, keeping, sink).await {
            Ok(extent) => return Ok(extent),
            Err(Stop::Anew(why)) => tracing::debug!(why, "everything is worked out again"),
            Err(Stop::Damaged) => {
                tracing::warn!("what the last refresh left is damaged: everything is worked out again");
            }
            Err(Stop::Failed(error)) => return Err(error),
        }
    }
    facts.everything(&days, &known, keeping, sink).await?;
    Ok(Extent::Everything)
}

/// Where things are kept: names of files.
mod names {
    pub(super) const DAYS: &str = "days";
    pub(super) const ESTATE: &str = "estate";
    pub(super) const DAY: &str = "day-";
    pub(super) const TRIALS: &str = "trials-";
    pub(super) const OUTCOMES: &str = "outcomes-";
    pub(super) const PIECES: &str = "pieces-";
}

/// Everything that is judged and matched, of all days or of some.
struct Judged {
    context: Context,
    spans: FieldSpans,
    with_parts: FastSet<u32>,
    judged: Judgement,
    matching: Matching,
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

    /// What each day's spans say, on all cores; it is left for the next refresh.
    async fn gather(
        &self,
        days: &[i32],
        known: &Arc<Known>,
        leaving: Option<&Arc<Leaving>>,
    ) -> Result<Vec<(Day, DayRows)>> {
        let activity_max_us = microseconds(self.parameters.activity_max_h * 3600.0);
        let mut gathered = Vec::with_capacity(days.len());
        let mut parts = futures::stream::iter(days)
            .map(async |&day| {
                let mut spans = self.spans_of(day, &gather::COLUMNS).await?;
                let (known, leaving) = (known.clone(), leaving.cloned());
                let part = tokio::spawn(async move {
                    let mut part = Part::new(day);
                    while let Some(batch) = spans.try_next().await? {
                        part.add(&batch, activity_max_us, &known)?;
                    }
                    let (day, rows) = part.finish();
                    if let Some(leaving) = leaving {
                        leaving.write(&format!("{}{}", names::DAY, day.day), &day.encode(&rows));
                    }
                    Ok::<_, DataFusionError>((day, rows))
                });
                part.await.map_err(|error| DataFusionError::External(error.into()))?
            })
            .buffer_unordered(cores::cores());
        while let Some(part) = parts.try_next().await? {
            gathered.push(part);
        }
        Ok(gathered)
    }

    /// Works out everything.
    async fn everything(
        &self,
        days: &[i32],
        known: &Arc<Known>,
        keeping: Option<&Keeping<'_>>,
        sink: &mut impl Sink,
    ) -> Result<()> {
        let gathered = self.gather(days, known, keeping.map(|keeping| keeping.leaving)).await?;
        tracing::debug!(days = days.len(), "gathered");
        let (known, parameters, local) = (known.clone(), self.parameters.clone(), self.local);
        let look_back = microseconds(parameters.look_back_days * 86_400.0);
        let judged = blocking(move || {
            let context = context_of(gathered.iter().map(|(day, _)| day), known, &parameters, local);
            let mut names = Names::default();
            let (outlines, of_days): (Vec<Day>, Vec<DayRows>) = gathered.into_iter().unzip();
            let all = rows(outlines.iter().zip(of_days), &context.correction, &mut names);
            let mut with_parts = FastSet::default();
            for day in &outlines {
                with_parts.extend(day.with_parts.iter().map(|place| names.place(&day.places[*place as usize])));
            }
            drop(outlines);
            let spans = all.named(&names.lists());
            let judged = judgement(&spans, local);
            tracing::debug!(spans = spans.rows.len(), "judged");
            let matching = matching(&spans, &judged, (look_back, local), &with_parts, None)?;
            tracing::debug!(matches = matching.matches.len(), lists = matching.lists.ids().len(), "matched");
            Ok::<_, Torn>(Judged { context, spans, with_parts, judged, matching })
        })
        .await?
        .map_err(|torn| DataFusionError::External(torn.into()))?;
        self.write_all(days, judged, None, keeping, sink).await
    }
}
