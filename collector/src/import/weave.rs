//! Events → spans.
//!
//! Events of one field in a row are one entry, from focus to the last edit. Where the worker goes to another system and
//! comes back to the same field, the entry goes on: it is a chain of spans, each of which continues the one before, and
//! the value is on the last. So the time elsewhere is not called typing, and what was read there was read before the part
//! of the entry that needed it. A field that is gone to and left as it was is a view.

use std::collections::BTreeMap;

use gilbreth_conventions::{
    attribute,
    kind::{Kind, Origin},
};
use sha2::{Digest, Sha256};

use super::{
    Summary,
    mapping::{Mapping, Meaning, Values},
    recording::{Event, Place, Recording},
};
use crate::decode::{Attribute, Batch, Span};

pub(super) fn spans(recording: Recording, mapping: &Mapping, summary: &mut Summary) -> Vec<Batch> {
    let mut workers: BTreeMap<String, Weaver<'_>> = BTreeMap::new();
    for event in recording.events {
        let index = workers.len();
        let weaver = workers
            .entry(event.worker.clone())
            .or_insert_with(|| Weaver::new(recording.fingerprint, index, &mapping.values));
        weaver.take(event);
    }
    let mut systems: BTreeMap<String, Vec<Span>> = BTreeMap::new();
    for (worker, weaver) in workers {
        let (made, cases) = weaver.finish();
        summary.cases += cases;
        for (system, mut span) in made {
            if !worker.is_empty() {
                span.attributes.push(Attribute::text(attribute::WORKER[0], &*worker));
            }
            summary.spans += 1;
            systems.entry(system).or_default().push(span);
        }
    }
    systems
        .into_iter()
        .map(|(system, spans)| Batch {
            resource: vec![
                Attribute::text(attribute::SERVICE_NAME, system),
                Attribute::text(attribute::ENVIRONMENT, attribute::ENVIRONMENT_RECORDING),
            ],
            spans,
        })
        .collect()
}

/// The work of one worker.
struct Weaver<'m> {
    values: &'m Values,
    fingerprint: [u8; 32],
    worker: usize,
    case: u64,
    case_is_open: bool,
    field: Option<Field>,
    made: Vec<(String, Span)>,
}

/// A field being used.
struct Field {
    place: Place,
    is_choice: bool,
    stays: Vec<Stay>,
    /// The worker is in another system meanwhile.
    left: bool,
    value: Option<String>,
}

/// A stay in a field, without another system in between.
struct Stay {
    line: u64,
    from_ns: u64,
    /// Last paste or edit; none: nothing was changed.
    changed_ns: Option<u64>,
    pasted: bool,
    seen: Option<String>,
}

impl<'m> Weaver<'m> {
    fn new(fingerprint: [u8; 32], worker: usize, values: &'m Values) -> Self {
        Self { values, fingerprint, worker, case: 0, case_is_open: false, field: None, made: Vec::new() }
    }

    fn take(&mut self, event: Event) {
        self.case_is_open = true;
        let ends_case = event.ends_case;
        match event.meaning {
            Meaning::Focus | Meaning::Paste | Meaning::Edit => self.touch(event),
            Meaning::View | Meaning::Action | Meaning::Navigation | Meaning::Ignored => {
                self.leave(&event.place);
                self.instant(&event);
            }
        }
        if ends_case {
            self.close_field();
            self.case += 1;
            self.case_is_open = false;
        }
    }

    fn finish(mut self) -> (Vec<(String, Span)>, u64) {
        self.close_field();
        (self.made, self.case + u64::from(self.case_is_open))
    }

    /// Something else is used: a field of the same system is done with, one of another system may be come back to.
    fn leave(&mut self, to: &Place) {
        match &mut self.field {
            Some(field) if field.place.system != to.system => field.left = true,
            _ => self.close_field(),
        }
    }

    fn touch(&mut self, event: Event) {
        if self.field.as_ref().is_none_or(|field| field.place != event.place) {
            // An entry in another system closes this one: whoever keys there has left the field for good.
            self.close_field();
        }
        let field = self.field.get_or_insert_with(|| Field {
            place: event.place,
            is_choice: event.is_choice,
            stays: Vec::new(),
            left: true,
            value: None,
        });
        if field.left {
            field.left = false;
            let seen = event.value.clone().filter(|_| event.meaning == Meaning::Focus);
            let stay = Stay { line: event.line, from_ns: event.at_ns, changed_ns: None, pasted: false, seen };
            field.stays.push(stay);
        }
        let Some(stay) = field.stays.last_mut() else { return };
        if event.meaning != Meaning::Focus {
            stay.changed_ns = Some(event.at_ns);
            stay.pasted |= event.meaning == Meaning::Paste;
        }
        if event.meaning == Meaning::Edit {
            field.value = event.value;
        }
    }

    fn close_field(&mut self) {
        let Some(field) = self.field.take() else { return };
        let last_change = field.stays.iter().rposition(|stay| stay.changed_ns.is_some());
        let mut before: Option<Vec<u8>> = None;
        for (index, stay) in field.stays.into_iter().enumerate() {
            let Some(changed_ns) = stay.changed_ns else {
                self.make(&field.place, Kind::View, stay.line, [stay.from_ns; 2], stay.seen.as_deref(), Vec::new());
                continue;
            };
            let kind = if field.is_choice { Kind::Choice } else { Kind::Entry };
            let origin = match kind {
                Kind::Choice => Origin::Selected,
                _ if stay.pasted => Origin::Pasted,
                _ => Origin::Typed,
            };
            let mut attributes = vec![Attribute::text(attribute::INPUT_ORIGIN, origin.as_str())];
            if let Some(before) = &before {
                let hex: String = before.iter().map(|byte| format!("{byte:02x}")).collect();
                attributes.push(Attribute::text(attribute::CONTINUES, hex));
            }
            let value = field.value.as_deref().filter(|_| Some(index) == last_change);
            let id = self.make(&field.place, kind, stay.line, [stay.from_ns, changed_ns], value, attributes);
            before = Some(id);
        }
    }

    fn instant(&mut self, event: &Event) {
        let kind = match event.meaning {
            Meaning::View => Kind::View,
            Meaning::Navigation => Kind::Navigation,
            _ => Kind::Action,
        };
        self.make(&event.place, kind, event.line, [event.at_ns; 2], event.value.as_deref(), Vec::new());
    }

    fn make(
        &mut self,
        place: &Place,
        kind: Kind,
        line: u64,
        [started_at_ns, ended_at_ns]: [u64; 2],
        value: Option<&str>,
        mut attributes: Vec<Attribute>,
    ) -> Vec<u8> {
        let case = self.id("case", self.case);
        let hex: String = case.iter().map(|byte| format!("{byte:02x}")).collect();
        attributes.push(Attribute::text(attribute::INTERACTION, kind.as_str()));
        attributes.push(Attribute::text(attribute::CASE_ID, hex));
        for (name, text) in [(attribute::SCREEN[0], &place.screen), (attribute::FIELD[0], &place.field)] {
            attributes.extend(text.iter().map(|text| Attribute::text(name, text)));
        }
        if let Some(value) = value {
            attributes.push(Attribute::text(attribute::VALUE_KIND, self.values.kind(value).as_str()));
            attributes.push(Attribute::text(attribute::VALUE_TEXT, value));
        }
        let span_id = self.id("span", line)[..8].to_vec();
        self.made.push((
            place.system.clone(),
            Span {
                trace_id: case[..16].to_vec(),
                span_id: span_id.clone(),
                parent_span_id: Vec::new(),
                name: kind.as_str().to_owned(),
                started_at_ns,
                ended_at_ns,
                failed: false,
                attributes,
            },
        ));
        span_id
    }

    fn id(&self, what: &str, number: u64) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.fingerprint);
        hash.update(what.as_bytes());
        hash.update(self.worker.to_be_bytes());
        hash.update(number.to_be_bytes());
        hash.finalize().into()
    }
}
