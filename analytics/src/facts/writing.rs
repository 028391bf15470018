//! What was worked out → the tables of the facts, whole or the partitions that are others; and what the next refresh goes
//! on from.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

use arrow::{
    array::{BinaryArray, BooleanArray, Date32Array, Int64Array, RecordBatch},
    compute::{SortColumn, concat_batches, filter_record_batch, lexsort_to_indices, take_record_batch},
};
use datafusion::{
    common::DataFusionError,
    dataframe::DataFrame,
    error::Result,
    execution::SendableRecordBatchStream,
    physical_plan::stream::RecordBatchStreamAdapter,
    prelude::{Expr, SessionContext, col, lit},
    scalar::ScalarValue,
};
use futures::StreamExt;
use gilbreth_collector::schema::Table;

use super::{
    Facts, Judged, Keeping,
    assemble::{Context, Shift},
    blocking, cores,
    cutting::Gathered,
    estate::Estate,
    field_spans::FieldSpans,
    judgement::Judgement,
    known,
    matched_times::{self, MatchedTimes},
    matching::{Counts, Matched, Matching},
    microseconds, names,
    resume::{Prior, Worked},
    sink::{self, Sink},
    sql,
    trials::KeptTrials,
};
use crate::{
    local_time::LocalTime,
    operators::{
        cases::Link,
        columns::binary,
        encoding::Torn,
        hashing::FastSet,
        instances::{Instances, KeptPieces, Pieces},
        ledger::{EntryFacts, tried},
        matcher::{index::Fields, lists::Lists, output::Named},
        weekly_times::{Sums, WeeklyTimes},
        worker_weeks::{is_whole, worker_weeks},
    },
    tables,
};

/// What was kept is not what was written.
fn torn(torn: Torn) -> DataFusionError {
    DataFusionError::External(torn.into())
}

impl Facts<'_> {
    /// Writes all tables, or those of their partitions that were worked out.
    pub(super) async fn write_all(
        &self,
        days: &[i32],
        judged: Judged,
        prior: Option<Prior>,
        keeping: Option<&Keeping<'_>>,
        sink: &mut impl Sink,
    ) -> Result<()> {
        let Judged { context, spans, with_parts, judged, matching } = judged;
        let prior = prior.as_ref();
        let asked = prior.map(|prior| &prior.asked);
        self.write_context(&context, prior, sink).await?;
        let Matching { matches, lists, trials, counts, fields, .. } = matching;
        let list_ids = lists.ids().to_vec();
        self.write_lists(lists, prior, sink).await?;
        if let Some(keeping) = keeping {
            for (day, trials) in trials {
                let [trials, outcomes] = trials.encode();
                keeping.leaving.write(&format!("{}{day}", names::TRIALS), &trials);
                keeping.leaving.write(&format!("{}{day}", names::OUTCOMES), &outcomes);
            }
        }
        let counts = self.write_pairs(counts, (fields, spans.workers.clone()), asked, sink).await?;
        let leave_estate = keeping.map(|keeping| {
            let (workers, places, values) = (spans.workers.clone(), spans.places.clone(), spans.values.clone());
            let estate = Estate { workers, places, values, with_parts, counts };
            let leaving = keeping.leaving.clone();
            blocking(move || leaving.write(names::ESTATE, &estate.encode()))
        });
        let leave_estate = async { if let Some(leave) = leave_estate { leave.await } else { Ok(()) } };

        let spans = Arc::new(spans);
        let list_of = matched_times::lists(&spans, &matches);
        let Judgement { heads, lasts, rework } = judged;
        let span_ids = spans.rows.iter().map(|span| span.key.span).collect();
        let entries = Arc::new(EntryFacts { heads, lasts, rework, lists: list_of, list_ids, span_ids });
        let correction = Arc::new(context.correction);
        // Neither is left running when the other fails.
        let (gathered, estate_left) =
            tokio::join!(self.ledger(days, asked, (&correction, &spans, &entries), sink), leave_estate);
        let gathered = gathered?;
        estate_left?;
        drop(correction);
        if let Some(keeping) = keeping {
            for (day, pieces) in gathered.pieces.encode() {
                keeping.leaving.write(&format!("{}{day}", names::PIECES), &pieces);
            }
            prior.inspect(|prior| prior.hand_on(keeping));
        }
        let worked = self.write_sums(gathered, (spans, entries, matches), prior, sink).await?;
        if let Some(keeping) = keeping {
            worked.leave(keeping);
        }
        Ok(())
    }

    /// Writes what all days say together.
    async fn write_context(&self, context: &Context, prior: Option<&Prior>, sink: &mut impl Sink) -> Result<()> {
        if prior.is_none_or(|prior| prior.linked) {
            self.write(&tables::CASE_LINKS, case_links(&context.links)?, sink).await?;
        }
        let table = &tables::CLOCK_SHIFTS;
        match prior {
            None => self.write(table, clock_shifts(&context.shifts)?, sink).await,
            Some(Prior { shifted, .. }) if shifted.is_empty() => Ok(()),
            Some(Prior { shifted, .. }) => {
                let of_days = context.shifts.iter().filter(|shift| shifted.contains(&shift.2)).copied();
                let rows = in_order(table, &[clock_shifts(&of_days.collect::<Vec<_>>())?])?;
                sink.write_sorted(table, Some(shifted), vec![one(table, rows)]).await
            }
        }
    }

    /// Writes what pairs of fields count.
    async fn write_pairs(
        &self,
        counts: Counts,
        (fields, workers): (Arc<Fields>, Vec<u64>),
        asked: Option<&BTreeSet<i32>>,
        sink: &mut impl Sink,
    ) -> Result<Counts> {
        let cases = counts.cases.clone();
        let (pairs, counts) = blocking(move || (Named::new(&counts.tallies, fields, cases, workers), counts)).await?;
        let pairs = Arc::new(pairs);
        let halves = |rows: usize| lots([rows.div_ceil(2), rows / 2].into_iter());
        let rows = streams(&tables::PAIR_COUNTS, halves(pairs.days()), &pairs, Named::pair_counts);
        sink.write_sorted(&tables::PAIR_COUNTS, asked, rows).await?;
        let rows = streams(&tables::PAIR_WORKERS, halves(pairs.shares()), &pairs, Named::pair_workers);
        sink.write_sorted(&tables::PAIR_WORKERS, None, rows).await?;
        self.write(&tables::PAIR_TOTALS, pairs.pair_totals()?, sink).await?;
        Ok(counts)
    }

    /// Writes what is added up beside the ledger. Gives of which days there is what.
    async fn write_sums(
        &self,
        gathered: Gathered,
        (spans, entries, matches): (Arc<FieldSpans>, Arc<EntryFacts>, Vec<Matched>),
        prior: Option<&Prior>,
        sink: &mut impl Sink,
    ) -> Result<Worked> {
        let Gathered { mut pieces, agreeing, mut times, mut tried, worked } = gathered;
        let (mut joined, mut weeks) = (None, None);
        let worked = match prior {
            None => worked,
            Some(Prior { asked, worked: before, pieces: kept, .. }) => {
                let worked = before.with(asked, &worked);
                joined = Some(join_pieces(&mut pieces, kept, asked).map_err(torn)?);
                let of_weeks = weeks.insert(self.weeks(asked, &before.days, &worked.days).await?);
                (times, tried) = self.whole_weeks(of_weeks, asked, times, tried).await?;
                worked
            }
        };
        let (asked, weeks) = (prior.map(|prior| &prior.asked), weeks.as_ref());
        let (holidays, local) = (known::holidays(self.context).await?, self.local);
        let (matched, weekly, summed) = tokio::try_join!(
            blocking(move || MatchedTimes::new(agreeing, spans, entries, local)),
            blocking(move || WeeklyTimes::new(times)),
            blocking(move || Instances::new(pieces)),
        )?;
        let (matched, weekly) = (Arc::new(matched), Arc::new(weekly));
        self.write_matches(matched, matches, asked.zip(weeks), sink).await?;
        let rows = streams(&tables::WEEKLY_TIMES, lots(weekly.weeks()), &weekly, WeeklyTimes::batch);
        sink.write_sorted(&tables::WEEKLY_TIMES, weeks, rows).await?;
        let rows = in_order(&tables::TRIED_VALUES, &[tried.batch()?])?;
        sink.write_sorted(&tables::TRIED_VALUES, weeks, vec![one(&tables::TRIED_VALUES, rows)]).await?;
        self.write_instances(summed, asked.zip(joined), sink).await?;
        let period = period(&worked.days);
        let rows = blocking(move || worker_weeks(&weekly, period, &holidays)).await??;
        let rows = in_order(&tables::WORKER_WEEKS, &[rows])?;
        sink.write_sorted(&tables::WORKER_WEEKS, weeks, vec![one(&tables::WORKER_WEEKS, rows)]).await?;
        Ok(worked)
    }

    /// Writes matches, and their times. In part: those of these days, the times with those of the other days of these
    /// weeks.
    async fn write_matches(
        &self,
        matched: Arc<MatchedTimes>,
        matches: Vec<Matched>,
        part: Option<(&BTreeSet<i32>, &BTreeSet<i32>)>,
        sink: &mut impl Sink,
    ) -> Result<()> {
        let table = &tables::MATCHED_TIMES;
        let rows = streams(table, lots(matched.weeks()), &matched, MatchedTimes::batch);
        match part {
            None => sink.write_sorted(table, None, rows).await?,
            Some((asked, weeks)) => {
                let kept = col("week").in_list(dates(weeks), false).and(col("day").in_list(dates(asked), true));
                let all = |rows: &RecordBatch| Ok(BooleanArray::from(vec![true; rows.num_rows()]));
                self.write_with(table, weeks, (Some(kept), &all), rows, sink).await?;
            }
        }
        let by_day = lots(matches.chunk_by(|one, other| one.day == other.day).map(<[Matched]>::len));
        let rows = Arc::new((matched, matches));
        let found =
            streams(&tables::MATCHES, by_day, &rows, |(matched, matches), rows| matched.matches(&matches[rows]));
        sink.write_sorted(&tables::MATCHES, part.map(|part| part.0), found).await
    }

    /// Writes the lists of sources: those that were not there are added; only where some are no more, the table is
    /// written anew.
    async fn write_lists(&self, mut lists: Lists, prior: Option<&Prior>, sink: &mut impl Sink) -> Result<()> {
        let table = &tables::MATCH_LISTS;
        let Some(Prior { asked, trials, .. }) = prior else { return self.write(table, lists.batch()?, sink).await };
        let new: FastSet<i64> = lists.ids().iter().copied().collect();
        let (again, stay): (Vec<_>, Vec<_>) = trials.iter().partition(|(day, _)| asked.contains(day));
        let mut were_there = FastSet::default();
        for (day, bytes) in again {
            were_there.extend(KeptTrials::read(*day, bytes).map_err(torn)?.lists.iter());
        }
        let mut still_there = FastSet::default();
        for (day, bytes) in stay {
            let of_day = KeptTrials::read(*day, bytes).map_err(torn)?;
            still_there.extend(of_day.lists.iter().filter(|list| new.contains(list) || were_there.contains(list)));
        }
        lists.retain(|list| !were_there.contains(&list) && !still_there.contains(&list));
        let added = lists.batch()?;
        let gone: Vec<i64> =
            were_there.into_iter().filter(|list| !new.contains(list) && !still_there.contains(list)).collect();
        if gone.is_empty() {
            return sink.write_sorted(table, Some(&BTreeSet::new()), vec![one(table, added)]).await;
        }
        let others = col("list").in_list(gone.into_iter().map(lit).collect(), true);
        let mut rows = self.context.table(table.name).await?.filter(others)?.collect().await?;
        rows = rows.iter().map(|rows| sink::conformed(rows, table)).collect::<Result<_>>()?;
        rows.push(added);
        self.write(table, in_order(table, &rows)?, sink).await
    }

    /// Writes task instances. In part: days, and the instances of which anything was worked out again, with the days on
    /// which they began; rows of others that begin on such a day stay.
    async fn write_instances(
        &self,
        instances: Instances,
        part: Option<(&BTreeSet<i32>, Joined)>,
        sink: &mut impl Sink,
    ) -> Result<()> {
        let table = &tables::TASK_INSTANCES;
        let instances = Arc::new(instances);
        let rows = streams(table, lots(instances.days()), &instances, Instances::batch);
        let Some((asked, Joined { ids, began })) = part else {
            return sink.write_sorted(table, None, rows).await;
        };
        let days: BTreeSet<i32> =
            began.into_iter().chain(instances.first_days()).chain(asked.iter().copied()).collect();
        let others: BTreeSet<i32> = &days - asked;
        let kept = (!others.is_empty()).then(|| col("day").in_list(dates(&others), false));
        let is_other = |rows: &RecordBatch| -> Result<BooleanArray> {
            let of = binary(rows, "task_instance")?;
            Ok((0..rows.num_rows()).map(|row| Some(!ids.contains(of.value(row)))).collect())
        };
        self.write_with(table, &days, (kept, &is_other), rows, sink).await
    }

    /// Replaces partitions of a table by rows that are there already, and others.
    async fn write_with(
        &self,
        table: &'static Table,
        partitions: &BTreeSet<i32>,
        (kept, stay): (Option<Expr>, Stay<'_>),
        rows: Vec<SendableRecordBatchStream>,
        sink: &mut impl Sink,
    ) -> Result<()> {
        let mut all = Vec::new();
        if let Some(kept) = kept {
            for rows in self.context.table(table.name).await?.filter(kept)?.collect().await? {
                all.push(sink::conformed(&filter_record_batch(&rows, &stay(&rows)?)?, table)?);
            }
        }
        for stream in rows {
            all.extend(datafusion::physical_plan::common::collect(stream).await?);
        }
        sink.write_sorted(table, Some(partitions), vec![one(table, in_order(table, &all)?)]).await
    }

    /// The weeks of some days, and those that are whole now and were not, or the other way round.
    async fn weeks(&self, asked: &BTreeSet<i32>, before: &BTreeSet<i32>, now: &BTreeSet<i32>) -> Result<BTreeSet<i32>> {
        let holidays = known::holidays(self.context).await?;
        let mut weeks: BTreeSet<i32> = asked.iter().map(|day| LocalTime::monday(*day)).collect();
        let all: BTreeSet<i32> = now.iter().map(|day| LocalTime::monday(*day)).collect();
        let (before, now) = (period(before), period(now));
        weeks.extend(
            all.into_iter().filter(|week| is_whole(*week, before, &holidays) != is_whole(*week, now, &holidays)),
        );
        Ok(weeks)
    }

    /// Adds to the times of some days what the ledger has of the other days of their weeks.
    async fn whole_weeks(
        &self,
        weeks: &BTreeSet<i32>,
        asked: &BTreeSet<i32>,
        mut times: Sums,
        mut tried: tried::Sums,
    ) -> Result<(Sums, tried::Sums)> {
        let others = (weeks.iter().flat_map(|week| *week..*week + 7)).filter(|day| !asked.contains(day));
        let others: Vec<Expr> = others.map(date).collect();
        if others.is_empty() {
            return Ok((times, tried));
        }
        let of_weeks = SessionContext::new_with_config_rt(self.context.copied_config(), self.context.runtime_env());
        let ledger = self.context.table(tables::LEDGER.name).await?.filter(col("day").in_list(others, false))?;
        of_weeks.register_table(tables::LEDGER.name, ledger.into_view())?;
        for batch in of_weeks.sql(sql::WEEKLY_TIMES).await?.collect().await? {
            times.add(&batch)?;
        }
        let us = |seconds: f64| ScalarValue::Int64(Some(microseconds(seconds)));
        let parameters =
            vec![("idle_us", us(self.parameters.idle_threshold_s)), ("switch_us", us(self.parameters.switch_s))];
        for batch in of_weeks.sql(sql::TRIED_VALUES).await?.with_param_values(parameters)?.collect().await? {
            tried.add_rows(&batch)?;
        }
        Ok((times, tried))
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

/// Which of some rows stay.
type Stay<'a> = &'a (dyn Fn(&RecordBatch) -> Result<BooleanArray> + Sync);

/// Instances of which anything was worked out again.
struct Joined {
    ids: FastSet<Vec<u8>>,
    // The days on which they began.
    began: BTreeSet<i32>,
}

/// Adds to the pieces of some days what the same instances have on other days.
fn join_pieces(
    pieces: &mut Pieces,
    kept: &BTreeMap<i32, Vec<u8>>,
    asked: &BTreeSet<i32>,
) -> std::result::Result<Joined, Torn> {
    let mut ids = pieces.instances();
    for (day, bytes) in kept.iter().filter(|(day, _)| asked.contains(day)) {
        ids.extend(KeptPieces::read(*day, bytes)?.instances());
    }
    let mut began = BTreeSet::new();
    for (day, bytes) in kept.iter().filter(|(day, _)| !asked.contains(day)) {
        if !pieces.add_kept(&KeptPieces::read(*day, bytes)?, &ids).is_empty() {
            began.insert(*day);
        }
    }
    Ok(Joined { ids, began })
}

/// First and last of days.
fn period(days: &BTreeSet<i32>) -> [i32; 2] {
    [days.first(), days.last()].map(|day| day.copied().unwrap_or_default())
}

fn date(day: i32) -> Expr {
    lit(ScalarValue::Date32(Some(day)))
}

fn dates(days: &BTreeSet<i32>) -> Vec<Expr> {
    days.iter().copied().map(date).collect()
}

/// Rows in the order of a table.
pub(super) fn in_order(table: &'static Table, rows: &[RecordBatch]) -> Result<RecordBatch> {
    let all = concat_batches(&table.arrow_schema(), rows)?;
    let columns: Vec<SortColumn> = table
        .partition
        .iter()
        .chain(table.sort)
        .filter_map(|name| all.column_by_name(name))
        .map(|values| SortColumn { values: values.clone(), options: None })
        .collect();
    Ok(take_record_batch(&all, &lexsort_to_indices(&columns, None)?)?)
}

/// A stream of one batch.
pub(super) fn one(table: &'static Table, rows: RecordBatch) -> SendableRecordBatchStream {
    let rows = futures::stream::iter([Ok(rows)]);
    Box::pin(RecordBatchStreamAdapter::new(table.arrow_schema(), rows))
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

pub(super) fn case_links(links: &[Link]) -> Result<RecordBatch> {
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

pub(super) fn clock_shifts(shifts: &[Shift]) -> Result<RecordBatch> {
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
