//! What part of the data a session is about.
//!
//! A scope filters the stored tables; the SQL of the views stays the same. Two things it leaves whole on purpose:
//! `pair_counts`, because whether two fields agree by chance is a property of the estate and not of the part looked
//! at, and `intake`, which knows nothing of systems or people.

use chrono::{Days, NaiveDate, NaiveTime, TimeDelta, TimeZone};
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
    /// A version to be pinned at. Not possible yet: asking for one is an error, never ignored.
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

impl Filters {
    /// Reads a scope; says what is wrong with it.
    pub(crate) fn of(scope: &Scope) -> Result<Self, Error> {
        if let Some(version) = &scope.as_of {
            return Err(Error::Invalid(format!(
                "cannot be pinned as of `{version}`: this release reads the newest version only"
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
            "spans" => {
                wanted.extend(self.from.map(|day| col("started_at").gt_eq(midnight(day, zone))));
                wanted.extend(self.to.map(|day| col("started_at").lt(midnight(day + Days::new(1), zone))));
            }
            "ledger" | "matches" | "task_instances" => {
                wanted.extend(self.from.map(|day| col("day").gt_eq(date(day))));
                wanted.extend(self.to.map(|day| col("day").lt_eq(date(day))));
            }
            "worker_weeks" => {
                wanted.extend(self.from.map(|day| col("week").gt(date(day - Days::new(7)))));
                wanted.extend(self.to.map(|day| col("week").lt_eq(date(day))));
            }
            // The part of the workforce that is looked at: with it observation is compared.
            "staffing" => {}
            _ => return None,
        }
        let columns: &[&str] = match table {
            "staffing" => &["organisation", "role"],
            "matches" => &["to_system"],
            "task_instances" => &["organisation", "role", "task"],
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

    /// Whether a week of the facts is whole within the scope too; `None` when the scope cuts none.
    pub(crate) fn whole_week(&self) -> Option<Expr> {
        let from = self.from.map(|day| col("week").gt_eq(date(day)));
        let to = self.to.map(|day| col("week").lt_eq(date(day - Days::new(6))));
        [from, to].into_iter().flatten().reduce(Expr::and).map(|inside| col("whole_week").and(inside))
    }

    /// Whether rows of `matches` are in scope only if their target is, which `matches` alone cannot tell.
    pub(crate) const fn needs_target(&self) -> bool {
        self.organisation.is_some() || self.role.is_some() || self.task.is_some()
    }
}

fn day(name: &str, text: Option<&str>) -> Result<Option<NaiveDate>, Error> {
    text.map(|text| {
        text.parse().map_err(|_| Error::Invalid(format!("--{name} {text} is not a day such as 2025-03-31")))
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
        let pinned = Scope { as_of: Some("3".to_owned()), ..Scope::default() };
        assert!(refused(&pinned).contains("as of `3`"));
        let backwards =
            Scope { from: Some("2025-02-02".to_owned()), to: Some("2025-02-01".to_owned()), ..Scope::default() };
        assert_eq!(refused(&backwards), "the scope ends on 2025-02-01, before it starts on 2025-02-02");
        let nonsense = Scope { from: Some("yesterday".to_owned()), ..Scope::default() };
        assert_eq!(refused(&nonsense), "--from yesterday is not a day such as 2025-03-31");
    }

    #[test]
    fn a_local_day_of_summer_starts_an_hour_before_the_utc_day() {
        let scope = Scope { from: Some("2025-07-01".to_owned()), ..Scope::default() };
        let rows = Filters::of(&scope).unwrap().rows("spans", chrono_tz::Europe::London).unwrap();
        assert!(rows.to_string().contains("1751324400000000"), "{rows}");
    }

    #[test]
    fn nothing_asked_filters_nothing() {
        let filters = Filters::of(&Scope::default()).unwrap();
        assert!(filters.rows("ledger", chrono_tz::UTC).is_none() && filters.whole_week().is_none());
    }
}
