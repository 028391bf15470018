//! Values held in the whole estate → matches, and how often pairs of fields agree by chance. Case by case, on all cores:
//! first what each case holds goes into posting lists, then each case is asked which of its targets agree.

use std::{ops::Range, sync::Arc};

use arrow::array::{
    ArrayRef, BinaryArray, Date32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use datafusion::{common::internal_err, error::Result};

use super::{
    cores::{sort_on_cores, sums_on_cores},
    field_spans::{FieldSpan, FieldSpans, Is, NONE},
    judgement::Judgement,
};
use crate::{
    local_time::{Days, LocalTime},
    operators::{
        columns::Symbols,
        matcher::{
            case::{Agreement, Holder, match_case},
            chance::Tallies,
            index::{Builder, Fields, Index},
            lists::{Candidate, List, Lists, Within},
            output::scope,
        },
    },
    tables,
};

/// A target and a source field that agrees: places among the spans about a field.
#[derive(Debug, Clone, Copy)]
pub struct Matched {
    /// Local day of the target.
    pub day: i32,
    /// The target.
    pub target: u32,
    /// The earliest span of the source field that agrees.
    pub source: u32,
    /// The latest such span.
    pub latest: u32,
    /// How they agree.
    pub kind: Agreement,
    /// The number of the list of all sources of the target.
    pub list: u32,
    /// Which of that list it is, the best being 1.
    pub place: u32,
}

/// What matching finds out.
#[derive(Debug)]
pub struct Matching {
    /// Targets and their sources, by day, target and source.
    pub matches: Vec<Matched>,
    /// How often pairs agree.
    pub tallies: Tallies,
    /// Everything held.
    pub index: Index,
    /// The lists of sources that targets have.
    pub lists: Lists,
}

/// The rows that hold values of cases, by case.
struct Held {
    rows: Vec<u32>,
    cases: Vec<Range<usize>>,
    /// For each place, the number of its field among those of values held.
    field_of_place: Vec<u32>,
}

/// Cases handed to a core at a time.
const CASES: usize = 256;

/// Matches everything.
#[must_use]
pub fn matching(spans: &mut FieldSpans, judged: &Judgement, look_back: i64, local: LocalTime) -> Matching {
    let values = std::mem::take(&mut spans.values);
    let spans = &*spans;
    let (held, fields) = held(spans);
    let builders = sums_on_cores(held.lots(), |builder: &mut Builder, cases| {
        let mut days = Days::new(local);
        for case in cases {
            let holders: Vec<Holder> = case.clone().map(|place| held.holder(spans, judged, place, &mut days)).collect();
            builder.add(spans.rows[held.rows[case.start] as usize].case, &holders);
        }
    });
    let mut all = Builder::default();
    builders.into_iter().for_each(|builder| all.merge(builder));
    let index = all.finish(fields, values);

    let preference = Preference::new(spans);
    let found = sums_on_cores(held.lots(), |(counts, matches, lists): &mut Tallied, cases| {
        let mut days = Days::new(local);
        for case in cases {
            let holders: Vec<Holder> = case.clone().map(|place| held.holder(spans, judged, place, &mut days)).collect();
            let found = match_case(&holders, &index, look_back);
            counts.add(spans.rows[held.rows[case.start] as usize].case, &holders, &found.trials, &index);
            let row = |place: usize| held.rows[case.start + place];
            for of_target in found.matches.chunk_by(|one, other| one.target == other.target) {
                let first = matches.len();
                matches.extend(of_target.iter().map(|found| Matched {
                    day: holders[found.target].target.map_or(0, |(_, day)| day),
                    target: row(found.target),
                    source: row(found.source),
                    latest: row(found.latest),
                    kind: found.kind,
                    list: 0,
                    place: 0,
                }));
                preference.list(&mut matches[first..], lists);
            }
        }
    });
    let (mut tallies, mut matches, mut lists) = Tallied::default();
    for (counts, mut found, listed) in found {
        tallies.merge(counts);
        let numbers: Vec<u32> = listed.into_values().iter().map(|list| lists.number(list)).collect();
        found.iter_mut().for_each(|found| found.list = numbers[found.list as usize]);
        matches.append(&mut found);
    }
    sort_on_cores(&mut matches, |found: &Matched| {
        let (target, source) = (&spans.rows[found.target as usize], &spans.rows[found.source as usize]);
        (found.day, target.key, source.held_from(), source.key)
    });
    Matching { matches, tallies, index, lists: Lists::new(lists, spans.places.clone()) }
}

/// What a core finds.
type Tallied = (Tallies, Vec<Matched>, Symbols<List>);

/// In which order sources are preferred, verdicts apart: across systems before within one; whole, split, join; the
/// earliest span; the smaller span id; then by name.
struct Preference<'a> {
    spans: &'a FieldSpans,
    by_name: Vec<u32>,
}

impl<'a> Preference<'a> {
    fn new(spans: &'a FieldSpans) -> Self {
        let mut order: Vec<usize> = (0..spans.places.len()).collect();
        order.sort_unstable_by_key(|&place| &spans.places[place]);
        let mut by_name = vec![0; order.len()];
        for (rank, place) in (0..).zip(order) {
            by_name[place] = rank;
        }
        Self { spans, by_name }
    }

    /// Puts the sources of one target in order, and notes which list they are.
    fn list(&self, of_target: &mut [Matched], lists: &mut Symbols<List>) {
        let span = |row: u32| &self.spans.rows[row as usize];
        let system = |row: u32| self.spans.systems[span(row).place as usize];
        of_target.sort_unstable_by_key(|found| {
            let source = span(found.source);
            let within_system = system(found.source) == system(found.target);
            (within_system, found.kind, source.held_from(), source.key, self.by_name[source.place as usize])
        });
        let Some(first) = of_target.first() else { return };
        let target = span(first.target);
        let candidates = of_target.iter().map(|found| Candidate {
            from: span(found.source).place,
            kind: found.kind,
            within: Within::of(target.start - span(found.latest).held_from()),
        });
        let list = lists.number(&List { to: target.place, candidates: candidates.collect() });
        for (found, place) in of_target.iter_mut().zip(1..) {
            (found.list, found.place) = (list, place);
        }
    }
}

/// Which rows hold values, by case, and the fields that they are in.
fn held(spans: &FieldSpans) -> (Held, Fields) {
    let mut rows: Vec<u32> = (0..).zip(&spans.rows).filter(|(_, span)| spans.holds(span)).map(|(row, _)| row).collect();
    rows.sort_unstable_by_key(|&row| (spans.rows[row as usize].case, row));
    let mut cases = Vec::new();
    let mut first = 0;
    for run in rows.chunk_by(|one, other| spans.rows[*one as usize].case == spans.rows[*other as usize].case) {
        cases.push(first..first + run.len());
        first += run.len();
    }
    // Cases that one worker saw first, and at one time, are looked at together: their counts lie side by side.
    cases.sort_by_cached_key(|case: &Range<usize>| {
        rows[case.clone()].iter().map(|&row| &spans.rows[row as usize]).map(|span| (span.worker, span.start)).min()
    });
    let mut field_of_place = vec![NONE; spans.places.len()];
    let mut names = Vec::new();
    for (place, name) in spans.places.iter().enumerate() {
        if let [Some(system), Some(screen), Some(field)] = name {
            field_of_place[place] = names.len() as u32;
            names.push((system.clone(), screen.clone(), field.clone()));
        }
    }
    (Held { rows, cases, field_of_place }, Fields::new(names))
}

impl Held {
    /// Cases in lots, as cores take them.
    fn lots(&self) -> Vec<&[Range<usize>]> {
        self.cases.chunks(CASES).collect()
    }

    fn holder(&self, spans: &FieldSpans, judged: &Judgement, place: usize, days: &mut Days) -> Holder {
        let row = self.rows[place];
        let span = &spans.rows[row as usize];
        let from = span.held_from();
        let is_target =
            span.worker != NONE && judged.lasts[row as usize] == row && judged.rework[row as usize].is_none();
        Holder {
            key: span.key,
            start: span.start,
            from,
            field: self.field_of_place[span.place as usize],
            value: span.value,
            date: span.is.has(Is::DATE),
            words: span.is.has(Is::WORDS),
            seen: (span.worker != NONE).then(|| (span.worker, days.of(from).day)),
            target: is_target.then(|| (span.worker, days.of(span.start).day)),
        }
    }
}

/// Rows of the table `matches`. `lists` are the ids of lists by number, `time` gives the microseconds of a target.
pub fn batch(found: &[Matched], spans: &FieldSpans, lists: &[i64], time: impl Fn(u32) -> i64) -> Result<RecordBatch> {
    let rows = |of: fn(&Matched) -> u32| found.iter().map(move |found| &spans.rows[of(found) as usize]);
    let (targets, sources, latest) = (
        || rows(|found: &Matched| found.target),
        || rows(|found: &Matched| found.source),
        || rows(|found: &Matched| found.latest),
    );
    let instants = |times: &mut dyn Iterator<Item = i64>| -> ArrayRef {
        Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"))
    };
    let hashes = |hashes: &mut dyn Iterator<Item = Option<u64>>| -> ArrayRef {
        Arc::new(BinaryArray::from_iter(hashes.map(|hash| hash.map(u64::to_be_bytes))))
    };
    let worker = |worker: u32| spans.workers.get(worker as usize).copied();
    let name = |place: u32, part: usize| spans.places[place as usize][part].as_deref();
    let names = |places: &mut dyn Iterator<Item = u32>, part: usize| -> ArrayRef {
        Arc::new(StringArray::from_iter(places.map(|place| name(place, part))))
    };
    let schema = tables::MATCHES.arrow_schema();
    let columns = schema
        .fields()
        .iter()
        .map(|wanted| -> Result<ArrayRef> {
            Ok(match wanted.name().as_str() {
                "span_id" => hashes(&mut targets().map(|span| Some(span.key.span))),
                "at" => instants(&mut targets().map(|span| span.start)),
                "worker" => hashes(&mut targets().map(|span| worker(span.worker))),
                "case_id" => hashes(&mut targets().map(|span| spans.cases.get(span.case as usize).copied())),
                "scope" => Arc::new(StringArray::from_iter_values(targets().zip(sources()).map(|(target, source)| {
                    scope(name(source.place, 0).unwrap_or_default(), name(target.place, 0).unwrap_or_default())
                }))),
                "match" => Arc::new(StringArray::from_iter_values(found.iter().map(|found| found.kind.as_str()))),
                "origin" => Arc::new(StringArray::from_iter_values(targets().map(FieldSpan::origin))),
                "from_span_id" => hashes(&mut sources().map(|span| Some(span.key.span))),
                "from_at" => instants(&mut sources().map(FieldSpan::held_from)),
                "latest_from_at" => instants(&mut latest().map(FieldSpan::held_from)),
                "from_worker" => hashes(&mut sources().map(|span| worker(span.worker))),
                "from_system" => names(&mut sources().map(|span| span.place), 0),
                "from_screen" => names(&mut sources().map(|span| span.place), 1),
                "from_field" => names(&mut sources().map(|span| span.place), 2),
                "to_system" => names(&mut targets().map(|span| span.place), 0),
                "to_screen" => names(&mut targets().map(|span| span.place), 1),
                "to_field" => names(&mut targets().map(|span| span.place), 2),
                "list" => Arc::new(Int64Array::from_iter_values(found.iter().map(|found| lists[found.list as usize]))),
                "place" => Arc::new(Int64Array::from_iter_values(found.iter().map(|found| i64::from(found.place)))),
                "microseconds" => Arc::new(Int64Array::from_iter_values(found.iter().map(|found| time(found.target)))),
                "day" => Arc::new(Date32Array::from_iter_values(found.iter().map(|found| found.day))),
                other => return internal_err!("nobody fills the column {other} of matches"),
            })
        })
        .collect::<Result<_>>()?;
    Ok(RecordBatch::try_new(schema, columns)?)
}
