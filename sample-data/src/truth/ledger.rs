//! One worker's day, cut so that each instant belongs to one category: the method's section on the time ledger, taken
//! sentence by sentence, over the elementary intervals between everything that begins, ends or stands.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use gilbreth_conventions::kind::{Kind, Outcome, Trigger};

use super::{Category, Seconds};
use crate::estate::{ScreenId, SystemId};
use crate::interaction::{Interaction, SpanId, TaskRef};

const SECOND: i64 = 1_000_000;
const ACTIVITY_MAX: i64 = 12 * 3600 * SECOND;
const IDLE_THRESHOLD: i64 = 60 * SECOND;
const SWITCH: i64 = 5 * SECOND;
const TOLERATED_WAIT: i64 = SECOND;
const WAIT_OPEN_MAX: i64 = 300 * SECOND;
const OPEN_UNCOUNTED: i64 = 300 * SECOND;
const WAIT_CHAIN: i64 = SECOND / 10;

/// A worker's day, told apart.
pub(super) struct Ledger {
    /// Whose day, if there was any activity.
    pub(super) worker: Option<usize>,
    /// By category.
    pub(super) seconds: Seconds,
    /// By system, then category; the time that it takes to go to another system is of the one gone to.
    pub(super) by_system: BTreeMap<SystemId, Seconds>,
    /// By time of doing a task.
    pub(super) by_task: BTreeMap<TaskRef, DoneOnce>,
    /// Microseconds of everything keyed, by the last span of its chain.
    pub(super) keyed: HashMap<SpanId, i64>,
    /// From the first activity to the last close or instant: what the categories must add up to.
    pub(super) span_micros: i64,
}

/// A task done once.
#[derive(Default)]
pub(super) struct DoneOnce {
    /// Microseconds at the screens: all but what was spent elsewhere or away.
    pub(super) micros: i64,
    pub(super) systems: BTreeSet<SystemId>,
    pub(super) screens: BTreeSet<ScreenId>,
    /// How often an activity was in another system than the one before it.
    pub(super) switches: u64,
    last_in: Option<SystemId>,
}

impl Ledger {
    /// Notes where an activity was.
    fn visit(&mut self, of: &Interaction) {
        let Some(task) = of.task else { return };
        let done = self.by_task.entry(task).or_default();
        done.systems.insert(of.system);
        done.screens.extend(of.screen);
        done.switches += u64::from(done.last_in.replace(of.system).is_some_and(|last| last != of.system));
    }

    /// Books time on the system and the task of an interaction.
    fn add(&mut self, of: &Interaction, category: Category, micros: i64) {
        self.seconds.add(category, micros);
        self.by_system.entry(of.system).or_default().add(category, micros);
        if let Some(task) = of.task
            && !matches!(category, Category::Elsewhere | Category::Away)
        {
            self.by_task.entry(task).or_default().micros += micros;
        }
    }
}

/// An activity with the time during which it is open; an instant closes when it opens.
struct Activity<'a> {
    span: &'a Interaction,
    kind: Kind,
    opens: i64,
    closes: i64,
    /// For a wait: the start of its chain.
    chain_start: i64,
}

impl Activity<'_> {
    fn is_instant(&self) -> bool {
        self.opens == self.closes
    }

    /// Greatest wins: precedence of kinds (instants last), then the later start, then the greater span id.
    fn order(&self) -> (u8, i64, SpanId) {
        let rank = match self.kind {
            _ if self.is_instant() => 0,
            Kind::Entry => 7,
            Kind::Choice => 6,
            Kind::Search => 5,
            Kind::SignIn => 4,
            Kind::Navigation => 3,
            Kind::Action => 2,
            Kind::Wait => 1,
            Kind::View | Kind::SignOut | Kind::Hidden | Kind::Shown | Kind::Other => 0,
        };
        (rank, self.span.started_at, self.span.span)
    }
}

/// Cuts a day. `keyed` says what the entry at the end of a chain is: first entry, re-entry or rework.
pub(super) fn ledger(day: &[Interaction], keyed: &dyn Fn(&Interaction) -> Category) -> Ledger {
    let activities = activities(day);
    let mut ledger = Ledger {
        worker: activities.first().map(|activity| activity.span.worker),
        seconds: Seconds::default(),
        by_system: BTreeMap::new(),
        by_task: BTreeMap::new(),
        keyed: HashMap::new(),
        span_micros: 0,
    };
    activities.iter().for_each(|activity| ledger.visit(activity.span));
    let chains = chain_ends(day);
    let first_sign_ins = first_sign_ins(&activities);
    let mut points: Vec<i64> = activities.iter().flat_map(|activity| [activity.opens, activity.closes]).collect();
    points.sort_unstable();
    points.dedup();
    if let (Some(first), Some(last)) = (points.first(), points.last()) {
        ledger.span_micros = last - first;
    }
    let mut open: Vec<&Activity<'_>> = Vec::new();
    let mut coming = activities.iter().peekable();
    // What closed or stood at the last point where anything did.
    let mut before: Option<&Activity<'_>> = None;
    for (at, &from) in points.iter().enumerate() {
        let mut here: Vec<&Activity<'_>> = open.extract_if(.., |activity| activity.closes <= from).collect();
        while let Some(activity) = coming.next_if(|activity| activity.opens == from) {
            if activity.is_instant() { here.push(activity) } else { open.push(activity) }
        }
        before = here.into_iter().max_by_key(|activity| activity.order()).or(before);
        let Some(&to) = points.get(at + 1) else { break };
        match (open.iter().max_by_key(|activity| activity.order()), before) {
            (Some(winner), _) => book(&mut ledger, winner, from, to, &chains, &first_sign_ins, keyed),
            (None, Some(before)) => {
                let after = starting_at(&activities, to);
                gap(&mut ledger, before, after, to - from);
            }
            (None, None) => {}
        }
    }
    ledger
}

/// The activities in order of their start.
fn activities(day: &[Interaction]) -> Vec<Activity<'_>> {
    let mut spans: Vec<(&Interaction, Kind)> = day
        .iter()
        .filter_map(|span| span.kind.map(|kind| (span, kind)))
        .filter(|(span, _)| span.trigger == Trigger::User && span.ended_at - span.started_at <= ACTIVITY_MAX)
        .collect();
    spans.sort_by_key(|(span, _)| (span.started_at, span.span));
    let others: Vec<i64> =
        spans.iter().filter(|(_, kind)| *kind != Kind::Wait).map(|(span, _)| span.started_at).collect();
    let mut chain: Option<(i64, i64)> = None;
    spans
        .into_iter()
        .map(|(span, kind)| {
            let opens = span.started_at;
            let closes = closes(span, kind, &others);
            let mut chain_start = opens;
            if kind == Kind::Wait {
                let (start, end) = chain.filter(|(_, end)| opens <= end + WAIT_CHAIN).unwrap_or((opens, closes));
                chain_start = start;
                chain = Some((start, end.max(closes)));
            }
            Activity { span, kind, opens, closes, chain_start }
        })
        .collect()
}

/// When an activity closes; `others` are the starts of everything but waits, in order.
fn closes(span: &Interaction, kind: Kind, others: &[i64]) -> i64 {
    let start = span.started_at;
    match kind {
        Kind::Entry | Kind::Choice if !span.is_keyed() => start,
        Kind::Entry | Kind::Choice | Kind::Action | Kind::Search | Kind::Navigation | Kind::SignIn => {
            let cap = span.keystrokes.map_or(OPEN_UNCOUNTED, |keys| (60 + 2 * i64::from(keys)) * SECOND);
            span.ended_at.min(start + cap)
        }
        Kind::Wait => {
            let next = others[others.partition_point(|other| *other <= start)..].first();
            span.ended_at.min(start + WAIT_OPEN_MAX).min(next.copied().unwrap_or(i64::MAX))
        }
        Kind::View | Kind::SignOut | Kind::Hidden | Kind::Shown | Kind::Other => start,
    }
}

/// The last span of the chain that each continued span begins.
fn chain_ends(day: &[Interaction]) -> HashMap<SpanId, &Interaction> {
    let continued_by: HashMap<SpanId, &Interaction> =
        day.iter().filter_map(|span| span.continues.map(|begun| (begun, span))).collect();
    let mut ends = HashMap::new();
    for &start in continued_by.keys() {
        let mut end = continued_by[&start];
        while let Some(next) = continued_by.get(&end.span) {
            end = next;
        }
        ends.insert(start, end);
    }
    ends
}

/// The first sign-in of the day to each system: earliest by start, of some duration, not failed.
fn first_sign_ins(activities: &[Activity<'_>]) -> BTreeSet<SpanId> {
    let mut first = BTreeMap::new();
    for activity in activities {
        let span = activity.span;
        if activity.kind == Kind::SignIn && span.ended_at > span.started_at && span.outcome != Outcome::Failed {
            first.entry(span.system).or_insert(span.span);
        }
    }
    first.into_values().collect()
}

fn starting_at<'a, 'b>(activities: &'b [Activity<'a>], time: i64) -> Option<&'b Activity<'a>> {
    let from = activities.partition_point(|activity| activity.opens < time);
    activities[from..].iter().take_while(|activity| activity.opens == time).max_by_key(|activity| activity.order())
}

/// Books an interval on the activity that has it.
fn book(
    ledger: &mut Ledger,
    activity: &Activity<'_>,
    from: i64,
    to: i64,
    chains: &HashMap<SpanId, &Interaction>,
    first_sign_ins: &BTreeSet<SpanId>,
    keyed: &dyn Fn(&Interaction) -> Category,
) {
    let failed = activity.span.outcome == Outcome::Failed;
    let category = match activity.kind {
        Kind::Entry | Kind::Choice => {
            let last = chains.get(&activity.span.span).copied().unwrap_or(activity.span);
            *ledger.keyed.entry(last.span).or_default() += to - from;
            keyed(last)
        }
        Kind::Search => Category::Search,
        Kind::SignIn | Kind::Wait if failed => Category::Unavailable,
        Kind::SignIn if first_sign_ins.contains(&activity.span.span) => Category::SignIn,
        Kind::SignIn => Category::RepeatSignIn,
        Kind::Wait => {
            let tolerated = (activity.chain_start + TOLERATED_WAIT).clamp(from, to);
            ledger.add(activity.span, Category::Response, tolerated - from);
            ledger.add(activity.span, Category::Wait, to - tolerated);
            return;
        }
        Kind::Navigation | Kind::Action => Category::Navigation,
        Kind::View | Kind::SignOut | Kind::Hidden | Kind::Shown | Kind::Other => Category::Reading,
    };
    ledger.add(activity.span, category, to - from);
}

/// Books a gap on what came before it, save for the time that it takes to go to another system.
fn gap(ledger: &mut Ledger, before: &Activity<'_>, after: Option<&Activity<'_>>, micros: i64) {
    if micros > IDLE_THRESHOLD {
        ledger.add(before.span, Category::Away, micros);
        return;
    }
    let mut switching = 0;
    if let Some(after) = after.filter(|after| after.span.system != before.span.system) {
        switching = micros.min(SWITCH);
        ledger.add(after.span, Category::Switching, switching);
    }
    let rest = if before.kind == Kind::Hidden { Category::Elsewhere } else { Category::Reading };
    ledger.add(before.span, rest, micros - switching);
}
