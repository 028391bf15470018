//! One span → one row, or the reason why not.

use gilbreth_conventions::{
    attribute,
    digest::client_digests,
    kind::{Kind, Origin, Outcome, Trigger, ValueKind},
    normalise::PARTS_MAX,
};

use super::{AGE_MAX_US, AHEAD_MAX_US, Names, Policy, Refusal, Sender, Tally, names};
use crate::decode::{Attribute, Span, Value};

/// Case numbers of one span beyond this are dropped.
const CASE_REFS_MAX: usize = 8;
/// A value of more bytes than this is no field's value; it is dropped undigested.
const VALUE_BYTES_MAX: usize = 4_096;
/// A span that is received longer than this after its end is late.
const LATE_AFTER_US: i64 = 3_600 * 1_000_000;
/// Attributes whose name begins so belong to the conventions: kept by no list, dropped if not understood.
const OURS: &str = "casework.";

/// A row of `spans`, before it is in columns.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) trace_id: [u8; 16],
    pub(super) span_id: [u8; 8],
    pub(super) parent_span_id: Option<[u8; 8]>,
    pub(super) name: String,
    pub(super) kind: Option<Kind>,
    pub(super) trigger: Option<Trigger>,
    pub(super) started_at_us: i64,
    pub(super) ended_at_us: i64,
    pub(super) sent_at_us: Option<i64>,
    pub(super) received_at_us: i64,
    pub(super) system: Option<String>,
    pub(super) release: Option<String>,
    pub(super) worker: Option<[u8; 8]>,
    pub(super) organisation: Option<String>,
    pub(super) team: Option<String>,
    pub(super) role: Option<String>,
    pub(super) session: Option<[u8; 8]>,
    pub(super) screen: Option<String>,
    pub(super) field: Option<String>,
    pub(super) case_refs: Vec<[u8; 8]>,
    pub(super) record: Option<[u8; 8]>,
    pub(super) task: Option<String>,
    pub(super) task_instance: Option<[u8; 8]>,
    pub(super) function: Option<String>,
    pub(super) origin: Option<Origin>,
    pub(super) keystrokes: Option<i64>,
    pub(super) corrections: Option<i64>,
    pub(super) continues: Option<[u8; 8]>,
    pub(super) value_kind: Option<ValueKind>,
    pub(super) value_digest: Option<i64>,
    pub(super) value_parts: Vec<i64>,
    pub(super) outcome: Option<Outcome>,
    pub(super) attributes: Vec<(String, String)>,
}

/// Attributes that a later one of another name beats, and those that can only be judged together.
#[derive(Default)]
struct Pending {
    /// By preference, most preferred first.
    worker: [Option<String>; attribute::WORKER.len()],
    screen: [Option<String>; attribute::SCREEN.len()],
    field: [Option<String>; attribute::FIELD.len()],
    value_text: Option<String>,
    value_digest: Option<String>,
    value_parts: Vec<String>,
}

pub(super) fn row(
    span: Span,
    sender: &Sender,
    policy: &Policy,
    names: &Names,
    tally: &mut Tally,
) -> Result<Row, Refusal> {
    let mut row = checked(&span, sender)?;
    let mut pending = Pending::default();
    for Attribute { name, value } in span.attributes {
        let taken = take(&mut row, &mut pending, &name, value, policy, &mut tally.counts.names_masked);
        match taken {
            Taken::Yes => {}
            Taken::No(value) => match names::kept(&policy.keep, &name, &value).filter(|_| !name.starts_with(OURS)) {
                Some(text) => row.attributes.push((name, text)),
                None => tally.drop_attribute(&name),
            },
            Taken::Unusable => tally.drop_attribute(&name),
        }
    }
    settle(&mut row, pending, span.failed, policy);
    for (name, text) in &sender.kept {
        if !row.attributes.iter().any(|(own, _)| own == name) {
            row.attributes.push((name.clone(), text.clone()));
        }
    }
    row.attributes.sort_by(|a, b| a.0.cmp(&b.0));
    row.attributes.dedup_by(|later, first| later.0 == first.0);
    mask_names(&mut row, span.name, names, tally);
    if sender.receipt_known && sender.received_at_us.saturating_sub(row.ended_at_us) > LATE_AFTER_US {
        tally.counts.late += 1;
    }
    Ok(row)
}

/// Ids and times, which alone can make a span unacceptable.
fn checked(span: &Span, sender: &Sender) -> Result<Row, Refusal> {
    let trace_id = id::<16>(&span.trace_id).ok_or(Refusal::TraceId)?;
    let span_id = id::<8>(&span.span_id).ok_or(Refusal::SpanId)?;
    if span.ended_at_ns < span.started_at_ns {
        return Err(Refusal::EndsBeforeStart);
    }
    let us = |ns: u64| i64::try_from(ns / 1000).expect("a thousandth of a u64 fits an i64");
    let started_at_us = us(span.started_at_ns);
    if !sender.any_time {
        if started_at_us < sender.received_at_us.saturating_sub(AGE_MAX_US) {
            return Err(Refusal::TooOld);
        }
        if started_at_us > sender.received_at_us.saturating_add(AHEAD_MAX_US) {
            return Err(Refusal::TooFarAhead);
        }
    }
    Ok(Row {
        trace_id,
        span_id,
        parent_span_id: id::<8>(&span.parent_span_id),
        started_at_us,
        ended_at_us: us(span.ended_at_ns),
        sent_at_us: sender.sent_at_us,
        received_at_us: sender.received_at_us,
        system: sender.system.clone(),
        release: sender.release.clone(),
        ..Row::default()
    })
}

enum Taken {
    Yes,
    /// Not of the conventions: back to the caller.
    No(Value),
    /// Of the conventions, but of the wrong type, empty, or unknown.
    Unusable,
}

fn take(
    row: &mut Row,
    pending: &mut Pending,
    name: &str,
    value: Value,
    policy: &Policy,
    names_masked: &mut u64,
) -> Taken {
    let hashes = &policy.hashes;
    let text = match (name, value) {
        (attribute::INPUT_KEYSTROKES, Value::Integer(count)) if count >= 0 => {
            return set(&mut row.keystrokes, Some(count));
        }
        (attribute::INPUT_CORRECTIONS, Value::Integer(count)) if count >= 0 => {
            return set(&mut row.corrections, Some(count));
        }
        (attribute::CASE_ID, Value::Texts(ids)) => {
            for id in ids {
                add_case(&mut row.case_refs, &id, policy);
            }
            return Taken::Yes;
        }
        (attribute::VALUE_PARTS, Value::Texts(parts)) => {
            pending.value_parts = parts;
            return Taken::Yes;
        }
        (_, Value::Text(text)) => text,
        (_, value) => return Taken::No(value),
    };
    match name {
        attribute::INTERACTION => set(&mut row.kind, Some(Kind::parse(&text).unwrap_or(Kind::Other))),
        attribute::TRIGGER => set(&mut row.trigger, Trigger::parse(&text)),
        attribute::INPUT_ORIGIN => set(&mut row.origin, Origin::parse(&text)),
        attribute::OUTCOME => set(&mut row.outcome, Outcome::parse(&text)),
        attribute::VALUE_KIND => set(&mut row.value_kind, ValueKind::parse(&text)),
        attribute::SESSION_ID => set(&mut row.session, some(&text).map(|id| hashes.session(id))),
        attribute::RECORD_ID => set(&mut row.record, some(&text).map(|id| hashes.record(id))),
        attribute::TASK_ID => set(&mut row.task_instance, some(&text).map(|id| hashes.task(id))),
        attribute::CONTINUES => set(&mut row.continues, span_id_of_hex(&text)),
        attribute::WORKER_ORGANISATION => set(&mut row.organisation, names::label(text, names_masked)),
        attribute::WORKER_TEAM => set(&mut row.team, names::label(text, names_masked)),
        attribute::WORKER_ROLE => set(&mut row.role, names::label(text, names_masked)),
        attribute::TASK_NAME => set(&mut row.task, non_empty(text)),
        attribute::FUNCTION => set(&mut row.function, non_empty(text)),
        attribute::CASE_ID => {
            add_case(&mut row.case_refs, &text, policy);
            Taken::Yes
        }
        attribute::VALUE_TEXT => set(&mut pending.value_text, Some(text)),
        attribute::VALUE_DIGEST => set(&mut pending.value_digest, non_empty(text)),
        _ => match slot(pending, name) {
            Some(slot) => set(slot, non_empty(text)),
            None => Taken::No(Value::Text(text)),
        },
    }
}

/// The place of an attribute of which several names are known.
fn slot<'a>(pending: &'a mut Pending, name: &str) -> Option<&'a mut Option<String>> {
    let at = |known: &[&str]| known.iter().position(|candidate| *candidate == name);
    if let Some(index) = at(&attribute::WORKER) {
        return Some(&mut pending.worker[index]);
    }
    if let Some(index) = at(&attribute::SCREEN) {
        return Some(&mut pending.screen[index]);
    }
    at(&attribute::FIELD).map(|index| &mut pending.field[index])
}

/// What several attributes decide together, and the defaults.
fn settle(row: &mut Row, pending: Pending, failed: bool, policy: &Policy) {
    row.worker = first(pending.worker).map(|id| policy.hashes.worker(&id));
    row.screen = first(pending.screen);
    row.field = first(pending.field);
    row.trigger = row.trigger.or(Some(Trigger::User));
    row.origin = row.origin.or(match row.kind {
        Some(Kind::Entry) => Some(Origin::Typed),
        Some(Kind::Choice) => Some(Origin::Selected),
        _ => None,
    });
    row.outcome = match row.kind {
        None => None,
        Some(_) => row.outcome.or(Some(if failed { Outcome::Failed } else { Outcome::Ok })),
    };
    let (whole, parts) = match pending.value_text {
        Some(text) if text.len() <= VALUE_BYTES_MAX => {
            let kind = *row.value_kind.get_or_insert(ValueKind::Text);
            let digests = client_digests(&policy.page, &text, kind);
            (digests.whole, digests.parts)
        }
        Some(_) => (None, Vec::new()),
        None => (pending.value_digest, pending.value_parts),
    };
    row.value_digest = whole.and_then(|digest| policy.hashes.value(&digest));
    if row.value_digest.is_some() {
        row.value_parts = parts.iter().take(PARTS_MAX).filter_map(|part| policy.hashes.value(part)).collect();
    }
}

fn mask_names(row: &mut Row, span_name: String, names: &Names, tally: &mut Tally) {
    let mask = &mut |name: String| match names::masked(&name) {
        Some(masked) => {
            tally.counts.names_masked += 1;
            masked
        }
        None => name,
    };
    row.name = mask(span_name);
    row.task = row.task.take().map(&mut *mask);
    row.function = row.function.take().map(&mut *mask);
    let (screen, field) = (row.screen.take().map(&mut *mask), row.field.take().map(&mut *mask));
    row.screen = screen.map(|name| names.screen(row.system.as_deref(), name));
    row.field = field.map(|name| names.field(row.system.as_deref(), name));
}

/// Puts a usable value in its place; the first of a repeated attribute stays.
fn set<T>(place: &mut Option<T>, value: Option<T>) -> Taken {
    match value {
        Some(value) => {
            place.get_or_insert(value);
            Taken::Yes
        }
        None => Taken::Unusable,
    }
}

fn add_case(refs: &mut Vec<[u8; 8]>, id: &str, policy: &Policy) {
    if refs.len() < CASE_REFS_MAX && !id.trim().is_empty() {
        let hash = policy.hashes.case(id);
        if !refs.contains(&hash) {
            refs.push(hash);
        }
    }
}

fn first<const N: usize>(by_preference: [Option<String>; N]) -> Option<String> {
    by_preference.into_iter().flatten().next()
}

fn some(text: &str) -> Option<&str> {
    (!text.trim().is_empty()).then_some(text)
}

fn non_empty(text: String) -> Option<String> {
    (!text.trim().is_empty()).then_some(text)
}

/// An id of exactly that many bytes that is not of zeros.
fn id<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    <[u8; N]>::try_from(bytes).ok().filter(|id| id.iter().any(|byte| *byte != 0))
}

fn span_id_of_hex(text: &str) -> Option<[u8; 8]> {
    if text.len() != 16 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u64::from_str_radix(text, 16).ok().filter(|id| *id != 0).map(u64::to_be_bytes)
}
