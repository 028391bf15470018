//! The cases: what is true of each, whether the estate holds it yet, and who is responsible.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::people::Worker;
use super::vocabulary::Circumstances;
use crate::estate::{Cases as About, Estate, FactId, MadeFrom, SystemId};
use crate::random::{Purpose, keyed};

/// How many cases a worker who has cases has at first.
const CASELOAD: usize = 32;

/// The number of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CaseId(pub(crate) u32);

/// One edition of a fact: a note is made anew with each contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Edition {
    /// Which fact.
    pub fact: FactId,
    /// Which edition of it, from 0.
    pub number: u16,
}

#[derive(Debug, Clone, Copy)]
struct State {
    number: u16,
    held: bool,
}

/// All cases of an estate.
#[derive(Debug)]
pub struct Cases {
    seed: u64,
    start: NaiveDate,
    facts: usize,
    /// By fact.
    made_from: Vec<Option<MadeFrom>>,
    /// By case, then fact.
    states: Vec<State>,
    /// By worker.
    caseloads: Vec<Vec<CaseId>>,
    /// By case system (none: the service).
    pools: BTreeMap<Option<SystemId>, Vec<CaseId>>,
    waiting: Vec<CaseId>,
    arrived_today: Vec<CaseId>,
    allocated_today: Vec<(CaseId, usize)>,
}

impl Cases {
    /// The cases that there are before the first day: the estate holds everything about them.
    #[must_use]
    pub fn new(estate: &Estate, workers: &[Worker], seed: u64, start: NaiveDate) -> Self {
        let mut cases = Self {
            seed,
            start,
            facts: estate.facts.len(),
            made_from: estate.facts.iter().map(|fact| fact.made_from.clone()).collect(),
            states: Vec::new(),
            caseloads: vec![Vec::new(); workers.len()],
            pools: BTreeMap::new(),
            waiting: Vec::new(),
            arrived_today: Vec::new(),
            allocated_today: Vec::new(),
        };
        for (index, worker) in workers.iter().enumerate() {
            let has_cases =
                estate.tasks.iter().any(|task| task.cases == About::Own && task.per_day_of(&worker.role) > 0.0);
            for _ in 0..if has_cases { CASELOAD } else { 0 } {
                let case = cases.add(true);
                cases.give(case, index, worker);
            }
        }
        cases
    }

    fn add(&mut self, held: bool) -> CaseId {
        let case = CaseId(u32::try_from(self.states.len() / self.facts).expect("options bound the staff"));
        self.states.extend(std::iter::repeat_n(State { number: 0, held }, self.facts));
        case
    }

    /// Somebody whom the estate did not know; their case waits for allocation from the next day on.
    pub fn arrive(&mut self) -> CaseId {
        let case = self.add(false);
        self.arrived_today.push(case);
        case
    }

    /// The longest waiting case.
    pub fn next_waiting(&mut self) -> Option<CaseId> {
        (!self.waiting.is_empty()).then(|| self.waiting.remove(0))
    }

    /// Makes a worker responsible from the next day on.
    pub fn give_tomorrow(&mut self, case: CaseId, worker: usize) {
        self.allocated_today.push((case, worker));
    }

    /// Makes a worker responsible.
    fn give(&mut self, case: CaseId, worker: usize, who: &Worker) {
        self.caseloads[worker].push(case);
        self.pools.entry(who.case_system).or_default().push(case);
    }

    /// The cases for which a worker is responsible.
    #[must_use]
    pub fn own(&self, worker: usize) -> &[CaseId] {
        &self.caseloads[worker]
    }

    /// The cases of everybody with the same case system.
    #[must_use]
    pub fn any(&self, case_system: Option<SystemId>) -> &[CaseId] {
        self.pools.get(&case_system).map_or(&[], Vec::as_slice)
    }

    /// Ends a day: what was decided about cases holds from tomorrow, so that no worker's day hangs on another's.
    pub fn close_day(&mut self, workers: &[Worker]) {
        for (case, worker) in std::mem::take(&mut self.allocated_today) {
            self.give(case, worker, &workers[worker]);
        }
        self.waiting.append(&mut self.arrived_today);
    }

    fn state(&self, case: CaseId, fact: FactId) -> &State {
        &self.states[case.0 as usize * self.facts + fact.index()]
    }

    fn state_mut(&mut self, case: CaseId, fact: FactId) -> &mut State {
        &mut self.states[case.0 as usize * self.facts + fact.index()]
    }

    /// The edition of a fact that is true now.
    #[must_use]
    pub fn edition(&self, case: CaseId, fact: FactId) -> Edition {
        Edition { fact, number: self.state(case, fact).number }
    }

    /// Whether any system holds it, or what it is made from.
    #[must_use]
    pub fn is_held(&self, case: CaseId, fact: FactId) -> bool {
        let held = |fact: FactId| self.state(case, fact).held;
        held(fact)
            || match &self.made_from[fact.index()] {
                Some(MadeFrom::All(parts)) => parts.iter().copied().all(held),
                Some(MadeFrom::FirstOf(whole) | MadeFrom::RestOf(whole)) => held(*whole),
                None => false,
            }
    }

    /// A system holds it now.
    pub fn hold(&mut self, case: CaseId, fact: FactId) {
        self.state_mut(case, fact).held = true;
    }

    /// A new edition is true now, which no system holds yet.
    pub fn renew(&mut self, case: CaseId, fact: FactId) {
        let state = self.state_mut(case, fact);
        *state = State { number: state.number.wrapping_add(1), held: false };
    }

    /// What a fact of a case is, as everybody types it.
    #[must_use]
    pub fn value(&self, estate: &Estate, case: CaseId, edition: Edition) -> String {
        let of = |fact: FactId| self.value(estate, case, Edition { fact, number: 0 });
        match &estate.fact(edition.fact).made_from {
            Some(MadeFrom::All(parts)) => return parts.iter().map(|part| of(*part)).collect::<Vec<_>>().join(" "),
            Some(MadeFrom::FirstOf(whole)) => return of(*whole).split(' ').next().unwrap_or_default().to_owned(),
            Some(MadeFrom::RestOf(whole)) => {
                return of(*whole).split_once(' ').map_or_else(String::new, |(_, rest)| rest.to_owned());
            }
            None => {}
        }
        let which = u64::from(edition.number) << 16 | edition.fact.index() as u64;
        let mut rng = keyed(self.seed, Purpose::Fact, u64::from(case.0), which);
        let about = Circumstances { today: self.start, own_name: "", own_office: "" };
        estate.fact(edition.fact).maker.make(&mut rng, &about)
    }
}
