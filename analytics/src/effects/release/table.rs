//! The table `release_effects`.

use std::collections::BTreeMap;

use arrow::record_batch::RecordBatch;
use gilbreth_collector::schema::{
    ColumnType::{Boolean, Date, Double, Integer, Text},
    Table, optional, required,
};

use super::{Effect, Missing, Panel};
use crate::{
    Error,
    effects::{
        resample::Draws,
        rows::{dates, days, doubles, flags, numbers, texts, wholes},
    },
    operators::columns::{binary, boolean, integer, text, word},
    parameters::Parameters,
    session::Derived,
};

static TABLE: Table = Table {
    name: "release_effects",
    folder: "views",
    grain: "a release of a system and a task in which time is lost there",
    partition: &[],
    sort: &[],
    columns: &[
        required("system", Text, "the system"),
        required("release", Text, "its release"),
        required("task", Text, "the task; `unnamed` for runs of work on one case"),
        required("released_on", Date, "first local day on which the release is seen"),
        optional("before", Double, "minutes lost in the system per instance of the task in the clean weeks before"),
        optional("after", Double, "the same in those after, the week of the release left out"),
        optional(
            "control",
            Double,
            "change in minutes lost per instance in the same workers' systems without a release",
        ),
        optional("difference", Double, "after less before less control: the effect, minutes per instance"),
        optional("low", Double, "lower end of its 95 % interval; null under ten people"),
        optional("high", Double, "upper end of its 95 % interval; null as `low`"),
        optional(
            "placebo",
            Double,
            "mean difference at placebo dates: weeks of the system without a release; about 0 if all is well",
        ),
        required("placebo_dates", Integer, "placebo dates at which a difference can be estimated"),
        optional(
            "placebo_share",
            Double,
            "share of them whose difference is as far from 0 as that of the release, or further",
        ),
        required("people", Integer, "workers who did the task on both sides"),
        optional("instances_before", Integer, "instances of the task before"),
        optional("instances_after", Integer, "instances of the task after"),
        optional("weeks_before", Integer, "clean weeks before"),
        optional("weeks_after", Integer, "clean weeks after"),
        required("estimable", Boolean, "whether the effect can be estimated"),
        optional("reason", Text, "why it cannot; null where it can"),
    ],
};

/// The table, for the catalogue.
pub static RELEASE_EFFECTS: Derived = Derived {
    table: &TABLE,
    about: "What each release did to the time that tasks lose in its system, against the same workers' other systems, \
            with an interval from resampling workers and with placebo dates.",
    inputs: &["releases", "task_weeks", "lost_weeks"],
    work_out,
};

/// A release that came while the data ran.
struct Release {
    system: String,
    name: String,
    day: i32,
    week: i32,
}

struct Row<'a> {
    release: &'a Release,
    task: &'a str,
    effect: Result<Effect, Missing>,
}

fn work_out(parameters: &Parameters, inputs: &[RecordBatch]) -> Result<RecordBatch, Error> {
    let [releases, instances, lost] = inputs else {
        return Err(Error::Internal(format!("release effects are made from three views, not {}", inputs.len())));
    };
    let releases = read_releases(releases)?;
    let panel = read_panel(&releases, instances, lost)?;
    let draws = Draws::new(panel.workers, parameters.bootstrap_replicates as usize, parameters.bootstrap_seed);
    let people_min = parameters.interval_people_min as usize;
    let rows: Vec<Row<'_>> = releases
        .iter()
        .flat_map(|release| panel.tasks(&release.system).map(move |task| (release, task)))
        .map(|(release, task)| {
            let effect = panel.effect(&release.system, task, release.week, &draws, people_min);
            Row { release, task, effect }
        })
        .collect();
    table(&rows)
}

/// Releases other than those in use when the data begin, in order of system, day and name.
fn read_releases(rows: &RecordBatch) -> Result<Vec<Release>, Error> {
    let (systems, names, changed) = (text(rows, "system")?, text(rows, "release")?, boolean(rows, "changed")?);
    let (released_on, weeks) = (days(rows, "released_on")?, days(rows, "week")?);
    let mut releases: Vec<Release> = (0..rows.num_rows())
        .filter(|&row| changed.value(row))
        .map(|row| Release {
            system: systems.value(row).to_owned(),
            name: names.value(row).to_owned(),
            day: released_on.value(row),
            week: weeks.value(row),
        })
        .collect();
    releases.sort_by(|a, b| (&a.system, a.day, &a.name).cmp(&(&b.system, b.day, &b.name)));
    Ok(releases)
}

fn read_panel(releases: &[Release], instances: &RecordBatch, lost: &RecordBatch) -> Result<Panel, Error> {
    let mut panel = Panel::default();
    for release in releases {
        panel.changes.entry(release.system.clone()).or_default().insert(release.week);
    }
    let (workers, weeks, tasks) = (binary(instances, "worker")?, days(instances, "week")?, text(instances, "task")?);
    let counts = integer(instances, "instances")?;
    let mut numbered: BTreeMap<&[u8], usize> = workers.iter().flatten().map(|worker| (worker, 0)).collect();
    for (number, place) in numbered.values_mut().enumerate() {
        *place = number;
    }
    panel.workers = numbered.len();
    // The first week sees fewer sources of re-entry than those that follow, and is left out.
    panel.weeks = weeks.iter().flatten().collect();
    panel.weeks.pop_first();
    for row in 0..instances.num_rows() {
        let cell = (numbered[workers.value(row)], weeks.value(row), counts.value(row) as f64);
        panel.instances.entry(tasks.value(row).to_owned()).or_default().push(cell);
    }
    let (workers, weeks) = (binary(lost, "worker")?, days(lost, "week")?);
    let (systems, tasks, minutes) = (text(lost, "system")?, text(lost, "task")?, doubles(lost, "minutes")?);
    for row in 0..lost.num_rows() {
        // Who never did a task has no part in any comparison.
        let (Some(&worker), Some(task)) = (numbered.get(workers.value(row)), word(&tasks, row)) else { continue };
        let cell = (worker, weeks.value(row), minutes.value(row));
        panel.lost.entry((systems.value(row).to_owned(), task.to_owned())).or_default().push(cell);
    }
    for rows in panel.instances.values_mut().chain(panel.lost.values_mut()) {
        rows.sort_by_key(|(worker, week, _)| (*worker, *week));
    }
    Ok(panel)
}

fn table(rows: &[Row<'_>]) -> Result<RecordBatch, Error> {
    let number = |of: fn(&Effect) -> Option<f64>| numbers(rows, |row| row.effect.as_ref().ok().and_then(of));
    let whole = |of: fn(&Effect) -> i64| wholes(rows, |row| row.effect.as_ref().ok().map(of));
    let columns = vec![
        texts(rows, |row| Some(row.release.system.as_str())),
        texts(rows, |row| Some(row.release.name.as_str())),
        texts(rows, |row| Some(row.task)),
        dates(rows, |row| row.release.day),
        number(|effect| Some(effect.change.before)),
        number(|effect| Some(effect.change.after)),
        number(|effect| Some(effect.change.control)),
        number(|effect| Some(effect.change.difference)),
        number(|effect| effect.interval.map(|(low, _)| low)),
        number(|effect| effect.interval.map(|(_, high)| high)),
        number(|effect| Some(effect.placebos.iter().sum::<f64>() / effect.placebos.len() as f64)),
        wholes(rows, |row| Some(row.effect.as_ref().map_or(0, |effect| effect.placebos.len() as i64))),
        number(|effect| {
            let found = effect.change.difference.abs();
            let further = effect.placebos.iter().filter(|placebo| placebo.abs() >= found).count();
            Some(further as f64 / effect.placebos.len() as f64)
        }),
        wholes(rows, |row| Some(row.effect.as_ref().map_or(0, |effect| effect.people as i64))),
        whole(|effect| effect.instances.0 as i64),
        whole(|effect| effect.instances.1 as i64),
        whole(|effect| effect.weeks.0 as i64),
        whole(|effect| effect.weeks.1 as i64),
        flags(rows, |row| row.effect.is_ok()),
        texts(rows, |row| row.effect.as_ref().err().map(|missing| missing.reason())),
    ];
    Ok(RecordBatch::try_new(TABLE.arrow_schema(), columns)?)
}
