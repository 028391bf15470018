//! Values held in the whole estate → matches, and how often pairs of fields agree by chance. Case by case, on all cores:
//! first what each case holds goes into posting lists, then each case is asked which of its targets agree.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, BinaryArray, Date32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray},
    buffer::Buffer,
};
use datafusion::{common::internal_err, error::Result};

use super::{
    cores::{on_cores, sort_on_cores, sums_on_cores},
    field_spans::{FieldSpan, FieldSpans, Is, NONE, Place},
    judgement::Judgement,
    trials::{DayTrials, KeptTrials, Recount},
};
use crate::{
    local_time::{Days, LocalTime},
    operators::{
        columns::Symbols,
        encoding::Torn,
        hashing::{FastMap, FastSet},
        matcher::{
            case::{Agreement, Holder, match_case},
            chance::{Elsewhere, Outcome, Sign, Tallies, Target},
            hits::{HitCount, HitCounts},
            index::{Builder, Fields, Index},
            lists::{Candidate, List, Lists, Within},
            output::{CaseCounts, scope},
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
    /// Targets on the days asked for, and their sources, by day, target and source.
    pub matches: Vec<Matched>,
    /// The lists of sources that these targets have.
    pub lists: Lists,
    /// The trials of the days asked for.
    pub trials: FastMap<i32, DayTrials>,
    /// What all trials add up to, and what later ones are counted against.
    pub counts: Counts,
    /// The fields that its numbers are of.
    pub fields: Arc<Fields>,
    /// Whether, other than before, a pair of fields could have agreed in a kind at all: then that is so on all days.
    pub other_kinds: bool,
}

/// Counts over all cases, that later refreshes go on from.
#[derive(Debug, Default)]
pub struct Counts {
    /// How often pairs agree; by day, only of the days asked for.
    pub tallies: Tallies,
    /// In how many cases each value that a target had agrees.
    pub hits: HitCounts,
    /// In how many cases there is each field.
    pub cases: CaseCounts,
}

/// What was known before, for a matching of some cases and days only.
#[derive(Debug)]
pub struct Before {
    /// The counts of then.
    pub counts: Counts,
    /// The places of which values had parts then.
    pub had_parts: FastSet<u32>,
    /// The trials of then, by day.
    pub trials: Arc<BTreeMap<i32, Buffer>>,
    /// What became of them, of the days asked for.
    pub outcomes: BTreeMap<i32, Vec<u8>>,
}

/// The rows that hold values of cases, by case.
struct Held {
    rows: Vec<u32>,
    cases: Vec<Range<usize>>,
    /// For each place, the number of its field among those of values held.
    field_of_place: Arc<Vec<u32>>,
}

/// Cases handed to a core at a time.
const CASES: usize = 256;

/// The fields of places, and the number of the field of each place; [`NONE`] where a part of its name is missing.
/// `with_parts` are places of which values have parts. More places change no number.
#[must_use]
pub fn fields(places: &[Place], with_parts: &FastSet<u32>) -> (Fields, Vec<u32>) {
    let mut field_of_place = vec![NONE; places.len()];
    let mut fields = Vec::new();
    for ((place, name), field) in (0..).zip(places).zip(&mut field_of_place) {
        if let [Some(system), Some(screen), Some(name)] = name {
            *field = fields.len() as u32;
            fields.push(((system.clone(), screen.clone(), name.clone()), with_parts.contains(&place)));
        }
    }
    (Fields::new(fields), field_of_place)
}

/// Matches the targets of all days among all cases; or those of some days among some cases: then `before` has the days,
/// and what was known of other cases, and the spans say what these cases held before.
pub fn matching(
    spans: &FieldSpans,
    judged: &Judgement,
    (look_back, local): (i64, LocalTime),
    with_parts: &FastSet<u32>,
    before: Option<(&BTreeSet<i32>, &Before)>,
) -> std::result::Result<Matching, Torn> {
    let (asked, before) = before.unzip();
    let (fields, field_of_place) = fields(&spans.places, with_parts);
    let (fields, field_of_place) = (Arc::new(fields), Arc::new(field_of_place));
    let held = Held::new(spans, 0..spans.now().len() as u32, field_of_place.clone());
    let index = held.index(spans, local, &fields);
    let then = before.and(spans.were());
    let then = then.map(|rows| Held::new(spans, rows, field_of_place).index(spans, local, &fields));
    let recount = before.zip(then.as_ref());
    let recount = recount.map(|(before, then)| Recount { now: &index, then, hits: &before.counts.hits });
    let elsewhere = recount.as_ref().map_or(Elsewhere::nowhere(), Recount::elsewhere);

    let preference = Preference::new(spans);
    let matcher =
        Matcher { spans, judged, held: &held, index: &index, elsewhere, preference: &preference, look_back, asked };
    let found = sums_on_cores(held.lots(), |tallied: &mut Tallied, cases| {
        let mut days = Days::new(local);
        cases.iter().for_each(|case| matcher.add_case(case.clone(), &mut days, tallied));
    });
    let Tallied { mut tallies, mut matches, mut lists, mut trials } = Tallied::default();
    for mut more in found {
        tallies.merge(more.tallies);
        let numbers: Vec<u32> = more.lists.into_values().iter().map(|list| lists.number(list)).collect();
        more.matches.iter_mut().for_each(|found| found.list = numbers[found.list as usize]);
        matches.append(&mut more.matches);
        for (day, more) in more.trials {
            trials.entry(day).or_default().append(more);
        }
    }
    sort_on_cores(&mut matches, |found: &Matched| {
        let (target, source) = (&spans.rows[found.target as usize], &spans.rows[found.source as usize]);
        (found.day, target.key, source.held_from(), source.key)
    });
    let lists = Lists::new(lists, spans.places.clone());
    for found in &matches {
        trials.entry(found.day).or_default().lists.insert(lists.ids()[found.list as usize]);
    }
    let hits = match (&recount, asked, before) {
        (Some(recount), Some(asked), Some(before)) => recounted(recount, spans, asked, before, &mut tallies)?,
        _ => FastMap::default(),
    };
    let other_kinds = before.is_some_and(|before| {
        let had = self::fields(&spans.places, &before.had_parts).0;
        tallies.other_kinds(&fields, &before.counts.tallies, &had)
    });
    let known = before.map(|before| &before.counts);
    let counts = Counts {
        hits: all_hits(&index, known.map(|known| &known.hits), hits),
        cases: all_cases(&index, then.as_ref(), known.map(|known| &known.cases)),
        tallies,
    };
    Ok(Matching { matches, lists, trials, counts, fields, other_kinds })
}

/// Adds trials counted before to tallies: without those of the days asked for, the others counted anew as far as what
/// other cases hold has changed. Gives in how many cases values agree, as far as that has changed.
fn recounted(
    recount: &Recount<'_>,
    spans: &FieldSpans,
    asked: &BTreeSet<i32>,
    Before { counts, trials, outcomes, .. }: &Before,
    tallies: &mut Tallies,
) -> std::result::Result<FastMap<u32, Vec<HitCount>>, Torn> {
    let numbers: FastMap<u64, u32> = spans.cases.iter().copied().zip(0..).collect();
    let case = |case: u64| numbers.get(&case).copied();
    tallies.merge(counts.tallies.without_days());
    let changes = recount.changes(&spans.values);
    let (gone, stay): (Vec<_>, Vec<_>) = trials.iter().partition(|(day, _)| asked.contains(day));
    for (day, bytes) in gone {
        recount.take_back(&KeptTrials::read(*day, bytes)?, outcomes.get(day).ok_or(Torn)?, case, tallies)?;
    }
    recount.stay(&stay, &changes, case, tallies)?;
    Ok(changes.counts(&counts.hits))
}

/// In how many cases each value agrees: as before, but for those that changed, and those asked for the first time.
fn all_hits(index: &Index, before: Option<&HitCounts>, mut changed: FastMap<u32, Vec<HitCount>>) -> HitCounts {
    let none = HitCounts::default();
    let before = before.unwrap_or(&none);
    for value in 0..index.values() {
        if let (true, Some(hits)) = (before.of(value).is_empty(), index.worked_out(value)) {
            changed.insert(value, hits.counts().collect());
        }
    }
    before.with(index.values() as usize, &changed)
}

/// In how many cases there is each field and screen.
fn all_cases(index: &Index, then: Option<&Index>, before: Option<&CaseCounts>) -> CaseCounts {
    let count = |number: u32, of: fn(&Index, u32) -> u64, before: Option<&Vec<u64>>| {
        let elsewhere = before.and_then(|before| before.get(number as usize)).copied().unwrap_or(0);
        of(index, number) + elsewhere - then.map_or(0, |then| of(then, number))
    };
    let (fields, screens) = (index.fields().len() as u32, index.fields().screens() as u32);
    CaseCounts {
        fields: (0..fields).map(|field| count(field, Index::cases_of_field, before.map(|of| &of.fields))).collect(),
        screens: (0..screens).map(|of| count(of, Index::cases_of_screen, before.map(|of| &of.screens))).collect(),
    }
}

/// What a core finds.
#[derive(Default)]
struct Tallied {
    tallies: Tallies,
    matches: Vec<Matched>,
    lists: Symbols<List>,
    trials: FastMap<i32, DayTrials>,
}

/// What targets are matched by, on each core.
struct Matcher<'a> {
    spans: &'a FieldSpans,
    judged: &'a Judgement,
    held: &'a Held,
    index: &'a Index,
    elsewhere: Elsewhere<'a>,
    preference: &'a Preference<'a>,
    look_back: i64,
    asked: Option<&'a BTreeSet<i32>>,
}

impl Matcher<'_> {
    /// Matches the targets of a case.
    fn add_case(&self, case: Range<usize>, days: &mut Days, to: &mut Tallied) {
        let Self { spans, held, .. } = self;
        let holders: Vec<Holder> =
            case.clone().map(|place| held.holder(spans, Some(self.judged), place, days)).collect();
        let is_asked = |day| self.asked.is_none_or(|asked| asked.contains(&day));
        if !holders.iter().filter_map(|holder| holder.target).any(|(_, day)| is_asked(day)) {
            return;
        }
        let found = match_case(&holders, self.index, self.look_back, is_asked);
        let number = spans.rows[held.rows[case.start] as usize].case;
        for of_target in found.trials.chunk_by(|one, other| one.target == other.target) {
            let Some(target) = Target::of(number, &holders, &of_target[0]) else { continue };
            let outcomes = of_target.iter().map(|trial| Outcome {
                from: trial.from,
                agrees: trial.agrees,
                disagrees: trial.disagrees,
            });
            to.tallies.count(&target, outcomes.clone(), (self.index, self.elsewhere), Sign::In);
            to.trials.entry(target.day).or_default().add(&target, spans.cases[number as usize], outcomes);
        }
        let row = |place: usize| held.rows[case.start + place];
        for of_target in found.matches.chunk_by(|one, other| one.target == other.target) {
            let first = to.matches.len();
            to.matches.extend(of_target.iter().map(|found| Matched {
                day: holders[found.target].target.map_or(0, |(_, day)| day),
                target: row(found.target),
                source: row(found.source),
                latest: row(found.latest),
                kind: found.kind,
                list: 0,
                place: 0,
            }));
            self.preference.list(&mut to.matches[first..], &mut to.lists);
        }
    }
}

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

impl Held {
    /// Which of some rows, given in order, hold values, by case.
    fn new(spans: &FieldSpans, rows: impl Iterator<Item = u32>, field_of_place: Arc<Vec<u32>>) -> Self {
        let rows: Vec<u32> = rows.filter(|row| spans.holds(&spans.rows[*row as usize])).collect();
        // Where the next row of each case goes: rows come in order, and stay so within their case.
        let mut next = vec![0_usize; spans.cases.len() + 1];
        for row in &rows {
            next[spans.rows[*row as usize].case as usize + 1] += 1;
        }
        for case in 1..next.len() {
            next[case] += next[case - 1];
        }
        let cases: Vec<Range<usize>> =
            next.iter().zip(&next[1..]).map(|(from, to)| *from..*to).filter(|case| !case.is_empty()).collect();
        let mut by_case = vec![0; rows.len()];
        for row in rows {
            let place = &mut next[spans.rows[row as usize].case as usize];
            by_case[*place] = row;
            *place += 1;
        }
        // Cases that one worker saw first, and at one time, are looked at together: their counts lie side by side.
        let first_seen = |case: &Range<usize>| {
            let seen = by_case[case.clone()].iter().map(|&row| &spans.rows[row as usize]);
            seen.map(|span| (span.worker, span.start)).min()
        };
        let first_seen =
            on_cores(cases.chunks(CASES).collect(), |cases| cases.iter().map(first_seen).collect::<Vec<_>>());
        let mut first_seen: Vec<_> = first_seen.into_iter().flatten().zip(cases).collect();
        first_seen.sort_by_key(|(seen, _)| *seen);
        let cases = first_seen.into_iter().map(|(_, case)| case).collect();
        Self { rows: by_case, cases, field_of_place }
    }

    /// Everything held.
    fn index(&self, spans: &FieldSpans, local: LocalTime, fields: &Arc<Fields>) -> Index {
        let builders = sums_on_cores(self.lots(), |builder: &mut Builder, cases| {
            let mut days = Days::new(local);
            for case in cases {
                let holders: Vec<Holder> =
                    case.clone().map(|place| self.holder(spans, None, place, &mut days)).collect();
                builder.add(spans.rows[self.rows[case.start] as usize].case, &holders);
            }
        });
        let mut all = Builder::default();
        builders.into_iter().for_each(|builder| all.merge(builder));
        all.finish(fields.clone(), spans.values.clone())
    }

    /// Cases in lots, as cores take them.
    fn lots(&self) -> Vec<&[Range<usize>]> {
        self.cases.chunks(CASES).collect()
    }

    /// A row as what it holds; as a target only where entries were judged.
    fn holder(&self, spans: &FieldSpans, judged: Option<&Judgement>, place: usize, days: &mut Days) -> Holder {
        let row = self.rows[place];
        let span = &spans.rows[row as usize];
        let from = span.held_from();
        let row_is = row as usize;
        let is_last = judged.is_some_and(|judged| judged.lasts[row_is] == row && judged.rework[row_is].is_none());
        let is_target = span.worker != NONE && is_last;
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
