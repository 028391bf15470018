//! The cases of one system, kept in memory.

use std::{collections::BTreeMap, time::Duration};

use super::{
    forms::Form,
    system::{System, crn},
};

/// How many cases there are.
pub(super) const CASES: u32 = 24;
/// What is asked of the store takes so long.
pub(super) const LOOK_UP: Duration = Duration::from_millis(30);

/// What was saved of a form, by field.
pub(super) type Values = BTreeMap<String, String>;

/// A case as one system knows it.
#[derive(Debug, Clone)]
pub(super) struct Case {
    /// The number that all systems know.
    pub(super) crn: String,
    /// This system's own.
    pub(super) number: String,
    /// What was saved, by form.
    pub(super) saved: BTreeMap<&'static str, Values>,
}

impl Case {
    /// What was saved of a form; nothing yet, often.
    pub(super) fn values(&self, form: &Form) -> Values {
        self.saved.get(form.id).cloned().unwrap_or_default()
    }

    /// What was saved of a field.
    pub(super) fn value(&self, form: &Form, field: &str) -> &str {
        self.saved.get(form.id).and_then(|values| values.get(field)).map_or("", String::as_str)
    }
}

/// All cases of a system. Their number is fixed, and so are their forms and fields.
#[derive(Debug)]
pub(super) struct Records {
    cases: Vec<Case>,
    saves: u32,
}

/// What the next save will meet: systems are slow now and then, and at times not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Save {
    /// It takes so long and is done.
    Takes(Duration),
    /// It takes so long and fails.
    Fails(Duration),
}

impl Records {
    /// Cases of which nothing is known but their numbers.
    pub(super) fn new(system: System) -> Self {
        let case = |number| Case { crn: crn(number), number: system.number(number), saved: BTreeMap::new() };
        Self { cases: (1..=CASES).map(case).collect(), saves: 0 }
    }

    /// The case of a number, of this system or all.
    pub(super) fn case(&self, number: &str) -> Option<&Case> {
        self.cases.iter().find(|case| case.crn == number || case.number == number)
    }

    /// Cases that have a number or a value that begins so, small and large letters alike.
    pub(super) fn found(&self, text: &str) -> Vec<Case> {
        let text = text.trim().to_lowercase();
        let begins = |value: &str| value.to_lowercase().starts_with(&text);
        let fits = |case: &&Case| {
            begins(&case.crn)
                || begins(&case.number)
                || case.saved.values().flat_map(Values::values).any(|one| begins(one))
        };
        if text.is_empty() { Vec::new() } else { self.cases.iter().filter(fits).cloned().collect() }
    }

    /// What the next save meets: every third is slow, every eleventh fails.
    pub(super) fn next_save(&mut self) -> Save {
        self.saves += 1;
        match self.saves {
            number if number % 11 == 0 => Save::Fails(Duration::from_millis(900)),
            number if number % 3 == 0 => Save::Takes(Duration::from_millis(2_200)),
            _ => Save::Takes(Duration::from_millis(120)),
        }
    }

    /// Keeps what a form was given. A case that is not there stays so.
    pub(super) fn save(&mut self, number: &str, form: &'static Form, values: Values) {
        if let Some(case) = self.cases.iter_mut().find(|case| case.crn == number || case.number == number) {
            case.saved.insert(form.id, values);
        }
    }
}
