//! Going to a screen, reading it, filling it in, saving it.

use gilbreth_conventions::kind::{Kind, Origin, Outcome, Trigger};
use rand::RngExt;

use super::desk::Desk;
use super::entry::Entered;
use crate::estate::{FactId, FieldId, Holds, How, ScreenId};
use crate::interaction::Value;
use crate::truth::Category;
use crate::world::cases::Cases;
use crate::world::vocabulary::Circumstances;

/// How often a save is tried before the worker makes do.
const SAVES_MAX: u32 = 4;

/// Whether the systems give each other what they hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sharing {
    /// No: what one holds is keyed into the next.
    None,
    /// Yes: what the case holds anywhere is there already.
    Everything,
}

impl Desk<'_> {
    pub(super) fn visit(
        &mut self,
        screen: ScreenId,
        cases: &mut Cases,
        circumstances: &Circumstances<'_>,
        sharing: Sharing,
    ) {
        let on = self.estate.screen(screen);
        self.reach(on.system);
        let case = self.about.case;
        if on.find_by.is_some() {
            self.about.case = None;
        }
        let seconds = self.about_s(1.1, 0.5);
        self.act(screen, Kind::Navigation, seconds, Outcome::Ok);
        self.wait(screen, 1.0);
        self.wait_longer(screen);
        self.instant(screen, Kind::View);
        self.tick();
        if let Some(fact) = on.find_by {
            self.read(screen, on.reading_s);
            self.search(screen, fact, case, cases);
            self.about.case = case;
            return;
        }
        let to_key = self.see(screen, cases, sharing);
        self.read(screen, on.reading_s);
        self.fill_in(screen, &to_key, cases, circumstances);
        self.use_system(on.system);
    }

    /// What the screen shows of itself; the rest is left to key.
    fn see(&mut self, screen: ScreenId, cases: &mut Cases, sharing: Sharing) -> Vec<FieldId> {
        let mut to_key = Vec::new();
        let Some(case) = self.about.case else { return to_key };
        for &id in &self.estate.screen(screen).fields {
            let field = self.estate.field(id);
            let Holds::Fact(fact) = field.holds else {
                to_key.push(id);
                continue;
            };
            let given = cases.is_held(case, fact) && sharing == Sharing::Everything;
            if field.how != How::Seen && !given {
                to_key.push(id);
                continue;
            }
            if !cases.is_held(case, fact) {
                continue;
            }
            let kind = if field.how == How::Seen { Kind::View } else { Kind::Entry };
            let mut span = self.interaction(field.system, Some(kind));
            span.screen = Some(screen);
            span.field = Some(id);
            span.origin = (kind == Kind::Entry).then_some(Origin::Prefilled);
            let edition = cases.edition(case, fact);
            span.value = Some(Value { text: cases.value(self.estate, case, edition), edition: Some(edition) });
            self.done.push(span);
            self.tick();
        }
        to_key
    }

    /// Reads, is interrupted, looks at something else.
    fn read(&mut self, screen: ScreenId, median_s: f64) {
        let seconds = self.about_s(median_s, 0.6);
        self.spend(Category::Reading, seconds);
        if self.estate.screen(screen).refreshes && self.happens(0.3) {
            self.refresh(screen);
        }
        match self.rng.random_range(0..100) {
            0..4 => self.look_away(screen),
            4..6 => {
                let seconds = self.about_s(80.0, 0.5);
                self.spend(Category::Reading, seconds);
            }
            6..9 => {
                let seconds = self.about_s(30.0, 0.6);
                self.spend(Category::Away, seconds);
            }
            _ if self.may_happen(self.habits.hidden) => self.look_away(screen),
            _ => {}
        }
    }

    /// Something else comes to the front for a while.
    fn look_away(&mut self, screen: ScreenId) {
        self.instant(screen, Kind::Hidden);
        let seconds = self.about_s(28.0, 0.6);
        self.spend(Category::Elsewhere, seconds);
        self.instant(screen, Kind::Shown);
        self.tick();
    }

    /// The screen fetches itself again while it is read; that is nobody's doing.
    fn refresh(&mut self, screen: ScreenId) {
        let from = self.done.iter().rposition(|span| span.screen == Some(screen) && span.value.is_none());
        let seen: Vec<_> = self.done[from.map_or(0, |at| at + 1)..]
            .iter()
            .filter(|span| span.screen == Some(screen) && span.field.is_some() && span.case == self.about.case)
            .cloned()
            .collect();
        for shown in seen {
            let mut span = self.interaction(shown.system, Some(Kind::View));
            span.screen = shown.screen;
            span.field = shown.field;
            span.value = shown.value;
            span.trigger = Trigger::System;
            self.done.push(span);
        }
    }

    fn search(&mut self, screen: ScreenId, by: FactId, case: Option<crate::world::cases::CaseId>, cases: &Cases) {
        let Some(case) = case else { return };
        let edition = cases.edition(case, by);
        let text = cases.value(self.estate, case, edition);
        let keys = text.chars().count();
        let mut span = self.interaction(self.estate.screen(screen).system, Some(Kind::Search));
        span.screen = Some(screen);
        span.keystrokes = u32::try_from(keys).ok();
        span.corrections = Some(0);
        span.value = Some(Value { text, edition: Some(edition) });
        let seconds = keys as f64 * self.worker.key_s + self.about_s(1.8, 0.4);
        self.spend(Category::Search, seconds);
        span.ended_at = self.now;
        self.done.push(span);
        self.wait(screen, 1.2);
    }

    /// Keys what is to be keyed and saves it, again where validation refuses it or the work is lost.
    fn fill_in(&mut self, screen: ScreenId, to_key: &[FieldId], cases: &mut Cases, circumstances: &Circumstances<'_>) {
        let begun = self.now;
        let mut entered = Vec::with_capacity(to_key.len());
        for &field in to_key {
            let value = self.value_for(field, cases, circumstances);
            let value = self.as_typed(field, value, cases);
            let one = self.enter(field, value, cases);
            entered.push(self.think_again(one, circumstances));
        }
        if entered.is_empty() {
            return;
        }
        let system = self.estate.system(self.estate.screen(screen).system);
        if system.auto_save && self.now - begun > 20_000_000 {
            self.auto_save(screen, begun);
        }
        for attempt in 1..=SAVES_MAX {
            let chance: f64 = self.rng.random();
            let outcome = if attempt == SAVES_MAX || chance > system.lost_work + system.rejected {
                Outcome::Ok
            } else if chance > system.lost_work {
                Outcome::Rejected
            } else if chance > system.lost_work * 0.3 {
                Outcome::Lost
            } else {
                Outcome::Failed
            };
            let pause_s = self.about_s(1.2, 0.5);
            self.spend(Category::Reading, pause_s);
            let seconds = self.about_s(0.4, 0.3);
            self.act(screen, Kind::Action, seconds, outcome);
            if outcome == Outcome::Ok && std::mem::take(&mut self.leaves_it_waiting) {
                self.leave_waiting(screen, 1.6);
                break;
            }
            self.wait(screen, 1.6);
            match outcome {
                Outcome::Ok | Outcome::Abandoned => break,
                Outcome::Rejected => self.correct(&mut entered, circumstances),
                Outcome::Lost | Outcome::Failed => self.key_all_again(&entered),
            }
        }
    }

    /// Validation refuses one or two fields: they are keyed again; what is true stays as it is.
    fn correct(&mut self, entered: &mut [Entered], circumstances: &Circumstances<'_>) {
        let fields = if self.happens(0.3) { 2 } else { 1 };
        let seconds = self.about_s(4.0, 0.5);
        self.spend(Category::Reading, seconds);
        let first = self.rng.random_range(0..entered.len());
        for at in (first..entered.len()).take(fields) {
            let again = self.other_value(&entered[at], circumstances).unwrap_or_else(|| entered[at].value.clone());
            entered[at].value = again;
            let one = entered[at].clone();
            self.enter_again(&one);
        }
    }

    fn key_all_again(&mut self, entered: &[Entered]) {
        let seconds = self.about_s(5.0, 0.5);
        self.spend(Category::Reading, seconds);
        for one in entered {
            self.enter_again(one);
        }
    }

    /// What was made for this field alone is now and then put another way before it is saved.
    fn think_again(&mut self, one: Entered, circumstances: &Circumstances<'_>) -> Entered {
        if !self.happens(0.03) {
            return one;
        }
        let Some(value) = self.other_value(&one, circumstances) else { return one };
        let other = Entered { value, ..one };
        let seconds = self.about_s(3.0, 0.6);
        self.spend(Category::Reading, seconds);
        self.enter_again(&other);
        other
    }

    fn other_value(&mut self, one: &Entered, circumstances: &Circumstances<'_>) -> Option<Value> {
        match &self.estate.field(one.field).holds {
            Holds::Value(maker) if !maker.agrees_by_nature() => {
                Some(Value { text: maker.make(&mut self.rng, circumstances), edition: None })
            }
            Holds::Value(_) | Holds::Fact(_) => None,
        }
    }

    fn value_for(&mut self, field: FieldId, cases: &Cases, circumstances: &Circumstances<'_>) -> Value {
        match (&self.estate.field(field).holds, self.about.case) {
            (Holds::Fact(fact), Some(case)) => {
                let edition = cases.edition(case, *fact);
                Value { text: cases.value(self.estate, case, edition), edition: Some(edition) }
            }
            (Holds::Fact(fact), None) => {
                let maker = &self.estate.fact(*fact).maker;
                Value { text: maker.make(&mut self.rng, circumstances), edition: None }
            }
            (Holds::Value(maker), _) => Value { text: maker.make(&mut self.rng, circumstances), edition: None },
        }
    }

    /// The system saves by itself while the worker types.
    fn auto_save(&mut self, screen: ScreenId, begun: i64) {
        let mut span = self.interaction(self.estate.screen(screen).system, Some(Kind::Action));
        span.screen = Some(screen);
        span.trigger = Trigger::System;
        span.started_at = begun + (self.now - begun) / 2;
        span.ended_at = span.started_at + 180_000;
        self.done.push(span);
    }
}
