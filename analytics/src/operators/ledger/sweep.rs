//! One worker's activities → stretches of time, each instant of a worker-day in exactly one.
//!
//! The sweep walks over the instants at which anything starts or closes. Between two of them either the strongest open
//! activity has the time, or nobody: then it is a gap between the activity that closed last and the one that starts
//! next. What belongs to no worker-day (the night) has no stretch.

use std::collections::BTreeSet;

use super::{
    activity::{Activity, EntryIs, Kind, Rules, closes},
    waits::{chain_starts, first_sign_ins},
};
use crate::local_time::{Day, Days};

/// The categories of the ledger before weighing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Category {
    /// A value not held yet.
    FirstEntry,
    /// A value that agrees with one held already: weighed later.
    Matched,
    /// The same field again.
    Rework,
    /// Gaps up to the threshold.
    Reading,
    /// Moving about.
    Navigation,
    /// Searching.
    Search,
    /// The first sign-in of the day to a system.
    SignIn,
    /// Further ones.
    RepeatSignIn,
    /// The tolerated part of a wait.
    Response,
    /// The rest of it.
    Wait,
    /// A wait or sign-in that failed.
    Unavailable,
    /// Going to another system.
    Switching,
    /// The page out of sight.
    Elsewhere,
    /// Gaps beyond the threshold.
    Away,
}

impl Category {
    /// The word in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FirstEntry => "first_entry",
            Self::Matched => "matched",
            Self::Rework => "rework",
            Self::Reading => "reading",
            Self::Navigation => "navigation",
            Self::Search => "search",
            Self::SignIn => "sign_in",
            Self::RepeatSignIn => "repeat_sign_in",
            Self::Response => "response",
            Self::Wait => "wait",
            Self::Unavailable => "unavailable",
            Self::Switching => "switching",
            Self::Elsewhere => "elsewhere",
            Self::Away => "away",
        }
    }

    /// Whether the worker was not at the instrumented systems.
    #[must_use]
    pub const fn is_outside(self) -> bool {
        matches!(self, Self::Elsewhere | Self::Away)
    }

    /// Whether the time is lost whatever the weighing says.
    #[must_use]
    pub const fn is_lost(self) -> bool {
        matches!(self, Self::Rework | Self::Wait | Self::Unavailable | Self::Switching | Self::RepeatSignIn)
    }

    /// Whether it is a gap: time in which nothing was open.
    #[must_use]
    pub const fn is_gap(self) -> bool {
        matches!(self, Self::Reading | Self::Switching | Self::Elsewhere | Self::Away)
    }
}

/// A stretch of time. Activities are named by their place in the slice given to [`sweep`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stretch {
    /// Start, microseconds.
    pub start: i64,
    /// End, later than the start.
    pub end: i64,
    /// Its category.
    pub category: Category,
    /// Whose system, screen, task and case it has.
    pub owner: usize,
    /// The activity that it is named by: the owner; for a gap, the one before it.
    pub span: usize,
    /// For a gap: the activity that ends it.
    pub next: Option<usize>,
    /// For time of a wait, failed or not: the start of its chain.
    pub chain: Option<i64>,
    /// The local day of the worker-day.
    pub day: i32,
}

/// Cuts one worker's time. Activities are in order of (start, key); the stretches come in order of time, do not overlap,
/// and those of a worker-day add up to the span from its first activity to its last close.
#[must_use]
pub fn sweep(activities: &[Activity], rules: &Rules) -> Vec<Stretch> {
    debug_assert!(activities.is_sorted_by_key(|activity| (activity.start, activity.key)));
    let closes = closes(activities, rules);
    let mut ledger = Ledger {
        activities,
        rules,
        chain_starts: chain_starts(activities, &closes, rules),
        first_sign_in: first_sign_ins(activities, rules),
        days: Days::new(rules.local),
        rows: Vec::with_capacity(activities.len() * 2),
    };
    let mut closing: Vec<usize> = (0..activities.len()).collect();
    closing.sort_unstable_by_key(|&index| closes[index]);

    let mut open = BTreeSet::new();
    let (mut starting, mut ended) = (0, 0);
    // Where the sweep stands, and the activity that closed or stood there, if nothing is open.
    let mut now = i64::MIN;
    let mut before: Option<usize> = None;
    while starting < activities.len() || ended < closing.len() {
        let next_start = activities.get(starting).map_or(i64::MAX, |activity| activity.start);
        let next_close = closing.get(ended).map_or(i64::MAX, |&index| closes[index]);
        let then = next_start.min(next_close);
        let begun = starting;
        while starting < activities.len() && activities[starting].start == then {
            starting += 1;
        }
        if let Some(&(_, owner)) = open.last() {
            ledger.open(owner, now, then);
        } else if let Some(before) = before {
            let after = strongest(activities, begun..starting).expect("only a start can follow when nothing is open");
            ledger.gap(before, after, now, then);
        }
        for index in begun..starting {
            if closes[index] > then {
                open.insert((activities[index].strength(), index));
            }
        }
        let closed = ended;
        while ended < closing.len() && closes[closing[ended]] == then {
            open.remove(&(activities[closing[ended]].strength(), closing[ended]));
            ended += 1;
        }
        before = strongest(activities, closing[closed..ended].iter().copied());
        now = then;
    }
    ledger.rows
}

/// The activity that the order of precedence puts first; `None` of none.
fn strongest(activities: &[Activity], among: impl Iterator<Item = usize>) -> Option<usize> {
    among.max_by_key(|&index| (activities[index].strength(), index))
}

struct Ledger<'a> {
    activities: &'a [Activity],
    rules: &'a Rules,
    chain_starts: Vec<Option<i64>>,
    first_sign_in: Vec<bool>,
    days: Days,
    rows: Vec<Stretch>,
}

impl Ledger<'_> {
    /// Time of an open activity.
    fn open(&mut self, owner: usize, start: i64, end: i64) {
        let activity = &self.activities[owner];
        let chain = self.chain_starts[owner];
        let of = |start, end, category| Stretch { chain, ..Stretch::of(owner, start, end, category) };
        let category = match (activity.kind, activity.entry) {
            (Kind::Entry | Kind::Choice, EntryIs::First) => Category::FirstEntry,
            (Kind::Entry | Kind::Choice, EntryIs::Matched) => Category::Matched,
            (Kind::Entry | Kind::Choice, EntryIs::Rework) => Category::Rework,
            (Kind::Search, _) => Category::Search,
            (Kind::SignIn | Kind::Wait, _) if activity.failed => Category::Unavailable,
            (Kind::SignIn, _) if self.first_sign_in[owner] => Category::SignIn,
            (Kind::SignIn, _) => Category::RepeatSignIn,
            (Kind::Wait, _) => {
                let tolerated = chain.unwrap_or(activity.start).saturating_add(self.rules.tolerated).clamp(start, end);
                self.cut(of(start, tolerated, Category::Response));
                self.cut(of(tolerated, end, Category::Wait));
                return;
            }
            (Kind::Navigation | Kind::Action | Kind::Hidden | Kind::SignOut | Kind::Instant, _) => Category::Navigation,
        };
        self.cut(of(start, end, category));
    }

    /// Time in which nothing was open. It is part of a worker-day only if the local day had begun for the worker.
    fn gap(&mut self, before: usize, after: usize, start: i64, end: i64) {
        let day_start = self.days.of(end).start;
        let begun_at_midnight = || self.activities.binary_search_by_key(&start, |activity| activity.start).is_ok();
        if start < day_start || start == day_start && !begun_at_midnight() {
            return;
        }
        let (from, to) = (&self.activities[before], &self.activities[after]);
        let category = if end - start > self.rules.idle {
            Category::Away
        } else if from.kind == Kind::Hidden {
            Category::Elsewhere
        } else {
            Category::Reading
        };
        let switches = category != Category::Away && from.system != to.system;
        let turn = if switches { (end - self.rules.switch).max(start) } else { end };
        let gap = Stretch { span: before, next: Some(after), ..Stretch::of(before, start, turn, category) };
        self.cut(gap);
        self.cut(Stretch { start: turn, end, category: Category::Switching, owner: after, ..gap });
    }

    /// Adds a stretch, cut at local midnights, joined to the one before where nothing but the instant differs.
    fn cut(&mut self, mut stretch: Stretch) {
        while stretch.start < stretch.end {
            let Day { day, end: midnight, .. } = self.days.of(stretch.start);
            let end = stretch.end.min(midnight);
            let piece = Stretch { end, day, ..stretch };
            match self.rows.last_mut() {
                Some(last)
                    if last.end == piece.start
                        && last.day == day
                        && !piece.category.is_gap()
                        && (last.owner, last.category) == (piece.owner, piece.category) =>
                {
                    last.end = end;
                }
                _ => self.rows.push(piece),
            }
            stretch.start = end;
        }
    }
}

impl Stretch {
    const fn of(owner: usize, start: i64, end: i64, category: Category) -> Self {
        Self { start, end, category, owner, span: owner, next: None, chain: None, day: 0 }
    }
}
