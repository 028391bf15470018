//! Local days of instants. Days are counted from 1970-01-01, instants in microseconds, UTC.

use chrono::{DateTime, Datelike, NaiveDate, TimeZone};
use chrono_tz::Tz;

const DAY_US: i64 = 86_400_000_000;

/// The calendar of the place where the work is done.
#[derive(Debug, Clone, Copy)]
pub struct LocalTime {
    zone: Tz,
}

impl LocalTime {
    /// The calendar of a time zone.
    #[must_use]
    pub const fn new(zone: Tz) -> Self {
        Self { zone }
    }

    /// The local day on which an instant falls. An instant outside of what a calendar can name falls on its UTC day.
    #[must_use]
    pub fn day(&self, instant_us: i64) -> i32 {
        let utc = instant_us.div_euclid(DAY_US) as i32;
        DateTime::from_timestamp_micros(instant_us)
            .map_or(utc, |instant| instant.with_timezone(&self.zone).date_naive().num_days_from_ce() - EPOCH_FROM_CE)
    }

    /// The first instant of a local day, also where the clock jumps over midnight.
    #[must_use]
    pub fn day_start(&self, day: i32) -> i64 {
        let utc = i64::from(day) * DAY_US;
        let Some(midnight) = date(day).and_then(|date| date.and_hms_opt(0, 0, 0)) else { return utc };
        let mut local = midnight;
        for _ in 0..8 {
            if let Some(instant) = self.zone.from_local_datetime(&local).earliest() {
                return instant.timestamp_micros();
            }
            local += chrono::TimeDelta::minutes(15);
        }
        utc
    }

    /// The Monday of a day's ISO week.
    #[must_use]
    pub const fn monday(day: i32) -> i32 {
        // 1970-01-01 was a Thursday.
        day - (day + 3).rem_euclid(7)
    }
}

/// The local day of instants that come nearly in order: the day asked for last is nearly always the answer.
#[derive(Debug, Clone, Copy)]
pub struct Days {
    local: LocalTime,
    last: Day,
}

/// A local day and the instants between which it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// The day.
    pub day: i32,
    /// Its first instant.
    pub start: i64,
    /// The first instant of the next.
    pub end: i64,
}

impl Days {
    /// Days of a calendar.
    #[must_use]
    pub const fn new(local: LocalTime) -> Self {
        Self { local, last: Day { day: 0, start: 0, end: 0 } }
    }

    /// The local day on which an instant falls.
    pub fn of(&mut self, instant_us: i64) -> Day {
        if !(self.last.start..self.last.end).contains(&instant_us) {
            let day = self.local.day(instant_us);
            self.last = Day { day, start: self.local.day_start(day), end: self.local.day_start(day + 1) };
        }
        self.last
    }
}

const EPOCH_FROM_CE: i32 = 719_163;

fn date(day: i32) -> Option<NaiveDate> {
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1)?;
    if day >= 0 {
        epoch.checked_add_days(chrono::Days::new(day as u64))
    } else {
        epoch.checked_sub_days(chrono::Days::new(u64::from(day.unsigned_abs())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros()
    }

    #[test]
    fn a_summer_evening_in_utc_is_the_next_day_in_london() {
        let london = LocalTime::new(chrono_tz::Europe::London);
        assert_eq!(london.day(at("2025-06-10T22:59:59.999999Z")) + 1, london.day(at("2025-06-10T23:00:00Z")));
        assert_eq!(london.day(at("2025-01-10T23:00:00Z")), london.day(at("2025-01-10T00:00:00Z")));
    }

    #[test]
    fn days_start_where_the_day_before_ends() {
        for zone in [chrono_tz::Europe::London, chrono_tz::America::Sao_Paulo, chrono_tz::Asia::Kathmandu] {
            let place = LocalTime::new(zone);
            for day in 17_000..17_800 {
                let start = place.day_start(day);
                assert_eq!((place.day(start - 1), place.day(start)), (day - 1, day), "{zone} {day}");
            }
        }
    }

    #[test]
    fn weeks_start_on_monday() {
        // 2024-12-30 was a Monday.
        let monday = 20_087;
        assert_eq!(date(monday).unwrap(), NaiveDate::from_ymd_opt(2024, 12, 30).unwrap());
        for day in monday..monday + 7 {
            assert_eq!(LocalTime::monday(day), monday);
        }
        assert_eq!(LocalTime::monday(-4), -10);
    }
}
