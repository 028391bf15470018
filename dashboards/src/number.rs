//! Numbers as a reader sees them: thousands with commas, decimals that suit the size, the same in every run.

/// What stands where there is no number.
pub(crate) const NONE: &str = "not available";

/// Decimals that suit a column or axis whose greatest value is `max`: three or so significant digits.
pub(crate) fn decimals(max: f64) -> usize {
    match max.abs() {
        m if m >= 100.0 || !m.is_finite() => 0,
        m if m >= 10.0 => 1,
        m if m >= 0.1 || m == 0.0 => 2,
        m if m >= 0.001 => 4,
        _ => 6,
    }
}

/// `value` with so many decimals and commas between thousands.
pub fn fixed(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return NONE.to_owned();
    }
    let plain = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    let mut out = String::new();
    if value < 0.0 && plain.bytes().any(|b| (b'1'..=b'9').contains(&b)) {
        out.push('−');
    }
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// `value` with the decimals that suit it.
pub fn plain(value: f64) -> String {
    fixed(value, decimals(value))
}

/// Time in words: hours from one on, and less in minutes or seconds, since nobody reads 0.0002 hours. Tables and charts keep to
/// the hours of their heading.
pub fn time(hours: f64) -> String {
    let (figure, unit) = amount(hours);
    format!("{figure} {unit}")
}

/// The same as its figure and its unit.
pub(crate) fn amount(hours: f64) -> (String, &'static str) {
    if hours > 0.0 && hours < 1.0 {
        for (value, unit) in [(hours * 3600.0, "seconds"), (hours * 60.0, "minutes")] {
            // What is shown decides: 59.9 seconds would be 60.
            let rounded = if value < 10.0 { (value * 10.0).round() / 10.0 } else { value.round() };
            if rounded < 0.1 {
                return ("under 0.1".to_owned(), unit);
            }
            if rounded < 60.0 {
                // One keeps its decimal, and so its plural.
                let decimals = usize::from(rounded < 10.0 && (rounded.fract() != 0.0 || rounded == 1.0));
                return (fixed(rounded, decimals), unit);
            }
        }
    }
    (plain(hours), "hours")
}

/// Hours for each person-week or week in words. They stay hours while two decimals tell them, as in the tables beside them.
pub(crate) fn rate(hours: f64) -> String {
    if hours >= 0.1 { format!("{} hours", plain(hours)) } else { time(hours) }
}

/// `value` with the ends of its interval, where it has one, all with so many decimals.
pub(crate) fn estimate(value: f64, interval: Option<(f64, f64)>, decimals: usize) -> String {
    match interval {
        Some((low, high)) => {
            format!("{} ({} to {})", fixed(value, decimals), fixed(low, decimals), fixed(high, decimals))
        }
        None => fixed(value, decimals),
    }
}

/// A count.
pub fn count(value: i64) -> String {
    let digits = fixed(value.unsigned_abs() as f64, 0);
    if value < 0 { format!("−{digits}") } else { digits }
}

/// A share from 0 to 1 as a percentage; under one per cent is said so, rather than rounded to nothing.
pub fn percent(share: f64) -> String {
    match share * 100.0 {
        p if !p.is_finite() => NONE.to_owned(),
        p if p > 0.0 && p < 1.0 => "under 1%".to_owned(),
        p if p > 99.0 && p < 100.0 => "over 99%".to_owned(),
        p => format!("{p:.0}%"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_under_an_hour_is_said_in_minutes_and_under_a_minute_in_seconds() {
        let check = |hours: f64, expected: &str| assert_eq!(time(hours), expected);
        check(1486.2, "1,486 hours");
        check(1.0, "1.00 hours");
        check(0.9999, "1.00 hours");
        check(0.75, "45 minutes");
        check(0.05, "3 minutes");
        check(0.04, "2.4 minutes");
        check(1.0 / 60.0, "1.0 minutes");
        check(59.9 / 3600.0, "1.0 minutes");
        check(12.0 / 3600.0, "12 seconds");
        check(0.000_192, "0.7 seconds");
        check(0.000_001, "under 0.1 seconds");
        check(0.0, "0.00 hours");
        check(f64::NAN, "not available hours");
        assert_eq!([rate(1.764), rate(0.234), rate(0.04)], ["1.76 hours", "0.23 hours", "2.4 minutes"]);
    }

    #[test]
    fn numbers_have_commas_and_the_decimals_that_suit_them() {
        let check = |value: f64, expected: &str| assert_eq!(plain(value), expected);
        check(0.0, "0.00");
        check(1.914, "1.91");
        check(12.34, "12.3");
        check(1_234_567.8, "1,234,568");
        check(-1234.0, "−1,234");
        check(0.0123, "0.0123");
        check(f64::NAN, NONE);
        assert_eq!(fixed(-0.001, 2), "0.00");
        assert_eq!(count(100_000), "100,000");
        assert_eq!([percent(0.0), percent(0.004), percent(0.41), percent(1.0)], ["0%", "under 1%", "41%", "100%"]);
    }
}
