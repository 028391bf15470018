//! Goes on from what the last refresh left, where that is sooner than to begin anew.
//!
//! ```text
//! left ─▶ days with other files ─▶ gather ─▶ touched ─▶ judgement, matching ─▶ the partitions of days touched
//!   └───────────────── trials, pieces and outcomes of these days ──────┘
//! ```
//! All files are read, and found whole by their checksums, before anything is written: where what was left is damaged, or
//! does not do, everything is worked out as if nothing had been left.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use arrow::buffer::Buffer;
use datafusion::common::DataFusionError;

use super::{
    Extent, Facts, Judged, Keeping, blocking,
    cores::both,
    day::{Day, DayRows, KeptDay},
    estate::Estate,
    judgement::judgement,
    kept::Kept,
    known::Known,
    matching::{Before, matching},
    microseconds, names,
    sink::Sink,
    touched::{Surroundings, Touched, touched},
};
use crate::operators::{
    encoding::{Decoder, Encoder, Torn},
    ledger::activity::Rules,
};

/// Why facts do not go on from the last ones.
#[derive(Debug)]
pub enum Stop {
    /// They can't, or it takes longer than to begin anew: for this reason. Nothing was written.
    Anew(&'static str),
    /// What the last refresh left is damaged. Nothing was written.
    Damaged,
    /// An error that beginning anew does not help.
    Failed(DataFusionError),
}

impl From<Torn> for Stop {
    fn from(_: Torn) -> Self {
        Self::Damaged
    }
}

impl From<DataFusionError> for Stop {
    fn from(error: DataFusionError) -> Self {
        Self::Failed(error)
    }
}

/// So few days are never too many to go on with.
const ALWAYS: usize = 4;

/// Goes on with no more than a share of days.
fn not_too_many(some: usize, all: usize, keeping: &Keeping<'_>) -> Result<(), Stop> {
    if some as f64 > all as f64 * keeping.share_max && some > ALWAYS {
        return Err(Stop::Anew("too many days are others"));
    }
    Ok(())
}

/// Of which local days there is what, whoever worked it out.
#[derive(Debug, Default, Clone)]
pub struct Worked {
    /// Local days of which there is time.
    pub days: BTreeSet<i32>,
    /// Those at whose end work went on.
    pub open: BTreeSet<i32>,
}

impl Worked {
    /// With some days worked out again.
    #[must_use]
    pub fn with(&self, asked: &BTreeSet<i32>, again: &Self) -> Self {
        Self { days: &(&self.days - asked) | &again.days, open: &(&self.open - asked) | &again.open }
    }

    /// Leaves this for the next refresh, with what tells the files of each UTC day from others.
    pub fn leave(&self, keeping: &Keeping<'_>) {
        let mut to = Encoder::default();
        to.column(keeping.files.keys().copied());
        to.column(keeping.files.values().copied());
        to.column(self.days.iter().copied());
        to.column(self.open.iter().copied());
        keeping.leaving.write(names::DAYS, &to.into_bytes());
    }
}

/// What the last refresh left.
struct Left {
    estate: Estate,
    // Tells the files of each UTC day from others.
    files: BTreeMap<i32, u64>,
    worked: Worked,
    days: BTreeMap<i32, KeptDay>,
    trials: BTreeMap<i32, Buffer>,
    // The local days of which there are pieces of task instances.
    pieces: BTreeSet<i32>,
}

impl Left {
    fn read(kept: &Kept) -> Result<Self, Torn> {
        let bytes = kept.bytes(names::DAYS).ok_or(Torn)?;
        let mut of_days = Decoder::new(&bytes);
        let (numbers, files) = (of_days.column()?, of_days.column()?);
        let worked = Worked { days: of_days.column()?.iter().collect(), open: of_days.column()?.iter().collect() };
        let estate = || Estate::decode(&kept.bytes(names::ESTATE).ok_or(Torn)?);
        let (estate, days) = both(estate, || by_day(kept, names::DAY));
        let days = days?;
        Ok(Self {
            estate: estate?,
            files: numbers.iter().zip(files.iter()).collect(),
            worked,
            days: days.into_iter().map(|(day, bytes)| (day, KeptDay::new(bytes))).collect(),
            trials: by_day(kept, names::TRIALS)?,
            pieces: kept.names(names::PIECES).map(str::parse).collect::<Result<_, _>>().map_err(|_| Torn)?,
        })
    }
}

/// What was left of one kind, by day.
fn by_day(kept: &Kept, kind: &str) -> Result<BTreeMap<i32, Buffer>, Torn> {
    let all = kept.all(kind).ok_or(Torn)?;
    all.into_iter().map(|(day, bytes)| Ok((day.parse().map_err(|_| Torn)?, bytes))).collect()
}

/// What was left of one kind, of some days.
fn of_days<'d>(kept: &Kept, kind: &str, days: impl Iterator<Item = &'d i32>) -> Result<BTreeMap<i32, Vec<u8>>, Torn> {
    days.map(|day| Ok((*day, kept.bytes(&format!("{kind}{day}")).ok_or(Torn)?))).collect()
}

/// What is gone on from, and with which days.
#[derive(Debug)]
pub struct Prior {
    /// The local days that are worked out again.
    pub asked: BTreeSet<i32>,
    /// Of which days there was what.
    pub worked: Worked,
    /// Trials by local day.
    pub trials: Arc<BTreeMap<i32, Buffer>>,
    /// Local days of which there were pieces of task instances.
    pub pieces_of: BTreeSet<i32>,
    /// The pieces of the days that are worked out, and of those that may have some of the same instances.
    pub pieces: BTreeMap<i32, Vec<u8>>,
    /// UTC days of which clock shifts are others.
    pub shifted: BTreeSet<i32>,
    /// Whether case numbers are linked otherwise.
    pub linked: bool,
}

impl Prior {
    /// Lets what was left of the other days hold for the next refresh, too.
    pub fn hand_on(&self, keeping: &Keeping<'_>) {
        let days =
            [(names::TRIALS, self.trials.keys().collect::<Vec<_>>()), (names::PIECES, self.pieces_of.iter().collect())];
        let outcomes = (names::OUTCOMES, self.trials.keys().collect());
        for (kind, days) in days.into_iter().chain([outcomes]) {
            for day in days.into_iter().filter(|day| !self.asked.contains(day)) {
                keeping.kept.hand_on(&format!("{kind}{day}"), keeping.leaving);
            }
        }
    }
}

impl Facts<'_> {
    /// Goes on from what the last refresh left.
    pub(super) async fn go_on(
        &self,
        days: &[i32],
        known: &Arc<Known>,
        keeping: &Keeping<'_>,
        sink: &mut impl Sink,
    ) -> Result<Extent, Stop> {
        let kept = keeping.kept.clone();
        let left = blocking(move || Left::read(&kept)).await??;
        let gathered = self.gather_others(days, known, &left.files, keeping).await?;
        let Left { estate, worked, days: kept_days, trials, pieces, .. } = left;
        let (around, open) = (self.surroundings(known), worked.open.clone());
        let (found, estate) = blocking(move || {
            let mut estate = estate;
            let gathered =
                gathered.into_iter().map(|(day, rows)| (day.day, KeptDay::new(day.encode(&rows).into()))).collect();
            touched(&kept_days, &gathered, (&mut estate, &open), &around).map(|found| (found, estate))
        })
        .await??;
        let Some(found) = found else {
            for kind in [names::TRIALS, names::OUTCOMES, names::PIECES, names::ESTATE] {
                for name in keeping.kept.names(kind) {
                    keeping.kept.hand_on(&format!("{kind}{name}"), keeping.leaving);
                }
            }
            worked.leave(keeping);
            return Ok(Extent::Nothing);
        };
        not_too_many(found.days.len(), worked.days.union(&found.days).count(), keeping)?;

        let Touched { days: asked, shifted, linked, joined, context, spans, with_parts } = found;
        let again = |day: &&i32| asked.contains(*day);
        let outcomes = of_days(keeping.kept, names::OUTCOMES, trials.keys().filter(again))?;
        let needed = pieces.iter().filter(|day| again(day) || joined.contains(day));
        let needed = of_days(keeping.kept, names::PIECES, needed)?;
        let trials = Arc::new(trials);
        let before = Before { counts: estate.counts, had_parts: estate.with_parts, trials: trials.clone(), outcomes };
        let prior = Prior { asked, worked, trials, pieces_of: pieces, pieces: needed, shifted, linked };
        let (look_back, local) = (microseconds(self.parameters.look_back_days * 86_400.0), self.local);
        let (judged, prior) = blocking(move || {
            let judged = judgement(&spans, local);
            let matching = matching(&spans, &judged, (look_back, local), &with_parts, Some((&prior.asked, &before)))?;
            tracing::debug!(matches = matching.matches.len(), "matched");
            Ok::<_, Torn>((Judged { context, spans, with_parts, judged, matching }, prior))
        })
        .await??;
        if judged.matching.other_kinds {
            return Err(Stop::Anew("another kind of match is possible for some fields"));
        }
        let extent = Extent::Days(prior.asked.len());
        self.write_all(days, judged, Some(prior), Some(keeping), sink).await?;
        Ok(extent)
    }

    /// Gathers the days of which there are other files than before.
    async fn gather_others(
        &self,
        days: &[i32],
        known: &Arc<Known>,
        files: &BTreeMap<i32, u64>,
        keeping: &Keeping<'_>,
    ) -> Result<Vec<(Day, DayRows)>, Stop> {
        if files.keys().any(|day| !keeping.files.contains_key(day)) {
            return Err(Stop::Anew("what is known of a day that is gone is to be forgotten"));
        }
        let (stay, others): (Vec<i32>, Vec<i32>) =
            days.iter().partition(|day| files.get(day) == keeping.files.get(day));
        not_too_many(others.len(), days.len(), keeping)?;
        for day in stay {
            keeping.kept.hand_on(&format!("{}{day}", names::DAY), keeping.leaving);
        }
        let gathered = self.gather(&others, known, Some(keeping.leaving)).await?;
        tracing::debug!(days = others.len(), "gathered");
        Ok(gathered)
    }

    fn surroundings(&self, known: &Arc<Known>) -> Surroundings {
        let rules = Rules::new(self.parameters, self.local);
        Surroundings {
            known: known.clone(),
            parameters: self.parameters.clone(),
            local: self.local,
            pause: rules.run_pause.max(rules.wait_chain),
        }
    }
}
