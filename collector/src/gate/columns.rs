//! Columns as sent → columns as stored, in the schema of `spans`.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, AsArray, BinaryBuilder, Date32Array, FixedSizeBinaryArray, Int64Builder,
        ListArray, ListBuilder, StringBuilder, StringViewArray, TimestampMicrosecondArray,
    },
    datatypes::{DataType, Field},
    error::ArrowError,
    record_batch::RecordBatch,
};
use gilbreth_conventions::{
    attribute,
    kind::{Kind, Origin, Outcome, Trigger, ValueKind},
};

use super::{
    DAY_US, Names, Policy, Sender, Tally,
    accept::{Accepted, is_id},
    kept,
    memo::Memo,
    names, values,
};
use crate::{
    decode::{Decoded, Integer, Text, Texts},
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
    let kinds = export.words(Text::Interaction, attribute::INTERACTION, tally, |word| {
        Some(Kind::parse(word).unwrap_or(Kind::Other))
    });
    let triggers = export.words(Text::Trigger, attribute::TRIGGER, tally, Trigger::parse);
    let origins = export.words(Text::Origin, attribute::INPUT_ORIGIN, tally, Origin::parse);
    let outcomes = export.words(Text::Outcome, attribute::OUTCOME, tally, Outcome::parse);
    let value_kinds = export.words(Text::ValueKind, attribute::VALUE_KIND, tally, ValueKind::parse);
    let values = values::digests(export, &value_kinds, tally);
    let hashes = &export.policy.hashes;
    let name = export.name(tally);
    let organisation = export.labels(Text::Organisation, attribute::WORKER_ORGANISATION, tally);
    let team = export.labels(Text::Team, attribute::WORKER_TEAM, tally);
    let role = export.labels(Text::Role, attribute::WORKER_ROLE, tally);
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

    fn of_sender<T>(&self, tell: impl Fn(&'a Sender) -> T) -> impl Iterator<Item = T> {
        self.rows().map(move |row| tell(&self.senders[self.decoded.resource[row] as usize]))
    }

    /// For each row its text, if it has one; those without anything in them are dropped.
    pub(super) fn texts(&self, of: Text, attribute: &str, tally: &mut Tally) -> Option<Vec<Option<&'a str>>> {
        let column = self.decoded.text(of)?;
        let mut empty = 0;
        let texts = self.rows().map(|row| {
            let text = text_at(column, row)?;
            let is_empty = text.trim_start().is_empty();
            empty += u64::from(is_empty);
            (!is_empty).then_some(text)
        });
        let texts = texts.collect();
        tally.drop_attributes(attribute, empty);
        Some(texts)
    }

    /// Words of a closed vocabulary; unknown ones are dropped.
    fn words<T: Copy>(
        &self,
        of: Text,
        attribute: &str,
        tally: &mut Tally,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Vec<Option<T>> {
        let Some(column) = self.decoded.text(of) else { return vec![None; self.len()] };
        let mut unknown = 0;
        let words = self.rows().map(|row| {
            let text = text_at(column, row)?;
            let word = parse(text);
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
        self.hashes_of(self.texts(of, attribute, tally), hash)
    }

    fn hashes_of(&self, texts: Option<Vec<Option<&'a str>>>, hash: impl Fn(&str) -> [u8; 8]) -> ArrayRef {
        let mut builder = BinaryBuilder::with_capacity(self.len(), self.len() * 8);
        let Some(texts) = texts else {
            builder.append_nulls(self.len());
            return Arc::new(builder.finish());
        };
        let mut memo = Memo::default();
        for text in texts {
            builder.append_option(text.map(|text| *memo.of(0, text, || hash(text))));
        }
        Arc::new(builder.finish())
    }

    /// The worker by the name that is preferred among those sent.
    fn worker(&self, tally: &mut Tally) -> ArrayRef {
        let by_preference = [Text::Worker0, Text::Worker1, Text::Worker2, Text::Worker3];
        let texts = self.preferred(by_preference.into_iter().zip(attribute::WORKER), tally);
        self.hashes_of(texts, |id| self.policy.hashes.worker(id))
    }

    /// For each row the first text that it has of several attributes.
    fn preferred(
        &self,
        by_preference: impl Iterator<Item = (Text, &'static str)>,
        tally: &mut Tally,
    ) -> Option<Vec<Option<&'a str>>> {
        let mut preferred: Option<Vec<Option<&'a str>>> = None;
        for (of, attribute) in by_preference {
            let Some(texts) = self.texts(of, attribute, tally) else { continue };
            match &mut preferred {
                None => preferred = Some(texts),
                Some(first) => first.iter_mut().zip(texts).for_each(|(first, next)| *first = first.or(next)),
            }
        }
        preferred
    }

    fn name(&self, tally: &mut Tally) -> ArrayRef {
        let texts = self.rows().map(|row| Some(self.decoded.name.value(row))).collect();
        self.mapped(Some(texts), tally, |_, name| name)
    }

    /// Names cut and masked.
    fn masked(&self, of: Text, attribute: &str, tally: &mut Tally) -> ArrayRef {
        let texts = self.texts(of, attribute, tally);
        self.mapped(texts, tally, |_, name| name)
    }

    /// Short texts that are no names; they are treated alike.
    fn labels(&self, of: Text, attribute: &str, tally: &mut Tally) -> ArrayRef {
        self.masked(of, attribute, tally)
    }

    fn screens(&self, tally: &mut Tally) -> ArrayRef {
        let texts = self.preferred([Text::Screen0, Text::Screen1].into_iter().zip(attribute::SCREEN), tally);
        self.mapped(texts, tally, |sender, name| self.names.screen(sender.system.as_deref(), name))
    }

    fn fields(&self, tally: &mut Tally) -> ArrayRef {
        let texts = self.preferred([Text::Field0, Text::Field1].into_iter().zip(attribute::FIELD), tally);
        self.mapped(texts, tally, |sender, name| self.names.field(sender.system.as_deref(), name))
    }

    /// Texts masked, and then bounded in their variety.
    fn mapped(
        &self,
        texts: Option<Vec<Option<&'a str>>>,
        tally: &mut Tally,
        bounded: impl Fn(&Sender, String) -> String,
    ) -> ArrayRef {
        let mut builder = StringBuilder::with_capacity(self.len(), self.len() * 16);
        let Some(texts) = texts else {
            builder.append_nulls(self.len());
            return Arc::new(builder.finish());
        };
        let mut memo: Memo<'_, (String, bool)> = Memo::default();
        for (row, text) in self.rows().zip(texts) {
            let resource = self.decoded.resource[row];
            let Some(text) = text else {
                builder.append_null();
                continue;
            };
            let (name, is_masked) = memo.of(resource, text, || {
                let masked = names::masked(text);
                let is_masked = masked.is_some();
                let name = masked.unwrap_or_else(|| text.to_owned());
                (bounded(&self.senders[resource as usize], name), is_masked)
            });
            builder.append_value(name);
            tally.counts.names_masked += u64::from(*is_masked);
        }
        Arc::new(builder.finish())
    }

    fn cases(&self) -> ArrayRef {
        let element = Field::new("element", DataType::Binary, true);
        let mut builder = ListBuilder::new(BinaryBuilder::new()).with_field(element);
        let Some(column) = self.decoded.list(Texts::Cases) else {
            (0..self.len()).for_each(|_| builder.append_null());
            return Arc::new(builder.finish());
        };
        let ids = column.values().as_string_view();
        let mut memo = Memo::default();
        let mut refs: Vec<[u8; 8]> = Vec::new();
        for row in self.rows() {
            refs.clear();
            for id in range_of(column, row).map(|at| ids.value(at)).filter(|id| !id.trim_start().is_empty()) {
                let hash = *memo.of(0, id, || self.policy.hashes.case(id));
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

/// The text of a row.
pub(super) fn text_at(column: &StringViewArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

/// Where the items of a row's list are.
pub(super) fn range_of(column: &ListArray, row: usize) -> std::ops::Range<usize> {
    let offsets = column.value_offsets();
    let place = |at: usize| usize::try_from(offsets[at]).expect("offsets are not negative");
    place(row)..place(row + 1)
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
