//! The ledger straight from the text of the method: every microsecond between two instants of interest is asked who has
//! it, by looking at all activities. Quadratic, and no idea of it is shared with the sweep.

use proptest::prelude::*;

use super::{
    super::{
        activity::{Activity, EntryIs, Kind, Rules},
        sweep::{Category, sweep},
    },
    activity, rules,
};

/// A row: start, end, category, the system it is of, the span that it is named by, local day.
type Row = (i64, i64, Category, u32, u64, i32);

fn is_instant(activity: &Activity) -> bool {
    activity.start == activity.end || matches!(activity.kind, Kind::Hidden | Kind::SignOut | Kind::Instant)
}

fn close(activity: &Activity, all: &[Activity], rules: &Rules) -> i64 {
    if is_instant(activity) {
        return activity.start;
    }
    let limit = match (activity.kind, activity.keystrokes) {
        (Kind::Wait, _) => 300_000_000,
        (_, None) => 300_000_000,
        (_, Some(keys)) => 60_000_000 + 2_000_000 * keys,
    };
    let next = all
        .iter()
        .filter(|other| activity.kind == Kind::Wait && other.kind != Kind::Wait && other.start > activity.start)
        .map(|other| other.start)
        .min();
    let _ = rules;
    activity.end.min(activity.start + limit).min(next.unwrap_or(i64::MAX))
}

/// Precedence, later start, greater span id; instants last.
fn order(activity: &Activity) -> (i32, i64, u64) {
    let precedence = match activity.kind {
        _ if is_instant(activity) => 0,
        Kind::Entry => 7,
        Kind::Choice => 6,
        Kind::Search => 5,
        Kind::SignIn => 4,
        Kind::Navigation => 3,
        Kind::Action => 2,
        _ => 1,
    };
    (precedence, activity.start, activity.key.span)
}

fn chain_start(wait: &Activity, all: &[Activity], rules: &Rules) -> i64 {
    let mut waits: Vec<&Activity> = all.iter().filter(|activity| activity.kind == Kind::Wait).collect();
    waits.sort_by_key(|activity| (activity.start, activity.key));
    let (mut start, mut end) = (i64::MIN, i64::MIN);
    for other in waits {
        if end == i64::MIN || other.start > end + 100_000 {
            (start, end) = (other.start, close(other, all, rules));
        }
        end = end.max(close(other, all, rules));
        if other.key == wait.key {
            return start;
        }
    }
    start
}

fn is_first_sign_in(activity: &Activity, all: &[Activity], rules: &Rules) -> bool {
    let eligible = |other: &&Activity| {
        other.kind == Kind::SignIn
            && other.system == activity.system
            && other.end > other.start
            && !other.failed
            && rules.local.day(other.start) == rules.local.day(activity.start)
    };
    all.iter().filter(eligible).map(|other| (other.start, other.key)).min() == Some((activity.start, activity.key))
}

fn specification(all: &[Activity], rules: &Rules) -> Vec<Row> {
    let mut instants: Vec<i64> = Vec::new();
    for activity in all {
        instants.extend([activity.start, close(activity, all, rules)]);
        if activity.kind == Kind::Wait {
            instants.push(chain_start(activity, all, rules) + 1_000_000);
        }
    }
    let (first, last) = (*instants.iter().min().unwrap(), *instants.iter().max().unwrap());
    for day in rules.local.day(first)..=rules.local.day(last) {
        instants.push(rules.local.day_start(day));
    }
    instants.sort_unstable();
    instants.dedup();
    let mut rows: Vec<Row> = Vec::new();
    for pair in instants.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let day = rules.local.day(from);
        let open = all
            .iter()
            .filter(|activity| activity.start <= from && close(activity, all, rules) >= to)
            .max_by_key(|activity| order(activity));
        if let Some(owner) = open {
            let category = match owner.kind {
                Kind::Entry | Kind::Choice => match owner.entry {
                    EntryIs::First => Category::FirstEntry,
                    EntryIs::Matched => Category::Matched,
                    EntryIs::Rework => Category::Rework,
                },
                Kind::Search => Category::Search,
                Kind::SignIn | Kind::Wait if owner.failed => Category::Unavailable,
                Kind::SignIn if is_first_sign_in(owner, all, rules) => Category::SignIn,
                Kind::SignIn => Category::RepeatSignIn,
                Kind::Wait if to <= chain_start(owner, all, rules) + 1_000_000 => Category::Response,
                Kind::Wait => Category::Wait,
                _ => Category::Navigation,
            };
            rows.push((from, to, category, owner.system, owner.key.span, day));
            continue;
        }
        // A gap: from what closed last to what starts next, in so far as it is of a worker-day.
        let closed = all.iter().map(|activity| close(activity, all, rules)).filter(|close| *close <= from).max();
        let starts = all.iter().map(|activity| activity.start).filter(|start| *start >= to).min();
        let (Some(closed), Some(starts)) = (closed, starts) else { continue };
        // The worker-day of `from` begins with what starts or is open first on it, and ends with its last close.
        let touches = |day: i32| {
            let (begin, end) = (rules.local.day_start(day), rules.local.day_start(day + 1));
            all.iter()
                .filter_map(|activity| {
                    let close = close(activity, all, rules);
                    let starts_here = activity.start >= begin && activity.start < end;
                    (starts_here || activity.start < begin && close > begin)
                        .then_some((activity.start.max(begin), close.min(end)))
                })
                .fold(None, |span: Option<(i64, i64)>, (start, close)| {
                    Some(span.map_or((start, close), |span| (span.0.min(start), span.1.max(close))))
                })
        };
        if touches(day).is_none_or(|(begin, end)| from < begin || to > end) {
            continue;
        }
        let before =
            all.iter().filter(|other| close(other, all, rules) == closed).max_by_key(|other| order(other)).unwrap();
        let after = all.iter().filter(|other| other.start == starts).max_by_key(|other| order(other)).unwrap();
        let side = if before.kind == Kind::Hidden { Category::Elsewhere } else { Category::Reading };
        if starts - closed > 60_000_000 {
            rows.push((from, to, Category::Away, before.system, before.key.span, day));
        } else if before.system == after.system {
            rows.push((from, to, side, before.system, before.key.span, day));
        } else {
            let turn = (starts - 5_000_000).clamp(from, to);
            rows.push((from, turn, side, before.system, before.key.span, day));
            rows.push((turn, to, Category::Switching, after.system, before.key.span, day));
        }
    }
    rows.retain(|row| row.0 < row.1);
    joined(rows)
}

/// Neighbours that differ in nothing but time become one.
fn joined(rows: Vec<Row>) -> Vec<Row> {
    let mut out: Vec<Row> = Vec::new();
    for row in rows {
        match out.last_mut() {
            Some(last) if last.1 == row.0 && (last.2, last.3, last.4, last.5) == (row.2, row.3, row.4, row.5) => {
                last.1 = row.1;
            }
            _ => out.push(row),
        }
    }
    out
}

fn swept(all: &[Activity], rules: &Rules) -> Vec<Row> {
    let rows = sweep(all, rules)
        .into_iter()
        .map(|row| (row.start, row.end, row.category, all[row.owner].system, all[row.span].key.span, row.day));
    joined(rows.collect())
}

prop_compose! {
    fn any_activity()(
        kind in prop::sample::select(vec![
            Kind::Entry, Kind::Choice, Kind::Search, Kind::SignIn, Kind::Navigation, Kind::Action, Kind::Wait,
            Kind::Wait, Kind::Hidden, Kind::SignOut, Kind::Instant,
        ]),
        // Steps of 50 ms about a local midnight, and within a few minutes, so that things meet.
        start in 0_i64..4_000,
        length in prop_oneof![Just(0_i64), 0_i64..60, 0_i64..2_000, 0_i64..20_000],
        span in 0_u64..1_000,
        system in 1_u32..4,
        keystrokes in prop::option::of(0_i64..50),
        failed in prop::bool::weighted(0.2),
        entry in prop::sample::select(vec![EntryIs::First, EntryIs::Matched, EntryIs::Rework]),
    ) -> Activity {
        // 2025-03-29 23:58 UTC, two minutes before midnight; clocks change an hour later.
        let begin = 1_743_292_680_000_000 + start * 50_000;
        let activity = activity(kind, begin, begin + length * 50_000, span, system);
        Activity { keystrokes, failed, entry, ..activity }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn the_sweep_is_what_the_text_says(mut all in prop::collection::vec(any_activity(), 1..14)) {
        let rules = rules();
        for (index, activity) in all.iter_mut().enumerate() {
            activity.key.span = activity.key.span * 100 + index as u64;
        }
        all.sort_by_key(|activity| (activity.start, activity.key));
        prop_assert_eq!(swept(&all, &rules), specification(&all, &rules));
    }

    #[test]
    fn rows_partition_each_worker_day_to_the_microsecond(mut all in prop::collection::vec(any_activity(), 1..60)) {
        let rules = rules();
        all.sort_by_key(|activity| (activity.start, activity.key));
        let rows = sweep(&all, &rules);
        for pair in rows.windows(2) {
            prop_assert!(pair[0].end <= pair[1].start, "rows overlap");
            prop_assert!(pair[0].end == pair[1].start || pair[0].day != pair[1].day, "a hole within a day");
        }
        let mut days: Vec<i32> = rows.iter().map(|row| row.day).collect();
        days.dedup();
        for day in days {
            let of_day: Vec<_> = rows.iter().filter(|row| row.day == day).collect();
            let sum: i64 = of_day.iter().map(|row| row.end - row.start).sum();
            prop_assert_eq!(sum, of_day[of_day.len() - 1].end - of_day[0].start);
            let within = of_day
                .iter()
                .all(|row| rules.local.day(row.start) == day && row.end <= rules.local.day_start(day + 1));
            prop_assert!(within, "a row leaves its day");
            let starts = all.iter().map(|activity| activity.start).filter(|start| rules.local.day(*start) == day);
            prop_assert_eq!(starts.min().is_some_and(|first| first < of_day[0].start), false);
        }
    }
}
