//! One case: which of its targets agree with which of its sources.

use super::{
    agree::{Value, covered},
    hits::Pairs,
    index::Index,
};
use crate::operators::{SpanKey, hashing::FastMap};

/// A span of a case that carries a value. Numbers are those of the [`Index`].
#[derive(Debug, Clone)]
pub struct Holder {
    /// Identity.
    pub key: SpanKey,
    /// Start, microseconds, clock-corrected.
    pub start: i64,
    /// When it counts from as a source: its end, or its start where the system filled or showed the field.
    pub from: i64,
    /// The field.
    pub field: u32,
    /// The value.
    pub content: u32,
    /// Whether the value is a date.
    pub date: bool,
    /// Whether the value is a name or text.
    pub words: bool,
    /// Whether it is a target; then its worker and local day.
    pub target: Option<(u32, i32)>,
}

/// How a target agrees with a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Agreement {
    /// The same value.
    Whole,
    /// A part of the source.
    Split,
    /// Made up of several fields of a screen.
    Join,
}

impl Agreement {
    /// The word in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::Split => "split",
            Self::Join => "join",
        }
    }
}

/// A target and a source field that agrees: places in the slice given to [`match_case`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Match {
    /// The target.
    pub target: usize,
    /// The earliest span of the source field that agrees; for a join, the latest of the field that gave most parts.
    pub source: usize,
    /// The first kind that holds.
    pub kind: Agreement,
}

/// The first target of a case that has an earlier source in a field or on a screen: a trial of that pair.
#[derive(Debug, Clone, Copy)]
pub struct Trial {
    /// The target.
    pub target: usize,
    /// The field, or the screen, of the source.
    pub from: From,
    /// The kind in which it agrees.
    pub agrees: Option<Agreement>,
    /// Whether the latest source agrees in no kind, in either direction.
    pub disagrees: bool,
}

/// Where sources lie: one field, or for joins a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum From {
    /// A field.
    Field(u32),
    /// A screen.
    Screen(u32),
}

/// What a case tells.
#[derive(Debug, Default)]
pub struct Found {
    /// Targets and the source fields that agree.
    pub matches: Vec<Match>,
    /// Trials of pairs.
    pub trials: Vec<Trial>,
}

/// The sources of one field, as places in order of (from, key).
struct Lane {
    screen: u32,
    field: u32,
    spans: Vec<usize>,
}

/// Matches one case. `spans` may be in any order; a source is no older than `look_back` at the start of the target.
#[must_use]
pub fn match_case(spans: &[Holder], index: &Index, look_back: i64) -> Found {
    let case = Case::new(spans, index, look_back);
    let mut targets: Vec<usize> = (0..spans.len()).filter(|&place| spans[place].target.is_some()).collect();
    targets.sort_unstable_by_key(|&place| (spans[place].start, spans[place].key));
    let mut tried: FastMap<u32, Tried> = FastMap::default();
    let mut found = Found::default();
    for target in targets {
        let tried = tried.entry(spans[target].field).or_insert_with(|| case.untried());
        case.judge(target, tried, &mut found);
    }
    found
}

/// Which lanes and screens have had their first target of a field.
struct Tried {
    lanes: Vec<bool>,
    screens: Vec<bool>,
}

struct Case<'a> {
    spans: &'a [Holder],
    index: &'a Index,
    look_back: i64,
    // Sorted by screen, then field.
    lanes: Vec<Lane>,
    // Runs of lanes of one screen.
    screens: Vec<std::ops::Range<usize>>,
    lane_of: FastMap<u32, usize>,
    by_digest: FastMap<i64, Vec<usize>>,
    by_token: FastMap<i64, Vec<usize>>,
}

impl<'a> Case<'a> {
    fn new(spans: &'a [Holder], index: &'a Index, look_back: i64) -> Self {
        let mut order: Vec<usize> = (0..spans.len()).collect();
        order.sort_unstable_by_key(|&place| {
            let span = &spans[place];
            (index.screen_of(span.field), span.field, span.from, span.key)
        });
        let mut lanes: Vec<Lane> = Vec::new();
        for &place in &order {
            let field = spans[place].field;
            match lanes.last_mut() {
                Some(lane) if lane.field == field => lane.spans.push(place),
                _ => lanes.push(Lane { screen: index.screen_of(field), field, spans: vec![place] }),
            }
        }
        let mut screens: Vec<std::ops::Range<usize>> = Vec::new();
        for (place, lane) in lanes.iter().enumerate() {
            match screens.last_mut() {
                Some(range) if lanes[range.start].screen == lane.screen => range.end = place + 1,
                _ => screens.push(place..place + 1),
            }
        }
        order.sort_unstable_by_key(|&place| (spans[place].from, spans[place].key));
        let mut by_digest: FastMap<i64, Vec<usize>> = FastMap::default();
        let mut by_token: FastMap<i64, Vec<usize>> = FastMap::default();
        for &place in &order {
            let value = index.value(spans[place].content);
            by_digest.entry(value.digest).or_default().push(place);
            for token in value.tokens() {
                by_token.entry(token).or_default().push(place);
            }
        }
        let lane_of = lanes.iter().enumerate().map(|(place, lane)| (lane.field, place)).collect();
        Self { spans, index, look_back, lanes, screens, lane_of, by_digest, by_token }
    }

    fn untried(&self) -> Tried {
        Tried { lanes: vec![false; self.lanes.len()], screens: vec![false; self.screens.len()] }
    }

    fn value(&self, place: usize) -> &'a Value {
        self.index.value(self.spans[place].content)
    }

    /// Those of a list in order of `from` that count at an instant.
    fn window<'b>(&self, list: &'b [usize], at: i64) -> &'b [usize] {
        let from = list.partition_point(|&place| self.spans[place].from < at.saturating_sub(self.look_back));
        let to = list.partition_point(|&place| self.spans[place].from <= at);
        &list[from.min(to)..to]
    }

    /// The first kind in which each lane agrees, with its earliest span.
    fn agreeing_lanes(&self, target: usize) -> FastMap<usize, (Agreement, usize)> {
        let (span, value) = (&self.spans[target], self.value(target));
        let own_screen = self.index.screen_of(span.field);
        let mut agreeing = FastMap::default();
        let mut add = |places: &[usize], kind: Agreement, holds: &dyn Fn(usize) -> bool| {
            for &place in places {
                let lane = self.lane_of[&self.spans[place].field];
                if self.lanes[lane].screen != own_screen && !agreeing.contains_key(&lane) && holds(place) {
                    agreeing.insert(lane, (kind, place));
                }
            }
        };
        if let Some(list) = self.by_digest.get(&value.digest) {
            add(self.window(list, span.start), Agreement::Whole, &|_| true);
        }
        if !span.date {
            let lists = value.wanted().iter().map(|token| self.by_token.get(token).map_or(&[][..], Vec::as_slice));
            let rarest = lists.min_by_key(|list| list.len()).unwrap_or_default();
            add(self.window(rarest, span.start), Agreement::Split, &|place| value.is_part_of(self.value(place)));
        }
        agreeing
    }

    fn judge(&self, target: usize, tried: &mut Tried, found: &mut Found) {
        let (span, value) = (&self.spans[target], self.value(target));
        let own_screen = self.index.screen_of(span.field);
        let agreeing = self.agreeing_lanes(target);
        let full = if span.words { value.full_mask() } else { None };
        let first_match = found.matches.len();
        let latest: Vec<Option<usize>> =
            self.lanes.iter().map(|lane| self.window(&lane.spans, span.start).last().copied()).collect();
        for (number, lanes) in self.screens.iter().enumerate() {
            if self.lanes[lanes.start].screen == own_screen || lanes.clone().all(|lane| latest[lane].is_none()) {
                continue;
            }
            for lane in lanes.clone() {
                let agrees = agreeing.get(&lane);
                found.matches.extend(agrees.map(|&(kind, source)| Match { target, source, kind }));
                if let (Some(latest), false) = (latest[lane], tried.lanes[lane]) {
                    tried.lanes[lane] = true;
                    found.trials.push(Trial {
                        target,
                        from: From::Field(self.lanes[lane].field),
                        agrees: agrees.map(|agrees| agrees.0),
                        disagrees: !self.agree_either_way(target, latest),
                    });
                }
            }
            let field_agrees = lanes.clone().any(|lane| agreeing.contains_key(&lane));
            let source = match full {
                Some(full) if !field_agrees => self.join(value, full, &latest[lanes.clone()]),
                _ => None,
            };
            found.matches.extend(source.map(|source| Match { target, source, kind: Agreement::Join }));
            if !tried.screens[number] {
                tried.screens[number] = true;
                let holds = |place: &usize| {
                    let held = self.value(*place);
                    held.digest == value.digest || !span.date && value.is_part_of(held)
                };
                found.trials.push(Trial {
                    target,
                    from: From::Screen(self.lanes[lanes.start].screen),
                    agrees: source.map(|_| Agreement::Join),
                    disagrees: source.is_none() && !latest[lanes.clone()].iter().flatten().any(holds),
                });
            }
        }
        found.matches[first_match..].sort_unstable_by_key(|found| {
            let source = &self.spans[found.source];
            (found.kind, source.from, source.key)
        });
    }

    /// The source of a joined value: of the latest values that give most parts, the earliest.
    fn join(&self, value: &Value, full: u64, latest: &[Option<usize>]) -> Option<usize> {
        let given: Vec<(u64, usize)> =
            latest.iter().flatten().map(|&place| (value.mask(self.value(place)), place)).collect();
        let masks: Vec<u64> = given.iter().map(|given| given.0).collect();
        if !covered(&masks, full) {
            return None;
        }
        given
            .into_iter()
            .max_by_key(|&(mask, place)| {
                let span = &self.spans[place];
                (mask.count_ones(), std::cmp::Reverse((span.from, span.key)))
            })
            .map(|(_, place)| place)
    }

    fn agree_either_way(&self, target: usize, source: usize) -> bool {
        let (one, other) = (self.value(target), self.value(source));
        one.digest == other.digest
            || !self.spans[target].date && one.is_part_of(other)
            || !self.spans[source].date && other.is_part_of(one)
    }
}

/// The places of a kind where a value agrees.
#[must_use]
pub fn places(hits: &super::hits::Hits, kind: Agreement) -> &Pairs {
    match kind {
        Agreement::Whole => &hits.whole,
        Agreement::Split => &hits.split,
        Agreement::Join => &hits.join,
    }
}
