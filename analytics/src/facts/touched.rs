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
    ops::RangeInclusive,
    sync::Arc,
};

use super::{
    assemble::{Context, Names, Rows as Named, context, day_shifts, rows},
    cores::on_cores,
    correction::Correction,
    day::{Day, KeptDay, Rows},
    estate::Estate,
    field_spans::{FieldSpan, FieldSpans, Is, NONE, Place},
    known::Known,
};
use crate::{
    local_time::LocalTime,
    operators::{
        encoding::Torn,
        hashing::{FastMap, FastSet},
        matcher::agree::Value,
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
    /// What all days say together.
    pub context: Context,
    /// Everything that the cases touched hold.
    pub spans: FieldSpans,
    /// Everything that they held before; names have the same numbers.
    pub then: FieldSpans,
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

/// What is touched when these days were `gathered` anew, or for the first time, or are `gone`, and the others are as they
/// were `kept`. `open` are the local days at whose end work went on. `None`: nothing is touched.
pub fn touched(
    kept: &BTreeMap<i32, KeptDay>,
    gathered: &BTreeMap<i32, KeptDay>,
    gone: &BTreeSet<i32>,
    (estate, open): (&Estate, &BTreeSet<i32>),
    around: &Surroundings,
) -> Result<Option<Touched>, Torn> {
    let days = Versions { kept: read(kept)?, gathered: read(gathered)?, gone };
    let others: BTreeSet<i32> = days.other_spans();
    if others.is_empty() {
        return Ok(None);
    }
    let both = on_cores(vec![true, false], |now| {
        let (known, parameters, local) = (around.known.clone(), &around.parameters, around.local);
        let all: Vec<&Day> = if now { days.now().map(|(day, _)| day).collect() } else { days.then() };
        context(all, known, parameters, local)
    });
    let [now, then]: [Context; 2] = both.try_into().map_err(|_| Torn)?;
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
    let changed: BTreeSet<i32> = &(&others | &shifted) | &work.told_otherwise();

    let mut names = Names::of(&estate.workers, &estate.places, &estate.values);
    let changes = work.changes(&changed, &mut names);
    work.touch_times(&changed);
    work.touch_mishaps(&changed, &changes, &names);
    let since = work.touch_cases(&changed, &changes, &mut names);
    work.touch_what_went_on();

    let seen = work.seen(&changed, &mut names);
    let mut cases: FastSet<u64> = since.keys().copied().collect();
    cases.extend(seen.cases);
    let first_asked: Vec<Value> = names.some_values(&seen.first_asked);
    cases.extend(work.may_agree(&first_asked));

    let touched = std::mem::take(&mut work.touched);
    let spans = work.all_of(&cases, days.now(), &now.correction, &mut names);
    let before = work.all_of(&cases, days.kept.values(), &then.correction, &mut names);
    let mut with_parts = FastSet::default();
    for (day, _) in days.now() {
        with_parts.extend(day.with_parts.iter().map(|place| names.place(&day.places[*place as usize])));
    }
    let lists = names.lists();
    Ok(Some(Touched {
        days: touched,
        linked: now.links != then.links,
        shifted,
        spans: spans.named(&lists),
        then: before.named(&lists),
        with_parts,
        context: now,
    }))
}

/// UTC days on which any shift is another.
fn shifted(now: &Context, then: &Context) -> BTreeSet<i32> {
    let (now, then): (BTreeSet<_>, BTreeSet<_>) = (now.shifts.iter().collect(), then.shifts.iter().collect());
    now.symmetric_difference(&then).map(|shift| shift.2).collect()
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
    gone: &'a BTreeSet<i32>,
}

impl<'a> Versions<'a> {
    fn now(&self) -> impl Iterator<Item = &(Day, Rows<'a>)> {
        let stayed = self.kept.iter().filter(|(day, _)| !self.gone.contains(day) && !self.gathered.contains_key(day));
        stayed.map(|(_, day)| day).chain(self.gathered.values())
    }

    fn now_of(&self, day: i32) -> Option<&(Day, Rows<'a>)> {
        let kept = || self.kept.get(&day).filter(|_| !self.gone.contains(&day));
        self.gathered.get(&day).or_else(kept)
    }

    fn then(&self) -> Vec<&Day> {
        self.kept.values().map(|(day, _)| day).collect()
    }

    /// Days of which there are other spans than before.
    fn other_spans(&self) -> BTreeSet<i32> {
        let differs = |(number, (day, _)): &(&i32, &(Day, Rows<'_>))| {
            self.kept.get(number).is_none_or(|(kept, _)| kept.content != day.content)
        };
        self.gathered.iter().filter(differs).map(|(number, _)| *number).chain(self.gone.iter().copied()).collect()
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

    /// UTC days on which cases or tasks are others than before, though their spans are the same. Where the task catalogue
    /// tells another task, local days are touched at once.
    fn told_otherwise(&mut self) -> BTreeSet<i32> {
        let (now, then) = (self.now, self.then);
        let numbers: FastSet<u64> = differences(&now.cases, &then.cases);
        let traces: FastSet<u64> =
            differences(&now.roots, &then.roots).into_iter().map(|trace: u128| trace as u64).collect();
        let named: FastSet<u64> = differences(&now.task_names, &then.task_names);
        for [start, end] in now.told.differences(&then.told) {
            self.touched.extend(self.local(start)..=self.local(end));
        }
        let any = |of: &[u64], among: &FastSet<u64>| !among.is_empty() && of.iter().any(|one| among.contains(one));
        let differs = |day: &&Day| any(&day.numbers, &numbers) || any(&day.traces, &traces) || any(&day.named, &named);
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

    /// What went wrong decides the cause of what its worker entered again later, be it days later.
    fn touch_mishaps(&mut self, changed: &BTreeSet<i32>, changes: &Changes, names: &Names) {
        if changes.mishaps.is_empty() {
            return;
        }
        let workers = names.workers();
        let mut first: FastMap<u64, i64> = FastMap::default();
        for &(worker, start) in &changes.mishaps {
            first.entry(workers[worker as usize]).and_modify(|first| *first = start.min(*first)).or_insert(start);
        }
        for (day, _) in self.days.now().filter(|(day, _)| !changed.contains(&day.day)) {
            let Some(local) = self.local_days(day, self.now) else { continue };
            let of = day.workers.iter().filter_map(|worker| first.get(worker));
            if of.min().is_some_and(|first| self.local(*first) <= *local.end()) {
                self.touched.extend(local);
            }
        }
    }

    /// What a case came to hold, or holds no more, may make other what becomes of its later entries, on any day. Gives
    /// these cases.
    fn touch_cases(&mut self, changed: &BTreeSet<i32>, changes: &Changes, names: &mut Names) -> FastMap<u64, i64> {
        let numbers = names.cases();
        let mut since: FastMap<u64, i64> = FastMap::default();
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
        self.touch_chains(changes, &mut since);
        if !tasks.is_empty() {
            let days = self
                .days
                .now()
                .map(|(day, rows)| (day, rows.only(day, |row| rows.cases.get(row) == NONE && rows.entered(row))));
            for (_, row, _) in rows(days, self.now, names).told_apart() {
                if tasks.get(&row.task).is_some_and(|first| *first <= row.start) {
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

    /// An entry that continues another makes other what becomes of the whole chain.
    fn touch_chains(&mut self, changes: &Changes, since: &mut FastMap<u64, i64>) {
        let continued: FastSet<u64> =
            self.days.now().chain(self.days.kept.values()).flat_map(|(day, _)| &day.continues).map(|of| of.1).collect();
        let mut ids: FastSet<u64> = FastSet::default();
        for Changed { row, continues } in &changes.rows {
            if continues.is_some() || continued.contains(&row.key.span) {
                ids.insert(row.key.span);
                ids.extend(continues);
            }
        }
        let mut known = 0;
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
                if let Some(first) = case.and_then(|case| since.get_mut(&case)) {
                    *first = start.min(*first);
                }
            }
        }
    }

    /// Work that goes on over midnight is cut in one piece.
    fn touch_what_went_on(&mut self) {
        let mut days: Vec<i32> = self.touched.iter().copied().collect();
        while let Some(day) = days.pop() {
            let beside = [(day - 1, day - 1), (day, day + 1)];
            for (_, other) in beside.into_iter().filter(|(evening, _)| self.open.contains(evening)) {
                if self.touched.insert(other) {
                    days.push(other);
                }
            }
        }
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

    /// Cases that hold, or may be found to hold in several fields of a screen, any of these values.
    fn may_agree(&self, values: &[Value]) -> FastSet<u64> {
        if values.is_empty() {
            return FastSet::default();
        }
        let mut by_first: FastMap<i64, Vec<&Value>> = FastMap::default();
        let mut parts: FastSet<i64> = FastSet::default();
        let whole: FastSet<i64> = values.iter().map(|value| value.digest).collect();
        for value in values {
            by_first.entry(value.wanted()[0]).or_default().push(value);
            parts.extend(&value.parts);
        }
        let found = on_cores(self.days.now().collect(), |(day, rows)| {
            let case = |row: usize| day.numbers.get(rows.cases.get(row) as usize).map(|number| self.now.case(*number));
            let mut agrees = vec![false; rows.digests.len()];
            let mut has: Vec<Vec<i64>> = vec![Vec::new(); rows.digests.len()];
            let mut any = false;
            for place in 0..rows.digests.len() {
                let digest = rows.digests.get(place);
                let tokens = || std::iter::once(digest).chain(rows.parts.get(place));
                let holds = |value: &&Value| value.wanted().iter().all(|wanted| tokens().any(|token| token == *wanted));
                agrees[place] = whole.contains(&digest)
                    || tokens().any(|token| by_first.get(&token).is_some_and(|values| values.iter().any(&holds)));
                has[place].extend(tokens().filter(|token| parts.contains(token)));
                any |= agrees[place] || !has[place].is_empty();
            }
            let (mut cases, mut tokens) = (FastSet::default(), FastSet::default());
            for row in (0..rows.spans.len()).filter(|_| any) {
                let (value, place) = (rows.values.get(row) as usize, &day.places[rows.places.get(row) as usize]);
                let Some(case) = case(row).filter(|_| value < agrees.len()) else { continue };
                if agrees[value] {
                    cases.insert(case);
                }
                tokens.extend(has[value].iter().map(|token| (*token, screen(place), case)));
            }
            (cases, tokens)
        });
        let mut cases = FastSet::default();
        let mut holders: FastMap<i64, FastSet<(u64, u64)>> = FastMap::default();
        for (more, tokens) in found {
            cases.extend(more);
            for (token, screen, case) in tokens {
                holders.entry(token).or_default().insert((screen, case));
            }
        }
        for value in values.iter().filter(|value| !value.parts.is_empty()) {
            let lists: Option<Vec<&FastSet<(u64, u64)>>> = value.parts.iter().map(|part| holders.get(part)).collect();
            let Some(rarest) = lists.as_ref().and_then(|lists| lists.iter().min_by_key(|list| list.len())) else {
                continue;
            };
            let in_all = |held: &&(u64, u64)| lists.iter().flatten().all(|list| list.contains(*held));
            cases.extend(rarest.iter().filter(in_all).map(|(_, case)| *case));
        }
        cases
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

/// What only one of two maps knows, or knows otherwise.
fn differences<K: Copy + Eq + std::hash::Hash, V: PartialEq>(one: &FastMap<K, V>, other: &FastMap<K, V>) -> FastSet<K> {
    let lacks = |of: &FastMap<K, V>, key: &K, value: &V| of.get(key) != Some(value);
    let of_one = one.iter().filter(|(key, value)| lacks(other, key, value));
    let of_other = other.iter().filter(|(key, value)| lacks(one, key, value));
    of_one.chain(of_other).map(|(key, _)| *key).collect()
}

/// Tells screens apart.
fn screen(place: &Place) -> u64 {
    use std::hash::{BuildHasher, BuildHasherDefault};
    BuildHasherDefault::<crate::operators::hashing::FastHasher>::default().hash_one(&place[..2])
}
