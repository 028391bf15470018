//! The table `go_live_effects`.

use std::collections::BTreeMap;

use arrow::record_batch::RecordBatch;
use gilbreth_collector::schema::{
    ColumnType::{Boolean, Double, Integer, Text},
    Table, optional, required,
};

use super::{
    Sides, Unit,
    permutation::{Sureness, What, deals, estimate, sureness},
    sides,
};
use crate::{
    Error,
    effects::{
        WEEK,
        rows::{day, days, doubles, flags, numbers, texts, wholes},
    },
    operators::columns::text,
    parameters::Parameters,
    session::Derived,
};

/// Weeks before go-live that are looked at; the one just before is what all are compared with.
const FIRST: i32 = -8;
/// Weeks since go-live that are looked at.
const LAST: i32 = 26;

static TABLE: Table = Table {
    name: "go_live_effects",
    folder: "views",
    grain: "an interface and a week since it went live; one row without a week for the mean over all from go-live on",
    partition: &[],
    sort: &[],
    columns: &[
        required("interface", Text, "name of the interface"),
        optional(
            "weeks_since",
            Integer,
            "weeks since the week of going live, which is 0; null for the mean over all from 0 on",
        ),
        optional(
            "before",
            Double,
            "avoidable re-entry of the live organisations in the week before, hours per person-week",
        ),
        optional("after", Double, "the same in the week looked at"),
        optional(
            "difference",
            Double,
            "effect: change since the week before, less that of organisations not live yet; hours per person-week",
        ),
        optional(
            "low",
            Double,
            "lower end of its 95 % interval, by test inversion; null where no effect could be refuted",
        ),
        optional("high", Double, "upper end of its 95 % interval; null as `low`"),
        optional(
            "p",
            Double,
            "how often dates dealt out at random give as great an effect over its error: needs exchangeable dates",
        ),
        optional("placebo", Double, "mean effect in the weeks before go-live, which should be about 0"),
        required("organisations", Integer, "organisations whose effect it is"),
        required("estimable", Boolean, "whether it can be estimated"),
        optional("reason", Text, "why it cannot; null where it can"),
    ],
};

/// The table, for the catalogue.
pub static GO_LIVE_EFFECTS: Derived = Derived {
    table: &TABLE,
    about: "What an interface did to avoidable re-entry, by weeks since it went live in an organisation, against the \
            organisations that did not have it yet (Callaway and Sant'Anna 2021). p and interval come from dealing out \
            the go-live dates anew, and hold if organisations could as well have had each other's dates.",
    inputs: &["interface_outcomes"],
    work_out,
};

struct Row<'a> {
    interface: &'a str,
    since: Option<i32>,
    sides: Option<Sides>,
    difference: Option<f64>,
    sureness: Option<Sureness>,
    placebo: Option<f64>,
    reason: Option<&'static str>,
}

fn work_out(parameters: &Parameters, inputs: &[RecordBatch]) -> Result<RecordBatch, Error> {
    let [outcomes] = inputs else {
        return Err(Error::Internal(format!("go-live effects are made from one view, not {}", inputs.len())));
    };
    let interfaces = read(outcomes)?;
    let rows: Vec<Row<'_>> =
        interfaces.iter().flat_map(|(interface, units)| effects(interface, units, parameters)).collect();
    let columns = vec![
        texts(&rows, |row| Some(row.interface)),
        wholes(&rows, |row| row.since.map(i64::from)),
        numbers(&rows, |row| row.sides.map(|sides| sides.before)),
        numbers(&rows, |row| row.sides.map(|sides| sides.after)),
        numbers(&rows, |row| row.difference),
        numbers(&rows, |row| row.sureness?.interval.map(|(low, _)| low)),
        numbers(&rows, |row| row.sureness?.interval.map(|(_, high)| high)),
        numbers(&rows, |row| row.sureness.map(|sureness| sureness.p)),
        numbers(&rows, |row| row.placebo),
        wholes(&rows, |row| Some(row.sides.map_or(0, |sides| sides.treated as i64))),
        flags(&rows, |row| row.difference.is_some()),
        texts(&rows, |row| row.reason),
    ];
    Ok(RecordBatch::try_new(TABLE.arrow_schema(), columns)?)
}

/// The organisations of each interface, in the order of their names. Weeks are counted from the first seen of any.
fn read(rows: &RecordBatch) -> Result<BTreeMap<String, Vec<Unit>>, Error> {
    let (interfaces, organisations) = (text(rows, "interface")?, text(rows, "organisation")?);
    let (weeks, live) = (days(rows, "week")?, days(rows, "live_week")?);
    let hours = doubles(rows, "hours_per_person_week")?;
    let Some(first) = weeks.iter().flatten().min() else { return Ok(BTreeMap::new()) };
    let place = |day: i32| (day - first).div_euclid(WEEK);
    let count = weeks.iter().flatten().max().map_or(0, |last| place(last) as usize + 1);
    let mut read: BTreeMap<String, BTreeMap<&str, Unit>> = BTreeMap::new();
    for row in 0..rows.num_rows() {
        let units = read.entry(interfaces.value(row).to_owned()).or_default();
        let unit = units
            .entry(organisations.value(row))
            .or_insert_with(|| Unit { live: day(&live, row).map(place), outcome: vec![None; count] });
        unit.outcome[place(weeks.value(row)) as usize] = Some(hours.value(row));
    }
    Ok(read.into_iter().map(|(interface, units)| (interface, units.into_values().collect())).collect())
}

/// The mean effect from go-live on, then each week that can be estimated.
fn effects<'a>(interface: &'a str, units: &[Unit], parameters: &Parameters) -> Vec<Row<'a>> {
    let live: Vec<Option<i32>> = units.iter().map(|unit| unit.live).collect();
    let outcome = |unit: usize, week: i32| *units[unit].outcome.get(usize::try_from(week).ok()?)?;
    let deals = deals(units, parameters.permutations as usize, parameters.bootstrap_seed);
    let weeks = units.first().map_or(0, |unit| unit.outcome.len() as i32);
    let last = LAST.min(weeks);
    let found = |what| estimate(&live, &outcome, what, last).map(|estimate| estimate.value);
    let before: Vec<f64> = (FIRST..-1).filter_map(|since| found(What::Since(since))).collect();
    let placebo = (!before.is_empty()).then(|| before.iter().sum::<f64>() / before.len() as f64);
    let row = |since: Option<i32>, what: What, sides: Option<Sides>| Row {
        interface,
        since,
        sides,
        difference: found(what),
        sureness: sureness(units, &deals, what, last),
        placebo,
        reason: None,
    };
    let each: Vec<Row<'_>> = (FIRST..=last)
        .filter(|since| *since != -1 && found(What::Since(*since)).is_some())
        .map(|since| row(Some(since), What::Since(since), sides(&live, &outcome, since)))
        .collect();
    let after: Vec<Sides> = each.iter().filter(|row| row.since >= Some(0)).filter_map(|row| row.sides).collect();
    let count = after.len() as f64;
    let all = Sides {
        before: after.iter().map(|sides| sides.before).sum::<f64>() / count,
        after: after.iter().map(|sides| sides.after).sum::<f64>() / count,
        treated: after.iter().map(|sides| sides.treated).max().unwrap_or(0),
    };
    let mut mean = row(None, What::After, (!after.is_empty()).then_some(all));
    if mean.difference.is_none() {
        mean.reason = Some(reason(units));
    }
    std::iter::once(mean).chain(each).collect()
}

fn reason(units: &[Unit]) -> &'static str {
    let within = |unit: &Unit| {
        let seen =
            |week: i32| usize::try_from(week).is_ok_and(|week| unit.outcome.get(week).is_some_and(Option::is_some));
        unit.live.is_some_and(|live| seen(live) && seen(live - 1))
    };
    if units.iter().any(within) {
        "no organisation was still without it to compare with"
    } else {
        "no organisation went live within the weeks seen"
    }
}
