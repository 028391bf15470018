//! The sweep against a hand-made day, and against a specification that is nothing but the text of the method.

mod by_hand;
mod specification;

use super::{
    activity::{Activity, EntryIs, Kind, Rules},
    sweep::{Category, Stretch},
};
use crate::{local_time::LocalTime, operators::SpanKey, parameters::Parameters};

pub(super) fn rules() -> Rules {
    Rules::new(&Parameters::default(), LocalTime::new(chrono_tz::Europe::London))
}

pub(super) fn activity(kind: Kind, start: i64, end: i64, span: u64, system: u32) -> Activity {
    Activity {
        start,
        end,
        key: SpanKey { span, trace: 0 },
        kind,
        keystrokes: None,
        system,
        failed: false,
        entry: EntryIs::First,
        case: None,
        task_known: false,
        completes: false,
    }
}

/// Rows as (start, end, category, span of the owner).
pub(super) fn owned(activities: &[Activity], stretches: &[Stretch]) -> Vec<(i64, i64, Category, u64)> {
    stretches
        .iter()
        .map(|stretch| (stretch.start, stretch.end, stretch.category, activities[stretch.owner].key.span))
        .collect()
}
