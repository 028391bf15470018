//! Which facts other spans make others: the local days whose time, matches and trials are worked out again, and the cases
//! that must be looked at for it.
//!
//! ```text
//! UTC days with other spans ─┐
//!   shifts, case numbers,    ├▶ UTC days that say something else ─▶ rows that differ ─▶ cases, from when on
//!   tasks of traces …        ┘                 │                                          │
//!                                              └────────────▶ local days ◀────────────────┘
//!                                                                  └▶ cases seen on them ─▶ all that these hold
//! ```
//! Too many local days cost time, and one too few would make facts wrong: in doubt, a day is touched.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::Hash,
    ops::RangeInclusive,
    sync::Arc,
};

use super::{
    agreeing::may_agree,
    assemble::{Context, Names, Rows as Named, context, day_shifts, rows},
    cores::{both, on_cores},
    correction::Correction,
    day::{Day, KeptDay, Rows},
    estate::Estate,
    field_spans::{FieldSpan, FieldSpans, Is, NONE},
    known::Known,
};
use crate::{
    local_time::LocalTime,
    operators::{
        columns::differences,
        encoding::Torn,
        hashing::{FastMap, FastSet, hash},
        matcher::agree::{Tokens, Value},
    },
    parameters::Parameters,
};

/// What is worked out again.
#[derive(Debug)]
pub struct Touched {
    /// The local days.
    pub days: BTreeSet<i32>,
    /// The UTC days on which any span is shifted by something else than before.
    pub shifted: BTreeSet<i32>,
    /// Whether any case number belongs to another case than before, or is new.
    pub linked: bool,
    /// Other local days on which there may be anything of task instances that the days touched have.
    pub joined: BTreeSet<i32>,
    /// What all days say together.
    pub context: Context,
    /// Everything that the cases touched hold, and held before.
    pub spans: FieldSpans,
    /// The places of which values have parts.
    pub with_parts: FastSet<u32>,
}

/// What has to be known beside days to say what is touched.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// Who is behind a login, and the catalogue of tasks.
    pub known: Arc<Known>,
    /// The parameters.
    pub parameters: Parameters,
    /// Local days.
    pub local: LocalTime,
    /// How long after an activity another still belongs to its stretch of time, microseconds.
    pub pause: i64,
}

/// What is touched when these days were `gathered` anew, or for the first time, and the others are as they were `kept`.
/// `open` are the local days at whose end work went on. `None`: nothing is touched.
pub fn touched(
    kept: &BTreeMap<i32, KeptDay>,
    gathered: &BTreeMap<i32, KeptDay>,
    (estate, open): (&mut Estate, &BTreeSet<i32>),
    around: &Surroundings,
) -> Result<Option<Touched>, Torn> {
    let days = Versions { kept: read(kept)?, gathered: read(gathered)? };
    let others: BTreeSet<i32> = days.other_spans();
    if others.is_empty() {
        return Ok(None);
    }
    // The values are many: they are moved.
    let values = Arc::try_unwrap(std::mem::take(&mut estate.values)).unwrap_or_else(|values| values.to_vec());
    let (mut names, contexts) = both(
        || Names::of(&estate.workers, &estate.places, values),
        || {
            on_cores(vec![true, false], |now| {
                let (known, parameters, local) = (around.known.clone(), &around.parameters, around.local);
                let all: Vec<&Day> = if now { days.now().map(|(day, _)| day).collect() } else { days.then() };
                context(all, known, parameters, local)
            })
        },
    );
    let [now, then]: [Context; 2] = contexts.try_into().map_err(|_| Torn)?;
    let shifted = shifted(&now, &then);
    let mut work = Work {
        days: &days,
        now: &now.correction,
        then: &then.correction,
        around,
        estate,
        open,
        touched: BTreeSet::new(),
    };
    let changed: BTreeSet<i32> = &(&others | &shifted) | &work.told_otherwise(&others);

    let changes = work.changes(&changed, &mut names);
    work.touch_times(&changed);
    let since = work.touch_mishaps(&changes, &names);
    let since = work.touch_cases(&changed, &changes, since, &mut names);
    work.touch_what_belongs_together();

    let seen = work.seen(&changed, &mut names);
    let mut cases: FastSet<u64> = since.keys().copied().collect();
    cases.extend(seen.cases);
    let first_asked: Vec<Value> = names.some_values(&seen.first_asked);
    cases.extend(may_agree(days.now().collect(), &first_asked, &cases, &now.correction));

    let joined = work.joined();
    let touched = std::mem::take(&mut work.touched);
    // Days that say what they said have the same rows now and then.
    let stayed = days.now().filter(|(day, _)| !changed.contains(&day.day));
    let mut all = work.all_of(&cases, stayed, &now.correction, &mut names);
    let stayed = all.len();
    let of_changed = changed.iter().filter_map(|day| days.now_of(*day));
    all = all.with(work.all_of(&cases, of_changed, &now.correction, &mut names));
    let were = changed.iter().filter_map(|day| days.kept.get(day));
    let were = work.all_of(&cases, were, &then.correction, &mut names);
    all = all.before(stayed, were);
    let rows = changes.rows.len();
    tracing::debug!(utc_days = changed.len(), rows, local_days = touched.len(), cases = cases.len(), "touched");
    let mut with_parts = FastSet::default();
    for (day, _) in days.now() {
        with_parts.extend(day.with_parts.iter().map(|place| names.place(&day.places[*place as usize])));
    }
    let lists = names.lists();
    Ok(Some(Touched {
        days: touched,
        joined,
        linked: now.links != then.links,
        shifted,
        spans: all.named(&lists),
        with_parts,
        context: now,
    }))
}

/// UTC days on which any shift is another.
fn shifted(now: &Context, then: &Context) -> BTreeSet<i32> {
    differences(now.shifts.iter(), then.shifts.iter()).into_iter().map(|shift| shift.2).collect()
}

/// Days with their rows, as they were kept.
type Days<'a> = BTreeMap<i32, (Day, Rows<'a>)>;

fn read(days: &BTreeMap<i32, KeptDay>) -> Result<Days<'_>, Torn> {
    let read = on_cores(days.iter().collect(), |(number, day): (&i32, &KeptDay)| Ok((*number, day.read()?)));
    read.into_iter().collect()
}

/// Each day as it is now, and as it was.
struct Versions<'a> {
    kept: Days<'a>,
    gathered: Days<'a>,
}

impl<'a> Versions<'a> {
    fn now(&self) -> impl Iterator<Item = &(Day, Rows<'a>)> {
        let stayed = self.kept.iter().filter(|(day, _)| !self.gathered.contains_key(day));
        stayed.map(|(_, day)| day).chain(self.gathered.values())
    }

    fn now_of(&self, day: i32) -> Option<&(Day, Rows<'a>)> {
        self.gathered.get(&day).or_else(|| self.kept.get(&day))
    }

    fn then(&self) -> Vec<&Day> {
        self.kept.values().map(|(day, _)| day).collect()
    }

    /// Days of which there are other spans than before.
    fn other_spans(&self) -> BTreeSet<i32> {
        let differs = |(number, (day, _)): &(&i32, &(Day, Rows<'_>))| {
            self.kept.get(number).is_none_or(|(kept, _)| kept.content != day.content)
        };
        self.gathered.iter().filter(differs).map(|(number, _)| *number).collect()
    }
}

/// A row that is another than before, or was not there, or is no more.
struct Changed {
    row: FieldSpan,
    continues: Option<u64>,
}

/// What changed of the spans about fields of some days.
struct Changes {
    rows: Vec<Changed>,
    // Worker and start of what went wrong, or was taken to.
    mishaps: Vec<(u32, i64)>,
}

/// Who and what was seen on the days touched.
struct Seen {
    cases: FastSet<u64>,
    // Values of targets that no target had before.
    first_asked: FastSet<u32>,
}

struct Work<'a> {
    days: &'a Versions<'a>,
    now: &'a Correction,
    then: &'a Correction,
    around: &'a Surroundings,
    estate: &'a Estate,
    open: &'a BTreeSet<i32>,
    touched: BTreeSet<i32>,
}

impl Work<'_> {
    fn local(&self, instant: i64) -> i32 {
        self.around.local.day(instant)
    }

    /// The local days on which what a UTC day says may lie.
    fn local_days(&self, day: &Day, correction: &Correction) -> Option<RangeInclusive<i32>> {
        let [first, last, ..] = day.times?;
        let shifts = day_shifts(day, correction);
        let least = shifts.iter().copied().min().unwrap_or(0).min(0);
        let most = shifts.iter().copied().max().unwrap_or(0).max(0);
        Some(self.local(first + least)..=self.local(last + most))
    }

    /// UTC days on which cases or tasks are others than before, though their spans may be the same.
    fn told_otherwise(&self, others: &BTreeSet<i32>) -> BTreeSet<i32> {
        let (now, then) = (self.now, self.then);
        // A trace or an instance is called by something else only if one of its spans is new or gone.
        let of_others = || {
            let either = others.iter().flat_map(|day| [self.days.now_of(*day), self.days.kept.get(day)]);
            either.flatten().map(|(day, _)| day)
        };
        let numbers: FastSet<u64> = differ(&now.cases, &then.cases, now.cases.keys().chain(then.cases.keys()));
        let traces = of_others().flat_map(|day| &day.roots).map(|root| &root.0);
        let traces: FastSet<u64> = differ(&now.roots, &then.roots, traces).iter().map(|trace| *trace as u64).collect();
        let named = of_others().flat_map(|day| &day.task_names).map(|named| &named.0);
        let named: FastSet<u64> = differ(&now.task_names, &then.task_names, named);
        let told = now.told.differences(&then.told);
        let told: BTreeSet<i32> = told.iter().flat_map(|[start, end]| self.local(*start)..=self.local(*end)).collect();
        let on_told = |day: &Day| self.local_days(day, now).is_some_and(|local| told.range(local).next().is_some());
        let any = |of: &[u64], among: &FastSet<u64>| !among.is_empty() && of.iter().any(|one| among.contains(one));
        let differs = |day: &&Day| {
            any(&day.numbers, &numbers) || any(&day.traces, &traces) || any(&day.named, &named) || on_told(day)
        };
        self.days.now().map(|(day, _)| day).filter(differs).map(|day| day.day).collect()
    }

    /// What differs on these UTC days.
    fn changes(&self, changed: &BTreeSet<i32>, names: &mut Names) -> Changes {
        let now =
            changed.iter().filter_map(|day| self.days.now_of(*day)).map(|(day, rows)| (day, rows.only(day, |_| true)));
        let now = rows(now, self.now, names);
        let then =
            changed.iter().filter_map(|day| self.days.kept.get(day)).map(|(day, rows)| (day, rows.only(day, |_| true)));
        let then = rows(then, self.then, names);
        let told = |of: &Named| of.told_apart().map(|row| row.0).collect::<FastSet<u64>>();
        let (rows_now, rows_then) = (told(&now), told(&then));
        let lacking = |of: &Named, others: &FastSet<u64>| {
            let rows = of.told_apart().filter(|row| !others.contains(&row.0));
            rows.map(|(_, row, continues)| Changed { row: *row, continues }).collect::<Vec<_>>()
        };
        let mut all = lacking(&now, &rows_then);
        all.append(&mut lacking(&then, &rows_now));
        let mishaps = |of: &Named| {
            of.mishaps().map(|(told, worker, start)| (told, (worker, start))).collect::<FastMap<u64, (u32, i64)>>()
        };
        let (wrong_now, wrong_then) = (mishaps(&now), mishaps(&then));
        let lacking = |one: &FastMap<u64, (u32, i64)>, other: &FastMap<u64, (u32, i64)>| {
            one.iter().filter(|(told, _)| !other.contains_key(told)).map(|(_, mishap)| *mishap).collect::<Vec<_>>()
        };
        let wrong = [lacking(&wrong_now, &wrong_then), lacking(&wrong_then, &wrong_now)].concat();
        Changes { rows: all, mishaps: wrong }
    }

    /// Time of these UTC days is cut again. Who works towards midnight may work on.
    fn touch_times(&mut self, changed: &BTreeSet<i32>) {
        for number in changed {
            let versions = [(self.days.now_of(*number), self.now), (self.days.kept.get(number), self.then)];
            for (version, correction) in versions {
                let Some((day, _)) = version else { continue };
                let (Some(local), Some([.., closes])) = (self.local_days(day, correction), day.times) else { continue };
                let most = day_shifts(day, correction).into_iter().max().unwrap_or(0).max(0);
                let latest = self.local(closes + most + self.around.pause);
                self.touched.extend(*local.start()..=latest.max(*local.end()));
            }
        }
    }

    /// What went wrong decides whether what its worker entered again later, be it days later, is rework, and why. Gives
    /// the cases of such entries.
    fn touch_mishaps(&mut self, changes: &Changes, names: &Names) -> FastMap<u64, i64> {
        let mut since: FastMap<u64, i64> = FastMap::default();
        let workers = names.workers();
        let mut first: FastMap<u64, i64> = FastMap::default();
        for &(worker, start) in &changes.mishaps {
            first.entry(workers[worker as usize]).and_modify(|first| *first = start.min(*first)).or_insert(start);
        }
        for (day, rows) in self.days.now().filter(|_| !first.is_empty()) {
            let of: Vec<Option<i64>> = day.workers.iter().map(|worker| first.get(worker).copied()).collect();
            let (Some(least), Some(local)) = (of.iter().flatten().min(), self.local_days(day, self.now)) else {
                continue;
            };
            if self.local(*least) > *local.end() {
                continue;
            }
            let shifts = day_shifts(day, self.now);
            for row in (0..rows.spans.len()).filter(|row| rows.entered(*row)) {
                let Some(Some(first)) = of.get(rows.workers.get(row) as usize) else { continue };
                let start = rows.starts.get(row) + shifts.get(rows.sessions.get(row) as usize).copied().unwrap_or(0);
                if start < *first {
                    continue;
                }
                self.touched.insert(self.around.local.day(start));
                if let Some(number) = day.numbers.get(rows.cases.get(row) as usize) {
                    since.entry(self.now.case(*number)).and_modify(|first| *first = start.min(*first)).or_insert(start);
                }
            }
        }
        since
    }

    /// What a case came to hold, or holds no more, may make other what becomes of its later entries, on any day. Gives
    /// these cases.
    fn touch_cases(
        &mut self,
        changed: &BTreeSet<i32>,
        changes: &Changes,
        mut since: FastMap<u64, i64>,
        names: &mut Names,
    ) -> FastMap<u64, i64> {
        let numbers = names.cases();
        // By task, of entries without a case.
        let mut tasks: FastMap<u32, i64> = FastMap::default();
        for Changed { row, .. } in &changes.rows {
            self.touched.extend([self.local(row.start), self.local(row.held_from())]);
            let least = |first: &mut i64| *first = row.start.min(*first);
            if let Some(case) = numbers.get(row.case as usize) {
                since.entry(*case).and_modify(least).or_insert(row.start);
            } else if row.task != NONE {
                tasks.entry(row.task).and_modify(least).or_insert(row.start);
            }
        }
        let without_case = self.touch_chains(changes, &mut since);
        if !tasks.is_empty() || without_case.is_some() {
            let days = self
                .days
                .now()
                .map(|(day, rows)| (day, rows.only(day, |row| rows.cases.get(row) == NONE && rows.entered(row))));
            for (_, row, _) in rows(days, self.now, names).told_apart() {
                let of_task = tasks.get(&row.task).is_some_and(|first| *first <= row.start);
                if of_task || row.task != NONE && without_case.is_some_and(|first| first <= row.start) {
                    self.touched.insert(self.local(row.start));
                }
            }
        }
        let Some(first) = since.values().min().map(|first| self.local(*first)) else { return since };
        let later = self.days.now().filter(|(day, _)| {
            !changed.contains(&day.day) && self.local_days(day, self.now).is_some_and(|local| *local.end() >= first)
        });
        let found = on_cores(later.collect(), |(day, rows)| {
            let of: Vec<Option<i64>> =
                day.numbers.iter().map(|number| since.get(&self.now.case(*number)).copied()).collect();
            let shifts = day_shifts(day, self.now);
            let mut days = BTreeSet::new();
            for row in 0..rows.spans.len() {
                let Some(Some(first)) = of.get(rows.cases.get(row) as usize) else { continue };
                let shift = shifts.get(rows.sessions.get(row) as usize).copied().unwrap_or(0);
                let start = rows.starts.get(row) + shift;
                if start >= *first {
                    days.insert(self.local(start));
                }
            }
            days
        });
        self.touched.extend(found.into_iter().flatten());
        since
    }

    /// An entry that continues another makes other what becomes of the whole chain. Gives when the first such chain
    /// without a case begins.
    fn touch_chains(&mut self, changes: &Changes, since: &mut FastMap<u64, i64>) -> Option<i64> {
        let continued: FastSet<u64> =
            self.days.now().chain(self.days.kept.values()).flat_map(|(day, _)| &day.continues).map(|of| of.1).collect();
        let mut ids: FastSet<u64> = FastSet::default();
        for Changed { row, continues } in &changes.rows {
            if continues.is_some() || continued.contains(&row.key.span) {
                ids.insert(row.key.span);
                ids.extend(continues);
            }
        }
        let (mut known, mut without_case) = (0, None);
        while ids.len() > known {
            known = ids.len();
            let found = on_cores(self.days.now().collect(), |(day, rows)| {
                let continues: FastMap<u32, u64> = day.continues.iter().copied().collect();
                let mut found = Vec::new();
                for (row, span) in (0..).zip(rows.spans.iter()) {
                    let before = continues.get(&row).copied();
                    if ids.contains(&span) || before.is_some_and(|before| ids.contains(&before)) {
                        found.push((day, rows, row as usize, span, before));
                    }
                }
                found
            });
            for (day, rows, row, span, before) in found.into_iter().flatten() {
                ids.insert(span);
                ids.extend(before);
                let shift = day_shifts(day, self.now).get(rows.sessions.get(row) as usize).copied().unwrap_or(0);
                let start = rows.starts.get(row) + shift;
                self.touched.insert(self.local(start));
                let case = day.numbers.get(rows.cases.get(row) as usize).map(|number| self.now.case(*number));
                match case {
                    None => without_case = Some(without_case.map_or(start, |first: i64| first.min(start))),
                    Some(case) => {
                        since.entry(case).and_modify(|first| *first = start.min(*first)).or_insert(start);
                    }
                }
            }
        }
        without_case
    }

    /// Work that goes on over midnight is cut in one piece, and an entry counts with those that it continues: of such days
    /// either all are touched or none.
    fn touch_what_belongs_together(&mut self) {
        let nights = self.open.iter().map(|evening| [*evening, *evening + 1]);
        let pairs: Vec<[i32; 2]> = nights.chain(self.chains()).collect();
        let mut known = 0;
        while self.touched.len() > known {
            known = self.touched.len();
            for pair in &pairs {
                if pair.iter().any(|day| self.touched.contains(day)) {
                    self.touched.extend(pair);
                }
            }
        }
    }

    /// Local days between which an entry continues another.
    fn chains(&self) -> Vec<[i32; 2]> {
        type Link = (Option<u64>, Option<u64>, u64);
        // What tells worker, case and place of a row, and the local day of its start.
        let link = |day: &Day, rows: &Rows<'_>, row: usize, shifts: &[i64]| -> (Link, i32) {
            let worker = day.workers.get(rows.workers.get(row) as usize).copied();
            let case = day.numbers.get(rows.cases.get(row) as usize).map(|number| self.now.case(*number));
            let place = hash(&day.places[rows.places.get(row) as usize]);
            let shift = shifts.get(rows.sessions.get(row) as usize).copied().unwrap_or(0);
            ((worker, case, place), self.local(rows.starts.get(row) + shift))
        };
        let within = on_cores(self.days.now().collect(), |(day, rows)| {
            let shifts = if day.continues.is_empty() { Vec::new() } else { day_shifts(day, self.now) };
            let (mut pairs, mut elsewhere) = (Vec::new(), Vec::new());
            for (&(row, span), &before) in day.continues.iter().zip(&day.continued) {
                let (of, local) = link(day, rows, row as usize, &shifts);
                if before == NONE {
                    elsewhere.push((span, of, local));
                } else {
                    pairs.push([local, link(day, rows, before as usize, &shifts).1]);
                }
            }
            (pairs, elsewhere)
        });
        let (mut pairs, mut elsewhere) = (Vec::new(), FastMap::<u64, Vec<(Link, i32)>>::default());
        for (more, without) in within {
            pairs.extend(more);
            without.into_iter().for_each(|(span, of, local)| elsewhere.entry(span).or_default().push((of, local)));
        }
        let ids: Tokens = elsewhere.keys().map(|span| *span as i64).collect();
        let between = on_cores(self.days.now().filter(|_| !elsewhere.is_empty()).collect(), |(day, rows)| {
            let mut pairs = Vec::new();
            let found = rows.spans.iter().enumerate().filter(|(_, span)| ids.contains(*span as i64));
            for (row, span) in found {
                let (of, local) = link(day, rows, row, &day_shifts(day, self.now));
                let later = elsewhere[&span].iter().filter(|(other, _)| *other == of);
                pairs.extend(later.map(|(_, later)| [*later, local]));
            }
            pairs
        });
        pairs.extend(between.into_iter().flatten());
        pairs.retain(|[one, other]| one != other);
        pairs
    }

    /// Cases of which anything was seen on the days touched, and values asked for first.
    fn seen(&self, changed: &BTreeSet<i32>, names: &mut Names) -> Seen {
        let near = |day: &Day, correction: &Correction| {
            // What is held from a day on may have been begun long before.
            self.local_days(day, correction).zip(day.times).is_some_and(|(local, [_, _, latest, _])| {
                let most = day_shifts(day, correction).into_iter().max().unwrap_or(0).max(0);
                self.touched.range(*local.start()..=self.local(latest + most).max(*local.end())).next().is_some()
            })
        };
        let now = self.days.now().filter(|(day, _)| changed.contains(&day.day) || near(day, self.now));
        let now: Vec<_> = now.map(|(day, rows)| (day, rows.only(day, |_| true))).collect();
        let now = rows(now, self.now, names);
        let then = self.days.kept.values().filter(|(day, _)| changed.contains(&day.day));
        let then: Vec<_> = then.map(|(day, rows)| (day, rows.only(day, |_| true))).collect();
        let then = rows(then, self.then, names);
        let numbers = names.cases();
        let mut seen = Seen { cases: FastSet::default(), first_asked: FastSet::default() };
        let is_touched = |instant: i64| self.touched.contains(&self.local(instant));
        for (_, row, _) in now.told_apart().chain(then.told_apart()) {
            if (is_touched(row.start) || is_touched(row.held_from()))
                && let Some(case) = numbers.get(row.case as usize)
            {
                seen.cases.insert(*case);
            }
        }
        for (_, row, _) in now.told_apart() {
            if row.is.has(Is::ENTERED)
                && row.value != NONE
                && row.case != NONE
                && self.estate.counts.hits.of(row.value).is_empty()
                && is_touched(row.start)
            {
                seen.first_asked.insert(row.value);
            }
        }
        seen
    }

    /// Local days with anything of task instances that the days touched have, or had.
    fn joined(&self) -> BTreeSet<i32> {
        let all = || self.days.now().chain(self.days.kept.values()).map(|(day, _)| day);
        let local = |day: &Day| {
            let either = [self.now, self.then].map(|correction| self.local_days(day, correction));
            either.into_iter().flatten().flatten().collect::<BTreeSet<i32>>()
        };
        let (mut named, mut traces): (FastSet<u64>, FastSet<u64>) = Default::default();
        for day in all().filter(|day| !local(day).is_disjoint(&self.touched)) {
            named.extend(&day.named);
            traces.extend(&day.traces);
        }
        let any = |of: &[u64], among: &FastSet<u64>| of.iter().any(|one| among.contains(one));
        all().filter(|day| any(&day.named, &named) || any(&day.traces, &traces)).flat_map(local).collect()
    }

    /// All rows of cases, and all entries without one.
    fn all_of<'d>(
        &self,
        cases: &FastSet<u64>,
        days: impl Iterator<Item = &'d (Day, Rows<'d>)>,
        correction: &Correction,
        names: &mut Names,
    ) -> Named {
        let found = on_cores(days.collect(), |(day, rows): &(Day, Rows<'_>)| {
            let wanted: Vec<bool> =
                day.numbers.iter().map(|number| cases.contains(&correction.case(*number))).collect();
            let only = rows.only(day, |row| match wanted.get(rows.cases.get(row) as usize) {
                Some(wanted) => *wanted,
                None => rows.entered(row),
            });
            (day, only)
        });
        rows(found, correction, names)
    }
}

/// Those of some keys of which two maps know something else.
fn differ<'k, K: Copy + Eq + Hash + 'k, V: PartialEq>(
    one: &FastMap<K, V>,
    other: &FastMap<K, V>,
    keys: impl Iterator<Item = &'k K>,
) -> FastSet<K> {
    keys.filter(|key| one.get(key) != other.get(key)).copied().collect()
}
