//! Values → stored digests. The text of a value ends here.

use arrow::{
    array::{Int64Array, Int64Builder, ListArray, ListBuilder},
    datatypes::{DataType, Field},
};
use gilbreth_conventions::{attribute, digest::client_digests, kind::ValueKind, normalise::PARTS_MAX};

use super::{
    Policy, Tally,
    columns::Export,
    told::{Told, range_of},
};
use crate::decode::{List, Text, items_of};

/// A value of more bytes than this is no field's value; it is dropped undigested.
const VALUE_BYTES_MAX: usize = 4_096;

/// What is stored of values.
pub(super) struct Values {
    pub(super) kinds: Vec<Option<ValueKind>>,
    pub(super) whole: Int64Array,
    pub(super) parts: ListArray,
}

/// Digests of every row's value: of its text where that was sent, else as the sender digested it.
pub(super) fn digests(export: &Export<'_>, mut kinds: Vec<Option<ValueKind>>, tally: &mut Tally) -> Values {
    let hashes = &export.policy.hashes;
    // A text with nothing in it is a value all the same, and has no digest.
    let texts = export.decoded.text(Text::Value);
    let texts = texts.map(|column| Told::with_blanks(column, &export.accepted.rows)).unwrap_or_default();
    let sent = export.told(Text::ValueDigest, attribute::VALUE_DIGEST, tally);
    let sent_whole = sent.each(|digest| hashes.value(digest));
    let sent_parts = export.decoded.list(List::Parts).map(|column| {
        let told = Told::items(items_of(column));
        (column, told.each(|part| hashes.value(part)), told)
    });
    let mut whole = Int64Builder::with_capacity(export.len());
    let element = Field::new("element", DataType::Int64, true);
    let mut parts = ListBuilder::new(Int64Builder::new()).with_field(element);
    for (place, row) in export.rows().enumerate() {
        let mut any_part = false;
        let mut add_part = |part| {
            parts.values().append_value(part);
            any_part = true;
        };
        let stored = match texts.at(place) {
            Some(text) => digest(export.policy, texts.text(text), &mut kinds[place], &mut add_part),
            None => sent.at(place).and_then(|digest| sent_whole[digest]).inspect(|_| {
                if let Some((column, stored, told)) = &sent_parts {
                    let of_row = range_of(column, row).take(PARTS_MAX);
                    of_row.filter_map(|at| told.at(at)).filter_map(|part| stored[part]).for_each(&mut add_part);
                }
            }),
        };
        whole.append_option(stored);
        parts.append(any_part);
    }
    Values { kinds, whole: whole.finish(), parts: parts.finish() }
}

/// The stored digest of a text, and of its parts.
fn digest(policy: &Policy, text: &str, kind: &mut Option<ValueKind>, add_part: &mut impl FnMut(i64)) -> Option<i64> {
    if text.len() > VALUE_BYTES_MAX {
        return None;
    }
    let digests = client_digests(&policy.page, text, *kind.get_or_insert(ValueKind::Text));
    let stored = digests.whole.and_then(|digest| policy.hashes.value(&digest))?;
    digests.parts.iter().take(PARTS_MAX).filter_map(|part| policy.hashes.value(part)).for_each(add_part);
    Some(stored)
}
