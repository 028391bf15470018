//! Rows → columns, in the schema of `spans`.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, BinaryBuilder, Date32Builder, Int64Builder, ListBuilder, MapBuilder, MapFieldNames, StringBuilder,
        TimestampMicrosecondBuilder,
    },
    datatypes::{DataType, Field},
    error::ArrowError,
    record_batch::RecordBatch,
};

use gilbreth_conventions::kind::{Kind, Origin, Outcome, Trigger, ValueKind};

use super::{DAY_US, row::Row};
use crate::schema::SPANS_SCHEMA;

/// Column builders, one row at a time.
pub(super) struct Rows {
    trace_id: BinaryBuilder,
    span_id: BinaryBuilder,
    parent_span_id: BinaryBuilder,
    name: StringBuilder,
    kind: StringBuilder,
    trigger: StringBuilder,
    started_at: TimestampMicrosecondBuilder,
    ended_at: TimestampMicrosecondBuilder,
    sent_at: TimestampMicrosecondBuilder,
    received_at: TimestampMicrosecondBuilder,
    system: StringBuilder,
    release: StringBuilder,
    worker: BinaryBuilder,
    organisation: StringBuilder,
    team: StringBuilder,
    role: StringBuilder,
    session: BinaryBuilder,
    screen: StringBuilder,
    field: StringBuilder,
    case_refs: ListBuilder<BinaryBuilder>,
    record: BinaryBuilder,
    task: StringBuilder,
    task_instance: BinaryBuilder,
    function: StringBuilder,
    origin: StringBuilder,
    keystrokes: Int64Builder,
    corrections: Int64Builder,
    continues: BinaryBuilder,
    value_kind: StringBuilder,
    value_digest: Int64Builder,
    value_parts: ListBuilder<Int64Builder>,
    outcome: StringBuilder,
    attributes: MapBuilder<StringBuilder, StringBuilder>,
    day: Date32Builder,
}

impl Rows {
    pub(super) fn with_capacity(rows: usize) -> Self {
        let text = || StringBuilder::with_capacity(rows, rows * 8);
        let hash = || BinaryBuilder::with_capacity(rows, rows * 8);
        let instant = || TimestampMicrosecondBuilder::with_capacity(rows).with_timezone("UTC");
        let element = |kind| Field::new("element", kind, true);
        let map_names =
            MapFieldNames { entry: "key_value".to_owned(), key: "key".to_owned(), value: "value".to_owned() };
        Self {
            trace_id: BinaryBuilder::with_capacity(rows, rows * 16),
            span_id: hash(),
            parent_span_id: hash(),
            name: text(),
            kind: text(),
            trigger: text(),
            started_at: instant(),
            ended_at: instant(),
            sent_at: instant(),
            received_at: instant(),
            system: text(),
            release: text(),
            worker: hash(),
            organisation: text(),
            team: text(),
            role: text(),
            session: hash(),
            screen: text(),
            field: text(),
            case_refs: ListBuilder::new(BinaryBuilder::new()).with_field(element(DataType::Binary)),
            record: hash(),
            task: text(),
            task_instance: hash(),
            function: text(),
            origin: text(),
            keystrokes: Int64Builder::with_capacity(rows),
            corrections: Int64Builder::with_capacity(rows),
            continues: hash(),
            value_kind: text(),
            value_digest: Int64Builder::with_capacity(rows),
            value_parts: ListBuilder::new(Int64Builder::new()).with_field(element(DataType::Int64)),
            outcome: text(),
            attributes: MapBuilder::new(Some(map_names), StringBuilder::new(), StringBuilder::new()),
            day: Date32Builder::with_capacity(rows),
        }
    }

    pub(super) fn push(&mut self, row: Row) {
        self.trace_id.append_value(row.trace_id);
        self.span_id.append_value(row.span_id);
        self.parent_span_id.append_option(row.parent_span_id);
        self.name.append_value(row.name);
        self.kind.append_option(row.kind.map(Kind::as_str));
        self.trigger.append_option(row.trigger.map(Trigger::as_str));
        self.started_at.append_value(row.started_at_us);
        self.ended_at.append_value(row.ended_at_us);
        self.sent_at.append_option(row.sent_at_us);
        self.received_at.append_value(row.received_at_us);
        self.system.append_option(row.system);
        self.release.append_option(row.release);
        self.worker.append_option(row.worker);
        self.organisation.append_option(row.organisation);
        self.team.append_option(row.team);
        self.role.append_option(row.role);
        self.session.append_option(row.session);
        self.screen.append_option(row.screen);
        self.field.append_option(row.field);
        for case in &row.case_refs {
            self.case_refs.values().append_value(case);
        }
        self.case_refs.append(!row.case_refs.is_empty());
        self.record.append_option(row.record);
        self.task.append_option(row.task);
        self.task_instance.append_option(row.task_instance);
        self.function.append_option(row.function);
        self.origin.append_option(row.origin.map(Origin::as_str));
        self.keystrokes.append_option(row.keystrokes);
        self.corrections.append_option(row.corrections);
        self.continues.append_option(row.continues);
        self.value_kind.append_option(row.value_kind.map(ValueKind::as_str));
        self.value_digest.append_option(row.value_digest);
        self.value_parts.values().append_slice(&row.value_parts);
        self.value_parts.append(!row.value_parts.is_empty());
        self.outcome.append_option(row.outcome.map(Outcome::as_str));
        for (name, text) in &row.attributes {
            self.attributes.keys().append_value(name);
            self.attributes.values().append_value(text);
        }
        let lengths_agree = self.attributes.append(!row.attributes.is_empty());
        debug_assert!(lengths_agree.is_ok(), "a key and a value were appended together");
        let day = i32::try_from(row.started_at_us.div_euclid(DAY_US)).expect("584 years of days fit an i32");
        self.day.append_value(day);
    }

    pub(super) fn finish(mut self) -> Result<RecordBatch, ArrowError> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.trace_id.finish()),
            Arc::new(self.span_id.finish()),
            Arc::new(self.parent_span_id.finish()),
            Arc::new(self.name.finish()),
            Arc::new(self.kind.finish()),
            Arc::new(self.trigger.finish()),
            Arc::new(self.started_at.finish()),
            Arc::new(self.ended_at.finish()),
            Arc::new(self.sent_at.finish()),
            Arc::new(self.received_at.finish()),
            Arc::new(self.system.finish()),
            Arc::new(self.release.finish()),
            Arc::new(self.worker.finish()),
            Arc::new(self.organisation.finish()),
            Arc::new(self.team.finish()),
            Arc::new(self.role.finish()),
            Arc::new(self.session.finish()),
            Arc::new(self.screen.finish()),
            Arc::new(self.field.finish()),
            Arc::new(self.case_refs.finish()),
            Arc::new(self.record.finish()),
            Arc::new(self.task.finish()),
            Arc::new(self.task_instance.finish()),
            Arc::new(self.function.finish()),
            Arc::new(self.origin.finish()),
            Arc::new(self.keystrokes.finish()),
            Arc::new(self.corrections.finish()),
            Arc::new(self.continues.finish()),
            Arc::new(self.value_kind.finish()),
            Arc::new(self.value_digest.finish()),
            Arc::new(self.value_parts.finish()),
            Arc::new(self.outcome.finish()),
            Arc::new(self.attributes.finish()),
            Arc::new(self.day.finish()),
        ];
        RecordBatch::try_new(Arc::clone(&SPANS_SCHEMA), columns)
    }
}
