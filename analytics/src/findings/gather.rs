//! Asks the views what a report says.

use super::{
    Agreement, Answer, Check, Findings, Fix, Hotspot, LostBySystem, LostByTask, MatrixCell, Measure, Provenance,
    changes, claims,
};
use crate::{
    Error, catalogue,
    rows::{Row, Rows},
    session::{self, Session},
};

/// Everything that a report shows, of a session. A figure that is not available (a rate without a whole week) is
/// not-a-number, never 0.
pub async fn gather(session: &Session) -> Result<Findings, Error> {
    let period = Rows::ask(session, catalogue::answer("period")).await?;
    let day = |name| period.iter().next().map_or_else(|| Ok(String::new()), |row: Row<'_>| row.name(name));
    Ok(Findings {
        estate: session.estate().to_owned(),
        provenance: provenance(session).await?,
        scope: session.scope().options().map(|(name, value)| (name, value.to_owned())).collect(),
        from: day("from_day")?,
        to: day("to_day")?,
        version: session.version(),
        parameters: session::parameters(session)?
            .into_iter()
            .map(|(name, value, unit)| (name, value.to_string(), unit.to_owned()))
            .collect(),
        claims: ask(session, "claims", claims::claim).await?,
        time_use: ask(session, "time_use", claims::time_use).await?,
        sensitivity: ask(session, "sensitivity", claims::tried).await?,
        releases: ask(session, "release_effects", changes::release).await?,
        go_lives: ask(session, "go_live_effects", changes::go_live).await?,
        headline: ask(session, "headline", measure).await?,
        by_system: ask(session, "time_lost_by_system", by_system).await?,
        by_task: ask(session, "time_lost_by_task", by_task).await?,
        matrix: ask(session, "re_entry_matrix", cell).await?,
        hotspots: ask(session, "re_entry_hotspots", hotspot).await?,
        constants: ask(session, "constants", agreement).await?,
        too_few: ask(session, "too_few", agreement).await?,
        fixes: ask(session, "fixes", fix).await?,
        quality: ask(session, "data_quality", check).await?,
    })
}

async fn ask<T>(session: &Session, name: &str, make: impl Fn(Row<'_>) -> Result<T, Error>) -> Result<Answer<T>, Error> {
    let question = catalogue::answer(name);
    let answered = Rows::ask(session, question).await?;
    let rows = answered.read(make)?;
    // An answer that is cut says of each row how many there are.
    let of = match answered.iter().next() {
        Some(row) if row.has("rows") => usize::try_from(row.count("rows")?).unwrap_or(rows.len()),
        _ => rows.len(),
    };
    Ok(Answer { rows, of, sql: question.statement().to_owned() })
}

async fn provenance(session: &Session) -> Result<Provenance, Error> {
    let answered = Rows::ask(session, catalogue::answer("provenance")).await?;
    let said = answered.iter().next().map_or_else(|| Ok(String::new()), |row: Row<'_>| row.name("provenance"))?;
    Ok(match said.as_str() {
        "simulation" => Provenance::Simulation,
        "recording" => Provenance::Recording,
        _ => Provenance::InUse,
    })
}

fn measure(row: Row<'_>) -> Result<Measure, Error> {
    Ok(Measure {
        measure: row.name("measure")?,
        value: row.double("value")?,
        low: row.double("low")?,
        high: row.double("high")?,
        unit: row.name("unit")?,
        people: row.count("people")?,
        person_weeks: row.count("person_weeks")?,
        coverage: row.double("coverage")?,
        grade: row.name("grade")?,
    })
}

fn by_system(row: Row<'_>) -> Result<LostBySystem, Error> {
    Ok(LostBySystem {
        system: row.name("system")?,
        cause: row.name("cause")?,
        hours: row.figure("hours")?,
        hours_per_person_week: row.figure("hours_per_person_week")?,
        low: row.double("low")?,
        high: row.double("high")?,
        share: row.figure("share")?,
        people: row.count("people")?,
        all_causes: row.double("all_low")?.zip(row.double("all_high")?),
    })
}

fn by_task(row: Row<'_>) -> Result<LostByTask, Error> {
    Ok(LostByTask {
        task: row.name("task")?,
        cause: row.name("cause")?,
        hours: row.figure("hours")?,
        hours_per_person_week: row.figure("hours_per_person_week")?,
        low: row.double("low")?,
        high: row.double("high")?,
        share: row.figure("share")?,
        instances: row.count("instances")?,
        minutes_per_instance: row.double("minutes_per_instance")?,
        all_causes: row.double("all_low")?.zip(row.double("all_high")?),
    })
}

fn cell(row: Row<'_>) -> Result<MatrixCell, Error> {
    Ok(MatrixCell {
        from_system: row.name("from_system")?,
        to_system: row.name("to_system")?,
        re_entries: row.figure("re_entries")?,
        hours: row.figure("hours")?,
        hours_per_person_week: row.figure("hours_per_person_week")?,
        cases: row.count("cases")?,
    })
}

fn hotspot(row: Row<'_>) -> Result<Hotspot, Error> {
    Ok(Hotspot {
        rank: row.count("rank")?,
        from: [row.name("from_system")?, row.name("from_screen")?, row.name("from_field")?],
        to: [row.name("to_system")?, row.name("to_screen")?, row.name("to_field")?],
        scope: row.name("scope")?,
        n: row.count("n")?,
        m: row.count("m")?,
        expected: row.figure("expected")?,
        re_entries: row.figure("re_entries")?,
        hours: row.figure("hours")?,
        hours_per_person_week: row.figure("hours_per_person_week")?,
        low: row.double("low")?,
        high: row.double("high")?,
        rank_low: row.whole("rank_low")?,
        rank_high: row.whole("rank_high")?,
        cases: row.count("cases")?,
        people: row.count("people")?,
    })
}

fn agreement(row: Row<'_>) -> Result<Agreement, Error> {
    Ok(Agreement {
        from: [row.name("from_system")?, row.name("from_screen")?, row.name("from_field")?],
        to: [row.name("to_system")?, row.name("to_screen")?, row.name("to_field")?],
        agreement: row.name("match")?,
        n: row.count("n")?,
        m: row.count("m")?,
        expected: row.figure("expected")?,
    })
}

fn fix(row: Row<'_>) -> Result<Fix, Error> {
    Ok(Fix {
        rank: row.count("rank")?,
        kind: row.name("kind")?,
        cause: row.name("cause")?,
        system: row.name("system")?,
        screen: row.text("screen")?,
        field: row.text("field")?,
        from_system: row.text("from_system")?,
        from_screen: row.text("from_screen")?,
        from_field: row.text("from_field")?,
        hours: row.figure("hours")?,
        hours_per_week: row.figure("hours_per_week")?,
        low: row.double("low")?,
        high: row.double("high")?,
        cost_per_year: row.double("cost_per_year")?,
        rank_low: row.whole("rank_low")?,
        rank_high: row.whole("rank_high")?,
        people: row.count("people")?,
        why: row.name("why")?,
    })
}

fn check(row: Row<'_>) -> Result<Check, Error> {
    Ok(Check {
        check: row.name("check")?,
        value: row.figure("value")?,
        unit: row.name("unit")?,
        meaning: row.name("meaning")?,
    })
}
