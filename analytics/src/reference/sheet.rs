//! A CSV of reference data → its rows, with everything that is wrong with it.

use csv::{ByteRecord, ReaderBuilder};
use gilbreth_collector::schema::Table;

use super::{
    faults::{Faults, Lines},
    formats::{self, Format},
    quoting,
    rows::Row,
};

/// Reads a file. Rows that are wrong are not among those returned; what is wrong is among the faults.
pub(super) fn read(bytes: &[u8], format: &Format, faults: &mut Faults) -> Vec<Row> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        faults.whole("must be UTF-8, and is UTF-16: save it as CSV UTF-8");
        return Vec::new();
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        faults.whole(format!("is empty: the first line must be the header {}", header_of(format.table)));
        return Vec::new();
    }
    if let Err(wrong) = quoting::check(bytes) {
        faults.cell(Lines::of(bytes).at(wrong.offset), wrong.column.to_string(), wrong.what);
        return Vec::new();
    }
    let mut lines = Lines::of(bytes);
    let reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    // Quotes were checked: nothing else can be wrong with the bytes of a CSV in memory.
    let mut records = reader.into_byte_records().map_while(Result::ok).map(|record| {
        let line = lines.at(start(bytes, &record));
        (line, record)
    });
    let Some((line, header)) = records.next() else { return Vec::new() };
    let Some(places) = places(line, &header, format.table, faults) else { return Vec::new() };
    let mut rows = Vec::new();
    for (line, record) in records {
        if record.iter().all(|cell| cell.trim_ascii().is_empty()) {
            continue;
        }
        if record.len() != header.len() {
            faults.line(line, format!("has {} cells, and must have {} as the header has", record.len(), header.len()));
            continue;
        }
        rows.extend(row(line, &record, &places, format.table, faults));
    }
    format.check(&rows, faults);
    rows
}

/// Where a record starts: the reader's position may be before empty lines.
fn start(bytes: &[u8], record: &ByteRecord) -> usize {
    let position = record.position().map_or(0, csv::Position::byte);
    let from = usize::try_from(position).unwrap_or(usize::MAX).min(bytes.len());
    from + bytes[from..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count()
}

/// Where each column of the table is in a record; none where the header lacks it. `None` where the first line is no
/// header at all, and may be a row that names people.
fn places(line: u64, header: &ByteRecord, table: &Table, faults: &mut Faults) -> Option<Vec<Option<usize>>> {
    let names: Vec<&[u8]> = header.iter().map(<[u8]>::trim_ascii).collect();
    let known = |name: &[u8]| table.columns.iter().any(|column| column.name.as_bytes() == name);
    if !names.iter().any(|name| known(name)) {
        let commas = names.len() == 1 && names[0].iter().any(|byte| matches!(byte, b';' | b'\t'));
        let hint = if commas { ", with commas between the cells" } else { "" };
        faults.line(line, format!("must be the header {}{hint}", header_of(table)));
        return None;
    }
    for (index, name) in names.iter().enumerate() {
        let position = (index + 1).to_string();
        match str::from_utf8(name) {
            Err(_) => faults.cell(line, position, "the name of a column must be UTF-8"),
            Ok("") => faults.cell(line, position, "the column must have a name"),
            Ok(text) if !known(name) => faults.cell(
                line,
                text.escape_debug().to_string(),
                format!("there is no such column: the header is {}", header_of(table)),
            ),
            Ok(text) if names[..index].contains(name) => faults.cell(line, text, "must be there only once"),
            Ok(_) => {}
        }
    }
    let places = table.columns.iter().map(|column| {
        let place = names.iter().position(|name| *name == column.name.as_bytes());
        if place.is_none() {
            let may_be = if column.nullable { "; its cells may be empty" } else { "" };
            faults.cell(line, column.name, format!("the header must have it{may_be}"));
        }
        place
    });
    Some(places.collect())
}

/// The row of a record; none if a cell of it is wrong.
fn row(
    line: u64,
    record: &ByteRecord,
    places: &[Option<usize>],
    table: &'static Table,
    faults: &mut Faults,
) -> Option<Row> {
    let before = faults.count();
    let mut cells = Vec::with_capacity(table.columns.len());
    for (column, place) in table.columns.iter().zip(places) {
        // A column that the header lacks was told once.
        let Some(bytes) = place.and_then(|place| record.get(place)) else {
            cells.push(None);
            continue;
        };
        let cell = match str::from_utf8(bytes).map(str::trim) {
            Err(_) => Err("must be UTF-8".to_owned()),
            Ok("") if column.nullable => Ok(None),
            Ok("") => Err(format!("is empty, and {}", formats::expected(table, column))),
            Ok(text) => formats::cell(text, table, column).map(Some),
        };
        match cell {
            Ok(cell) => cells.push(cell),
            Err(what) => faults.cell(line, column.name, what),
        }
    }
    (faults.count() == before).then_some(Row { table, line, cells })
}

fn header_of(table: &Table) -> String {
    table.columns.iter().map(|column| column.name).collect::<Vec<_>>().join(",")
}
