//! Days whose ledger is worked out by hand, in the comments.

use super::{
    super::{
        activity::{Activity, EntryIs, Kind, closes},
        runs::runs,
        sweep::{Category, sweep},
    },
    activity, owned, rules,
};

const S: i64 = 1_000_000;

/// Microseconds of a time of day in London on Saturday 29 March 2025 (winter time, which is UTC).
fn at(clock: &str) -> i64 {
    chrono::DateTime::parse_from_rfc3339(&format!("2025-03-29T{clock}Z")).unwrap().timestamp_micros()
}

/// The same on Sunday 30 March 2025, in UTC: clocks go from 01:00 to 02:00 summer time at 01:00 UTC.
fn sunday(clock: &str) -> i64 {
    chrono::DateTime::parse_from_rfc3339(&format!("2025-03-30T{clock}Z")).unwrap().timestamp_micros()
}

fn sorted(mut activities: Vec<Activity>) -> Vec<Activity> {
    activities.sort_by_key(|activity| (activity.start, activity.key));
    activities
}

#[test]
fn a_day_with_overlaps_lunch_a_field_left_open_midnight_and_a_change_of_clocks() {
    let keys = |keystrokes, activity| Activity { keystrokes: Some(keystrokes), ..activity };
    let activities = sorted(vec![
        // 09:00:00  signs in to system 1, 20 s.
        activity(Kind::SignIn, at("09:00:00"), at("09:00:20"), 1, 1),
        // 09:00:30  moves to a screen (2 s); from 09:00:31 the page blocks for 4 s: a wait of 4 s.
        activity(Kind::Navigation, at("09:00:30"), at("09:00:32"), 2, 1),
        activity(Kind::Wait, at("09:00:31"), at("09:00:35"), 3, 1),
        // 09:00:35.050  within 100 ms another wait, 1 s: the same chain, no tolerated second of its own.
        activity(Kind::Wait, at("09:00:35.050"), at("09:00:36.050"), 4, 1),
        // 09:00:40  types for 30 s; at 09:00:50 a choice of 5 s lies within it.
        keys(40, activity(Kind::Entry, at("09:00:40"), at("09:01:10"), 5, 1)),
        activity(Kind::Choice, at("09:00:50"), at("09:00:55"), 6, 1),
        // 09:01:20  goes to system 2, signs in (10 s), is signed out and signs in again (10 s).
        activity(Kind::SignIn, at("09:01:20"), at("09:01:30"), 7, 2),
        activity(Kind::SignIn, at("09:01:40"), at("09:01:50"), 8, 2),
        // 09:02:00  the page is hidden, comes back 30 s later.
        activity(Kind::Hidden, at("09:02:00"), at("09:02:00"), 9, 2),
        activity(Kind::Instant, at("09:02:30"), at("09:02:30"), 10, 2),
        // 12:00:00  types 10 keys in a field and leaves it open over lunch, until 12:50.
        keys(10, activity(Kind::Entry, at("12:00:00"), at("12:50:00"), 11, 2)),
        // 12:51:00  a wait that fails, 10 s.
        Activity { failed: true, ..activity(Kind::Wait, at("12:51:00"), at("12:51:10"), 12, 2) },
        // 23:59:50  a search over midnight, 20 s.
        activity(Kind::Search, at("23:59:50"), sunday("00:00:10"), 13, 2),
        // Sunday 00:59:50 UTC, ten seconds before the clocks go forward: an entry already held, 20 s; ends at 02:00:10.
        keys(
            5,
            Activity {
                entry: EntryIs::Matched,
                ..activity(Kind::Entry, sunday("00:59:50"), sunday("01:00:10"), 14, 2)
            },
        ),
        // Sunday 23:30 summer time is 22:30 UTC: the same field again. 23:00 UTC is local midnight.
        Activity { entry: EntryIs::Rework, ..activity(Kind::Entry, sunday("22:30:00"), sunday("22:30:05"), 15, 2) },
        activity(Kind::Action, sunday("22:59:59"), sunday("23:00:01"), 16, 2),
    ]);
    let expected = vec![
        // The first sign-in of the day to system 1.
        (at("09:00:00"), at("09:00:20"), Category::SignIn, 1),
        // 10 s with nothing open.
        (at("09:00:20"), at("09:00:30"), Category::Reading, 1),
        // Navigation precedes the wait until it closes.
        (at("09:00:30"), at("09:00:32"), Category::Navigation, 2),
        // The chain's tolerated second is 09:00:31 to :32, and was navigation's: all that is left is beyond it.
        (at("09:00:32"), at("09:00:35"), Category::Wait, 3),
        (at("09:00:35"), at("09:00:35.050"), Category::Reading, 3),
        (at("09:00:35.050"), at("09:00:36.050"), Category::Wait, 4),
        (at("09:00:36.050"), at("09:00:40"), Category::Reading, 4),
        // Entry precedes choice: the choice has nothing.
        (at("09:00:40"), at("09:01:10"), Category::FirstEntry, 5),
        // 10 s to the other system: 5 reading of system 1, then 5 switching to system 2.
        (at("09:01:10"), at("09:01:15"), Category::Reading, 5),
        (at("09:01:15"), at("09:01:20"), Category::Switching, 7),
        (at("09:01:20"), at("09:01:30"), Category::SignIn, 7),
        (at("09:01:30"), at("09:01:40"), Category::Reading, 7),
        (at("09:01:40"), at("09:01:50"), Category::RepeatSignIn, 8),
        (at("09:01:50"), at("09:02:00"), Category::Reading, 8),
        // Out of sight for 30 s, then three hours in which nothing happened: away, whole.
        (at("09:02:00"), at("09:02:30"), Category::Elsewhere, 9),
        (at("09:02:30"), at("12:00:00"), Category::Away, 10),
        // Open for 60 s + 10 × 2 s at most; the rest of lunch is a gap.
        (at("12:00:00"), at("12:01:20"), Category::FirstEntry, 11),
        (at("12:01:20"), at("12:51:00"), Category::Away, 11),
        (at("12:51:00"), at("12:51:10"), Category::Unavailable, 12),
        (at("12:51:10"), at("23:59:50"), Category::Away, 12),
        // Cut at midnight; Sunday begins with its second half.
        (at("23:59:50"), sunday("00:00:00"), Category::Search, 13),
        (sunday("00:00:00"), sunday("00:00:10"), Category::Search, 13),
        (sunday("00:00:10"), sunday("00:59:50"), Category::Away, 13),
        // Twenty seconds are twenty seconds, whatever the clock on the wall does.
        (sunday("00:59:50"), sunday("01:00:10"), Category::Matched, 14),
        (sunday("01:00:10"), sunday("22:30:00"), Category::Away, 14),
        (sunday("22:30:00"), sunday("22:30:05"), Category::Rework, 15),
        (sunday("22:30:05"), sunday("22:59:59"), Category::Away, 15),
        // Local midnight is at 23:00 UTC now.
        (sunday("22:59:59"), sunday("23:00:00"), Category::Navigation, 16),
        (sunday("23:00:00"), sunday("23:00:01"), Category::Navigation, 16),
    ];
    let stretches = sweep(&activities, &rules());
    pretty(&owned(&activities, &stretches), &expected);
    let days: Vec<i32> = stretches.iter().map(|stretch| stretch.day - stretches[0].day).collect();
    assert_eq!((days[20], days[21], days[27], days[28]), (0, 1, 1, 2));
}

/// Compares row by row, so that a difference names its row.
fn pretty(got: &[(i64, i64, Category, u64)], expected: &[(i64, i64, Category, u64)]) {
    for (row, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert_eq!(got, expected, "row {row}");
    }
    assert_eq!(got.len(), expected.len());
}

#[test]
fn a_night_between_two_days_belongs_to_none() {
    let late = activity(Kind::Action, at("23:59:40"), at("23:59:50"), 1, 1);
    let early = activity(Kind::Action, sunday("00:00:10"), sunday("00:00:20"), 2, 1);
    let activities = vec![late, early];
    let rows = owned(&activities, &sweep(&activities, &rules()));
    assert_eq!(rows.len(), 2, "{rows:?}");
}

#[test]
fn a_wait_ends_when_the_worker_goes_on_and_is_open_five_minutes_at_most() {
    // A view (an instant) 3 s into a wait of 10 s ends it; another wait does not.
    let activities = sorted(vec![
        activity(Kind::Wait, 0, 10 * S, 1, 1),
        activity(Kind::Wait, S, 2 * S, 2, 1),
        activity(Kind::Instant, 3 * S, 3 * S, 3, 1),
        activity(Kind::Wait, 1000 * S, 2000 * S, 4, 1),
    ]);
    assert_eq!(closes(&activities, &rules()), [3 * S, 2 * S, 3 * S, 1300 * S]);
    // What starts with the wait does not end it; what starts next does.
    let together = sorted(vec![
        activity(Kind::Wait, 0, 10 * S, 1, 1),
        activity(Kind::Action, 0, S, 2, 1),
        activity(Kind::Action, 4 * S, 5 * S, 3, 1),
    ]);
    assert_eq!(closes(&together, &rules())[0], 4 * S);
    assert_eq!(
        owned(&together, &sweep(&together, &rules())),
        [(0, S, Category::Navigation, 2), (S, 4 * S, Category::Wait, 1), (4 * S, 5 * S, Category::Navigation, 3)]
    );
}

#[test]
fn overlapping_waits_share_one_tolerated_second() {
    // Waits of 3 s from 0 and from 1 s: the later start has the time from 1 s on; only the first second is tolerated.
    let activities = vec![activity(Kind::Wait, 0, 3 * S, 1, 1), activity(Kind::Wait, S, 4 * S, 2, 2)];
    assert_eq!(
        owned(&activities, &sweep(&activities, &rules())),
        [(0, S, Category::Response, 1), (S, 4 * S, Category::Wait, 2)]
    );
    // 101 ms after the chain's end, a wait has a tolerated second of its own.
    let apart = vec![activity(Kind::Wait, 0, S, 1, 1), activity(Kind::Wait, 1_101_000, 3_101_000, 2, 1)];
    assert_eq!(owned(&apart, &sweep(&apart, &rules()))[2], (1_101_000, 2_101_000, Category::Response, 2));
}

#[test]
fn time_of_a_wait_knows_when_its_chain_began() {
    // Waits of 3 s from 0 (failed) and from 3.05 s join; one from 7 s does not. What is no wait has no chain.
    let activities = vec![
        Activity { failed: true, ..activity(Kind::Wait, 0, 3 * S, 1, 1) },
        activity(Kind::Wait, 3 * S + 50_000, 6 * S, 2, 1),
        activity(Kind::Wait, 7 * S, 9 * S, 3, 1),
        activity(Kind::Action, 9 * S, 10 * S, 4, 1),
    ];
    let chains: Vec<_> = sweep(&activities, &rules()).iter().map(|row| (row.category, row.chain)).collect();
    assert_eq!(
        chains,
        [
            (Category::Unavailable, Some(0)),
            (Category::Reading, None),
            (Category::Wait, Some(0)),
            (Category::Reading, None),
            (Category::Response, Some(7 * S)),
            (Category::Wait, Some(7 * S)),
            (Category::Navigation, None),
        ]
    );
}

#[test]
fn the_first_sign_in_is_the_first_that_worked() {
    let activities = vec![
        Activity { failed: true, ..activity(Kind::SignIn, 0, 10 * S, 1, 1) },
        activity(Kind::SignIn, 10 * S, 10 * S, 2, 1),
        activity(Kind::SignIn, 20 * S, 30 * S, 3, 1),
        activity(Kind::SignIn, 30 * S, 40 * S, 4, 1),
    ];
    let categories: Vec<Category> =
        sweep(&activities, &rules()).iter().map(|row| row.category).filter(|category| !category.is_gap()).collect();
    assert_eq!(categories, [Category::Unavailable, Category::SignIn, Category::RepeatSignIn]);
}

#[test]
fn a_run_ends_with_another_case_sign_out_or_a_pause() {
    let on = |case: Option<u32>, kind, start, span| Activity { case, ..activity(kind, start, start + S, span, 1) };
    let activities = vec![
        on(Some(1), Kind::Action, 0, 0),
        // Without a case: part of no run, ends none.
        on(None, Kind::Action, 10 * S, 1),
        on(Some(1), Kind::Action, 20 * S, 2),
        on(Some(2), Kind::Action, 30 * S, 3),
        on(Some(1), Kind::Action, 40 * S, 4),
        on(None, Kind::SignOut, 50 * S, 5),
        on(Some(1), Kind::Action, 60 * S, 6),
        // 30 minutes and a second after the last close.
        on(Some(1), Kind::Action, (61 + 1801) * S, 7),
        // Known by id: no run, though of the same case; and it leaves the run as it is.
        Activity { task_known: true, ..on(Some(1), Kind::Action, 1870 * S, 8) },
        on(Some(1), Kind::Action, 1880 * S, 9),
    ];
    let closes = closes(&activities, &rules());
    let expected = [Some(0), None, Some(0), Some(3), Some(4), None, Some(6), Some(7), None, Some(7)];
    assert_eq!(runs(&activities, &closes, &rules()), expected);
}

#[test]
fn a_gap_of_just_the_threshold_is_reading_and_one_longer_is_away_whole() {
    for (gap, expected) in [(60 * S, Category::Reading), (60 * S + 1, Category::Away)] {
        let activities = vec![activity(Kind::Action, 0, S, 1, 1), activity(Kind::Action, S + gap, 2 * S + gap, 2, 1)];
        assert_eq!(owned(&activities, &sweep(&activities, &rules()))[1], (S, S + gap, expected, 1));
    }
}
