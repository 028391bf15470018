//! What part of the data a session is about.
//!
//! A scope filters the stored tables; the SQL of the views stays the same. It narrows in two ways. Days, organisation
//! and role choose whom and when: they hold for everything. System and task choose which of their time is looked at:
//! they leave `weeks_worked` whole, so that the hours of one system or task are divided by the same person-weeks as the
//! hours of all, and add up to them.
//!
//! Left whole on purpose: `pair_counts`, `pair_totals` and `match_lists`, because whether two fields agree by chance is a property of the estate and not
//! of the part looked at; `intake`, `case_links` and `clock_shifts`, which know nothing of systems; and reference data
//! other than `staffing`, `survey` and `diary`, whose people are chosen as those of the facts are.

use chrono::{Datelike as _, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;
use datafusion::{
    common::ScalarValue,
    prelude::{Expr, col, lit},
};

use crate::Error;

/// A scope as it is asked for; nothing set means everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    /// First local day, ISO.
    pub from: Option<String>,
    /// Last local day, ISO.
    pub to: Option<String>,
    /// One system.
    pub system: Option<String>,
    /// One organisation.
    pub organisation: Option<String>,
    /// One role.
    pub role: Option<String>,
    /// One task.
    pub task: Option<String>,
    /// The number of a version to be pinned at: every table is as that version's record names it.
    pub as_of: Option<String>,
}

/// A scope that makes sense.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filters {
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
    system: Option<String>,
    organisation: Option<String>,
    role: Option<String>,
    task: Option<String>,
}

impl Scope {
    /// The number of the version that it is pinned at, if it is.
    pub fn version(&self) -> Result<Option<u64>, Error> {
        let number = |text: &String| {
            text.parse().map_err(|_| {
                Error::Invalid(format!(
                    "`as_of` is `{text}`, and not the number of a version: `gilbreth versions` lists them"
                ))
            })
        };
        self.as_of.as_ref().map(number).transpose()
    }

    /// Every part by its name, as commands and `SET gilbreth.…` call it, with its value.
    #[must_use]
    pub fn parts(&self) -> [(&'static str, Option<&str>); 7] {
        [
            ("from", self.from.as_deref()),
            ("to", self.to.as_deref()),
            ("system", self.system.as_deref()),
            ("organisation", self.organisation.as_deref()),
            ("role", self.role.as_deref()),
            ("task", self.task.as_deref()),
            ("as_of", self.as_of.as_deref()),
        ]
    }

    /// The options that are set, as the command line names them, with their values.
    pub fn options(&self) -> impl Iterator<Item = (String, &str)> {
        self.parts().into_iter().filter_map(|(name, value)| Some((name.replace('_', "-"), value?)))
    }

    /// Sets a part by its name, or takes it away; says which there are when there is none of that name.
    pub fn set(&mut self, name: &str, value: Option<String>) -> Result<(), Error> {
        let part = match name {
            "from" => &mut self.from,
            "to" => &mut self.to,
            "system" => &mut self.system,
            "organisation" => &mut self.organisation,
            "role" => &mut self.role,
            "task" => &mut self.task,
            "as_of" => &mut self.as_of,
            _ => {
                let known = self.parts().map(|(name, _)| name).join(", ");
                return Err(Error::Invalid(format!("there is no setting gilbreth.{name}: {known} are")));
            }
        };
        *part = value;
        Ok(())
    }

    /// What of it names something that has to be there: column and value.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let named = |part: &(&'static str, Option<&str>)| matches!(part.0, "system" | "organisation" | "role" | "task");
        self.parts().into_iter().filter(named).filter_map(|(column, value)| value.map(|value| (column, value)))
    }
}

impl Filters {
    /// Reads a scope; says what is wrong with it.
    pub(crate) fn of(scope: &Scope) -> Result<Self, Error> {
        if let Some(task @ ("unnamed" | "unattributed")) = scope.task.as_deref() {
            return Err(Error::Invalid(format!(
                "`{task}` is what views call time without the name of a task: a scope cannot be about it"
            )));
        }
        let (from, to) = (day("from", scope.from.as_deref())?, day("to", scope.to.as_deref())?);
        if let (Some(from), Some(to)) = (from, to)
            && from > to
        {
            return Err(Error::Invalid(format!("the scope ends on {to}, before it starts on {from}")));
        }
        Ok(Self {
            from,
            to,
            system: scope.system.clone(),
            organisation: scope.organisation.clone(),
            role: scope.role.clone(),
            task: scope.task.clone(),
        })
    }

    /// Which rows of a stored table are in scope; `None` when all are.
    pub(crate) fn rows(&self, table: &str, zone: Tz) -> Option<Expr> {
        let mut wanted = Vec::new();
        match table {
            // The part of the workforce that is looked at: with it what was observed and said is compared.
            "staffing" | "survey" => {}
            "spans" => {
                wanted.extend(self.from.map(|day| col("started_at").gt_eq(midnight(day, zone))));
                wanted.extend(self.to.map(|day| col("started_at").lt(midnight(day + Days::new(1), zone))));
            }
            "ledger" | "matches" | "matched_times" | "task_instances" | "diary" => {
                wanted.extend(self.from.map(|day| col("day").gt_eq(date(day))));
                wanted.extend(self.to.map(|day| col("day").lt_eq(date(day))));
            }
            // Of `weekly_times`, weeks that the scope tears are added up anew; of `tried_values`, only whole ones are read.
            "weekly_times" | "tried_values" => {
                wanted.extend(self.from.map(|day| col("week").gt_eq(date(day))));
                wanted.extend(self.to.map(|day| col("week").lt_eq(date(day - Days::new(6)))));
            }
            "worker_weeks" => {
                wanted.extend(self.from.map(|day| col("week").gt(date(day - Days::new(7)))));
                wanted.extend(self.to.map(|day| col("week").lt_eq(date(day))));
            }
            _ => return None,
        }
        let columns: &[&str] = match table {
            "matches" => &["to_system"],
            "task_instances" => &["organisation", "role", "task"],
            "staffing" | "diary" => &["organisation", "role"],
            "survey" => &["organisation", "role", "system"],
            _ => &["system", "organisation", "role", "task"],
        };
        for &column in columns {
            let value = match column {
                "organisation" => &self.organisation,
                "role" => &self.role,
                "task" => &self.task,
                _ => &self.system,
            };
            wanted.extend(value.as_ref().map(|value| col(column).eq(lit(value.as_str()))));
        }
        wanted.into_iter().reduce(Expr::and)
    }

    /// The same scope for every system and task.
    pub(crate) fn people(&self) -> Self {
        Self { system: None, task: None, ..self.clone() }
    }

    /// Whether a week of the facts is whole within the scope too; `None` when the scope cuts none.
    pub(crate) fn whole_week(&self) -> Option<Expr> {
        let from = self.from.map(|day| col("week").gt_eq(date(day)));
        let to = self.to.map(|day| col("week").lt_eq(date(day - Days::new(6))));
        [from, to].into_iter().flatten().reduce(Expr::and).map(|inside| col("whole_week").and(inside))
    }

    /// Weeks of which some days are in scope and others are not; `None` when the scope tears none.
    pub(crate) fn torn_weeks(&self) -> Option<Expr> {
        let monday = |day: NaiveDate| day - Days::new(u64::from(day.weekday().num_days_from_monday()));
        let torn_at_start = self.from.filter(|from| monday(*from) != *from).map(monday);
        let torn_at_end = self.to.filter(|to| monday(*to) + Days::new(6) != *to).map(monday);
        let weeks = [torn_at_start, torn_at_end].into_iter().flatten();
        weeks.map(|week| col("week").eq(date(week))).reduce(Expr::or)
    }

    /// Whether rows of `matches` are in scope only if their target is, which `matches` alone cannot tell.
    pub(crate) const fn needs_target(&self) -> bool {
        self.organisation.is_some() || self.role.is_some() || self.task.is_some()
    }
}

fn day(name: &str, text: Option<&str>) -> Result<Option<NaiveDate>, Error> {
    text.map(|text| {
        text.parse().map_err(|_| Error::Invalid(format!("`{name}` is `{text}`, and not a day such as 2025-03-31")))
    })
    .transpose()
}

fn date(day: NaiveDate) -> Expr {
    let epoch = NaiveDate::default();
    lit(ScalarValue::Date32(i32::try_from((day - epoch).num_days()).ok()))
}

/// The first instant of a local day. Where the clock jumps over midnight, the day starts at one.
fn midnight(day: NaiveDate, zone: Tz) -> Expr {
    let start = day.and_time(NaiveTime::MIN);
    let local = zone.from_local_datetime(&start).earliest();
    let local = local.or_else(|| zone.from_local_datetime(&(start + TimeDelta::hours(1))).earliest());
    lit(ScalarValue::TimestampMicrosecond(local.map(|at| at.timestamp_micros()), Some("UTC".into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(scope: &Scope) -> String {
        Filters::of(scope).map_or_else(|error| error.to_string(), |_| String::new())
    }

    #[test]
    fn what_cannot_be_honoured_is_refused() {
        let unnamed = Scope { task: Some("unnamed".to_owned()), ..Scope::default() };
        assert!(refused(&unnamed).contains("a scope cannot be about it"));
        let backwards =
            Scope { from: Some("2025-02-02".to_owned()), to: Some("2025-02-01".to_owned()), ..Scope::default() };
        assert_eq!(refused(&backwards), "the scope ends on 2025-02-01, before it starts on 2025-02-02");
        let nonsense = Scope { from: Some("yesterday".to_owned()), ..Scope::default() };
        assert_eq!(refused(&nonsense), "`from` is `yesterday`, and not a day such as 2025-03-31");
    }

    #[test]
    fn a_local_day_of_summer_starts_an_hour_before_the_utc_day() {
        let scope = Scope { from: Some("2025-07-01".to_owned()), ..Scope::default() };
        let rows = Filters::of(&scope).unwrap().rows("spans", chrono_tz::Europe::London).unwrap();
        assert!(rows.to_string().contains("1751324400000000"), "{rows}");
    }

    #[test]
    fn reference_data_about_people_is_of_the_same_people() {
        let scope = Scope {
            from: Some("2025-03-03".to_owned()),
            system: Some("nd".to_owned()),
            organisation: Some("court".to_owned()),
            task: Some("report".to_owned()),
            ..Scope::default()
        };
        let filters = Filters::of(&scope).unwrap();
        let columns = |table: &str| {
            let rows = filters.rows(table, chrono_tz::UTC).map(|rows| {
                let mut names: Vec<_> = rows.column_refs().iter().map(|column| column.name.clone()).collect();
                names.sort();
                names.join(" ")
            });
            rows.unwrap_or_default()
        };
        assert_eq!(columns("staffing"), "organisation");
        assert_eq!(columns("survey"), "organisation system");
        assert_eq!(columns("diary"), "day organisation");
        assert_eq!(columns("worker_weeks"), "organisation system task week");
        for whole in [
            "pair_counts",
            "pair_totals",
            "match_lists",
            "intake",
            "case_links",
            "clock_shifts",
            "go_lives",
            "holidays",
        ] {
            assert_eq!(columns(whole), "", "{whole}");
        }
        let people = filters.people().rows("worker_weeks", chrono_tz::UTC).unwrap();
        assert!(!people.to_string().contains("nd") && !people.to_string().contains("report"), "{people}");
    }

    #[test]
    fn nothing_asked_filters_nothing() {
        let filters = Filters::of(&Scope::default()).unwrap();
        assert!(filters.rows("ledger", chrono_tz::UTC).is_none() && filters.whole_week().is_none());
    }
}
