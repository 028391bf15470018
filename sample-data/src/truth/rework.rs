//! The same field keyed again within a task.
//!
//! All that is keyed in a simulation is part of a task that is known by its id or its trace, so the method's other
//! branch (same worker, case and day, with cause) never comes up.

use std::collections::BTreeSet;

use crate::interaction::{Interaction, SpanId};

/// The spans of a worker's day that are rework; for a chain, its last.
pub(super) fn reworked(day: &[Interaction]) -> BTreeSet<SpanId> {
    let mut keyed: Vec<&Interaction> = day.iter().filter(|span| span.is_keyed() && span.continues.is_none()).collect();
    keyed.sort_by_key(|span| (span.started_at, span.span));
    let mut seen = BTreeSet::new();
    let mut reworked = BTreeSet::new();
    for span in keyed {
        let (Some(task), Some(field)) = (span.task, span.field) else { continue };
        if !seen.insert((task.instance, span.case, field, span.record)) {
            reworked.insert(span.span);
        }
    }
    reworked
}
