//! The task catalogue at work: instances of tasks that nobody names, told by where they start and end.
//!
//! A start opens an instance for its worker, an end closes it. An instance has all that its worker starts from the
//! beginning of the one to the beginning of the other, both included, and is named by the span that starts it. What is
//! not ended on the local day on which it started is no instance, nor is what another start comes before the end of: in
//! doubt, time belongs to no task by rule.

use super::{
    SpanKey,
    hashing::{FastMap, FastSet},
};

/// What the catalogue says of an interaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Edge {
    /// The task of this number starts.
    Start(u32),
    /// It ends.
    End(u32),
    /// A run of work on a case is done.
    Completes,
}

/// A rule: which interactions are an edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What they are.
    pub edge: Edge,
    /// Their kind.
    pub kind: String,
    /// Their system.
    pub system: String,
    /// Their screen.
    pub screen: String,
    /// Their field; any where none is named.
    pub field: Option<String>,
}

/// The rules of a catalogue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue {
    /// The rules.
    pub rules: Vec<Rule>,
    /// The tasks, by number.
    pub tasks: Vec<String>,
}

impl Catalogue {
    /// Whether there are no rules.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Every edge that an interaction is.
    pub fn edges<'a>(
        &'a self,
        kind: &'a str,
        system: Option<&'a str>,
        screen: Option<&'a str>,
        field: Option<&'a str>,
    ) -> impl Iterator<Item = Edge> + 'a {
        let holds = move |rule: &&Rule| {
            rule.kind == kind
                && system == Some(rule.system.as_str())
                && screen == Some(rule.screen.as_str())
                && (rule.field.is_none() || rule.field.as_deref() == field)
        };
        self.rules.iter().filter(holds).map(|rule| rule.edge)
    }
}

/// An interaction that is an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event {
    /// Start, microseconds, clock-corrected.
    pub start: i64,
    /// Identity.
    pub key: SpanKey,
    /// What it is; a start or an end.
    pub edge: Edge,
    /// Local day of the start.
    pub day: i32,
}

/// An instance of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Told {
    /// The span that starts it.
    pub by: SpanKey,
    /// The number of its task.
    pub task: u32,
    start: i64,
    end: i64,
}

/// The instances of all workers.
#[derive(Debug, Default)]
pub struct Instances {
    of: FastMap<u64, Vec<Told>>,
}

impl Instances {
    /// Tells the instances of each worker from events in any order.
    #[must_use]
    pub fn new(events: impl IntoIterator<Item = (u64, Event)>) -> Self {
        let mut of: FastMap<u64, Vec<Event>> = FastMap::default();
        for (worker, event) in events {
            of.entry(worker).or_default().push(event);
        }
        Self { of: of.into_iter().map(|(worker, events)| (worker, told(events))).collect() }
    }

    /// The instance that a worker's interaction belongs to, by its start.
    #[must_use]
    pub fn at(&self, worker: u64, start: i64) -> Option<&Told> {
        let told = self.of.get(&worker)?;
        let before = told.partition_point(|told| told.start <= start);
        told[..before].last().filter(|told| start <= told.end)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.of.values().all(Vec::is_empty)
    }

    /// Starts and ends of instances that only one of two knows, or knows otherwise.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<[i64; 2]> {
        let (one, other) = (self.each(), other.each());
        one.symmetric_difference(&other).map(|(_, told)| [told.start, told.end]).collect()
    }

    fn each(&self) -> FastSet<(u64, Told)> {
        self.of.iter().flat_map(|(worker, told)| told.iter().map(move |told| (*worker, *told))).collect()
    }
}

/// The instances of one worker, in order of their starts. They do not overlap, but for the instant at which one ends and
/// the next starts, which belongs to the next.
fn told(mut events: Vec<Event>) -> Vec<Told> {
    // Where one interaction is both, it ends what is open before it starts anew.
    events.sort_unstable_by_key(|event| (event.start, event.key, matches!(event.edge, Edge::Start(_)), event.edge));
    events.dedup();
    let mut told = Vec::new();
    let mut open: Option<(u32, Event)> = None;
    for event in events {
        match event.edge {
            Edge::Start(task) => open = Some((task, event)),
            Edge::End(task) => {
                if let Some((of, start)) = open
                    && of == task
                    && start.day == event.day
                {
                    told.push(Told { by: start.key, task, start: start.start, end: event.start });
                    open = None;
                }
            }
            Edge::Completes => {}
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(start: i64, edge: Edge) -> (u64, Event) {
        (7, Event { start, key: SpanKey { span: start as u64, trace: 1 }, edge, day: (start / 100) as i32 })
    }

    /// Which task, by its number, has each of these instants.
    fn tasks(events: &[(u64, Event)], instants: &[i64]) -> Vec<Option<(u64, u32)>> {
        let instances = Instances::new(events.iter().rev().copied());
        instants.iter().map(|at| instances.at(7, *at).map(|told| (told.by.span, told.task))).collect()
    }

    #[test]
    fn an_instance_goes_from_its_start_to_its_end() {
        let events =
            [event(10, Edge::Start(0)), event(20, Edge::End(0)), event(30, Edge::Start(1)), event(40, Edge::End(1))];
        let first = Some((10, 0));
        let expected = [None, first, first, first, None, Some((30, 1)), None];
        assert_eq!(tasks(&events, &[9, 10, 15, 20, 25, 40, 41]), expected);
        assert!(Instances::new(events).at(8, 15).is_none(), "another worker's");
    }

    #[test]
    fn what_is_started_again_or_not_ended_on_its_day_is_none() {
        let again =
            [event(10, Edge::Start(0)), event(20, Edge::Start(1)), event(30, Edge::End(0)), event(40, Edge::End(1))];
        assert_eq!(tasks(&again, &[15, 25, 40]), [None, Some((20, 1)), Some((20, 1))]);
        let overnight = [event(90, Edge::Start(0)), event(110, Edge::End(0))];
        assert_eq!(tasks(&overnight, &[90, 100]), [None, None]);
    }

    #[test]
    fn a_step_that_ends_one_and_starts_the_next_belongs_to_the_next() {
        let both = event(20, Edge::End(0)).1;
        let events = [
            event(10, Edge::Start(0)),
            (7, both),
            (7, Event { edge: Edge::Start(0), ..both }),
            event(30, Edge::End(0)),
        ];
        assert_eq!(tasks(&events, &[10, 20, 30]), [Some((10, 0)), Some((20, 0)), Some((20, 0))]);
    }

    #[test]
    fn a_rule_without_a_field_takes_any() {
        let rule = |field: Option<&str>, edge| Rule {
            edge,
            kind: "action".to_owned(),
            system: "a".to_owned(),
            screen: "p".to_owned(),
            field: field.map(str::to_owned),
        };
        let catalogue =
            Catalogue { rules: vec![rule(None, Edge::Completes), rule(Some("save"), Edge::End(0))], tasks: vec![] };
        let edges = |field| catalogue.edges("action", Some("a"), Some("p"), field).collect::<Vec<_>>();
        assert_eq!(edges(Some("save")), [Edge::Completes, Edge::End(0)]);
        assert_eq!(edges(None), [Edge::Completes]);
        assert_eq!(catalogue.edges("action", Some("b"), Some("p"), None).count(), 0);
    }
}
