//! The estate at work, day by day: a pure function of estate and options, with no clock and no chance of its own.
//!
//! A day is made worker by worker, each with a stream of chance of their own, and then judged: the truth needs all
//! that happened on a day, and what the cases held before. Only the day in hand is kept in memory.

mod desk;
mod entry;
mod habits;
mod shift;
mod visit;
mod wait;

use std::sync::Arc;

use chrono::{Datelike, Days, NaiveDate, TimeZone};
use rand::RngExt;

use crate::estate::Estate;
use crate::interaction::Interaction;
use crate::options::{Options, OptionsError};
use crate::otlp::{Exports, Sender};
use crate::random::{Purpose, keyed};
use crate::truth::{Truth, Witness};
use crate::world::cases::Cases;
use crate::world::people::{Worker, staff};

use desk::{Desk, Outage, SECOND};
use habits::Habits;
use shift::Shift;

/// Share of working days on which somebody is ill, on leave or out.
const ABSENT: f64 = 0.08;

/// A simulation being run; each item is a working day.
pub struct Simulation {
    estate: Arc<Estate>,
    options: Options,
    workers: Arc<Vec<Worker>>,
    sender: Arc<Sender>,
    cases: Cases,
    witness: Witness,
    next: NaiveDate,
    end: NaiveDate,
}

/// A day on which people worked.
pub struct Day {
    /// Which day.
    pub date: NaiveDate,
    /// What each worker did, in the order in which it was recorded.
    interactions: Vec<Vec<Interaction>>,
    sender: Arc<Sender>,
    seed: u64,
}

/// Begins a simulation.
///
/// # Errors
/// When the options cannot be.
pub fn simulate(estate: &Estate, options: &Options) -> Result<Simulation, OptionsError> {
    options.check()?;
    let estate = Arc::new(estate.clone());
    let workers = Arc::new(staff(&estate, options.staff, options.seed));
    let cases = Cases::new(&estate, &workers, options.seed, options.start);
    let sender = Arc::new(Sender::new(Arc::clone(&estate), Arc::clone(&workers), options));
    let end =
        options.start.checked_add_days(Days::new(u64::from(options.weeks) * 7)).expect("options bound start and weeks");
    let witness = Witness::new(Arc::clone(&estate), Arc::clone(&workers), options);
    Ok(Simulation { estate, options: options.clone(), workers, sender, cases, witness, next: options.start, end })
}

impl Simulation {
    /// The people.
    #[must_use]
    pub fn workers(&self) -> &[Worker] {
        &self.workers
    }

    /// How many of all days are over, between 0 and 1.
    #[must_use]
    pub fn progress(&self) -> f64 {
        let all = (self.end - self.options.start).num_days().max(1);
        (self.next - self.options.start).num_days() as f64 / all as f64
    }

    /// What was true of the days so far. Call it once the days are over.
    #[must_use]
    pub fn finish(self) -> Truth {
        self.witness.finish()
    }

    fn work(&mut self, date: NaiveDate) -> Day {
        let number = u64::try_from((date - self.options.start).num_days()).expect("days come after the start");
        let midnight = self.midnight(date);
        let outages = self.outages(number, midnight);
        let mut interactions = Vec::with_capacity(self.workers.len());
        let workers = Arc::clone(&self.workers);
        let estate = Arc::clone(&self.estate);
        for (index, worker) in workers.iter().enumerate() {
            let mut rng = keyed(self.options.seed, Purpose::Day, index as u64, number);
            let absent = rng.random_bool(ABSENT) || worker.day_off == Some(date.weekday().num_days_from_monday());
            if absent {
                continue;
            }
            let begins_min = worker.begins_min + rng.random_range(-12.0..20.0);
            let now = midnight + (begins_min * 60.0 * SECOND) as i64;
            let habits = Habits::of(self.options.scenario);
            let mut desk = Desk::new(&estate, worker, index, rng, now, &outages, habits);
            let mut shift = Shift {
                day: date,
                estate: &estate,
                workers: &workers,
                cases: &mut self.cases,
                options: &self.options,
                seen: Vec::new(),
            };
            shift.work(&mut desk);
            self.witness.lived(&desk.lived);
            if !desk.done.is_empty() {
                interactions.push(desk.done);
            }
        }
        self.cases.close_day(&workers);
        self.witness.judge(date, &interactions);
        Day { date, interactions, sender: Arc::clone(&self.sender), seed: self.options.seed }
    }

    /// Unix microseconds of a local midnight.
    fn midnight(&self, date: NaiveDate) -> i64 {
        let local = date.and_hms_opt(0, 0, 0).expect("every day has a midnight");
        let zone = self.estate.time_zone;
        let instant = zone.from_local_datetime(&local).earliest();
        instant.map_or_else(|| local.and_utc().timestamp_micros(), |instant| instant.timestamp_micros())
    }

    fn outages(&self, day: u64, midnight: i64) -> Vec<Outage> {
        let mut outages = Vec::new();
        for (index, system) in self.estate.systems.iter().enumerate() {
            let mut rng = keyed(self.options.seed, Purpose::Outage, index as u64, day);
            if rng.random_bool(system.outages_per_day) {
                let from_s: f64 = rng.random_range(9.0 * 3600.0..16.5 * 3600.0);
                let length_s: f64 = rng.random_range(240.0..1_500.0);
                let from = midnight + (from_s * SECOND) as i64;
                let system = self.estate.numbered_system(index);
                outages.push(Outage { system, from, to: from + (length_s * SECOND) as i64 });
            }
        }
        outages
    }
}

impl Iterator for Simulation {
    type Item = Day;

    fn next(&mut self) -> Option<Day> {
        while self.next < self.end {
            let date = self.next;
            self.next = date.succ_opt().expect("options bound the end");
            if date.weekday().num_days_from_monday() < 5 && !self.estate.holidays.contains_key(&date) {
                return Some(self.work(date));
            }
        }
        None
    }
}

impl Day {
    /// What happened, worker by worker.
    #[must_use]
    pub fn interactions(&self) -> &[Vec<Interaction>] {
        &self.interactions
    }

    /// How many spans it has.
    #[must_use]
    pub fn spans(&self) -> usize {
        self.interactions.iter().map(Vec::len).sum()
    }

    /// What the systems sent, in the order in which it was received; each made when it is asked for.
    #[must_use]
    pub fn exports(&self) -> Exports<'_> {
        Exports::new(&self.sender, &self.interactions, self.seed, self.date)
    }
}

#[cfg(test)]
mod tests;
