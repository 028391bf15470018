//! Entries of the whole estate → chains and rework, case by case.

use super::{
    cores::on_cores,
    field_spans::{FieldSpan, FieldSpans, Is, NONE},
};
use crate::{
    local_time::{Days, LocalTime},
    operators::rework::{Cause, Entry, judge},
};

/// What is known of each span about a field, in their order.
#[derive(Debug, Default)]
pub struct Judgement {
    /// The first span of its chain; [`NONE`] for what was not entered by a person.
    pub heads: Vec<u32>,
    /// The last span of its chain: the one that has the value; [`NONE`] as for heads.
    pub lasts: Vec<u32>,
    /// Set where the chain is rework.
    pub rework: Vec<Option<Cause>>,
}

/// Entries are judged in so many lots, so that only those of some cases are spread out in memory at once.
const LOTS: u32 = 16;

/// Judges all entries.
#[must_use]
pub fn judgement(spans: &FieldSpans, local: LocalTime) -> Judgement {
    let mut lots: Vec<Vec<u32>> = (0..LOTS).map(|_| Vec::new()).collect();
    for (row, span) in (0..).zip(spans.now()) {
        if span.is.has(Is::ENTERED) {
            // The cases without a number are one lot together.
            lots[if span.case == NONE { 0 } else { (span.case % LOTS) as usize }].push(row);
        }
    }
    let mut judgement = Judgement {
        heads: vec![NONE; spans.rows.len()],
        lasts: vec![NONE; spans.rows.len()],
        rework: vec![None; spans.rows.len()],
    };
    let judged = on_cores(lots, |rows| {
        let mut days = Days::new(local);
        let entries: Vec<Entry> = rows.iter().map(|&row| entry(spans, row, &mut days)).collect();
        let judged = judge(&entries, &spans.mishaps);
        drop(entries);
        (rows, judged)
    });
    for (rows, judged) in judged {
        for (&row, judged) in rows.iter().zip(&judged) {
            judgement.heads[row as usize] = rows[judged.head];
            judgement.lasts[row as usize] = rows[judged.last];
            judgement.rework[row as usize] = judged.rework;
        }
    }
    judgement
}

fn entry(spans: &FieldSpans, row: u32, days: &mut Days) -> Entry {
    let span: &FieldSpan = &spans.rows[row as usize];
    let some = |number: u32| (number != NONE).then_some(number);
    Entry {
        key: span.key,
        start: span.start,
        worker: some(span.worker),
        system: spans.systems[span.place as usize],
        field: some(span.place).filter(|&place| spans.places[place as usize][2].is_some()),
        case: some(span.case),
        task: some(span.task),
        record: some(span.record),
        day: days.of(span.start).day,
        continues: spans.continues.get(&row).copied(),
        digest: some(span.value).map(|value| spans.values[value as usize].digest),
    }
}
