//! The findings in a terminal: key figures, the top hotspots, the top fixes.

use std::fmt::Write as _;

use gilbreth_analytics::findings::{Findings, Hotspot};
use gilbreth_dashboards::{number, words};

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
        let _ = writeln!(
            out,
            "  {:>10}  {:>10}  {} → {}",
            number::plain(*hours),
            number::fixed(*re_entries, 0),
            place(from),
            place(to)
        );
    }
    if !findings.fixes.rows.is_empty() {
        // Without a whole week there are no rates, only hours.
        let rates = findings.fixes.rows.iter().any(|fix| fix.hours_per_week.is_finite());
        let _ = writeln!(out, "\nWhat to fix first\n");
        let _ = writeln!(out, "  {:>10}  what", if rates { "hours/week" } else { "hours" });
        for fix in findings.fixes.rows.iter().take(FIXES_SHOWN) {
            let hours = number::plain(if rates { fix.hours_per_week } else { fix.hours });
            let _ = writeln!(out, "  {hours:>10}  {}: {}", words::fix(&fix.kind, &fix.cause), words::place(fix));
            let _ = writeln!(out, "  {:>10}  {}", "", fix.why);
        }
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
        let interval =
            interval.and_then(|measure| measure.low.zip(measure.high)).map_or_else(String::new, |(low, high)| {
                format!(", 95% interval {} to {}", number::fixed(low, 2), number::fixed(high, 2))
            });
        let _ = writeln!(out, "  {:>10}  hours lost per person and week{interval}", number::fixed(rate, 2));
        let mut causes: Vec<(&str, f64)> = findings
            .headline
            .rows
            .iter()
            .filter_map(|measure| Some((measure.measure.strip_suffix(PER_PERSON_WEEK)?, measure.value?)))
            .filter(|(cause, _)| !["lost", "active"].contains(cause))
            .collect();
        causes.sort_by(|one, other| other.1.total_cmp(&one.1));
        for (cause, hours) in causes {
            let _ = writeln!(out, "  {:>10}    {}", number::fixed(hours, 2), words::cause(cause));
        }
    }
    let (Some(lost), Some(active), Some(share)) = (value("lost_hours"), value("active_hours"), value("share_lost"))
    else {
        let _ = writeln!(out, "  nothing has been measured");
        return;
    };
    let _ = writeln!(
        out,
        "\n  {} of {} active hours are lost, {}: {} people, {} person-weeks, {} values keyed again",
        number::plain(lost),
        number::plain(active),
        number::percent(share),
        number::fixed(value("people").unwrap_or_default(), 0),
        number::fixed(value("person_weeks").unwrap_or_default(), 0),
        number::fixed(value("re_entries").unwrap_or_default(), 0),
    );
}

fn place(parts: &[String; 3]) -> String {
    words::path(parts.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use gilbreth_analytics::findings::{Answer, Fix};

    use super::*;

    #[test]
    fn without_a_whole_week_hours_are_printed_and_no_rate() {
        let fix = |kind: &str, cause: &str, hours_per_week| Fix {
            kind: kind.to_owned(),
            cause: cause.to_owned(),
            system: "form".to_owned(),
            hours: 0.25,
            hours_per_week,
            ..Fix::default()
        };
        let said = |fixes: Vec<Fix>| {
            of(&Findings { fixes: Answer { rows: fixes, ..Answer::default() }, ..Findings::default() })
        };
        let hours = said(vec![fix("speed_up", "wait", f64::NAN)]);
        assert!(hours.contains("        0.25  Make it faster: form") && !hours.contains("week"), "{hours}");
        let rates = said(vec![fix("repair", "rework", 1.5), fix("repair", "unavailable", 0.0)]);
        assert!(rates.contains("hours/week") && rates.contains("1.50  Say what is accepted"), "{rates}");
        assert!(rates.contains("0.00  Make it available"), "{rates}");
    }
}
