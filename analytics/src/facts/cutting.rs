//! Spans as activities → stretches of time, cut into the ledger and what is added up beside it.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use arrow::{
    array::{Date32Array, RecordBatch, UInt32Array},
    datatypes::DataType,
};
use datafusion::{
    common::DataFusionError, error::Result, execution::SendableRecordBatchStream,
    physical_plan::stream::RecordBatchStreamAdapter,
};
use futures::{StreamExt, TryStreamExt};
use tokio::sync::mpsc;

use super::{
    Facts, blocking, cores,
    correction::{self, Correction},
    days::{self, Pending, Stretches},
    field_spans::FieldSpans,
    matched_times, microseconds,
    resume::Worked,
    sink::Sink,
};
use crate::{
    local_time::LocalTime,
    operators::{
        SpanKey,
        columns::column,
        hashing::FastMap,
        instances::Pieces,
        ledger::{Cut, EntryFacts, activity::Rules, cut, tried},
        weekly_times::Sums,
    },
    tables,
};

/// What cutting the time of workers leaves beside the ledger.
#[derive(Debug, Default)]
pub struct Gathered {
    /// Pieces of task instances.
    pub pieces: Pieces,
    /// Time of entries that agree with a value held already.
    pub agreeing: matched_times::Pieces,
    /// Time by week.
    pub times: Sums,
    /// Time with other values of parameters.
    pub tried: tried::Sums,
    /// Of which days there is what.
    pub worked: Worked,
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

impl Facts<'_> {
    /// Writes the ledger; gives what else the time of workers is cut into.
    pub(super) async fn ledger(
        &self,
        days: &[i32],
        asked: Option<&BTreeSet<i32>>,
        (correction, spans, entries): (&Arc<Correction>, &Arc<FieldSpans>, &Arc<EntryFacts>),
        sink: &mut impl Sink,
    ) -> Result<Gathered> {
        let rules = Rules::new(self.parameters, self.local);
        let gathered = Arc::new(Mutex::new(Gathered::default()));
        let (send, receive) = mpsc::channel::<Result<Stretches>>(1);
        let receive = Arc::new(tokio::sync::Mutex::new(receive));
        // Stretches are cut in tasks of their own, so that the next are cut while rows are written.
        let (cutters, streams): (Vec<_>, Vec<_>) = (0..cores::cores())
            .map(|_| {
                let (rows, cut) = mpsc::channel(1);
                let cutter = Cutter { rules, local: self.local, entries: entries.clone(), gathered: gathered.clone() };
                let cut = futures::stream::unfold(cut, async |mut cut| Some((cut.recv().await?, cut)));
                let stream: SendableRecordBatchStream =
                    Box::pin(RecordBatchStreamAdapter::new(tables::LEDGER.arrow_schema(), cut.boxed()));
                (tokio::spawn(cutter.cut_all(receive.clone(), rows)), stream)
            })
            .unzip();
        let shift_max_us = correction.shifts.values().map(|shift| shift.abs()).max().unwrap_or(0);
        let reach = days::reach(shift_max_us);
        let near = |day: &i32| asked.is_none_or(|asked| asked.range(day - reach..=day + reach).next().is_some());
        let days: Vec<i32> = days.iter().copied().filter(near).collect();
        let pending = Pending::new(rules, self.local, shift_max_us, asked.cloned());
        let written = sink.write_sorted(&tables::LEDGER, asked, streams);
        let (open, written) = tokio::join!(self.feed(&days, (correction, spans), pending, send), written);
        let open = open?;
        written?;
        for cutter in cutters {
            cutter.await.map_err(|error| DataFusionError::External(error.into()))?;
        }
        let mut gathered = std::mem::take(&mut *gathered.lock().unwrap_or_else(PoisonError::into_inner));
        gathered.worked.open = open;
        Ok(gathered)
    }

    /// Reads the spans of each day as activities and sends on whole stretches of time. Gives the local days at whose end
    /// work went on.
    async fn feed(
        &self,
        days: &[i32],
        (correction, spans): (&Arc<Correction>, &Arc<FieldSpans>),
        mut pending: Pending,
        send: mpsc::Sender<Result<Stretches>>,
    ) -> Result<BTreeSet<i32>> {
        let activity_max_us = microseconds(self.parameters.activity_max_h * 3600.0);
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
                    return Ok(BTreeSet::new());
                }
            }
        }
        Ok(pending.into_open())
    }
}

/// What cuts stretches.
struct Cutter {
    rules: Rules,
    local: LocalTime,
    entries: Arc<EntryFacts>,
    gathered: Arc<Mutex<Gathered>>,
}

impl Cutter {
    /// Cuts what comes, and sends on rows of the ledger, until there is no more or nobody listens.
    async fn cut_all(
        self,
        stretches: Arc<tokio::sync::Mutex<mpsc::Receiver<Result<Stretches>>>>,
        rows: mpsc::Sender<Result<RecordBatch>>,
    ) {
        loop {
            let Some(next) = stretches.lock().await.recv().await else { return };
            let lots = match next.and_then(|stretches| stretches.lots(self.local)) {
                Ok(lots) => lots,
                Err(error) => return drop(rows.send(Err(error)).await),
            };
            for lot in lots {
                if rows.send(self.cut(lot).await).await.is_err() {
                    return;
                }
            }
        }
    }

    /// Cuts stretches; gives the rows of the ledger, and keeps the rest.
    async fn cut(&self, Stretches { batch, groups }: Stretches) -> Result<RecordBatch> {
        let (rules, entries) = (self.rules, self.entries.clone());
        let Cut { ledger, parts, cube, agreeing, tried } =
            blocking(move || cut(&batch, &groups, &rules, &entries)).await??;
        let ledger = by_day(ledger)?;
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        gathered.add(&parts, &agreeing, &cube, tried)?;
        gathered.worked.days.extend(days_of(&ledger)?.iter().flatten());
        drop(gathered);
        Ok(ledger)
    }
}

/// Rows of the ledger by local day: stretches held over midnight have rows of several.
fn by_day(rows: RecordBatch) -> Result<RecordBatch> {
    let days = days_of(&rows)?;
    if days.values().is_sorted() {
        return Ok(rows);
    }
    let mut order: Vec<u32> = (0..rows.num_rows() as u32).collect();
    order.sort_by_key(|&row| days.value(row as usize));
    Ok(arrow::compute::take_record_batch(&rows, &UInt32Array::from(order))?)
}

/// The days of rows of the ledger.
fn days_of(rows: &RecordBatch) -> Result<Date32Array> {
    let days = column(rows, "day", &DataType::Date32)?;
    Ok(datafusion::common::cast::as_date32_array(&days)?.clone())
}

/// The places of a UTC day's spans about a field, by corrected start and key.
pub(super) fn rows_of_day(spans: &FieldSpans, day: i32) -> FastMap<(i64, SpanKey), u32> {
    let Some(rows) = spans.days.get(&day) else { return FastMap::default() };
    (rows.start as u32..).zip(&spans.rows[rows.clone()]).map(|(row, span)| ((span.start, span.key), row)).collect()
}
