//! What is done in the background, and for how long things are kept.

use serde::{Deserialize, Deserializer, Serialize, de::Error};

use crate::store::Keep;

const DAY_S: u64 = 86_400;

/// When the store is tidied, and what of its past stays readable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Upkeep {
    /// Seconds between turns of merging small files. Seldom leaves more files to each query.
    #[serde(deserialize_with = "seconds")]
    pub every_s: u64,
    /// Seconds between turns of removing what is needed no more, expired rows among it.
    #[serde(deserialize_with = "seconds")]
    pub vacuum_every_s: u64,
    /// Every version can be read for so many hours. Each refresh makes one, and each takes room.
    #[serde(deserialize_with = "hours")]
    pub every_version_h: u64,
    /// After that the last version of each day can be read, and the last before a change of method, for so many days.
    #[serde(deserialize_with = "days")]
    pub versions_days: u64,
    /// A file that is needed no more stays for so many seconds: somebody may be reading it, or backing it up.
    #[serde(deserialize_with = "grace")]
    pub grace_s: u64,
}

impl Upkeep {
    /// What a vacuum keeps.
    #[must_use]
    pub fn keep(&self) -> Keep {
        let us = |seconds: u64| i64::try_from(seconds.saturating_mul(1_000_000)).unwrap_or(i64::MAX);
        Keep {
            every_us: us(self.every_version_h * 3_600),
            last_us: us(self.versions_days * DAY_S),
            grace_us: us(self.grace_s),
        }
    }
}

impl Default for Upkeep {
    fn default() -> Self {
        Self { every_s: 60, vacuum_every_s: 3_600, every_version_h: 1, versions_days: 30, grace_s: 3_600 }
    }
}

/// For how long rows are kept. Facts go with the spans that they were made from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Days for which `spans` are kept, by the day on which they started, UTC; 0 is for ever.
    #[serde(deserialize_with = "days")]
    pub spans_days: u64,
    /// Days for which `intake` is kept; 0 is for ever.
    #[serde(deserialize_with = "days")]
    pub intake_days: u64,
}

impl Retention {
    /// The first day of which spans are kept, as days since 1970-01-01; `None` keeps all.
    #[must_use]
    pub fn spans_since(&self, now_us: i64) -> Option<i32> {
        first_kept(self.spans_days, now_us).and_then(|day| i32::try_from(day).ok())
    }

    /// The first instant of which intake is kept, Unix microseconds; `None` keeps all.
    #[must_use]
    pub fn intake_since_us(&self, now_us: i64) -> Option<i64> {
        first_kept(self.intake_days, now_us).map(|day| day * DAY_S as i64 * 1_000_000)
    }
}

/// So many days are kept whole, beside the present one.
fn first_kept(days: u64, now_us: i64) -> Option<i64> {
    let today = now_us.div_euclid(DAY_S as i64 * 1_000_000);
    (days > 0).then(|| today - i64::try_from(days).unwrap_or(i64::MAX / 2))
}

fn seconds<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    within(from, 1, DAY_S, "seconds")
}

fn hours<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    within(from, 0, 24 * 366, "hours")
}

fn days<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    within(from, 0, 36_600, "days")
}

fn grace<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    within(from, 0, 30 * DAY_S, "seconds")
}

fn within<'de, D: Deserializer<'de>>(from: D, least: u64, most: u64, unit: &str) -> Result<u64, D::Error> {
    let number = u64::deserialize(from)?;
    if (least..=most).contains(&number) {
        return Ok(number);
    }
    Err(D::Error::custom(format!("{number} {unit} is out of bounds: it must be {least} to {most}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_out_of_bounds_and_tables_that_have_no_retention_are_refused_with_their_line() {
        for (text, line, says) in [
            ("every_s = 0", "line 1", "1 to 86400"),
            ("grace_s = 3\nversions_days = 99999", "line 2", "0 to 36600"),
            ("vacuum_every_s = 90000", "line 1", "90000 seconds"),
        ] {
            let error = toml::from_str::<Upkeep>(text).unwrap_err().to_string();
            assert!(error.contains(line) && error.contains(says), "{error}");
        }
        let error = toml::from_str::<Retention>("spans_days = 90\nfacts_days = 3").unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("facts_days") && error.contains("spans_days"), "{error}");
    }

    #[test]
    fn so_many_whole_days_are_kept_beside_the_present_one() {
        let noon_of_day_100 = (100 * 24 + 12) * 3_600 * 1_000_000;
        let kept = Retention { spans_days: 1, intake_days: 90 };
        assert_eq!(kept.spans_since(noon_of_day_100), Some(99));
        assert_eq!(kept.intake_since_us(noon_of_day_100), Some(10 * 86_400_000_000));
        assert_eq!(Retention::default().spans_since(noon_of_day_100), None);
        assert_eq!(Retention::default().intake_since_us(noon_of_day_100), None);
    }
}
