//! Task instances, added up from what each worker did for them on each screen: what `sql/facts/task_instances.sql` says,
//! in one pass over the pieces in order of their instance. (The SQL groups the pieces eight times; a test holds both
//! equal.)

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

use arrow::array::{
    ArrayRef, BinaryArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use datafusion::{
    common::{cast::as_date32_array, internal_err},
    error::Result,
};

use super::{
    columns::{Symbols, binary, bytes, column, integer, text, word},
    encoding::{Column, Decoder, Encoder, Lists, Torn},
    hashing::{FastMap, FastSet},
};
use crate::tables;

/// A piece, as `ledger::parts` makes them; names by number.
#[derive(Debug, Clone, Copy)]
struct Piece {
    instance: u32,
    worker: u64,
    case: Option<u64>,
    delimiter: Option<u32>,
    task: Option<u32>,
    organisation: Option<u32>,
    role: Option<u32>,
    system: Option<u32>,
    screen: Option<u32>,
    release: Option<u32>,
    counts: [i64; COUNTS.len()],
    day: i32,
}

/// Start and end, then what is added up.
const COUNTS: [&str; 9] =
    ["started_us", "ended_us", "active_us", "lost_us", "switches", "entries", "re_entries", "rework", "waits"];
const ACTIVE: usize = 2;

/// Pieces of instances, gathered batch by batch.
#[derive(Debug, Default)]
pub struct Pieces {
    all: Vec<Piece>,
    ids: Symbols<Vec<u8>>,
    names: Symbols<String>,
}

/// Task instances in the order of their table.
#[derive(Debug)]
pub struct Instances {
    ids: Vec<Vec<u8>>,
    names: Vec<String>,
    rows: Vec<Piece>,
    // Of each row: systems and screens.
    breadth: Vec<[i64; 2]>,
}

impl Instances {
    /// Adds up pieces, in any order.
    #[must_use]
    pub fn new(pieces: Pieces) -> Self {
        let Pieces { mut all, ids, names } = pieces;
        let (ids, names) = (ids.into_values(), names.into_values());
        // Names are told apart by number and put in order by what they are.
        let mut order: Vec<usize> = (0..names.len()).collect();
        order.sort_unstable_by_key(|&name| &names[name]);
        let mut places = vec![0; names.len()];
        for (place, name) in (0_u32..).zip(order) {
            places[name] = place;
        }
        all.sort_unstable_by_key(|piece| piece.instance);
        let mut summed: Vec<(Piece, [i64; 2])> =
            all.chunk_by(|one, other| one.instance == other.instance).map(|pieces| sum(pieces, &places)).collect();
        drop(all);
        summed.sort_unstable_by_key(|(row, _)| (row.day, row.worker, row.counts[0], &ids[row.instance as usize]));
        let (rows, breadth) = summed.into_iter().unzip();
        Self { ids, names, rows, breadth }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Rows of the table `task_instances`, by day, worker and start.
    pub fn batch(&self, range: Range<usize>) -> Result<RecordBatch> {
        let (rows, breadth) = (&self.rows[range.clone()], &self.breadth[range]);
        let named = |of: fn(&Piece) -> Option<u32>| -> ArrayRef {
            let name = |number: u32| self.names[number as usize].as_str();
            Arc::new(StringArray::from_iter(rows.iter().map(|row| of(row).map(name))))
        };
        let counted = |place: usize| -> ArrayRef {
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.counts[place])))
        };
        let instants = |place: usize| -> ArrayRef {
            let times = rows.iter().map(|row| row.counts[place]);
            Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"))
        };
        let seconds = |place: usize| -> ArrayRef {
            Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.counts[place] as f64 / 1e6)))
        };
        let broad = |place: usize| -> ArrayRef {
            Arc::new(Int64Array::from_iter_values(breadth.iter().map(|breadth| breadth[place])))
        };
        let schema = tables::TASK_INSTANCES.arrow_schema();
        let columns = schema.fields().iter().map(|wanted| -> Result<ArrayRef> {
            Ok(match wanted.name().as_str() {
                "task_instance" => {
                    Arc::new(BinaryArray::from_iter_values(rows.iter().map(|row| &self.ids[row.instance as usize])))
                }
                "task" => named(|row| row.task),
                "delimiter" => named(|row| row.delimiter),
                "worker" => Arc::new(BinaryArray::from_iter_values(rows.iter().map(|row| row.worker.to_be_bytes()))),
                "organisation" => named(|row| row.organisation),
                "role" => named(|row| row.role),
                "case_id" => Arc::new(BinaryArray::from_iter(rows.iter().map(|row| row.case.map(u64::to_be_bytes)))),
                "started_at" => instants(0),
                "ended_at" => instants(1),
                "active_seconds" => seconds(ACTIVE),
                "lost_seconds" => seconds(3),
                "systems" => broad(0),
                "switches" => counted(4),
                "screens" => broad(1),
                "entries" => counted(5),
                "re_entries" => counted(6),
                "rework" => counted(7),
                "waits" => counted(8),
                "release" => named(|row| row.release),
                "day" => Arc::new(Date32Array::from_iter_values(rows.iter().map(|row| row.day))),
                other => return internal_err!("nobody fills the column {other} of task_instances"),
            })
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        Ok(RecordBatch::try_new(schema.clone(), columns)?)
    }

    /// The local days on which any begins.
    #[must_use]
    pub fn first_days(&self) -> BTreeSet<i32> {
        self.rows.iter().map(|row| row.day).collect()
    }

    /// How many rows each day has, in order.
    pub fn days(&self) -> impl Iterator<Item = usize> {
        self.rows.chunk_by(|one, other| one.day == other.day).map(<[Piece]>::len)
    }
}

impl Pieces {
    /// Takes a batch of pieces.
    pub fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let instances = binary(batch, "task_instance")?;
        let (workers, cases) = (binary(batch, "worker")?, binary(batch, "case_id")?);
        let texts = ["delimiter", "task", "organisation", "role", "system", "screen", "release"]
            .into_iter()
            .map(|name| text(batch, name))
            .collect::<Result<Vec<_>>>()?;
        let counts = COUNTS.into_iter().map(|name| integer(batch, name)).collect::<Result<Vec<_>>>()?;
        let days = column(batch, "day", &arrow::datatypes::DataType::Date32)?;
        let days = as_date32_array(&days)?;
        let id = |array: &BinaryArray, row| bytes(array, row).map(|id| super::SpanKey::from_bytes(id, &[]).span);
        for row in 0..batch.num_rows() {
            let mut named = |place: usize| word(&texts[place], row).map(|name| self.names.number(name));
            self.all.push(Piece {
                instance: self.ids.number(instances.value(row)),
                worker: id(&workers, row).unwrap_or_default(),
                case: id(&cases, row),
                delimiter: named(0),
                task: named(1),
                organisation: named(2),
                role: named(3),
                system: named(4),
                screen: named(5),
                release: named(6),
                counts: std::array::from_fn(|place| counts[place].value(row)),
                day: days.value(row),
            });
        }
        Ok(())
    }
}

/// Pieces of a day, as they are kept.
#[derive(Debug)]
pub struct KeptPieces<'a> {
    ids: Lists<'a, u8>,
    names: Vec<String>,
    workers: Column<'a, u64>,
    // Whether there is a case, and which.
    has_case: Column<'a, u8>,
    cases: Column<'a, u64>,
    of_names: Vec<Column<'a, u32>>,
    counts: Vec<Column<'a, i64>>,
    day: i32,
}

/// The number of no name.
const NONE: u32 = u32::MAX;

impl Piece {
    fn names(&self) -> [Option<u32>; 7] {
        [self.delimiter, self.task, self.organisation, self.role, self.system, self.screen, self.release]
    }
}

impl Pieces {
    /// The pieces of each day as bytes, which [`KeptPieces`] reads.
    #[must_use]
    pub fn encode(&self) -> BTreeMap<i32, Vec<u8>> {
        let (ids, names) = (self.ids.values(), self.names.values());
        let mut days: BTreeMap<i32, Vec<&Piece>> = BTreeMap::new();
        for piece in &self.all {
            days.entry(piece.day).or_default().push(piece);
        }
        let encoded = days.into_iter().map(|(day, pieces)| {
            let mut to = Encoder::default();
            let mut of_day: Symbols<u32> = Symbols::default();
            let numbers: Vec<[u32; 7]> = pieces
                .iter()
                .map(|piece| piece.names().map(|name| name.map_or(NONE, |name| of_day.number(&name))))
                .collect();
            to.texts(of_day.into_values().iter().map(|name| Some(names[*name as usize].as_str())));
            to.lists(pieces.iter().map(|piece| ids[piece.instance as usize].as_slice()));
            to.column(pieces.iter().map(|piece| piece.worker));
            to.column(pieces.iter().map(|piece| u8::from(piece.case.is_some())));
            to.column(pieces.iter().map(|piece| piece.case.unwrap_or_default()));
            for name in 0..7 {
                to.column(numbers.iter().map(|numbers| numbers[name]));
            }
            for count in 0..COUNTS.len() {
                to.column(pieces.iter().map(|piece| piece.counts[count]));
            }
            (day, to.into_bytes())
        });
        encoded.collect()
    }

    /// The instances that there are pieces of.
    #[must_use]
    pub fn instances(&self) -> FastSet<Vec<u8>> {
        self.ids.each().cloned().collect()
    }

    /// Takes those kept pieces that are of some instances. Gives the instances.
    pub fn add_kept(&mut self, kept: &KeptPieces<'_>, of: &FastSet<Vec<u8>>) -> FastSet<Vec<u8>> {
        let mut found = FastSet::default();
        let mut id = Vec::new();
        for place in 0..kept.ids.len() {
            id.clear();
            id.extend(kept.ids.get(place));
            if !of.contains(&id) {
                continue;
            }
            found.insert(id.clone());
            let mut named = |name: usize| {
                let name = kept.names.get(kept.of_names[name].get(place) as usize)?;
                Some(self.names.number(name))
            };
            self.all.push(Piece {
                delimiter: named(0),
                task: named(1),
                organisation: named(2),
                role: named(3),
                system: named(4),
                screen: named(5),
                release: named(6),
                instance: self.ids.number(&id),
                worker: kept.workers.get(place),
                case: (kept.has_case.get(place) != 0).then(|| kept.cases.get(place)),
                counts: std::array::from_fn(|count| kept.counts[count].get(place)),
                day: kept.day,
            });
        }
        found
    }
}

impl<'a> KeptPieces<'a> {
    /// From the bytes of a day.
    pub fn read(day: i32, bytes: &'a [u8]) -> std::result::Result<Self, Torn> {
        let mut from = Decoder::new(bytes);
        let names = from.whole_texts()?;
        let (ids, workers) = (from.lists()?, from.column()?);
        let (has_case, cases) = (from.column()?, from.column()?);
        let of_names = (0..7).map(|_| from.column()).collect::<std::result::Result<_, _>>()?;
        let counts = COUNTS.iter().map(|_| from.column()).collect::<std::result::Result<_, _>>()?;
        Ok(Self { ids, names, workers, has_case, cases, of_names, counts, day })
    }

    /// The instances that there are pieces of.
    pub fn instances(&self) -> impl Iterator<Item = Vec<u8>> {
        (0..self.ids.len()).map(|place| self.ids.get(place).collect())
    }
}

/// An instance from its pieces, with its systems and screens. `places` gives the order of names.
fn sum(pieces: &[Piece], places: &[u32]) -> (Piece, [i64; 2]) {
    let place = |name: Option<u32>| name.map(|name| places[name as usize]);
    // Names in order, what has none last, as SQL sorts.
    let last = |name: Option<u32>| (name.is_none(), place(name));
    let least = |of: fn(&Piece) -> Option<u32>| pieces.iter().filter_map(of).min_by_key(|name| places[*name as usize]);
    let main_system = most(pieces.iter(), |piece| piece.system, |system| last(*system)).flatten();
    let of_main = pieces.iter().filter(|piece| piece.system == main_system);
    let worker = most(pieces.iter(), |piece| piece.worker, |worker| *worker).unwrap_or_default();
    let greatest = |of: fn(&Piece) -> Option<u32>| {
        let of_worker = pieces.iter().filter(|piece| piece.worker == worker);
        of_worker.filter_map(of).max_by_key(|name| places[*name as usize])
    };
    let mut screens: Vec<(Option<u32>, Option<u32>)> =
        pieces.iter().map(|piece| (piece.system, piece.screen)).collect();
    screens.sort_unstable();
    screens.dedup();
    let systems = screens.chunk_by(|one, other| one.0 == other.0).filter(|system| system[0].0.is_some()).count();
    let mut counts = pieces[0].counts;
    for piece in &pieces[1..] {
        counts[0] = counts[0].min(piece.counts[0]);
        counts[1] = counts[1].max(piece.counts[1]);
        for (sum, count) in counts.iter_mut().zip(piece.counts).skip(ACTIVE) {
            *sum += count;
        }
    }
    let row = Piece {
        worker,
        case: most(pieces.iter().filter(|piece| piece.case.is_some()), |piece| piece.case, |case| *case).flatten(),
        delimiter: least(|piece| piece.delimiter),
        task: least(|piece| piece.task),
        organisation: greatest(|piece| piece.organisation),
        role: greatest(|piece| piece.role),
        release: most(of_main, |piece| piece.release, |release| last(*release)).flatten(),
        counts,
        day: pieces.iter().map(|piece| piece.day).min().unwrap_or_default(),
        ..pieces[0]
    };
    (row, [systems as i64, screens.iter().filter(|screen| screen.1.is_some()).count() as i64])
}

/// What has most active time; of several, the first in order.
fn most<'a, K: Copy + Eq + std::hash::Hash, O: Ord>(
    pieces: impl Iterator<Item = &'a Piece>,
    of: impl Fn(&Piece) -> K,
    order: impl Fn(&K) -> O,
) -> Option<K> {
    let mut active: FastMap<K, i64> = FastMap::default();
    for piece in pieces {
        *active.entry(of(piece)).or_default() += piece.counts[ACTIVE];
    }
    active.into_iter().min_by_key(|(what, active)| (Reverse(*active), order(what))).map(|(what, _)| what)
}
