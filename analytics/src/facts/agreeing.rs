//! Which cases may agree with values that no target had before.

use super::{
    cores::on_cores,
    correction::Correction,
    day::{Day, Rows},
    field_spans::Place,
};
use crate::operators::{
    hashing::{FastMap, FastSet, hash},
    matcher::agree::{Tokens, Value},
};

/// A value of a day, and what it has of the tokens asked for.
type Having = (usize, Vec<i64>);

/// Tells a screen and a case from others.
type ScreenAndCase = (u64, u64);

/// Cases that hold, or may be found to hold in several fields of a screen, any of these values; those known to be
/// looked at are not asked.
pub fn may_agree(
    days: Vec<&(Day, Rows<'_>)>,
    values: &[Value],
    known: &FastSet<u64>,
    correction: &Correction,
) -> FastSet<u64> {
    if values.is_empty() {
        return FastSet::default();
    }
    // What of it each value of a day has, and how often each part occurs: cases are looked for by the rarest.
    let tokens: Tokens = values.iter().flat_map(|value| value.wanted().iter().copied().chain([value.digest])).collect();
    let having = on_cores(days.clone(), |(_, rows)| {
        let values =
            (0..rows.digests.len()).map(|place| (place, rows.tokens(place).filter(|token| tokens.contains(*token))));
        values
            .map(|(place, tokens)| (place, tokens.collect()))
            .filter(|(_, tokens): &Having| !tokens.is_empty())
            .collect()
    });
    let having: Vec<(&(Day, Rows<'_>), Vec<Having>)> = days.into_iter().zip(having).collect();
    let mut often: FastMap<i64, u32> = FastMap::default();
    for (_, tokens) in having.iter().flat_map(|(_, having)| having) {
        tokens.iter().for_each(|token| *often.entry(*token).or_default() += 1);
    }
    let asked = Asked::new(values, &often);
    let joined = asked.by_rarest.iter().flat_map(|(part, values)| values.iter().map(|value| (*part, *value)));
    let joined: Vec<(i64, &Value)> = joined.filter(|(_, value)| !value.parts.is_empty()).collect();
    let rarest: Tokens = joined.iter().map(|(part, _)| *part).collect();

    let in_days = InDays { having, known, correction };
    let (mut cases, first) = in_days.agreeing(&asked, &rarest);
    // Which of these have the other parts, too.
    let have = in_days.tokens_at(&first.values().flatten().copied().collect());
    for (part, value) in joined {
        let all =
            |(screen, case): &&ScreenAndCase| value.parts.iter().all(|part| have.contains(&(*part, (*screen, *case))));
        cases.extend(first.get(&part).into_iter().flatten().filter(all).map(|(_, case)| *case));
    }
    cases
}

/// Days, and which of their values have any of the tokens asked for.
struct InDays<'a> {
    having: Vec<(&'a (Day, Rows<'a>), Vec<Having>)>,
    known: &'a FastSet<u64>,
    correction: &'a Correction,
}

impl InDays<'_> {
    /// Cases with a value that agrees by itself; and where there is any of the rarest parts.
    fn agreeing(&self, asked: &Asked<'_>, rarest: &Tokens) -> (FastSet<u64>, FastMap<i64, FastSet<ScreenAndCase>>) {
        let found = on_cores(self.having.iter().collect(), |((day, rows), having)| {
            let (mut cases, mut held) = (FastSet::default(), Vec::new());
            let mut agrees = FastSet::default();
            let wanted = having.iter().filter_map(|(place, tokens)| {
                let whole_or_part = asked.agrees(tokens, rows.digests.get(*place));
                if whole_or_part {
                    agrees.insert(*place);
                }
                let rare: Vec<i64> = tokens.iter().copied().filter(|token| rarest.contains(*token)).collect();
                (whole_or_part || !rare.is_empty()).then_some((*place, rare))
            });
            let wanted: FastMap<usize, Vec<i64>> = wanted.collect();
            self.each_held((day, rows), &wanted, |value, rare, at| {
                if agrees.contains(&value) {
                    cases.insert(at.1);
                }
                held.extend(rare.iter().map(|token| (*token, at)));
            });
            (cases, held)
        });
        let mut cases = FastSet::default();
        let mut first: FastMap<i64, FastSet<ScreenAndCase>> = FastMap::default();
        for (agreeing, held) in found {
            cases.extend(agreeing);
            held.into_iter().for_each(|(token, held)| {
                first.entry(token).or_default().insert(held);
            });
        }
        (cases, first)
    }

    /// The tokens held at some screens and cases.
    fn tokens_at(&self, places: &FastSet<ScreenAndCase>) -> FastSet<(i64, ScreenAndCase)> {
        let found = on_cores(self.having.iter().collect(), |((day, rows), having)| {
            let mut held = Vec::new();
            let wanted: FastMap<usize, Vec<i64>> = having.iter().cloned().collect();
            self.each_held((day, rows), &wanted, |_, tokens, at| {
                if places.contains(&at) {
                    held.extend(tokens.iter().map(|token| (*token, at)));
                }
            });
            held
        });
        found.into_iter().flatten().collect()
    }

    /// Goes through the rows of a day that have a value which is wanted, of cases that are not known: the value, what is
    /// said of it, and screen and case.
    fn each_held(
        &self,
        (day, rows): (&Day, &Rows<'_>),
        wanted: &FastMap<usize, Vec<i64>>,
        mut found: impl FnMut(usize, &[i64], ScreenAndCase),
    ) {
        if wanted.is_empty() {
            return;
        }
        let is_wanted: Vec<bool> = (0..rows.digests.len()).map(|value| wanted.contains_key(&value)).collect();
        let screens: Vec<u64> = day.places.iter().map(|place: &Place| hash(&place[..2])).collect();
        let cases: Vec<Option<u64>> = (day.numbers.iter())
            .map(|number| Some(self.correction.case(*number)).filter(|case| !self.known.contains(case)))
            .collect();
        // A value is shown again and again.
        let mut seen: FastSet<(u32, u32, u32)> = FastSet::default();
        for row in 0..rows.spans.len() {
            let value = rows.values.get(row);
            if is_wanted.get(value as usize) != Some(&true) {
                continue;
            }
            let (number, place) = (rows.cases.get(row), rows.places.get(row));
            if let Some(Some(case)) = cases.get(number as usize)
                && seen.insert((value, number, place))
            {
                found(value as usize, &wanted[&(value as usize)], (screens[place as usize], *case));
            }
        }
    }
}

/// Values for which other cases are looked for, by the rarest of what must be found there.
struct Asked<'a> {
    whole: Tokens,
    by_rarest: FastMap<i64, Vec<&'a Value>>,
}

impl<'a> Asked<'a> {
    /// `often` says how often each token occurs; what is in no value at all is nowhere to be found.
    fn new(values: &'a [Value], often: &FastMap<i64, u32>) -> Self {
        let mut by_rarest: FastMap<i64, Vec<&Value>> = FastMap::default();
        for value in values {
            let counts = value.wanted().iter().map(|token| Some((often.get(token)?, *token)));
            let rarest = counts.collect::<Option<Vec<_>>>().and_then(|counts| counts.into_iter().min());
            if let Some((_, token)) = rarest {
                by_rarest.entry(token).or_default().push(value);
            }
        }
        let whole = values.iter().map(|value| value.digest).collect();
        Self { whole, by_rarest }
    }

    /// Whether one of them is a value of this digest, or part of what has these tokens.
    fn agrees(&self, tokens: &[i64], digest: i64) -> bool {
        let is_part = |value: &&Value| value.wanted().iter().all(|wanted| tokens.contains(wanted));
        self.whole.contains(digest)
            || tokens.iter().any(|token| self.by_rarest.get(token).is_some_and(|of| of.iter().any(&is_part)))
    }
}
