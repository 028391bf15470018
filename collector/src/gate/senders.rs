//! What each resource says about all of its spans.

use std::{collections::HashMap, sync::Arc};

use gilbreth_conventions::attribute;

use super::{Policy, Source, Tally, names};
use crate::decode::{Decoded, EntryValue};

/// What a resource says about all of its spans.
#[derive(Debug, Clone)]
pub(super) struct Sender {
    pub(super) any_time: bool,
    /// Whether spans of its system may come from where these come from.
    pub(super) may_write: bool,
    pub(super) system: Option<Arc<str>>,
    /// The same number for the same system, within one export.
    pub(super) system_number: u32,
    pub(super) release: Option<Arc<str>>,
    pub(super) sent_at_us: Option<i64>,
    pub(super) received_at_us: i64,
    /// Whether the time of receipt is that of the spans, not merely that of reading a file.
    pub(super) receipt_known: bool,
    /// Attributes that stay, each name once, in order of names.
    pub(super) kept: Vec<(String, String)>,
}

/// The senders of an export, by number of resource. A gateway sends hundreds of resources at once that differ in little
/// but the clock.
pub(super) fn all(
    decoded: &Decoded,
    policy: &Policy,
    source: Source<'_>,
    received_at_us: i64,
    tally: &mut Tally,
) -> Vec<Sender> {
    let mut systems: HashMap<Option<Arc<str>>, u32> = HashMap::new();
    let mut entries = decoded.of_resources.iter().peekable();
    let mut senders: Vec<Sender> = Vec::new();
    for resource in 0..decoded.resources {
        let mut sender = Sender {
            any_time: source.believes_any_time(),
            may_write: false,
            system: None,
            system_number: 0,
            release: None,
            sent_at_us: None,
            received_at_us,
            receipt_known: source != Source::File,
            kept: Vec::new(),
        };
        let before = senders.last();
        while let Some(entry) = entries.next_if(|entry| entry.of == resource) {
            sender.take(decoded.name_of(entry), decoded.value_of(entry), before, policy, tally);
        }
        sender.settle();
        sender.may_write = source.may_write(sender.system.as_deref());
        let next = u32::try_from(systems.len()).expect("an export has fewer than 2^32 resources");
        sender.system_number = *systems.entry(sender.system.clone()).or_insert(next);
        senders.push(sender);
    }
    senders
}

impl Sender {
    fn take(&mut self, name: &str, value: EntryValue<'_>, before: Option<&Self>, policy: &Policy, tally: &mut Tally) {
        match (name, value) {
            (attribute::SERVICE_NAME, EntryValue::Text(text)) => {
                let label = names::label(text, &mut tally.counts.names_masked);
                self.system = label.map(|label| shared(label, before.and_then(|before| before.system.as_ref())));
            }
            (attribute::SERVICE_VERSION, EntryValue::Text(text)) => {
                let release = names::release(text);
                self.release =
                    release.map(|release| shared(release, before.and_then(|before| before.release.as_ref())));
            }
            (attribute::CLOCK_SENT, EntryValue::Integer(ns)) => self.sent_at_us = Some(ns.div_euclid(1000)),
            (attribute::CLOCK_RECEIVED, EntryValue::Integer(ns)) if self.any_time => {
                self.received_at_us = ns.div_euclid(1000);
                self.receipt_known = true;
            }
            _ => {
                let listed = policy.keep.contains(name);
                match if listed { names::kept(value) } else { None } {
                    Some(text) => self.kept.push((name.to_owned(), text)),
                    None => tally.drop_attributes(name, 1),
                }
            }
        }
    }

    fn settle(&mut self) {
        // Stable: of a name that is there twice, the first stays.
        self.kept.sort_by(|one, other| one.0.cmp(&other.0));
        self.kept.dedup_by(|later, first| later.0 == first.0);
        if !self.receipt_known {
            // The time of reading a file, less the time of sending, would pass for a wrong clock.
            self.sent_at_us = None;
        }
    }
}

fn shared(text: impl AsRef<str>, before: Option<&Arc<str>>) -> Arc<str> {
    match before {
        Some(before) if **before == *text.as_ref() => Arc::clone(before),
        _ => text.as_ref().into(),
    }
}
