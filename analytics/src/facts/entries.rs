//! Entries and mishaps from SQL → chains and rework.

use arrow::array::{Array, RecordBatch};
use datafusion::error::Result;
use futures::TryStreamExt;

use super::{Facts, sql};
use crate::operators::{
    SpanKey,
    columns::{Symbols, binary, bytes, integer, number, text, word},
    hashing::FastMap,
    rework::{Entry, Judged, Mishaps, judge},
};

/// Numbers for what entries and mishaps name.
#[derive(Default)]
struct Names {
    workers: Symbols<Vec<u8>>,
    systems: Symbols<Option<String>>,
    fields: Symbols<[Option<String>; 3]>,
    cases: Symbols<Vec<u8>>,
    tasks: Symbols<Vec<u8>>,
    records: Symbols<Vec<u8>>,
}

/// Chain and rework of every entry.
pub(super) async fn judged(facts: &Facts<'_>) -> Result<FastMap<SpanKey, Judged>> {
    let mut names = Names::default();
    let mut entries = Vec::new();
    let mut rows = facts.query(sql::ENTRIES).await?.execute_stream().await?;
    while let Some(batch) = rows.try_next().await? {
        add_entries(&mut entries, &mut names, &batch, facts)?;
    }
    let mut mishaps = Vec::new();
    let mut rows = facts.query(sql::MISHAPS).await?.execute_stream().await?;
    while let Some(batch) = rows.try_next().await? {
        let (spans, traces) = (binary(&batch, "span_id")?, binary(&batch, "trace_id")?);
        let (workers, systems) = (binary(&batch, "worker")?, text(&batch, "system")?);
        let (starts, outcomes) = (integer(&batch, "started_us")?, text(&batch, "outcome")?);
        for row in 0..batch.num_rows() {
            mishaps.push((
                names.workers.number(workers.value(row)),
                names.systems.number(&word(&systems, row).map(str::to_owned)),
                starts.value(row),
                SpanKey::from_bytes(spans.value(row), traces.value(row)),
                outcomes.value(row) == "rejected",
            ));
        }
    }
    let judged = judge(&entries, &Mishaps::new(mishaps));
    Ok(entries.iter().map(|entry| entry.key).zip(judged).collect())
}

fn add_entries(entries: &mut Vec<Entry>, names: &mut Names, batch: &RecordBatch, facts: &Facts<'_>) -> Result<()> {
    let (spans, traces) = (binary(batch, "span_id")?, binary(batch, "trace_id")?);
    let (workers, starts) = (binary(batch, "worker")?, integer(batch, "started_us")?);
    let (systems, screens, fields) = (text(batch, "system")?, text(batch, "screen")?, text(batch, "field")?);
    let (cases, tasks, records) =
        (binary(batch, "case_id")?, binary(batch, "task_instance")?, binary(batch, "record")?);
    let (continues, digests) = (binary(batch, "continues")?, integer(batch, "value_digest")?);
    for row in 0..batch.num_rows() {
        let start = starts.value(row);
        let field = [&systems, &screens, &fields].map(|names| word(names, row).map(str::to_owned));
        entries.push(Entry {
            key: SpanKey::from_bytes(spans.value(row), traces.value(row)),
            start,
            worker: bytes(&workers, row).map(|worker| names.workers.number(worker)),
            system: names.systems.number(&field[0]),
            field: fields.is_valid(row).then(|| names.fields.number(&field)),
            case: bytes(&cases, row).map(|case| names.cases.number(case)),
            task: bytes(&tasks, row).map(|task| names.tasks.number(task)),
            record: bytes(&records, row).map(|record| names.records.number(record)),
            day: facts.local().day(start),
            continues: bytes(&continues, row).map(|span| SpanKey::from_bytes(span, &[]).span),
            digest: number(&digests, row),
        });
    }
    Ok(())
}
