//! A worker's day: when it begins, which tasks it has, when lunch is.

use chrono::NaiveDate;
use gilbreth_conventions::kind::Outcome;
use rand::RngExt;
use rand::seq::SliceRandom;

use super::desk::{About, Desk, Lunch, SECOND};
use super::visit::Sharing;
use crate::estate::{Cases as TaskCases, Estate, ScreenId, SystemId, TaskId};
use crate::interaction::TaskRef;
use crate::options::{Options, Scenario};
use crate::random::poisson;
use crate::truth::Category;
use crate::world::cases::{CaseId, Cases};
use crate::world::people::Worker;
use crate::world::vocabulary::Circumstances;

/// No task is begun later than so many hours after the day began.
const BEGIN_WITHIN_H: f64 = 8.3;
/// After so many hours it is time for lunch.
const LUNCH_AFTER_H: f64 = 3.6;
/// Who goes to lunch in the middle of a screen goes at the first after so many hours.
const LUNCH_IN_A_FIELD_AFTER_H: f64 = 3.0;
/// Minutes that a task is thought to need when the day is planned.
const TASK_MIN: f64 = 7.0;

/// Which part of the day's systems and cases the shift works with.
pub(super) struct Shift<'w> {
    pub(super) day: NaiveDate,
    pub(super) options: &'w Options,
    pub(super) estate: &'w Estate,
    pub(super) workers: &'w [Worker],
    pub(super) cases: &'w mut Cases,
    /// Cases that the worker was at today: each is taken up once a day.
    pub(super) seen: Vec<CaseId>,
}

impl Shift<'_> {
    /// Works through the day.
    pub(super) fn work(&mut self, desk: &mut Desk<'_>) {
        let tasks = self.plan(desk);
        let begun = desk.now;
        let session = desk.about;
        let in_a_field = desk.may_happen(desk.habits.lunch_in_a_field);
        if let Some(system) = self.main_system(&tasks, desk) {
            desk.reach(system);
        }
        for (done, &task) in tasks.iter().enumerate() {
            let hours = (desk.now - begun) as f64 / (3600.0 * SECOND);
            if hours > BEGIN_WITHIN_H {
                break;
            }
            if desk.lunch != Lunch::Over && hours > LUNCH_AFTER_H {
                desk.lunch = Lunch::Over;
                lunch(desk);
            } else if desk.lunch == Lunch::Later && in_a_field && hours > LUNCH_IN_A_FIELD_AFTER_H {
                desk.lunch = Lunch::InAField;
            }
            let left_min = (BEGIN_WITHIN_H - hours) * 60.0;
            let spare_min = left_min / (tasks.len() - done) as f64 - TASK_MIN;
            let between_s: f64 = desk.about_s(spare_min.max(1.5) * 60.0 * 0.6, 0.9);
            desk.spend(Category::Away, between_s.clamp(3.0, 7_200.0));
            self.task(desk, task);
            desk.about = session;
        }
        desk.sign_out();
    }

    /// Today's tasks, in the order in which they come up.
    fn plan(&self, desk: &mut Desk<'_>) -> Vec<TaskId> {
        let mut tasks = Vec::new();
        for (id, task) in self.estate.numbered_tasks() {
            let rate = task.per_day_of(&desk.worker.role);
            if rate > 0.0 {
                let times = poisson(&mut desk.rng, rate);
                tasks.extend((0..times).map(|_| id));
            }
        }
        tasks.shuffle(&mut desk.rng);
        tasks
    }

    fn main_system(&self, tasks: &[TaskId], desk: &Desk<'_>) -> Option<SystemId> {
        let first = self.estate.task(*tasks.first()?).steps.first()?;
        first.screen(desk.worker.case_system).map(|screen| self.estate.screen(screen).system)
    }

    fn task(&mut self, desk: &mut Desk<'_>, id: TaskId) {
        let task = self.estate.task(id);
        let rows: Vec<CaseId> = (0..task.rows).filter_map(|_| self.case_for(desk, task.cases)).collect();
        let first = task.steps.iter().find_map(|step| step.screen(desk.worker.case_system));
        let (false, Some(first)) = (rows.is_empty(), first) else { return };
        let root = desk.rng.random::<u64>().max(1);
        let instance = desk.rng.random();
        let known = desk.happens(desk.habits.task_known);
        let named = desk.habits.task_named >= 1.0 || desk.happens(desk.habits.task_named);
        let reference = TaskRef { task: id, instance, known, named };
        desk.about = About {
            trace: desk.rng.random::<u128>().max(1),
            root: Some(root),
            task: Some(reference),
            case: None,
            record: None,
        };
        let begun = desk.now;
        desk.met.fill(false);
        for &case in &rows {
            for &fact in &task.renews {
                self.cases.renew(case, fact);
            }
            desk.about.case = Some(case);
            desk.about.record = Some(desk.rng.random());
            self.steps(desk, id);
        }
        desk.about.case = None;
        desk.about.record = None;
        let mut span = desk.interaction(self.estate.screen(first).system, None);
        span.span = root;
        span.parent = None;
        span.started_at = begun;
        span.ended_at = desk.now;
        span.outcome = Outcome::Ok;
        desk.done.push(span);
        if task.cases == TaskCases::Waiting {
            for case in rows {
                self.allocate(desk, case);
            }
        }
    }

    fn steps(&mut self, desk: &mut Desk<'_>, id: TaskId) {
        let worker = desk.worker;
        let circumstances = Circumstances { today: self.day, own_name: &worker.name, own_office: &worker.office };
        let steps: Vec<_> = self
            .estate
            .task(id)
            .steps
            .iter()
            .filter(|step| !step.hard || self.options.scenario == Scenario::Hard)
            .filter_map(|step| Some((step, step.screen(worker.case_system)?)))
            .collect();
        let interface = self.has_interface(worker);
        for (place, &(step, screen)) in steps.iter().enumerate() {
            let shared = self.options.scenario == Scenario::NoReEntry || (step.shared && interface);
            let sharing = if shared { Sharing::Everything } else { Sharing::None };
            let next = steps.get(place + 1).map(|(_, next)| self.estate.screen(*next).system);
            let leaving = next.is_some_and(|next| next != self.estate.screen(screen).system);
            desk.leaves_it_waiting = leaving && desk.may_happen(desk.habits.left_waiting);
            desk.slower_s = self.slower_s(desk, screen);
            desk.visit(screen, self.cases, &circumstances, sharing);
        }
    }

    /// Whether the interface carries to a worker's company today what the case already holds.
    fn has_interface(&self, worker: &Worker) -> bool {
        let effects = self.options.has_effects().then_some(&self.estate.effects);
        let interface = effects.and_then(|effects| effects.interface.as_ref());
        let live = interface.zip(worker.company).and_then(|(it, company)| it.goes_live_on(company, self.options));
        worker.interface || live.is_some_and(|live| live <= self.day)
    }

    /// Seconds by which a planted release makes a task wait longer on its first screen of that system.
    fn slower_s(&self, desk: &mut Desk<'_>, screen: ScreenId) -> f64 {
        let system = self.estate.screen(screen).system;
        let first = !std::mem::replace(&mut desk.met[system.index()], true);
        if !first || !self.options.has_effects() {
            return 0.0;
        }
        self.estate.effects.release(system, self.day, self.options).map_or(0.0, |release| release.wait_s)
    }

    fn case_for(&mut self, desk: &mut Desk<'_>, which: TaskCases) -> Option<CaseId> {
        let case = match which {
            TaskCases::New => Some(self.cases.arrive()),
            TaskCases::Waiting => self.cases.next_waiting(),
            TaskCases::Own => {
                let own = self.cases.own(desk.index());
                pick(desk, own, &self.seen)
            }
            TaskCases::Any => {
                let any = self.cases.any(desk.worker.case_system);
                pick(desk, any, &self.seen)
            }
        }?;
        self.seen.push(case);
        Some(case)
    }

    /// Half of what is allocated goes to the service, half to the companies.
    fn allocate(&mut self, desk: &mut Desk<'_>, case: CaseId) {
        let to_service = desk.happens(0.5);
        let able: Vec<usize> = (0..self.workers.len())
            .filter(|index| self.workers[*index].case_system.is_none() == to_service)
            .filter(|index| !self.cases.own(*index).is_empty())
            .collect();
        if able.is_empty() {
            return;
        }
        let worker = able[desk.rng.random_range(0..able.len())];
        self.cases.give_tomorrow(case, worker);
    }
}

fn pick(desk: &mut Desk<'_>, from: &[CaseId], seen: &[CaseId]) -> Option<CaseId> {
    if from.is_empty() {
        return None;
    }
    (0..50).map(|_| from[desk.rng.random_range(0..from.len())]).find(|case| !seen.contains(case))
}

/// Lunch, away from everything.
fn lunch(desk: &mut Desk<'_>) {
    if desk.happens(0.4) {
        desk.sign_out();
    }
    desk.eat();
}
