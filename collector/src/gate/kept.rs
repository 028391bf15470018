//! Attributes that have no column: those that the list keeps, and a count of the rest.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, MapBuilder, MapFieldNames, StringBuilder},
    error::ArrowError,
};

use super::{Tally, columns::Export, names};
use crate::decode::{Decoded, Scalar, Value};

/// Attributes whose name begins so belong to the conventions: kept by no list, dropped if not understood.
const OURS: &str = "casework.";

/// The map of each row: its own attributes, then those of its resource, each name once, in order of names.
pub(super) fn attributes(export: &Export<'_>, tally: &mut Tally) -> Result<ArrayRef, ArrowError> {
    let others = &export.decoded.others;
    let keep = &export.policy.keep;
    let is_listed: Vec<bool> =
        others.names.iter().flatten().map(|name| keep.contains(name) && !name.starts_with(OURS)).collect();
    let mut dropped = vec![0_u64; is_listed.len()];
    let mut text = |&(_, name, value): &(u32, u32, Scalar)| {
        let at = name as usize;
        let text = if is_listed[at] { text_of(value, export.decoded) } else { None };
        dropped[at] += u64::from(text.is_none());
        text.map(|text| (others.names.value(at), text))
    };
    let names =
        MapFieldNames { entry: "key_value".to_owned(), key: "key".to_owned(), value: "value".to_owned() };
    let mut map = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    let mut entries = others.entries.iter().peekable();
    let mut own = Vec::new();
    for row in export.rows() {
        // Those of spans that were refused are only counted.
        while let Some(entry) = entries.next_if(|(of, ..)| (*of as usize) < row) {
            text(entry);
        }
        own.clear();
        while let Some(entry) = entries.next_if(|(of, ..)| *of as usize == row) {
            own.extend(text(entry));
        }
        append(&mut map, &mut own, &export.senders[export.decoded.resource[row] as usize].kept)?;
    }
    entries.for_each(|entry| drop(text(entry)));
    for (name, count) in others.names.iter().flatten().zip(dropped) {
        tally.drop_attributes(name, count);
    }
    Ok(Arc::new(map.finish()))
}

fn append<'a>(
    map: &mut MapBuilder<StringBuilder, StringBuilder>,
    own: &mut Vec<(&'a str, String)>,
    of_sender: &'a [(String, String)],
) -> Result<(), ArrowError> {
    if !own.is_empty() {
        let unsaid = of_sender.iter().filter(|(name, _)| !own.iter().any(|(own, _)| own == name));
        let unsaid: Vec<_> = unsaid.map(|(name, text)| (name.as_str(), text.clone())).collect();
        own.extend(unsaid);
        // Stable: of a name that is there twice, the first stays.
        own.sort_by_key(|(name, _)| *name);
        own.dedup_by_key(|(name, _)| *name);
        for (name, text) in own.iter() {
            map.keys().append_value(name);
            map.values().append_value(text);
        }
        return map.append(true);
    }
    for (name, text) in of_sender {
        map.keys().append_value(name);
        map.values().append_value(text);
    }
    map.append(!of_sender.is_empty())
}

/// The value as it is kept; `None` if it is of no kind that is.
fn text_of(value: Scalar, decoded: &Decoded) -> Option<String> {
    match value {
        Scalar::Text(at) => Some(names::kept_text(decoded.others.texts.value(at as usize))),
        Scalar::Integer(number) => names::kept(&Value::Integer(number)),
        Scalar::Double(number) => names::kept(&Value::Double(number)),
        Scalar::Boolean(truth) => names::kept(&Value::Boolean(truth)),
        Scalar::Other => None,
    }
}
