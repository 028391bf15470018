//! The findings in a terminal: key figures, the top hotspots, the top fixes.

use std::fmt::Write as _;

use gilbreth_analytics::findings::{Findings, Fix, Hotspot};

const HOTSPOTS_SHOWN: usize = 5;
const FIXES_SHOWN: usize = 5;

/// The summary as text of lines no wider than about a hundred characters.
pub(crate) fn of(findings: &Findings) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "\n{}, {} to {}\n", findings.estate, findings.from, findings.to);
    for measure in &findings.headline.rows {
        let name = measure.measure.replace('_', " ");
        let value = measure.value.map_or_else(|| "not available".to_owned(), decimal);
        let _ = writeln!(out, "  {name:<44} {value:>12} {}", measure.unit);
    }
    if !findings.hotspots.rows.is_empty() {
        let _ = writeln!(out, "\nKeyed again, although the estate holds it\n");
        let _ = writeln!(out, "  {:>10}  {:>10}  held in → keyed again into", "hours", "times");
    }
    for hotspot in findings.hotspots.rows.iter().take(HOTSPOTS_SHOWN) {
        let Hotspot { from, to, hours, re_entries, .. } = hotspot;
        let _ = writeln!(out, "  {:>10}  {:>10}  {} → {}", decimal(*hours), whole(*re_entries), place(from), place(to));
    }
    if !findings.fixes.rows.is_empty() {
        let _ = writeln!(out, "\nWhat to fix first\n");
        let _ = writeln!(out, "  {:>10}  what", "hours/week");
    }
    for fix in findings.fixes.rows.iter().take(FIXES_SHOWN) {
        let _ = writeln!(out, "  {:>10}  {}", decimal(fix.hours_per_week), remedy(fix));
        let _ = writeln!(out, "  {:>10}  {}", "", fix.why);
    }
    out
}

/// What to do, and where.
fn remedy(fix: &Fix) -> String {
    let place = [Some(&fix.system), fix.screen.as_ref(), fix.field.as_ref()];
    let held = [fix.from_system.as_ref(), fix.from_screen.as_ref(), fix.from_field.as_ref()];
    let path =
        |names: [Option<&String>; 3]| names.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" › ");
    let doing = match fix.kind.as_str() {
        "integrate" => "fill in by itself:",
        "speed_up" => "make faster:",
        "repair" => "repair:",
        "single_sign_on" => "sign in once a day:",
        "save_work" => "keep work that is not saved yet:",
        "simplify" => "ask once:",
        other => other,
    };
    match path(held) {
        from if from.is_empty() => format!("{doing} {}", path(place)),
        from => format!("{doing} {}, from {from}", path(place)),
    }
}

fn place([system, screen, field]: &[String; 3]) -> String {
    format!("{system} › {screen} › {field}")
}

/// Two decimals below 100, one below 1,000, none above, with thousands set apart.
fn decimal(value: f64) -> String {
    if value.abs() < 100.0 {
        format!("{value:.2}")
    } else if value.abs() < 1_000.0 {
        format!("{value:.1}")
    } else {
        whole(value)
    }
}

fn whole(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut out = if value.round() < 0.0 { String::from("-") } else { String::new() };
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{decimal, whole};

    #[test]
    fn numbers_are_printed_for_people() {
        assert_eq!(decimal(1.256), "1.26");
        assert_eq!(decimal(-0.001), "-0.00");
        assert_eq!(decimal(123.45), "123.5");
        assert_eq!(decimal(1_234_567.8), "1,234,568");
        assert_eq!(whole(999.6), "1,000");
        assert_eq!(whole(-1_500.0), "-1,500");
        assert_eq!(whole(12.0), "12");
    }
}
