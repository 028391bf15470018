//! Dates as Britain writes them: day first.

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
/// Two-digit years below this are of this century.
const CENTURY_TURNS_AT: u32 = 30;

/// `YYYY-MM-DD` of a step-1 value in one of the accepted forms, if that day exists.
pub(super) fn canonical(plain: &str) -> Option<String> {
    let (year, month, day) = numeric(plain).or_else(|| iso(plain)).or_else(|| worded(plain))?;
    exists(year, month, day).then(|| format!("{year:04}-{month:02}-{day:02}"))
}

/// `D/M/YYYY`, `D-M-YYYY`, `D.M.YYYY`: one separator throughout.
fn numeric(plain: &str) -> Option<(u32, u32, u32)> {
    ['/', '-', '.'].into_iter().find_map(|separator| {
        let [day, month, year] = three(plain, separator)?;
        Some((any_year(year)?, digits(month, 1, 2)?, digits(day, 1, 2)?))
    })
}

/// `YYYY-M-D`.
fn iso(plain: &str) -> Option<(u32, u32, u32)> {
    let [year, month, day] = three(plain, '-')?;
    Some((digits(year, 4, 4)?, digits(month, 1, 2)?, digits(day, 1, 2)?))
}

/// `D Mon YYYY`, `D Month YYYY`.
fn worded(plain: &str) -> Option<(u32, u32, u32)> {
    let [day, month, year] = three(plain, ' ')?;
    let number = MONTHS.iter().zip(1..).find(|(name, _)| month == **name || month == &name[..3])?.1;
    Some((any_year(year)?, number, digits(day, 1, 2)?))
}

fn three(plain: &str, separator: char) -> Option<[&str; 3]> {
    let mut pieces = plain.split(separator);
    let three = [pieces.next()?, pieces.next()?, pieces.next()?];
    pieces.next().is_none().then_some(three)
}

/// A year of four digits, or of two.
fn any_year(text: &str) -> Option<u32> {
    digits(text, 4, 4).or_else(|| {
        let short = digits(text, 2, 2)?;
        Some(if short < CENTURY_TURNS_AT { 2000 + short } else { 1900 + short })
    })
}

fn digits(text: &str, at_least: usize, at_most: usize) -> Option<u32> {
    let fits = (at_least..=at_most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}

fn exists(year: u32, month: u32, day: u32) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    year >= 1 && (1..=days).contains(&day)
}
