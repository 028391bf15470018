//! Waiting for a system, and what people do meanwhile.

use gilbreth_conventions::kind::{Kind, Outcome};

use super::desk::{Desk, SECOND};
use crate::estate::ScreenId;
use crate::truth::Category;

/// What a person takes for an instant answer, in the lived truth; the method's tolerated wait happens to be the same.
const TOLERATED_S: f64 = 1.0;

impl Desk<'_> {
    /// Waits until the screen can be used; `factor` is how much longer than usual that takes.
    pub(super) fn wait(&mut self, screen: ScreenId, factor: f64) {
        let system = self.estate.screen(screen).system;
        self.wait_out_an_outage(screen);
        let seconds = self.answer_s(screen, factor);
        let impatient = seconds > 5.0 && self.happens(0.25);
        let from = self.now;
        self.span_of_wait(screen, from, from + (seconds * SECOND) as i64, Outcome::Ok);
        if impatient {
            self.click_in_vain(screen, seconds);
            return;
        }
        self.spend(Category::Response, seconds.min(TOLERATED_S));
        if seconds > TOLERATED_S {
            self.spend(Category::Wait, seconds - TOLERATED_S);
        }
        if self.happens(0.12) {
            self.second_request(screen, seconds);
        }
        self.use_system(system);
    }

    /// Waits as much longer as a planted release makes the screen take.
    pub(super) fn wait_longer(&mut self, screen: ScreenId) {
        let seconds = std::mem::take(&mut self.slower_s);
        if seconds > 0.0 {
            let from = self.now;
            self.spend(Category::Wait, seconds);
            self.span_of_wait(screen, from, self.now, Outcome::Ok);
            let system = self.estate.screen(screen).system;
            self.use_system(system);
        }
    }

    /// Does not wait for the answer, but turns to another window before it is there.
    pub(super) fn leave_waiting(&mut self, screen: ScreenId, factor: f64) {
        self.wait_out_an_outage(screen);
        let seconds = self.answer_s(screen, factor);
        let from = self.now;
        self.span_of_wait(screen, from, from + (seconds * SECOND) as i64, Outcome::Ok);
        let looked_on_s = self.about_s(1.5, 0.4).min(seconds);
        self.spend(Category::Response, looked_on_s.min(TOLERATED_S));
        if looked_on_s > TOLERATED_S {
            self.spend(Category::Wait, looked_on_s - TOLERATED_S);
        }
        let system = self.estate.screen(screen).system;
        self.use_system(system);
    }

    /// How long the answer takes.
    fn answer_s(&mut self, screen: ScreenId, factor: f64) -> f64 {
        let on = self.estate.screen(screen);
        let of = self.estate.system(on.system);
        let (median_s, sigma) = (of.wait_median_s * on.slower * factor, of.wait_sigma);
        self.about_s(median_s, sigma).clamp(0.05, 280.0)
    }

    fn span_of_wait(&mut self, screen: ScreenId, from: i64, to: i64, outcome: Outcome) {
        let mut span = self.interaction(self.estate.screen(screen).system, Some(Kind::Wait));
        span.screen = Some(screen);
        span.started_at = from;
        span.ended_at = to;
        span.outcome = outcome;
        self.done.push(span);
    }

    /// A page asks twice: the second request overlaps the first, or follows at once.
    fn second_request(&mut self, screen: ScreenId, first_s: f64) {
        let end = self.now;
        let overlaps = self.happens(0.5);
        let begins_s = if overlaps { -first_s * 0.4 } else { self.about_s(0.03, 0.5).min(0.09) };
        let more_s = self.about_s(0.8, 0.7).min(60.0);
        let from = end + (begins_s * SECOND) as i64;
        let to = end + ((begins_s.max(0.0) + more_s) * SECOND) as i64;
        self.span_of_wait(screen, from, to, Outcome::Ok);
        self.spend_until(Category::Wait, to);
    }

    /// The worker clicks while the system works: the systems see the wait end there, the person waits on.
    fn click_in_vain(&mut self, screen: ScreenId, seconds: f64) {
        self.spend(Category::Response, TOLERATED_S);
        let before_s = seconds * 0.6 - TOLERATED_S;
        self.spend(Category::Wait, before_s);
        self.act(screen, Kind::Action, 0.2, Outcome::Ok);
        let after_s = (seconds * 0.4 - 0.2).max(0.1);
        self.spend(Category::Wait, after_s);
        let system = self.estate.screen(screen).system;
        self.use_system(system);
    }

    /// While the system is out of order, requests fail; then the worker has to sign in again.
    fn wait_out_an_outage(&mut self, screen: ScreenId) {
        let system = self.estate.screen(screen).system;
        let mut failed = false;
        while let Some(end) = self.outage_ends(system) {
            failed = true;
            let seconds = self.about_s(25.0, 0.4).min(120.0);
            let from = self.now;
            self.spend(Category::Unavailable, seconds);
            self.span_of_wait(screen, from, self.now, Outcome::Failed);
            self.sit_out(end);
        }
        if failed {
            self.sign_in(system);
        }
    }
}
