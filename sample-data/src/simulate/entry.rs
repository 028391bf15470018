//! Keying a value into a field.

use gilbreth_conventions::kind::{Kind, Origin};
use rand::RngExt;

use super::desk::{Desk, Lunch};
use crate::estate::{FactId, FieldId, Holds, How};
use crate::interaction::{Interaction, Value};
use crate::truth::Category;
use crate::world::cases::Cases;
use crate::world::vocabulary::{Maker, mistyped};

/// What was keyed where.
#[derive(Debug, Clone)]
pub(super) struct Entered {
    pub(super) field: FieldId,
    pub(super) value: Value,
}

/// Whether a pause may come in the middle of typing.
enum Pauses {
    Maybe,
    Never,
}

impl Desk<'_> {
    /// Keys a value for the first time on this screen.
    pub(super) fn enter(&mut self, id: FieldId, value: Value, cases: &mut Cases) -> Entered {
        let mut as_what = Category::FirstEntry;
        if let (Some(case), Some(edition)) = (self.about.case, value.edition) {
            if cases.is_held(case, edition.fact) {
                as_what = Category::ReEntry;
            }
            cases.hold(case, edition.fact);
        }
        if self.filled_by_the_browser(id, &value) {
            return Entered { field: id, value };
        }
        self.key(id, &value, as_what, &Pauses::Maybe);
        Entered { field: id, value }
    }

    /// A value as it comes out of the worker's fingers: what is keyed again, now and then in another form, now and then
    /// wrong. What is wrong is no fact.
    pub(super) fn as_typed(&mut self, id: FieldId, value: Value, cases: &Cases) -> Value {
        let (Some(case), Some(edition)) = (self.about.case, value.edition) else { return value };
        if self.estate.field(id).how != How::Typed || !cases.is_held(case, edition.fact) {
            return value;
        }
        if self.may_happen(self.habits.mistyped) {
            return Value { text: mistyped(&value.text, &mut self.rng), edition: None };
        }
        if self.may_happen(self.habits.other_form) {
            let maker = &self.estate.fact(edition.fact).maker;
            return Value { text: maker.in_another_form(&value.text, &mut self.rng), ..value };
        }
        value
    }

    /// Keys a value into a field of this screen once more.
    pub(super) fn enter_again(&mut self, one: &Entered) {
        self.key(one.field, &one.value, Category::Rework, &Pauses::Never);
    }

    /// Browsers remember what is keyed into the same field every day.
    fn filled_by_the_browser(&mut self, id: FieldId, value: &Value) -> bool {
        let remembers = matches!(self.estate.field(id).holds, Holds::Value(Maker::OwnName));
        if !remembers || !self.happens(0.2) {
            return false;
        }
        let mut span = self.keyed(id, Kind::Entry);
        span.origin = Some(Origin::Autofilled);
        span.value = Some(value.clone());
        self.done.push(span);
        self.tick();
        true
    }

    fn keyed(&mut self, id: FieldId, kind: Kind) -> Interaction {
        let field = self.estate.field(id);
        let mut span = self.interaction(field.system, Some(kind));
        span.screen = Some(field.screen);
        span.field = Some(id);
        span
    }

    fn key(&mut self, id: FieldId, value: &Value, as_what: Category, pauses: &Pauses) {
        let seconds = self.about_s(0.6, 0.5);
        self.spend(Category::Reading, seconds);
        let field = self.estate.field(id);
        if field.how == How::Chosen {
            let mut span = self.keyed(id, Kind::Choice);
            span.origin = Some(Origin::Selected);
            span.value = Some(value.clone());
            let seconds = self.about_s(2.4, 0.5).min(60.0);
            self.finish(span, as_what, seconds);
            return;
        }
        let pasted = field.pasted;
        if self.happens(pasted) {
            let mut span = self.keyed(id, Kind::Entry);
            span.origin = Some(Origin::Pasted);
            span.keystrokes = Some(2);
            span.corrections = Some(0);
            span.value = Some(value.clone());
            let seconds = self.about_s(2.6, 0.4).min(30.0);
            self.finish(span, as_what, seconds);
            return;
        }
        self.type_in(id, value, as_what, pauses);
    }

    fn type_in(&mut self, id: FieldId, value: &Value, as_what: Category, pauses: &Pauses) {
        let chars = u32::try_from(value.text.chars().count()).unwrap_or(u32::MAX);
        let corrections = (0..chars).filter(|_| self.rng.random_bool(0.03)).count() as u32;
        let keys = chars + 2 * corrections;
        let key_s = self.worker.key_s * self.about_s(1.0, 0.15).clamp(0.5, 1.8);
        let pause_after = match pauses {
            Pauses::Maybe if chars >= 8 && self.happens(if chars > 60 { 0.12 } else { 0.015 }) => {
                Some(self.rng.random_range(2..keys - 2))
            }
            Pauses::Maybe | Pauses::Never => None,
        };
        let mut span = self.keyed(id, Kind::Entry);
        span.corrections = Some(corrections);
        let mut rest = keys;
        if let Some(before) = pause_after {
            span.keystrokes = Some(before);
            span.corrections = Some(0);
            let begun = span.span;
            self.finish(span, as_what, f64::from(before) * key_s);
            let pause_s = self.rng.random_range(31.0..50.0);
            self.spend(Category::Reading, pause_s);
            rest -= before;
            span = self.keyed(id, Kind::Entry);
            span.corrections = Some(corrections);
            span.continues = Some(begun);
        }
        span.keystrokes = Some(rest);
        span.value = Some(value.clone());
        if as_what == Category::ReEntry
            && let Some(edition) = value.edition
            && self.may_happen(self.habits.looked_up)
        {
            self.look_up(id, edition.fact, value, as_what);
        }
        // Who copies a value looks it up first, with the field already in focus.
        let settle_s = self.about_s(if as_what == Category::ReEntry { 5.0 } else { 0.4 }, 0.6).min(30.0);
        let seconds = f64::from(rest) * key_s + settle_s;
        if self.lunch == Lunch::InAField {
            self.lunch = Lunch::Over;
            self.spend(as_what, seconds);
            self.eat();
            span.ended_at = self.now;
            self.done.push(span);
            return;
        }
        self.finish(span, as_what, seconds);
    }

    /// Turns to another window where the fact is shown, and back, with the field still open.
    fn look_up(&mut self, into: FieldId, fact: FactId, value: &Value, as_what: Category) {
        let here = self.estate.field(into).system;
        let known = |field: &FieldId| self.knows(self.estate.field(*field).system);
        let Some(shown) = self.estate.shown_elsewhere(fact, here).find(known) else { return };
        let field = self.estate.field(shown);
        let (system, screen) = (field.system, field.screen);
        // Nobody turns to another window the instant that a field is focused.
        let seconds = self.about_s(0.8, 0.4);
        self.spend(as_what, seconds);
        let mut turn = self.interaction(system, Some(Kind::Navigation));
        turn.screen = Some(screen);
        let seconds = self.about_s(1.0, 0.4);
        self.spend(as_what, seconds);
        turn.ended_at = self.now;
        self.done.push(turn);
        let mut view = self.interaction(system, Some(Kind::View));
        view.screen = Some(screen);
        view.field = Some(shown);
        view.value = Some(value.clone());
        self.done.push(view);
        let seconds = self.about_s(2.5, 0.4);
        self.spend(as_what, seconds);
    }

    fn finish(&mut self, mut span: Interaction, as_what: Category, seconds: f64) {
        self.spend(as_what, seconds);
        span.ended_at = self.now;
        self.done.push(span);
    }
}
