//! Attributes that have no column: those that the list keeps, and a count of the rest.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, MapBuilder, MapFieldNames, StringBuilder},
    error::ArrowError,
};

use super::{Tally, columns::Export, names};
use crate::decode::Entry;

/// Attributes whose name begins so belong to the conventions: kept by no list, dropped if not understood.
const OURS: &str = "casework.";

/// The map of each row: its own attributes, then those of its resource, each name once, in order of names.
pub(super) fn attributes(export: &Export<'_>, tally: &mut Tally) -> Result<ArrayRef, ArrowError> {
    let decoded = export.decoded;
    let keep = &export.policy.keep;
    let is_listed: Vec<bool> =
        decoded.names().iter().flatten().map(|name| keep.contains(name) && !name.starts_with(OURS)).collect();
    let mut dropped = vec![0_u64; is_listed.len()];
    let mut text = |entry: &Entry| {
        let text = if is_listed[entry.name()] { names::kept(decoded.value_of(entry)) } else { None };
        dropped[entry.name()] += u64::from(text.is_none());
        text.map(|text| (decoded.name_of(entry), text))
    };
    let entry_names = MapFieldNames { entry: "key_value".to_owned(), key: "key".to_owned(), value: "value".to_owned() };
    let mut map = MapBuilder::new(Some(entry_names), StringBuilder::new(), StringBuilder::new());
    let mut entries = decoded.others.iter().peekable();
    let mut own = Vec::new();
    for row in export.rows() {
        // Those of spans that were refused are only counted.
        while let Some(entry) = entries.next_if(|entry| (entry.of as usize) < row) {
            text(entry);
        }
        own.clear();
        while let Some(entry) = entries.next_if(|entry| entry.of as usize == row) {
            own.extend(text(entry));
        }
        append(&mut map, &mut own, &export.sender(row).kept)?;
    }
    entries.for_each(|entry| drop(text(entry)));
    for (name, count) in decoded.names().iter().flatten().zip(dropped) {
        tally.drop_attributes(name, count);
    }
    Ok(Arc::new(map.finish()))
}

fn append<'a>(
    map: &mut MapBuilder<StringBuilder, StringBuilder>,
    own: &mut Vec<(&'a str, String)>,
    of_sender: &'a [(String, String)],
) -> Result<(), ArrowError> {
    if own.is_empty() {
        for (name, text) in of_sender {
            map.keys().append_value(name);
            map.values().append_value(text);
        }
        return map.append(!of_sender.is_empty());
    }
    for (name, text) in of_sender {
        if !own.iter().any(|(own, _)| own == name) {
            own.push((name, text.clone()));
        }
    }
    // Stable: of a name that is there twice, the first stays.
    own.sort_by_key(|(name, _)| *name);
    own.dedup_by_key(|(name, _)| *name);
    for (name, text) in own.iter() {
        map.keys().append_value(name);
        map.values().append_value(text);
    }
    map.append(true)
}
