//! Numbers, sums of money among them.

/// A thousands comma stands before this many digits.
const GROUP_DIGITS: usize = 3;

/// Optional minus, digits, optional `.` and digits without trailing zeros; leading zeros are kept, since a number that
/// has them is often a reference.
pub(super) fn canonical(plain: &str) -> Option<String> {
    let bare: String = plain.chars().filter(|c| !c.is_whitespace() && !is_currency_sign(*c)).collect();
    let (minus, unsigned) = match bare.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => ("-", rest),
        None => ("", bare.as_str()),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let whole = without_thousands_commas(whole)?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{minus}{whole}{point}{fraction}"))
}

/// The digits, if each comma stands between digits and before exactly three of them.
fn without_thousands_commas(whole: &str) -> Option<String> {
    let mut groups = whole.split(',');
    let mut digits = groups.next().filter(|first| all_digits(first))?.to_owned();
    for group in groups {
        if group.len() != GROUP_DIGITS || !all_digits(group) {
            return None;
        }
        digits.push_str(group);
    }
    Some(digits)
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Unicode's general category `Sc`.
fn is_currency_sign(c: char) -> bool {
    matches!(c,
        '$' | '\u{a2}'..='\u{a5}' | '\u{58f}' | '\u{60b}' | '\u{7fe}'..='\u{7ff}' | '\u{9f2}'..='\u{9f3}' | '\u{9fb}'
        | '\u{af1}' | '\u{bf9}' | '\u{e3f}' | '\u{17db}' | '\u{20a0}'..='\u{20c1}' | '\u{a838}' | '\u{fdfc}'
        | '\u{fe69}' | '\u{ff04}' | '\u{ffe0}'..='\u{ffe1}' | '\u{ffe5}'..='\u{ffe6}' | '\u{11fdd}'..='\u{11fe0}'
        | '\u{1e2ff}' | '\u{1ecb0}')
}
