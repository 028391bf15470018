//! Time of targets that agree with a value held already: what `sql/facts/matched_times.sql` says of the ledger and of
//! matches.

use std::{ops::Range, sync::Arc};

use arrow::{
    array::{ArrayRef, BinaryArray, BooleanArray, Date32Array, Int64Array, RecordBatch, StringArray},
    datatypes::DataType,
};
use datafusion::{
    common::{cast::as_date32_array, cast::as_uint32_array, internal_err},
    error::Result,
};

use super::{
    cores::sort_on_cores,
    field_spans::{FieldSpan, FieldSpans},
    matching::{self, Matched},
};
use crate::{
    local_time::LocalTime,
    operators::{
        SpanKey,
        columns::{Symbols, binary, boolean, column, integer, text, word},
        hashing::FastMap,
        ledger::{EntryFacts, NO_LIST},
    },
    tables,
};

/// Columns of names that the time itself has; the rest is told by the target.
const NAMES: [&str; 4] = ["organisation", "role", "function", "task"];
/// The number of no name.
const NONE: u32 = u32::MAX;

/// Time of the chain of a target on a day, for a task and in a place of the worker.
#[derive(Debug, Clone, Copy)]
struct Piece {
    target: u32,
    names: [u32; NAMES.len()],
    attributed: bool,
    day: i32,
    microseconds: i64,
    ended: i64,
    trace: Option<u128>,
    // Whether the target is counted here: in one of its pieces.
    counted: bool,
}

/// Pieces gathered batch by batch.
#[derive(Debug, Default)]
pub struct Pieces {
    names: Symbols<String>,
    all: Vec<Piece>,
}

impl Pieces {
    /// Takes a batch, as `ledger::agreeing` makes it.
    pub fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let targets = column(batch, "target", &DataType::UInt32)?;
        let targets = as_uint32_array(&targets)?;
        let texts = NAMES.into_iter().map(|name| text(batch, name)).collect::<Result<Vec<_>>>()?;
        let (attributed, traces) = (boolean(batch, "attributed")?, binary(batch, "trace_id")?);
        let (microseconds, ended) = (integer(batch, "microseconds")?, integer(batch, "ended_us")?);
        let days = column(batch, "day", &DataType::Date32)?;
        let days = as_date32_array(&days)?;
        for row in 0..batch.num_rows() {
            self.all.push(Piece {
                target: targets.value(row),
                names: std::array::from_fn(|name| word(&texts[name], row).map_or(NONE, |name| self.names.number(name))),
                attributed: attributed.value(row),
                day: days.value(row),
                microseconds: microseconds.value(row),
                ended: ended.value(row),
                trace: Some(SpanKey::from_bytes(&[], traces.value(row)).trace),
                counted: false,
            });
        }
        Ok(())
    }
}

/// The number of the list of each span about a field that agrees, as a target, with a value held; else [`NO_LIST`].
pub fn lists(spans: &FieldSpans, matches: &[Matched]) -> Vec<u32> {
    let mut lists = vec![NO_LIST; spans.rows.len()];
    for found in matches {
        lists[found.target as usize] = found.list;
    }
    lists
}

/// Times in the order of their table.
#[derive(Debug)]
pub struct MatchedTimes {
    names: Vec<String>,
    pieces: Vec<Piece>,
    // Time of each target, by its number.
    microseconds: FastMap<u32, i64>,
    spans: Arc<FieldSpans>,
    entries: Arc<EntryFacts>,
}

impl MatchedTimes {
    /// Puts pieces in order. Each target is counted where its time ended last; one that takes no time, as all of it was
    /// something else's, on its own day.
    #[must_use]
    pub fn new(pieces: Pieces, spans: Arc<FieldSpans>, entries: Arc<EntryFacts>, local: LocalTime) -> Self {
        let Pieces { names, all: mut pieces } = pieces;
        sort_on_cores(&mut pieces, |piece| (piece.target, piece.ended));
        let mut microseconds: FastMap<u32, i64> = FastMap::default();
        let mut untimed: Vec<bool> = entries.lists.iter().map(|list| *list != NO_LIST).collect();
        for of_target in pieces.chunk_by_mut(|one, other| one.target == other.target) {
            let time = of_target.iter().map(|piece| piece.microseconds).sum();
            if let Some(last) = of_target.last_mut() {
                microseconds.insert(last.target, time);
                last.counted = true;
                untimed[last.target as usize] = false;
            }
        }
        let untimed = (0..).zip(untimed).filter(|(_, untimed)| *untimed);
        pieces.extend(untimed.map(|(target, _)| {
            let start = spans.rows[target as usize].start;
            Piece {
                target,
                names: [NONE; NAMES.len()],
                attributed: false,
                day: local.day(start),
                microseconds: 0,
                ended: start,
                trace: None,
                counted: true,
            }
        }));
        sort_on_cores(&mut pieces, |piece| {
            let span = &spans.rows[piece.target as usize];
            (LocalTime::monday(piece.day), spans.workers[span.worker as usize], span.key, piece.ended)
        });
        Self { names: names.into_values(), pieces, microseconds, spans, entries }
    }

    /// Rows of the table `matches`.
    pub fn matches(&self, found: &[Matched]) -> Result<RecordBatch> {
        let time = |target: u32| self.microseconds.get(&target).copied().unwrap_or(0);
        matching::batch(found, &self.spans, &self.entries.list_ids, time)
    }

    /// How many rows each week has, in order.
    pub fn weeks(&self) -> impl Iterator<Item = usize> {
        let week = |piece: &Piece| LocalTime::monday(piece.day);
        self.pieces.chunk_by(move |one, other| week(one) == week(other)).map(<[_]>::len)
    }

    /// Rows of the table `matched_times`, by week, worker and target.
    pub fn batch(&self, range: Range<usize>) -> Result<RecordBatch> {
        let spans = &*self.spans;
        let pieces = || self.pieces[range.clone()].iter();
        let targets = || pieces().map(|piece| &spans.rows[piece.target as usize]);
        let hashes = |of: &dyn Fn(&FieldSpan) -> u64| -> ArrayRef {
            Arc::new(BinaryArray::from_iter_values(targets().map(|span| of(span).to_be_bytes())))
        };
        let place = |part: usize| -> ArrayRef {
            let names = targets().map(|span| spans.places[span.place as usize][part].as_deref());
            Arc::new(StringArray::from_iter(names))
        };
        let number =
            |of: &dyn Fn(&Piece) -> i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(pieces().map(of))) };
        let schema = tables::MATCHED_TIMES.arrow_schema();
        let columns = schema.fields().iter().map(|wanted| -> Result<ArrayRef> {
            if let Some(place) = NAMES.iter().position(|name| name == wanted.name()) {
                let names = pieces().map(|piece| self.names.get(piece.names[place] as usize));
                return Ok(Arc::new(StringArray::from_iter(names)));
            }
            Ok(match wanted.name().as_str() {
                "worker" => hashes(&|span| spans.workers[span.worker as usize]),
                "span_id" => hashes(&|span| span.key.span),
                "case_id" => hashes(&|span| spans.cases[span.case as usize]),
                "list" => number(&|piece| self.entries.list(piece.target).unwrap_or_default()),
                "system" => place(0),
                "screen" => place(1),
                "field" => place(2),
                "attributed" => Arc::new(pieces().map(|piece| Some(piece.attributed)).collect::<BooleanArray>()),
                "targets" => number(&|piece| i64::from(piece.counted)),
                "microseconds" => number(&|piece| piece.microseconds),
                "trace_id" => {
                    Arc::new(BinaryArray::from_iter(pieces().map(|piece| piece.trace.map(u128::to_be_bytes))))
                }
                "day" => Arc::new(Date32Array::from_iter_values(pieces().map(|piece| piece.day))),
                "week" => Arc::new(Date32Array::from_iter_values(pieces().map(|piece| LocalTime::monday(piece.day)))),
                other => return internal_err!("nobody fills the column {other} of matched_times"),
            })
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        Ok(RecordBatch::try_new(schema.clone(), columns)?)
    }
}
