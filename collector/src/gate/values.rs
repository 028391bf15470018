//! Values → stored digests. The text of a value ends here.

use arrow::{
    array::{AsArray, Int64Array, Int64Builder, ListArray, ListBuilder},
    datatypes::{DataType, Field},
};
use gilbreth_conventions::{attribute, digest::client_digests, kind::ValueKind, normalise::PARTS_MAX};

use super::{
    Tally,
    columns::{Export, range_of, text_at},
    memo::Memo,
};
use crate::decode::{Text, Texts};

/// A value of more bytes than this is no field's value; it is dropped undigested.
const VALUE_BYTES_MAX: usize = 4_096;

/// What is stored of values.
pub(super) struct Values {
    pub(super) kinds: Vec<Option<ValueKind>>,
    pub(super) whole: Int64Array,
    pub(super) parts: ListArray,
}

/// Digests of every row's value: of its text where that was sent, else as the sender digested it.
pub(super) fn digests(export: &Export<'_>, kinds: &[Option<ValueKind>], tally: &mut Tally) -> Values {
    let decoded = export.decoded;
    let texts = decoded.text(Text::ValueText);
    let sent = export.texts(Text::ValueDigest, attribute::VALUE_DIGEST, tally);
    let sent_parts = decoded.list(Texts::Parts);
    let hashes = &export.policy.hashes;
    let mut memo = Memo::default();
    let mut kinds = kinds.to_vec();
    let mut whole = Int64Builder::with_capacity(export.len());
    let element = Field::new("element", DataType::Int64, true);
    let mut parts = ListBuilder::new(Int64Builder::new()).with_field(element);
    for (place, row) in export.rows().enumerate() {
        let mut any_part = false;
        match texts.and_then(|texts| text_at(texts, row)) {
            Some(text) if text.len() <= VALUE_BYTES_MAX => {
                let kind = *kinds[place].get_or_insert(ValueKind::Text);
                let digests = client_digests(&export.policy.page, text, kind);
                let stored = digests.whole.and_then(|digest| hashes.value(&digest));
                whole.append_option(stored);
                if stored.is_some() {
                    for part in digests.parts.iter().take(PARTS_MAX).filter_map(|part| hashes.value(part)) {
                        parts.values().append_value(part);
                        any_part = true;
                    }
                }
            }
            Some(_) => whole.append_null(),
            None => {
                let stored = sent.as_ref().and_then(|sent| sent[place]).and_then(|digest| hashes.value(digest));
                whole.append_option(stored);
                if let Some(column) = sent_parts.filter(|_| stored.is_some()) {
                    let items = column.values().as_string_view();
                    for part in range_of(column, row).take(PARTS_MAX).map(|at| items.value(at)) {
                        if let Some(part) = *memo.of(0, part, || hashes.value(part)) {
                            parts.values().append_value(part);
                            any_part = true;
                        }
                    }
                }
            }
        }
        parts.append(any_part);
    }
    Values { kinds, whole: whole.finish(), parts: parts.finish() }
}
