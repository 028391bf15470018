//! Time lost, by system and by task, each by cause.

use gilbreth_analytics::findings::{Findings, LostBySystem, LostByTask};

use super::{Section, bar, both, ranked, ratio, whiskers};
use crate::chart::{Bar, BarChart};
use crate::number::{self, percent, plain};
use crate::table::{Cell, Table, numbers, text, words};
use crate::words::{capital, cause, cause_order, counted};

/// A chart has six colours; further causes are drawn as one.
const SERIES_MAX: usize = 6;
const OTHER: &str = "other causes";

/// Ends of an interval, where there is one.
type Interval = Option<(f64, f64)>;

/// What a thing loses to a cause.
struct Loss<'a> {
    thing: &'a str,
    cause: &'a str,
    value: f64,
    interval: Interval,
    /// Of all causes of the thing.
    all_causes: Interval,
}

/// Values of one kind of thing by cause: a row for each thing, a column for each cause.
struct ByCause {
    /// Causes in words, in the order of the columns.
    causes: Vec<String>,
    /// Things, greatest total first.
    rows: Vec<Row>,
}

/// A thing, with a value for each cause.
struct Row {
    thing: String,
    values: Vec<f64>,
    intervals: Vec<Interval>,
    all_causes: Interval,
}

impl ByCause {
    fn of(cells: &[Loss<'_>]) -> Self {
        let mut names: Vec<&str> = cells.iter().map(|cell| cell.cause).collect();
        names.sort_by_key(|name| (cause_order(name), *name));
        names.dedup();
        let row = |thing: &str| {
            let own: Vec<&Loss<'_>> = cells.iter().filter(|cell| cell.thing == thing).collect();
            let value = |name: &&str| own.iter().filter(|cell| cell.cause == *name).map(|cell| cell.value).sum();
            let interval = |name: &&str| own.iter().filter(|cell| cell.cause == *name).find_map(|cell| cell.interval);
            Row {
                thing: thing.to_owned(),
                values: names.iter().map(value).collect(),
                intervals: names.iter().map(interval).collect(),
                all_causes: own.iter().find_map(|cell| cell.all_causes),
            }
        };
        let rows = ranked(cells, |cell| cell.thing, |cell| cell.value).into_iter().map(|(thing, _)| row(thing));
        Self { rows: rows.collect(), causes: names.iter().map(|name| cause(name)).collect() }
    }

    /// Series and bars, with the causes that have no colour added up.
    fn chart(&self) -> (Vec<String>, Vec<Bar>) {
        let kept = if self.causes.len() > SERIES_MAX { SERIES_MAX - 1 } else { self.causes.len() };
        let mut series = self.causes[..kept].to_vec();
        if kept < self.causes.len() {
            series.push(OTHER.to_owned());
        }
        let bars = self.rows.iter().map(|row| {
            let mut drawn = row.values[..kept].to_vec();
            if kept < row.values.len() {
                drawn.push(row.values[kept..].iter().sum());
            }
            Bar { label: vec![row.thing.clone()], values: drawn, interval: row.all_causes }
        });
        (series, bars.collect())
    }

    fn table(&self, caption: &str, thing: (&str, &str)) -> Table {
        let mut columns = vec![words(thing.0, thing.1)];
        columns.extend(self.causes.iter().map(|cause| numbers(cause, &capital(cause))));
        columns.push(numbers("all", "All causes"));
        let cells = |row: &Row| {
            let mut cells = vec![text(&row.thing)];
            let each = row.values.iter().zip(&row.intervals);
            cells.extend(each.map(|(value, interval)| Cell::Estimate(*value, *interval)));
            cells.push(Cell::Estimate(row.values.iter().sum(), row.all_causes));
            cells
        };
        let mut rows: Vec<Vec<Cell>> = self.rows.iter().map(cells).collect();
        if self.rows.len() > 1 {
            let sum = |cause: usize| self.rows.iter().map(|row| row.values[cause]).sum();
            let values: Vec<f64> = (0..self.causes.len()).map(sum).collect();
            rows.push(cells(&Row {
                thing: "All".to_owned(),
                intervals: vec![None; values.len()],
                values,
                all_causes: None,
            }));
        }
        Table { caption: caption.to_owned(), columns, rows }
    }
}

/// Whether there are rates, which need a whole week; where the data hold none, as in a recording of an hour, hours are
/// all there is to say.
fn has_rates(rows: &[LostBySystem]) -> bool {
    rows.iter().any(|r| r.hours_per_person_week.is_finite() && r.hours_per_person_week > 0.0)
}

/// Hours in words; of a rate, with what it is a rate of.
fn said(hours: f64, rates: bool) -> String {
    if rates { format!("{} per person-week", number::rate(hours)) } else { number::time(hours) }
}

/// What time is lost to, over all systems: the chart of the key figures.
pub(super) fn by_cause(findings: &Findings) -> Section {
    let rows = &findings.by_system.rows;
    let rates = has_rates(rows);
    let per = if rates { " per person-week" } else { "" };
    let causes = ranked(rows, |r| &r.cause, |r| if rates { r.hours_per_person_week } else { r.hours });
    let all: f64 = causes.iter().map(|(_, hours)| hours).sum();
    let finding = match causes.first() {
        Some((name, hours)) => {
            let share = percent(ratio(*hours, all));
            format!("{} takes {}, {share} of all time lost", capital(&cause(name)), said(*hours, rates))
        }
        None => "No lost time was found".to_owned(),
    };
    let title = format!("Hours lost{per}, by cause");
    let chart = BarChart {
        name: "time-lost-by-cause",
        title: title.clone(),
        description: format!("Bars in order of hours. {finding}. The table that follows holds every number."),
        unit: if rates { "hours per person-week" } else { "hours" },
        series: vec!["hours".into()],
        bars: causes.iter().map(|(name, hours)| bar(vec![cause(name)], *hours, None)).collect(),
    };
    let unit = if rates { "Hours per person-week" } else { "Hours" };
    let table = Table {
        caption: title,
        columns: vec![words("cause", "Cause"), numbers("hours", unit), numbers("share", "Share of time lost")],
        rows: causes
            .iter()
            .map(|(name, hours)| {
                vec![text(capital(&cause(name))), Cell::Number(Some(*hours)), Cell::Share(ratio(*hours, all))]
            })
            .collect(),
    };
    Section {
        id: "causes",
        about: "Time lost by cause",
        finding,
        lead: Vec::new(),
        figures: both(&chart),
        table,
        view: "time_lost_by_system",
        sql: findings.by_system.sql.clone(),
    }
}

/// Which system loses most, and to what.
pub(super) fn by_system(findings: &Findings) -> Section {
    let rows = &findings.by_system.rows;
    let rates = has_rates(rows);
    let value = |r: &LostBySystem| if rates { r.hours_per_person_week } else { r.hours };
    let per = if rates { " per person-week" } else { "" };
    let cells = rows.iter().map(|r| {
        let LostBySystem { system, cause, low, high, all_causes, .. } = r;
        let interval = if rates { low.zip(*high) } else { None };
        Loss { thing: system, cause, value: value(r), interval, all_causes: all_causes.filter(|_| rates) }
    });
    let by_cause = ByCause::of(&cells.collect::<Vec<_>>());
    let systems = ranked(rows, |r| &r.system, value);
    let all: f64 = systems.iter().map(|(_, hours)| hours).sum();
    let mut lead = Vec::new();
    let finding = match systems.first() {
        Some((system, hours)) => {
            let causes = ranked(rows, |r| &r.cause, value);
            if let Some((name, hours)) = causes.first() {
                lead.push(format!(
                    "Over all systems {} are lost. The greatest cause is {}: {}, {} of it.",
                    said(all, rates),
                    cause(name),
                    if rates { number::rate(*hours) } else { number::time(*hours) },
                    percent(ratio(*hours, all)),
                ));
            }
            format!("{system} costs {}, {} of all time lost", said(*hours, rates), percent(ratio(*hours, all)))
        }
        None => "No lost time was found".to_owned(),
    };
    let (series, bars) = by_cause.chart();
    let chart = BarChart {
        name: "time-lost-by-system",
        title: format!("Hours lost{per}, by system and cause"),
        description: format!(
            "Stacked bars, one for each of {}. {finding}. The table that follows holds every number.{}",
            counted(systems.len() as i64, "system", "systems"),
            whiskers(&bars)
        ),
        unit: if rates { "hours per person-week" } else { "hours" },
        series,
        bars,
    };
    Section {
        id: "systems",
        about: "Time lost by system",
        finding,
        lead,
        figures: both(&chart),
        table: by_cause.table(&format!("Hours lost{per}, by system and cause"), ("system", "System")),
        view: "time_lost_by_system",
        sql: findings.by_system.sql.clone(),
    }
}

/// Which task loses most, and how much each time.
pub(super) fn by_task(findings: &Findings) -> Section {
    let rows = &findings.by_task.rows;
    // Rates have intervals; without a whole week, hours are all there is to say.
    let rates = rows.iter().any(|r| r.hours_per_person_week.is_finite() && r.hours_per_person_week > 0.0);
    let per = if rates { " per person-week" } else { "" };
    let cells = rows.iter().map(|r| {
        let LostByTask { task, cause, hours, hours_per_person_week, low, high, all_causes, .. } = r;
        let value = if rates { *hours_per_person_week } else { *hours };
        let interval = if rates { low.zip(*high) } else { None };
        Loss { thing: task, cause, value, interval, all_causes: all_causes.filter(|_| rates) }
    });
    let by_cause = ByCause::of(&cells.collect::<Vec<_>>());
    let named: Vec<_> = rows.iter().filter(|r| r.task != "unattributed").collect();
    let tasks = ranked(&named, |r| &r.task, |r| r.hours);
    let all: f64 = rows.iter().map(|r| r.hours).sum();
    let each = |task: &str| -> Option<f64> {
        let minutes: Vec<f64> =
            named.iter().filter(|r| r.task == task).filter_map(|r| r.minutes_per_instance).collect();
        (!minutes.is_empty()).then(|| minutes.iter().sum())
    };
    let finding = match tasks.first() {
        Some((task, hours)) => {
            let share = percent(ratio(*hours, all));
            match each(task) {
                Some(minutes) => format!(
                    "{} takes {share} of the time lost: {} each time it is done",
                    capital(task),
                    if minutes < 1.0 { number::time(minutes / 60.0) } else { format!("{} minutes", plain(minutes)) }
                ),
                None => format!("{} takes {share} of the time lost", capital(task)),
            }
        }
        None => "No time lost could be laid to a task".to_owned(),
    };
    let apart: f64 = rows.iter().filter(|r| r.task == "unattributed").map(|r| r.hours).sum();
    let lead = if apart > 0.0 {
        vec![format!(
            "{} of the time lost belongs to no case and no task. It is shown as unattributed and never spread over the others.",
            capital(&percent(ratio(apart, all)))
        )]
    } else {
        Vec::new()
    };
    let (series, bars) = by_cause.chart();
    let chart = BarChart {
        name: "time-lost-by-task",
        title: format!("Hours lost{per}, by task and cause"),
        description: format!(
            "Stacked bars, one for each task. {finding}. The table that follows holds every number.{}",
            whiskers(&bars)
        ),
        unit: if rates { "hours per person-week" } else { "hours" },
        series,
        bars,
    };
    Section {
        id: "tasks",
        about: "Time lost by task",
        finding,
        lead,
        figures: both(&chart),
        table: by_cause.table(&format!("Hours lost{per}, by task and cause"), ("task", "Task")),
        view: "time_lost_by_task",
        sql: findings.by_task.sql.clone(),
    }
}
