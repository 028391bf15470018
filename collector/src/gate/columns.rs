//! Columns as sent → columns as stored, in the schema of `spans`.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, BinaryBuilder, Date32Array, FixedSizeBinaryArray, Int64Builder, ListBuilder, StringBuilder,
        TimestampMicrosecondArray,
    },
    datatypes::{DataType, Field},
    error::ArrowError,
    record_batch::RecordBatch,
};
use gilbreth_conventions::{
    attribute,
    kind::{Kind, Origin, Outcome, Trigger, ValueKind},
};
use hashbrown::HashMap;

use super::{
    DAY_US, Names, Policy, Sender, Tally,
    accept::{Accepted, is_id},
    kept, names,
    told::{Told, range_of},
    values,
};
use crate::{
    decode::{Decoded, Integer, List, Text, items_of},
    schema::SPANS_SCHEMA,
};

/// Case numbers of one span beyond this are dropped.
const CASE_REFS_MAX: usize = 8;

/// An export on its way through the gate.
pub(super) struct Export<'a> {
    pub(super) decoded: &'a Decoded,
    pub(super) accepted: &'a Accepted,
    pub(super) senders: &'a [Sender],
    pub(super) policy: &'a Policy,
    pub(super) names: &'a Names,
}

/// Makes every column, in the order of the schema.
pub(super) fn rows(export: &Export<'_>, tally: &mut Tally) -> Result<RecordBatch, ArrowError> {
    let decoded = export.decoded;
    let kinds = export
        .words(Text::Interaction, attribute::INTERACTION, tally, |word| Some(Kind::parse(word).unwrap_or(Kind::Other)));
    let triggers = export.words(Text::Trigger, attribute::TRIGGER, tally, Trigger::parse);
    let origins = export.words(Text::Origin, attribute::INPUT_ORIGIN, tally, Origin::parse);
    let outcomes = export.words(Text::Outcome, attribute::OUTCOME, tally, Outcome::parse);
    let value_kinds = export.words(Text::ValueKind, attribute::VALUE_KIND, tally, ValueKind::parse);
    let values = values::digests(export, value_kinds, tally);
    let hashes = &export.policy.hashes;
    let name = export.name(tally);
    let organisation = export.masked(Text::Organisation, attribute::WORKER_ORGANISATION, tally);
    let team = export.masked(Text::Team, attribute::WORKER_TEAM, tally);
    let role = export.masked(Text::Role, attribute::WORKER_ROLE, tally);
    let screen = export.screens(tally);
    let field = export.fields(tally);
    let columns: Vec<ArrayRef> = vec![
        export.ids(&decoded.trace_id),
        export.ids(&decoded.span_id),
        export.ids(&decoded.parent_span_id),
        name,
        words(kinds.iter().map(|kind| kind.map(Kind::as_str))),
        words(triggers.iter().map(|trigger| Some(trigger.unwrap_or(Trigger::User).as_str()))),
        instants(export.accepted.started_at_us.iter().copied().map(Some)),
        instants(export.accepted.ended_at_us.iter().copied().map(Some)),
        instants(export.of_sender(|sender| sender.sent_at_us)),
        instants(export.of_sender(|sender| Some(sender.received_at_us))),
        words(export.of_sender(|sender| sender.system.as_deref())),
        words(export.of_sender(|sender| sender.release.as_deref())),
        export.worker(tally),
        organisation,
        team,
        role,
        export.hashed(Text::Session, attribute::SESSION_ID, tally, |id| hashes.session(id)),
        screen,
        field,
        export.cases(),
        export.hashed(Text::Record, attribute::RECORD_ID, tally, |id| hashes.record(id)),
        export.masked(Text::Task, attribute::TASK_NAME, tally),
        export.hashed(Text::TaskId, attribute::TASK_ID, tally, |id| hashes.task(id)),
        export.masked(Text::Function, attribute::FUNCTION, tally),
        words(origins.iter().zip(&kinds).map(|(origin, kind)| origin.or(origin_of(*kind)).map(Origin::as_str))),
        export.counts(Integer::Keystrokes, attribute::INPUT_KEYSTROKES, tally),
        export.counts(Integer::Corrections, attribute::INPUT_CORRECTIONS, tally),
        export.continues(tally),
        words(values.kinds.iter().map(|kind| kind.map(ValueKind::as_str))),
        Arc::new(values.whole),
        Arc::new(values.parts),
        words(export.rows().zip(outcomes.iter().zip(&kinds)).map(|(row, (outcome, kind))| {
            let unsaid = if decoded.failed.value(row) { Outcome::Failed } else { Outcome::Ok };
            kind.map(|_| outcome.unwrap_or(unsaid).as_str())
        })),
        kept::attributes(export, tally)?,
        Arc::new(Date32Array::from_iter_values(export.accepted.started_at_us.iter().map(|started_at_us| {
            i32::try_from(started_at_us.div_euclid(DAY_US)).expect("584 years of days fit an i32")
        }))),
    ];
    RecordBatch::try_new(Arc::clone(&SPANS_SCHEMA), columns)
}

/// How a value came into a field when nobody says.
const fn origin_of(kind: Option<Kind>) -> Option<Origin> {
    match kind {
        Some(Kind::Entry) => Some(Origin::Typed),
        Some(Kind::Choice) => Some(Origin::Selected),
        _ => None,
    }
}

impl<'a> Export<'a> {
    /// The rows of the export that are let through.
    pub(super) fn rows(&self) -> impl Iterator<Item = usize> {
        self.accepted.rows.iter().map(|&row| row as usize)
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.accepted.rows.len()
    }

    pub(super) fn sender(&self, row: usize) -> &'a Sender {
        &self.senders[self.decoded.resource[row] as usize]
    }

    fn of_sender<T>(&self, tell: impl Fn(&'a Sender) -> T) -> impl Iterator<Item = T> {
        self.rows().map(move |row| tell(self.sender(row)))
    }

    /// What the rows say in an attribute; texts without anything in them are dropped.
    pub(super) fn told(&self, of: Text, attribute: &str, tally: &mut Tally) -> Told<'a> {
        let (told, blank) = Told::of(self.decoded.text(of), &self.accepted.rows);
        tally.drop_attributes(attribute, blank);
        told
    }

    /// The same in the first of several attributes that a row has.
    fn preferred<const N: usize>(&self, of: [Text; N], attributes: [&str; N], tally: &mut Tally) -> Told<'a> {
        let mut preferred = Told::default();
        for (of, attribute) in of.into_iter().zip(attributes) {
            preferred = preferred.or(self.told(of, attribute, tally));
        }
        preferred
    }

    /// Words of a closed vocabulary; unknown ones are dropped.
    fn words<T: Copy>(
        &self,
        of: Text,
        attribute: &str,
        tally: &mut Tally,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Vec<Option<T>> {
        let told = self.told(of, attribute, tally);
        let known = told.each(parse);
        let mut unknown = 0;
        let words = told.rows(self.len()).map(|text| {
            let word = known[text?];
            unknown += u64::from(word.is_none());
            word
        });
        let words = words.collect();
        tally.drop_attributes(attribute, unknown);
        words
    }

    fn ids(&self, ids: &FixedSizeBinaryArray) -> ArrayRef {
        let mut builder =
            BinaryBuilder::with_capacity(self.len(), self.len() * usize::try_from(ids.value_length()).unwrap_or(0));
        for row in self.rows() {
            builder.append_option(is_id(ids, row).then(|| ids.value(row)));
        }
        Arc::new(builder.finish())
    }

    /// Keyed hashes of identifiers.
    fn hashed(&self, of: Text, attribute: &str, tally: &mut Tally, hash: impl Fn(&str) -> [u8; 8]) -> ArrayRef {
        self.hashes(&self.told(of, attribute, tally), hash)
    }

    fn hashes(&self, told: &Told<'_>, hash: impl Fn(&str) -> [u8; 8]) -> ArrayRef {
        let hashes = told.each(hash);
        let mut builder = BinaryBuilder::with_capacity(self.len(), self.len() * 8);
        told.rows(self.len()).for_each(|text| builder.append_option(text.map(|text| hashes[text])));
        Arc::new(builder.finish())
    }

    /// The worker by the name that is preferred among those sent.
    fn worker(&self, tally: &mut Tally) -> ArrayRef {
        let of = [Text::Worker0, Text::Worker1, Text::Worker2, Text::Worker3];
        self.hashes(&self.preferred(of, attribute::WORKER, tally), |id| self.policy.hashes.worker(id))
    }

    fn name(&self, tally: &mut Tally) -> ArrayRef {
        self.masks(&Told::with_blanks(&self.decoded.name, &self.accepted.rows), tally)
    }

    /// Names cut and masked. Organisations, teams and roles are treated alike.
    fn masked(&self, of: Text, attribute: &str, tally: &mut Tally) -> ArrayRef {
        self.masks(&self.told(of, attribute, tally), tally)
    }

    fn masks(&self, told: &Told<'_>, tally: &mut Tally) -> ArrayRef {
        let masked = told.each(names::masked);
        let mut builder = StringBuilder::with_capacity(self.len(), self.len() * 16);
        for text in told.rows(self.len()) {
            let mask = text.and_then(|text| masked[text].as_deref());
            tally.counts.names_masked += u64::from(mask.is_some());
            builder.append_option(mask.or(text.map(|text| told.text(text))));
        }
        Arc::new(builder.finish())
    }

    fn screens(&self, tally: &mut Tally) -> ArrayRef {
        let told = self.preferred([Text::Screen0, Text::Screen1], attribute::SCREEN, tally);
        self.bounded(&told, tally, |system, name| self.names.screen(system, name))
    }

    fn fields(&self, tally: &mut Tally) -> ArrayRef {
        let told = self.preferred([Text::Field0, Text::Field1], attribute::FIELD, tally);
        self.bounded(&told, tally, |system, name| self.names.field(system, name))
    }

    /// Names masked, and bounded in their variety within each system.
    fn bounded(&self, told: &Told<'_>, tally: &mut Tally, bound: impl Fn(Option<&str>, String) -> String) -> ArrayRef {
        let mut known: HashMap<(u32, usize), (String, bool)> = HashMap::new();
        let mut builder = StringBuilder::with_capacity(self.len(), self.len() * 16);
        for (row, text) in self.rows().zip(told.rows(self.len())) {
            let Some(text) = text else {
                builder.append_null();
                continue;
            };
            let sender = self.sender(row);
            let (name, is_masked) = known.entry((sender.system_number, text)).or_insert_with(|| {
                let masked = names::masked(told.text(text));
                let is_masked = masked.is_some();
                let name = masked.unwrap_or_else(|| told.text(text).to_owned());
                (bound(sender.system.as_deref(), name), is_masked)
            });
            builder.append_value(name);
            tally.counts.names_masked += u64::from(*is_masked);
        }
        Arc::new(builder.finish())
    }

    fn cases(&self) -> ArrayRef {
        let element = Field::new("element", DataType::Binary, true);
        let mut builder = ListBuilder::new(BinaryBuilder::new()).with_field(element);
        let Some(column) = self.decoded.list(List::Cases) else {
            (0..self.len()).for_each(|_| builder.append_null());
            return Arc::new(builder.finish());
        };
        let told = Told::items(items_of(column));
        let hashes = told.each(|id| self.policy.hashes.case(id));
        let mut refs: Vec<[u8; 8]> = Vec::new();
        for row in self.rows() {
            refs.clear();
            for hash in range_of(column, row).filter_map(|at| told.at(at)).map(|id| hashes[id]) {
                if refs.len() < CASE_REFS_MAX && !refs.contains(&hash) {
                    refs.push(hash);
                }
            }
            refs.iter().for_each(|hash| builder.values().append_value(hash));
            builder.append(!refs.is_empty());
        }
        Arc::new(builder.finish())
    }

    /// Counts that are not negative.
    fn counts(&self, of: Integer, attribute: &str, tally: &mut Tally) -> ArrayRef {
        let mut builder = Int64Builder::with_capacity(self.len());
        let Some(column) = self.decoded.integer(of) else {
            builder.append_nulls(self.len());
            return Arc::new(builder.finish());
        };
        let mut unusable = 0;
        for row in self.rows() {
            let count = column.is_valid(row).then(|| column.value(row));
            unusable += u64::from(count.is_some_and(|count| count < 0));
            builder.append_option(count.filter(|count| *count >= 0));
        }
        tally.drop_attributes(attribute, unusable);
        Arc::new(builder.finish())
    }

    fn continues(&self, tally: &mut Tally) -> ArrayRef {
        let ids = self.words(Text::Continues, attribute::CONTINUES, tally, span_id_of_hex);
        let mut builder = BinaryBuilder::with_capacity(self.len(), 0);
        ids.iter().for_each(|id| builder.append_option(id.as_ref()));
        Arc::new(builder.finish())
    }
}

fn words<'a>(of: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    let mut builder = StringBuilder::with_capacity(of.size_hint().0, of.size_hint().0 * 8);
    of.for_each(|word| builder.append_option(word));
    Arc::new(builder.finish())
}

fn instants(of: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(of.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
}

fn span_id_of_hex(text: &str) -> Option<[u8; 8]> {
    if text.len() != 16 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u64::from_str_radix(text, 16).ok().filter(|id| *id != 0).map(u64::to_be_bytes)
}
