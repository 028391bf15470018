//! The findings in a terminal: key figures, the top hotspots, the top fixes.

use std::fmt::Write as _;

use gilbreth_analytics::findings::{Findings, Fix, Hotspot};

const HOTSPOTS_SHOWN: usize = 5;
const FIXES_SHOWN: usize = 5;

/// The summary as text of lines no wider than about a hundred characters.
pub(crate) fn of(findings: &Findings) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "\n{}, {} to {}\n", findings.estate, findings.from, findings.to);
    headline(findings, &mut out);
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

/// The key figures: the rate and its causes, the greatest first, then what they rest on.
fn headline(findings: &Findings, out: &mut String) {
    let value = |name: &str| {
        findings.headline.rows.iter().find(|measure| measure.measure == name).and_then(|measure| measure.value)
    };
    const PER_PERSON_WEEK: &str = "_hours_per_person_week";
    const RATE: &str = "lost_hours_per_person_week";
    if let Some(rate) = value(RATE) {
        let interval = findings.headline.rows.iter().find(|measure| measure.measure == RATE);
        let interval = interval
            .and_then(|measure| measure.low.zip(measure.high))
            .map_or_else(String::new, |(low, high)| format!(", 95% interval {} to {}", decimal(low), decimal(high)));
        let _ = writeln!(out, "  {:>10}  hours lost per person and week{interval}", decimal(rate));
        let mut causes: Vec<(&str, f64)> = findings
            .headline
            .rows
            .iter()
            .filter_map(|measure| Some((measure.measure.strip_suffix(PER_PERSON_WEEK)?, measure.value?)))
            .filter(|(cause, _)| !["lost", "active"].contains(cause))
            .collect();
        causes.sort_by(|one, other| other.1.total_cmp(&one.1));
        for (cause, hours) in causes {
            let _ = writeln!(out, "  {:>10}    {}", decimal(hours), cause.replace('_', " "));
        }
    }
    let (Some(lost), Some(active), Some(share)) = (value("lost_hours"), value("active_hours"), value("share_lost"))
    else {
        let _ = writeln!(out, "  nothing has been measured");
        return;
    };
    let _ = writeln!(
        out,
        "\n  {} of {} active hours are lost, {:.0} %: {} people, {} person-weeks, {} values keyed again",
        decimal(lost),
        decimal(active),
        share * 100.0,
        whole(value("people").unwrap_or_default()),
        whole(value("person_weeks").unwrap_or_default()),
        whole(value("re_entries").unwrap_or_default()),
    );
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
