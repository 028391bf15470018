//! A worker at the desk: where the clock stands, who is signed in where, and what has happened so far today.
//!
//! Time only goes forward, and each stretch of it is booked as what the person was doing: the *lived truth*. What the
//! systems notice of it is a list of interactions.

use gilbreth_conventions::kind::{Kind, Outcome, Trigger};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::habits::Habits;
use crate::estate::{Estate, ScreenId, SystemId};
use crate::interaction::{Interaction, SpanId, TaskRef};
use crate::random::log_normal;
use crate::truth::{Category, Seconds};
use crate::world::cases::CaseId;
use crate::world::people::Worker;

/// Microseconds in a second.
pub(super) const SECOND: f64 = 1e6;

/// When a system is out of order, in Unix microseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outage {
    pub(super) system: SystemId,
    pub(super) from: i64,
    pub(super) to: i64,
}

#[derive(Debug, Clone, Copy)]
struct Session {
    id: u64,
    used_at: i64,
}

pub(super) struct Desk<'a> {
    pub(super) estate: &'a Estate,
    pub(super) worker: &'a Worker,
    index: usize,
    pub(super) rng: ChaCha8Rng,
    /// Unix microseconds.
    pub(super) now: i64,
    pub(super) lived: Seconds,
    pub(super) done: Vec<Interaction>,
    pub(super) outages: &'a [Outage],
    sessions: Vec<Option<Session>>,
    pub(super) in_front: Option<SystemId>,
    pub(super) about: About,
    pub(super) habits: Habits,
    pub(super) lunch: Lunch,
    /// Whether the next save is left to itself.
    pub(super) leaves_it_waiting: bool,
    /// Which systems the task has come to.
    pub(super) met: Vec<bool>,
    /// Seconds by which the next screen takes longer.
    pub(super) slower_s: f64,
}

/// How it stands with lunch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lunch {
    /// Not yet.
    Later,
    /// As soon as a field is open: the worker goes with the cursor in it.
    InAField,
    /// It is over.
    Over,
}

/// What the worker is at: copied onto each interaction.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct About {
    pub(super) trace: u128,
    pub(super) root: Option<SpanId>,
    pub(super) task: Option<TaskRef>,
    pub(super) case: Option<CaseId>,
    pub(super) record: Option<u64>,
}

impl<'a> Desk<'a> {
    pub(super) fn new(
        estate: &'a Estate,
        worker: &'a Worker,
        index: usize,
        rng: ChaCha8Rng,
        now: i64,
        outages: &'a [Outage],
        habits: Habits,
    ) -> Self {
        let mut desk = Self {
            estate,
            worker,
            index,
            rng,
            now,
            lived: Seconds::default(),
            done: Vec::with_capacity(400),
            outages,
            sessions: vec![None; estate.systems.len()],
            in_front: None,
            about: About::default(),
            habits,
            lunch: Lunch::Later,
            leaves_it_waiting: false,
            met: vec![false; estate.systems.len()],
            slower_s: 0.0,
        };
        desk.about.trace = desk.rng.random::<u128>().max(1);
        desk
    }

    /// The worker's place in the list.
    pub(super) fn index(&self) -> usize {
        self.index
    }

    /// A log-normal duration in seconds.
    pub(super) fn about_s(&mut self, median_s: f64, sigma: f64) -> f64 {
        log_normal(&mut self.rng, median_s, sigma)
    }

    pub(super) fn happens(&mut self, share: f64) -> bool {
        self.rng.random_bool(share)
    }

    /// The same for what a scenario may rule out: chance is not asked where there is none.
    pub(super) fn may_happen(&mut self, share: f64) -> bool {
        share > 0.0 && self.happens(share)
    }

    /// Whether the worker has signed in to a system today.
    pub(super) fn knows(&self, system: SystemId) -> bool {
        self.sessions[system.index()].is_some_and(|session| session.used_at > 0)
    }

    /// Lets time pass, a microsecond at least.
    pub(super) fn spend(&mut self, as_what: Category, seconds: f64) {
        let micros = ((seconds * SECOND) as i64).max(1);
        self.lived.add(as_what, micros);
        self.now += micros;
    }

    /// Lets time pass until then.
    pub(super) fn spend_until(&mut self, as_what: Category, then: i64) {
        self.lived.add(as_what, (then - self.now).max(0));
        self.now = self.now.max(then);
    }

    /// A few milliseconds, so that no two instants are the same.
    pub(super) fn tick(&mut self) {
        let seconds = self.rng.random_range(0.002..0.03);
        self.spend(Category::Reading, seconds);
    }

    /// An interaction that begins and ends now, of what the worker is at.
    pub(super) fn interaction(&mut self, system: SystemId, kind: Option<Kind>) -> Interaction {
        Interaction {
            trace: self.about.trace,
            span: self.rng.random::<u64>().max(1),
            parent: self.about.root,
            worker: self.index,
            session: self.sessions[system.index()].map_or(0, |session| session.id),
            system,
            screen: None,
            field: None,
            kind,
            trigger: Trigger::User,
            started_at: self.now,
            ended_at: self.now,
            case: self.about.case,
            record: self.about.record,
            task: self.about.task,
            origin: None,
            keystrokes: None,
            corrections: None,
            continues: None,
            value: None,
            outcome: Outcome::Ok,
        }
    }

    /// Does something for a while on a screen.
    pub(super) fn act(&mut self, screen: ScreenId, kind: Kind, seconds: f64, outcome: Outcome) {
        let system = self.estate.screen(screen).system;
        let mut span = self.interaction(system, Some(kind));
        span.screen = Some(screen);
        span.outcome = outcome;
        self.spend(Category::Navigation, seconds);
        span.ended_at = self.now;
        self.done.push(span);
    }

    /// An instant on a screen.
    pub(super) fn instant(&mut self, screen: ScreenId, kind: Kind) {
        let system = self.estate.screen(screen).system;
        let mut span = self.interaction(system, Some(kind));
        span.screen = Some(screen);
        self.done.push(span);
    }

    /// When the outage ends in which the system is now, if it is in one.
    pub(super) fn outage_ends(&self, system: SystemId) -> Option<i64> {
        self.outages
            .iter()
            .find(|outage| outage.system == system && (outage.from..outage.to).contains(&self.now))
            .map(|outage| outage.to)
    }

    /// Comes to a system: turns to it, and signs in where there is no session or it has run out.
    pub(super) fn reach(&mut self, system: SystemId) {
        if self.in_front.is_some_and(|other| other != system) {
            let seconds = self.about_s(3.5, 0.5);
            self.spend(Category::Switching, seconds);
        }
        self.in_front = Some(system);
        let again_after = (self.estate.system(system).sign_in_again_after_min * 60.0 * SECOND) as i64;
        let signed_in = self.sessions[system.index()].is_some_and(|session| self.now - session.used_at <= again_after);
        if !signed_in {
            self.sign_in(system);
        }
    }

    /// The system is in use now, which keeps its session alive.
    pub(super) fn use_system(&mut self, system: SystemId) {
        let now = self.now;
        if let Some(session) = &mut self.sessions[system.index()] {
            session.used_at = now;
        }
    }

    pub(super) fn sign_in(&mut self, system: SystemId) {
        let first = self.sessions[system.index()].is_none();
        let id = self.rng.random::<u64>().max(1);
        self.sessions[system.index()] = Some(Session { id, used_at: self.now });
        let median_s = self.estate.system(system).sign_in_s;
        while let Some(end) = self.outage_ends(system) {
            let seconds = self.about_s(median_s * 0.7, 0.3);
            self.sign_in_attempt(system, seconds, Category::Unavailable, Outcome::Failed);
            self.sit_out(end);
        }
        let seconds = self.about_s(median_s, 0.35);
        let as_what = if first { Category::SignIn } else { Category::RepeatSignIn };
        self.sign_in_attempt(system, seconds, as_what, Outcome::Ok);
        self.use_system(system);
    }

    fn sign_in_attempt(&mut self, system: SystemId, seconds: f64, as_what: Category, outcome: Outcome) {
        let mut span = self.interaction(system, Some(Kind::SignIn));
        span.case = None;
        span.record = None;
        span.outcome = outcome;
        self.spend(as_what, seconds);
        span.ended_at = self.now;
        self.done.push(span);
    }

    /// Does something else until the worker tries again, not long after the outage.
    pub(super) fn sit_out(&mut self, end: i64) {
        let left_s = (end - self.now).max(0) as f64 / SECOND;
        let seconds = self.about_s(150.0, 0.6).min(left_s + 20.0);
        self.spend(Category::Away, seconds);
    }

    /// Has lunch.
    pub(super) fn eat(&mut self) {
        let seconds = self.about_s(38.0 * 60.0, 0.25);
        self.spend(Category::Away, seconds);
    }

    /// Signs out of every system; what was being done is over.
    pub(super) fn sign_out(&mut self) {
        for index in 0..self.sessions.len() {
            let system = self.estate.numbered_system(index);
            let open = self.sessions[index].is_some_and(|session| session.used_at > 0);
            if open && self.happens(0.7) {
                let seconds = self.about_s(1.5, 0.4);
                self.spend(Category::Navigation, seconds);
                let span = self.interaction(system, Some(Kind::SignOut));
                self.done.push(span);
                self.tick();
                // The next sign-in of the day is not the first: the session is over, not unknown.
                if let Some(session) = &mut self.sessions[index] {
                    session.used_at = i64::MIN / 2;
                }
            }
        }
        self.in_front = None;
    }
}
