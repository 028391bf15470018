//! One case: which of its targets agree with which of its sources.

use std::ops::Range;

use super::{
    agree::{Value, covered},
    hits::Pairs,
    index::Index,
};
use crate::operators::{SpanKey, hashing::FastMap};

/// A span of a case that carries a value. Numbers are those of the [`Index`].
#[derive(Debug, Clone, Copy)]
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
    pub value: u32,
    /// Whether the value is a date.
    pub date: bool,
    /// Whether the value is a name or text.
    pub words: bool,
    /// Who saw or entered it, on which local day (of `from`).
    pub seen: Option<(u32, i32)>,
    /// Whether it is a target; then its worker and local day (of `start`).
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
    /// From its number in order.
    #[must_use]
    pub const fn of_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Whole),
            1 => Some(Self::Split),
            2 => Some(Self::Join),
            _ => None,
        }
    }

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
    /// The latest span of the source field that agrees in the same kind; for a join, the same as `source`.
    pub latest: usize,
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

/// The bit that tells screens from fields.
const SCREEN: u32 = 1 << 31;

impl From {
    /// As one number.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::Field(field) => field,
            Self::Screen(screen) => screen | SCREEN,
        }
    }

    /// From [`Self::number`].
    #[must_use]
    pub const fn of_number(number: u32) -> Self {
        if number & SCREEN == 0 { Self::Field(number) } else { Self::Screen(number & !SCREEN) }
    }
}

/// What a case tells.
#[derive(Debug, Default)]
pub struct Found {
    /// Targets and the source fields that agree.
    pub matches: Vec<Match>,
    /// Trials of pairs.
    pub trials: Vec<Trial>,
    agreeing: Vec<Agreeing>,
}

/// Matches one case. `spans` may be in any order; a source is no older than `look_back` at the start of the target. Only
/// what becomes of targets on a day that is asked for is found.
#[must_use]
pub fn match_case(spans: &[Holder], index: &Index, look_back: i64, asked: impl Fn(i32) -> bool) -> Found {
    let mut case = Case::new(spans, index, look_back);
    let mut targets: Vec<usize> = (0..spans.len()).filter(|&place| spans[place].target.is_some()).collect();
    targets.sort_unstable_by_key(|&place| (spans[place].start, spans[place].key));
    let mut tried: FastMap<u32, Tried> = FastMap::default();
    let mut found = Found::default();
    for target in targets {
        case.advance(spans[target].start);
        let tried = tried.entry(spans[target].field).or_insert_with(|| case.untried(spans[target].field));
        if spans[target].target.is_some_and(|(_, day)| asked(day)) {
            case.judge(target, tried, &mut found);
        } else {
            case.pass(target, tried);
        }
    }
    found
}

/// Which lanes and screens have had their first target of a field.
struct Tried {
    lanes: Vec<bool>,
    screens: Vec<bool>,
    /// How many of either have not.
    left: usize,
}

/// The sources of one field.
struct Lane {
    screen: u32,
    field: u32,
}

/// A source of which a target may ask: what it offers, when it counts from, its key and its place.
type Offer = (i64, i64, SpanKey, usize);

/// A lane that agrees: the kind, and the earliest and latest span that agrees in it.
type Agreeing = (usize, Agreement, usize, usize);

/// A case on the way through its time: targets are asked for in order of their start.
struct Case<'a> {
    spans: &'a [Holder],
    index: &'a Index,
    look_back: i64,
    // Sorted by screen, then field.
    lanes: Vec<Lane>,
    lane_of: Vec<usize>,
    // Runs of lanes of one screen.
    screens: Vec<Range<usize>>,
    // All spans in order of (from, key), and how many of them count by now.
    sources: Vec<usize>,
    counting: usize,
    // The latest source of each lane that counts by now.
    latest: Vec<Option<usize>>,
    by_digest: Vec<Offer>,
    by_token: Vec<Offer>,
}

impl<'a> Case<'a> {
    fn new(spans: &'a [Holder], index: &'a Index, look_back: i64) -> Self {
        let mut fields: Vec<(u32, u32)> = spans.iter().map(|span| (index.screen_of(span.field), span.field)).collect();
        fields.sort_unstable();
        fields.dedup();
        let lane_of = spans
            .iter()
            .map(|span| fields.partition_point(|field| *field < (index.screen_of(span.field), span.field)))
            .collect();
        let mut screens = Vec::new();
        for run in fields.chunk_by(|one, other| one.0 == other.0) {
            let first = screens.last().map_or(0, |last: &Range<usize>| last.end);
            screens.push(first..first + run.len());
        }
        let mut sources: Vec<usize> = (0..spans.len()).collect();
        sources.sort_unstable_by_key(|&place| (spans[place].from, spans[place].key));
        let mut by_digest = Vec::with_capacity(spans.len());
        let mut by_token = Vec::with_capacity(spans.len() * 2);
        for (place, span) in spans.iter().enumerate() {
            let value = index.value(span.value);
            by_digest.push((value.digest, span.from, span.key, place));
            by_token.extend(value.tokens().map(|token| (token, span.from, span.key, place)));
        }
        by_digest.sort_unstable();
        by_token.sort_unstable();
        let lanes: Vec<Lane> = fields.into_iter().map(|(screen, field)| Lane { screen, field }).collect();
        let latest = vec![None; lanes.len()];
        Self { spans, index, look_back, lanes, lane_of, screens, sources, counting: 0, latest, by_digest, by_token }
    }

    /// Nothing tried yet for a field; its own screen is no source of it.
    fn untried(&self, field: u32) -> Tried {
        let own = self.index.screen_of(field);
        let lanes: Vec<bool> = self.lanes.iter().map(|lane| lane.screen == own).collect();
        let screens: Vec<bool> = self.screens.iter().map(|lanes| self.lanes[lanes.start].screen == own).collect();
        let left = lanes.iter().chain(&screens).filter(|own| !**own).count();
        Tried { lanes, screens, left }
    }

    fn value(&self, place: usize) -> &'a Value {
        self.index.value(self.spans[place].value)
    }

    /// Lets sources count that are there at an instant.
    fn advance(&mut self, at: i64) {
        while let Some(&place) = self.sources.get(self.counting)
            && self.spans[place].from <= at
        {
            self.latest[self.lane_of[place]] = Some(place);
            self.counting += 1;
        }
    }

    /// The latest source of a lane that counts for a target which starts at an instant.
    fn latest(&self, lane: usize, at: i64) -> Option<usize> {
        self.latest[lane].filter(|&place| self.spans[place].from >= at.saturating_sub(self.look_back))
    }

    /// Those of the sources that offer something which count at an instant, in order of (from, key).
    fn offered<'b>(&self, offers: &'b [Offer], what: i64, at: i64) -> &'b [Offer] {
        let from = offers.partition_point(|offer| (offer.0, offer.1) < (what, at.saturating_sub(self.look_back)));
        let to = from + offers[from..].partition_point(|offer| (offer.0, offer.1) <= (what, at));
        &offers[from..to]
    }

    /// The first kind in which each lane agrees, with its earliest span and its latest.
    fn agreeing_lanes(&self, target: usize, agreeing: &mut Vec<Agreeing>) {
        agreeing.clear();
        let (span, value) = (&self.spans[target], self.value(target));
        let own_screen = self.index.screen_of(span.field);
        let mut add = |offers: &[Offer], kind: Agreement, holds: &dyn Fn(usize) -> bool| {
            for &(_, _, _, place) in offers {
                let lane = self.lane_of[place];
                if self.lanes[lane].screen == own_screen {
                    continue;
                }
                match agreeing.iter_mut().find(|agreeing| agreeing.0 == lane) {
                    Some(known) if known.1 == kind && holds(place) => known.3 = place,
                    Some(_) => {}
                    None if holds(place) => agreeing.push((lane, kind, place, place)),
                    None => {}
                }
            }
        };
        add(self.offered(&self.by_digest, value.digest, span.start), Agreement::Whole, &|_| true);
        if !span.date {
            let lists = value.wanted().iter().map(|token| self.offered(&self.by_token, *token, span.start));
            let rarest = lists.min_by_key(|list| list.len()).unwrap_or_default();
            add(rarest, Agreement::Split, &|place| value.is_part_of(self.value(place)));
        }
    }

    /// Notes of which lanes and screens a target is the trial, whatever becomes of it.
    fn pass(&self, target: usize, tried: &mut Tried) {
        if tried.left == 0 {
            return;
        }
        let at = self.spans[target].start;
        for (number, lanes) in self.screens.iter().enumerate() {
            let mut held = false;
            for lane in lanes.clone().filter(|lane| self.latest(*lane, at).is_some()) {
                held = true;
                tried.left -= usize::from(!std::mem::replace(&mut tried.lanes[lane], true));
            }
            if held {
                tried.left -= usize::from(!std::mem::replace(&mut tried.screens[number], true));
            }
        }
    }

    fn judge(&self, target: usize, tried: &mut Tried, found: &mut Found) {
        let (span, value) = (&self.spans[target], self.value(target));
        let own_screen = self.index.screen_of(span.field);
        let mut agreeing = std::mem::take(&mut found.agreeing);
        self.agreeing_lanes(target, &mut agreeing);
        let full = if span.words { value.full_mask() } else { None };
        let first_match = found.matches.len();
        found.matches.extend(agreeing.iter().map(|&(_, kind, source, latest)| Match { target, source, latest, kind }));
        if tried.left > 0 || full.is_some() {
            for (number, lanes) in self.screens.iter().enumerate() {
                if self.lanes[lanes.start].screen == own_screen {
                    continue;
                }
                self.judge_screen(target, (number, lanes.clone()), full, &agreeing, tried, found);
            }
        }
        found.agreeing = agreeing;
        found.matches[first_match..].sort_unstable_by_key(|found| {
            let source = &self.spans[found.source];
            (found.kind, source.from, source.key)
        });
    }

    /// The trials of a screen and its fields, and what its fields make up together.
    fn judge_screen(
        &self,
        target: usize,
        (number, lanes): (usize, Range<usize>),
        full: Option<u64>,
        agreeing: &[Agreeing],
        tried: &mut Tried,
        found: &mut Found,
    ) {
        let (span, value) = (&self.spans[target], self.value(target));
        let untried = !tried.screens[number] || lanes.clone().any(|lane| !tried.lanes[lane]);
        if !untried && full.is_none() {
            return;
        }
        let mut held = false;
        for lane in lanes.clone() {
            let Some(latest) = self.latest(lane, span.start) else { continue };
            held = true;
            if !tried.lanes[lane] {
                tried.lanes[lane] = true;
                tried.left -= 1;
                found.trials.push(Trial {
                    target,
                    from: From::Field(self.lanes[lane].field),
                    agrees: agreeing.iter().find(|agreeing| agreeing.0 == lane).map(|agreeing| agreeing.1),
                    disagrees: !self.agree_either_way(target, latest),
                });
            }
        }
        if !held {
            return;
        }
        let latest = || lanes.clone().filter_map(|lane| self.latest(lane, span.start));
        let field_agrees = agreeing.iter().any(|agreeing| lanes.contains(&agreeing.0));
        let source = match full {
            Some(full) if !field_agrees => self.join(value, full, latest()),
            _ => None,
        };
        found.matches.extend(source.map(|source| Match { target, source, latest: source, kind: Agreement::Join }));
        if !tried.screens[number] {
            tried.screens[number] = true;
            tried.left -= 1;
            let holds = |place: usize| {
                let held = self.value(place);
                held.digest == value.digest || !span.date && value.is_part_of(held)
            };
            found.trials.push(Trial {
                target,
                from: From::Screen(self.lanes[lanes.start].screen),
                agrees: source.map(|_| Agreement::Join),
                disagrees: source.is_none() && !latest().any(holds),
            });
        }
    }

    /// The source of a joined value: of the latest values that give most parts, the earliest.
    fn join(&self, value: &Value, full: u64, latest: impl Iterator<Item = usize>) -> Option<usize> {
        let given: Vec<(u64, usize)> =
            latest.map(|place| (value.mask(self.value(place)), place)).filter(|(mask, _)| *mask != 0).collect();
        if given.is_empty() {
            return None;
        }
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
