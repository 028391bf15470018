//! The fact tables: what refresh writes and views read. Ids are binary, hours and seconds doubles, `day` and `week`
//! local to the estate.

use gilbreth_collector::schema::{
    ColumnType::{Binary, Boolean, Date, Double, Instant, Integer, Text},
    Table, optional, required,
};

/// A stretch of one worker's time, with exactly one cause.
pub static LEDGER: Table = Table {
    name: "ledger",
    folder: "facts/ledger",
    grain: "a stretch of one worker's time",
    partition: &["day"],
    sort: &["worker", "started_at"],
    columns: &[
        required("worker", Binary, "keyed hash of the person"),
        required("started_at", Instant, "start, clock-corrected"),
        required("ended_at", Instant, "end, clock-corrected"),
        required("seconds", Double, "length in seconds"),
        required("category", Text, "category before weighing: entries that match a held value are `matched`"),
        optional("system", Text, "the system that has this time"),
        optional("next_system", Text, "for switching: the system switched to; for other gaps: the system that follows"),
        optional("screen", Text, "the screen"),
        optional("field", Text, "the field"),
        optional("task", Text, "the task's name"),
        optional("task_instance", Binary, "keyed hash of the task instance"),
        optional(
            "delimiter",
            Text,
            "how the task instance was told: task_id, trace, rule or run; null when unattributed",
        ),
        optional("case_id", Binary, "the case, as linked"),
        optional("function", Text, "what the screen is for"),
        optional("organisation", Text, "organisation of the worker"),
        optional("team", Text, "team of the worker"),
        optional("role", Text, "role of the worker"),
        optional("release", Text, "release of the system"),
        required("span_id", Binary, "the span that has this time; for a gap, the span before it"),
        required("trace_id", Binary, "its trace"),
        optional(
            "target_span_id",
            Binary,
            "for entries and choices: the last span of the chain, which `matches` names",
        ),
        optional(
            "match_list",
            Integer,
            "for matched: the sources that the target agrees with, a list of `match_lists`",
        ),
        optional("rework_cause", Text, "lost_work, correction or revision"),
        optional(
            "chain_started_at",
            Instant,
            "for time of a wait, failed or not: start of its chain of waits, from which the tolerated part counts",
        ),
        required("day", Date, "local day of the worker-day"),
        required("week", Date, "Monday of its ISO week"),
    ],
};

/// A target and a source field that agrees with it: the earliest such span of that field.
pub static MATCHES: Table = Table {
    name: "matches",
    folder: "facts/matches",
    grain: "a target and a source field that agrees",
    partition: &["day"],
    sort: &["span_id", "from_at"],
    columns: &[
        required("span_id", Binary, "the target"),
        required("at", Instant, "start of the target, clock-corrected"),
        required("worker", Binary, "keyed hash of the person who entered it"),
        required("case_id", Binary, "the case, as linked"),
        required("scope", Text, "cross_system or within_system"),
        required("match", Text, "whole, split or join: the first kind that holds"),
        required("origin", Text, "typed, pasted or selected"),
        required("from_span_id", Binary, "the source"),
        required("from_at", Instant, "when the source counts from"),
        required(
            "latest_from_at",
            Instant,
            "when the latest span of the source field that agrees in this kind counts from; for join, as from_at",
        ),
        optional("from_worker", Binary, "keyed hash of the person of the source"),
        required("from_system", Text, "system of the source"),
        required("from_screen", Text, "screen of the source"),
        required("from_field", Text, "field of the source; for join, the one that gave most parts"),
        required("to_system", Text, "system of the target"),
        required("to_screen", Text, "screen of the target"),
        required("to_field", Text, "field of the target"),
        required("list", Integer, "all sources that the target agrees with: a list of `match_lists`"),
        required("place", Integer, "which of that list this source is"),
        required("microseconds", Integer, "time of the target's chain, before weighing"),
        required("day", Date, "local day of the target"),
    ],
};

/// Sources of targets as lists, in order of preference, verdicts apart: across systems before within one; whole, split,
/// join; the earliest span; the smaller span id. Targets whose sources are the same fields in the same order share a
/// list, so that what verdicts choose is chosen once for all of them.
pub static MATCH_LISTS: Table = Table {
    name: "match_lists",
    folder: "facts/match_lists",
    grain: "a list of sources and a place in it",
    partition: &[],
    sort: &["list", "place"],
    columns: &[
        required("list", Integer, "the list: a hash of what is on it"),
        required("place", Integer, "place of the source, the most preferred being 1"),
        required("from_system", Text, "system of the source"),
        required("from_screen", Text, "screen of the source"),
        required("from_field", Text, "field of the source; for join, the one that gave most parts"),
        required("to_system", Text, "system of the target"),
        required("to_screen", Text, "screen of the target"),
        required("to_field", Text, "field of the target"),
        required("scope", Text, "cross_system or within_system"),
        required("match", Text, "whole, split or join"),
        optional(
            "within_days",
            Integer,
            "1, 7, 28 or 90: the fewest of these days before the target within which the source field held the value \
             last; null beyond",
        ),
    ],
};

/// On how many cases a pair of fields was tried, by day. The first target of each case counts, on that target's local
/// day. Hits, and trials with all other cases, are not kept by day: what other cases hold changes with every day that
/// comes, and those of days gone by with it. `pair_workers` has the hits, `pair_totals` both.
pub static PAIR_COUNTS: Table = Table {
    name: "pair_counts",
    folder: "facts/pair_counts",
    grain: "a field pair, kind of match and day",
    partition: &["day"],
    sort: &["from_system", "from_screen", "from_field"],
    columns: &[
        required("from_system", Text, "system of the source"),
        required("from_screen", Text, "screen of the source"),
        optional("from_field", Text, "field of the source; null for join, whose source is a screen"),
        required("to_system", Text, "system of the target"),
        required("to_screen", Text, "screen of the target"),
        required("to_field", Text, "field of the target"),
        required("scope", Text, "cross_system or within_system"),
        required("match", Text, "whole, split or join"),
        required("n", Integer, "cases with a target and an earlier source"),
        required("m", Integer, "those whose first target matches, in this kind alone"),
        required(
            "near_trials",
            Integer,
            "other cases with the source field seen by the same worker on the same local day, summed over targets",
        ),
        required("disagreements", Integer, "of the n, those whose latest source value agrees in no kind, either way"),
        required("day", Date, "local day of the target"),
    ],
};

/// Counts of pairs by the worker who entered the target, added up over all days: what resampling of workers needs to
/// work out r and certainty anew. Hits are here and not in `pair_counts`, because those of days gone by change with
/// what other cases come to hold. Added up over the workers, each count is that of `pair_totals`; `all_trials` is
/// n (C_f - 1) for each worker as for all, so that it is not stored again. A worker without a trial of the pair has no
/// row.
pub static PAIR_WORKERS: Table = Table {
    name: "pair_workers",
    folder: "facts/pair_workers",
    grain: "a field pair, kind of match and worker",
    partition: &[],
    sort: &["from_system", "from_screen", "from_field"],
    columns: &[
        required("from_system", Text, "system of the source"),
        required("from_screen", Text, "screen of the source"),
        optional("from_field", Text, "field of the source; null for join, whose source is a screen"),
        required("to_system", Text, "system of the target"),
        required("to_screen", Text, "screen of the target"),
        required("to_field", Text, "field of the target"),
        required("scope", Text, "cross_system or within_system"),
        required("match", Text, "whole, split or join"),
        required("worker", Binary, "keyed hash of the person who entered the targets"),
        required("n", Integer, "cases with a target of this worker and an earlier source"),
        required("m", Integer, "those whose first target matches, in this kind alone"),
        required("all_hits", Integer, "other cases whose source values the target matches, summed over targets"),
        required("near_hits", Integer, "the same over cases seen by the same worker on the same local day"),
        required("near_trials", Integer, "such cases, summed over targets"),
    ],
};

/// Counts of pairs over all days: what `re_entry_pairs` reads. `n`, `m`, `near_trials` and `disagreements` are those of
/// `pair_counts`, added up over the days. Hits, and trials with all other cases, are of all days at once, because what
/// other cases hold changes later: hits are those of `pair_workers`, added up over the workers, and `all_trials` is
/// n (C_f - 1), for join with the cases that have any field of the source screen.
pub static PAIR_TOTALS: Table = Table {
    name: "pair_totals",
    folder: "facts/pair_totals",
    grain: "a field pair and kind of match",
    partition: &[],
    sort: &["from_system", "from_screen", "from_field"],
    columns: &[
        required("from_system", Text, "system of the source"),
        required("from_screen", Text, "screen of the source"),
        optional("from_field", Text, "field of the source; null for join, whose source is a screen"),
        required("to_system", Text, "system of the target"),
        required("to_screen", Text, "screen of the target"),
        required("to_field", Text, "field of the target"),
        required("scope", Text, "cross_system or within_system"),
        required("match", Text, "whole, split or join"),
        required("n", Integer, "cases with a target and an earlier source"),
        required("m", Integer, "those whose first target matches, in this kind alone"),
        required("all_hits", Integer, "other cases whose source values the target matches, summed over targets"),
        required("all_trials", Integer, "other cases with the source field, summed over targets: n (C_f - 1)"),
        required("near_hits", Integer, "the same over cases seen by the same worker on the same local day"),
        required("near_trials", Integer, "such cases, summed over targets"),
        required("disagreements", Integer, "of the n, those whose latest source value agrees in no kind, either way"),
    ],
};

/// Time of targets that agree with a value held already, before weighing: the ledger's `matched` time, by target. A
/// target whose time lies on two days, or in two tasks or organisations, has a row for each, and is counted in one.
pub static MATCHED_TIMES: Table = Table {
    name: "matched_times",
    folder: "facts/matched_times",
    grain: "a target that agrees, and the day, task, function, organisation and role of its time",
    partition: &["week"],
    sort: &["worker", "span_id"],
    columns: &[
        required("worker", Binary, "keyed hash of the person"),
        required("span_id", Binary, "the target"),
        required("case_id", Binary, "the case, as linked"),
        required("list", Integer, "the sources that it agrees with, a list of `match_lists`"),
        required("system", Text, "system of the target"),
        required("screen", Text, "screen of the target"),
        required("field", Text, "field of the target"),
        optional("function", Text, "what the screen is for"),
        optional("task", Text, "the task's name"),
        required("attributed", Boolean, "whether the time belongs to a task instance"),
        optional("organisation", Text, "organisation of the worker"),
        optional("role", Text, "role of the worker"),
        required("targets", Integer, "1 where the target is counted: where its time ended last; else 0"),
        required("microseconds", Integer, "time of the target's chain; 0 where all of it was something else's"),
        optional("trace_id", Binary, "least trace that the time lies in"),
        required("day", Date, "local day of the time"),
        required("week", Date, "Monday of its ISO week"),
    ],
};

/// The ledger by week, as far as views need it apart: the cube that fast views read.
pub static WEEKLY_TIMES: Table = Table {
    name: "weekly_times",
    folder: "facts/weekly_times",
    grain: "worker, week, organisation, role, system, function, task and category; for lost time also screen, and for \
            rework field and cause",
    partition: &["week"],
    sort: &["worker"],
    columns: &[
        required("worker", Binary, "keyed hash of the person"),
        optional("organisation", Text, "organisation of the worker"),
        optional("role", Text, "role of the worker"),
        optional("system", Text, "the system"),
        optional("function", Text, "what the screen is for"),
        optional("task", Text, "the task's name"),
        required("attributed", Boolean, "whether the time belongs to a task instance"),
        required("category", Text, "category before weighing"),
        optional("rework_cause", Text, "lost_work, correction or revision; null unless rework"),
        optional("screen", Text, "the screen; null for time that is not lost whatever the weighing says"),
        optional("field", Text, "the field; null unless rework"),
        required("microseconds", Integer, "time"),
        optional("trace_id", Binary, "least trace that lost this time; null where none is lost"),
        required("first_day", Date, "first local day of it"),
        required("last_day", Date, "last local day of it"),
        required("week", Date, "Monday of the ISO week"),
    ],
};

/// A task done once.
pub static TASK_INSTANCES: Table = Table {
    name: "task_instances",
    folder: "facts/task_instances",
    grain: "a task done once",
    partition: &["day"],
    sort: &["worker", "started_at"],
    columns: &[
        required("task_instance", Binary, "the instance"),
        optional("task", Text, "the task's name; null for a run"),
        required("delimiter", Text, "task_id, trace, rule or run"),
        required("worker", Binary, "the worker with most active time in it"),
        optional("organisation", Text, "organisation of the worker"),
        optional("role", Text, "role of the worker"),
        optional("case_id", Binary, "the case, as linked"),
        required("started_at", Instant, "first activity"),
        required("ended_at", Instant, "last close"),
        required("active_seconds", Double, "ledger seconds other than outside ones"),
        required("lost_seconds", Double, "ledger seconds of lost categories, `matched` not counted: views weigh it"),
        required("systems", Integer, "systems used"),
        required("switches", Integer, "changes of system, those overnight not counted"),
        required("screens", Integer, "screens used"),
        required("entries", Integer, "entries and choices, chains counted once"),
        required("re_entries", Integer, "targets with at least one match, before verdicts"),
        required("rework", Integer, "entries that were rework"),
        required("waits", Integer, "waits"),
        optional("release", Text, "release of the system with most active time"),
        required("day", Date, "local day of its start"),
    ],
};

/// Who worked how long in which week.
pub static WORKER_WEEKS: Table = Table {
    name: "worker_weeks",
    folder: "facts/worker_weeks",
    grain: "worker, week, system, task and category",
    partition: &["week"],
    sort: &["worker"],
    columns: &[
        required("worker", Binary, "keyed hash of the person"),
        required("week", Date, "Monday of the ISO week"),
        optional("organisation", Text, "organisation of the worker"),
        optional("role", Text, "role of the worker"),
        optional("system", Text, "the system"),
        optional("task", Text, "the task's name"),
        required("category", Text, "category before weighing"),
        required("seconds", Double, "seconds"),
        required("whole_week", Boolean, "false for the first and last week of the data when they are not whole"),
    ],
};

/// Who worked in which week: `worker_weeks` without time. Stored nowhere: a session makes it, in the scope's days,
/// organisation and role, whatever its system and task, so that rates have the same denominator for every system and
/// task.
pub static WEEKS_WORKED: Table = Table {
    name: "weeks_worked",
    folder: "",
    grain: "worker, week, organisation and role, whatever the system and task of the scope",
    partition: &[],
    sort: &[],
    columns: &[
        required("worker", Binary, "keyed hash of the person"),
        required("week", Date, "Monday of the ISO week"),
        optional("organisation", Text, "organisation of the worker"),
        optional("role", Text, "role of the worker"),
        required("whole_week", Boolean, "whether the week is whole in the data and in the scope"),
    ],
};

/// What the time of a category would be with other values of the parameters that move it most: of switching (idle
/// threshold, time of switching) and of waits (tolerated wait).
pub static TRIED_VALUES: Table = Table {
    name: "tried_values",
    folder: "facts/tried_values",
    grain: "a week, organisation, role, system and task, and a value of a parameter",
    partition: &["week"],
    sort: &["organisation"],
    columns: &[
        required("week", Date, "Monday of the ISO week"),
        optional("organisation", Text, "organisation of the worker"),
        optional("role", Text, "role of the worker"),
        optional("system", Text, "the system; for switching, the one gone to"),
        optional(
            "task",
            Text,
            "the task; for switching, the one gone to, or where all of a gap is away the one before it",
        ),
        required("parameter", Text, "the parameter, as `parameters` names it"),
        required("value", Double, "the value tried, in the unit that the name ends with"),
        required("microseconds", Integer, "time of switching, or of waits, with this value"),
    ],
};

/// Which case each case number belongs to. A number of a component that is too large to link is its own case.
pub static CASE_LINKS: Table = Table {
    name: "case_links",
    folder: "facts/case_links",
    grain: "a case number",
    partition: &[],
    sort: &["case_ref"],
    columns: &[
        required("case_ref", Binary, "keyed hash of the number"),
        required(
            "case_id",
            Binary,
            "the case: of the numbers linked to it, the one that was seen first, as sent; of several, the smaller hash",
        ),
        required("numbers", Integer, "how many numbers the component has"),
        required("linked", Boolean, "false where the component has too many numbers"),
    ],
};

/// By how much the times of a session are shifted on a worker-day; no row where there is no shift.
pub static CLOCK_SHIFTS: Table = Table {
    name: "clock_shifts",
    folder: "facts/clock_shifts",
    grain: "a worker, session and UTC day as sent",
    partition: &["day"],
    sort: &["worker"],
    columns: &[
        required("worker", Binary, "keyed hash of the person"),
        required("session", Binary, "keyed hash of the session"),
        required("day", Date, "`day` of the spans shifted"),
        required("shift_us", Integer, "microseconds to add"),
    ],
};

/// Every fact table, in the order in which refresh writes them.
pub static FACTS: [&Table; 13] = [
    &CASE_LINKS,
    &CLOCK_SHIFTS,
    &MATCH_LISTS,
    &PAIR_COUNTS,
    &PAIR_WORKERS,
    &PAIR_TOTALS,
    &LEDGER,
    &MATCHED_TIMES,
    &MATCHES,
    &WEEKLY_TIMES,
    &TRIED_VALUES,
    &TASK_INSTANCES,
    &WORKER_WEEKS,
];
