//! What every page promises: a table, a title and words for each picture; nothing that a name could break out of.

use super::*;
use crate::fixture;
use crate::sections::FIGURES;

fn pages(findings: &Findings) -> Vec<String> {
    let mut pages: Vec<String> = Page::ALL.iter().map(|p| page(findings, *p)).collect();
    pages.push(report(findings));
    pages
}

#[test]
fn every_section_has_a_finding_a_table_and_a_described_picture() {
    let findings = fixture::findings();
    let html = report(&findings);
    for section in sections::all(&findings) {
        let start = html.find(&format!("<section aria-labelledby=\"{}\"", section.id)).expect("the section is there");
        let part = &html[start..start + html[start..].find("</section>").expect("it ends")];
        assert!(part.contains("<caption>") && part.contains("scope=\"col\"") && part.contains("scope=\"row\""));
        assert!(part.contains("<pre"), "{} shows its SQL", section.id);
        let pictures = part.matches("<svg").count();
        assert_eq!(pictures, if section.id == "quality" { 0 } else { 2 }, "{}", section.id);
        for needed in ["role=\"img\"", "<title id=", "<desc id=", "viewBox="] {
            assert_eq!(part.matches(needed).count(), pictures, "{needed} in {}", section.id);
        }
        assert!(section.table.rows.len() > 1);
    }
    for name in FIGURES {
        assert!(html.contains(&format!("{name}-wide-title")), "{name} is in the report");
    }
}

#[test]
fn findings_are_said_in_sentences_made_from_the_rows() {
    let said: Vec<String> = sections::all(&fixture::findings()).into_iter().map(|s| s.finding).collect();
    insta::assert_snapshot!(said.join("\n"));
}

#[test]
fn names_cannot_break_out() {
    let findings = fixture::hostile();
    for html in pages(&findings) {
        assert!(!html.contains("<script") && !html.contains('\u{1}'), "a name became markup");
    }
    for name in FIGURES {
        let svg = crate::figure(&findings, name).expect("it is listed");
        assert!(!svg.contains("<script") && !svg.contains('\u{1}'), "{name}");
    }
}

#[test]
fn ids_are_unique_and_headings_leave_no_level_out() {
    for html in pages(&fixture::findings()) {
        let mut ids: Vec<&str> = html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all);
        let levels: Vec<u32> =
            html.match_indices("<h").filter_map(|(at, _)| html[at + 2..].chars().next()?.to_digit(10)).collect();
        assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1);
        assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
    }
}

#[test]
fn the_report_needs_no_other_file_and_no_script() {
    let html = report(&fixture::findings());
    for absent in ["<script", "<link", "src=", "href=\"/", "url(", "@import", " style=\""] {
        assert!(!html.contains(absent), "{absent}");
    }
    assert_eq!(html, report(&fixture::findings()), "the same findings give the same bytes");
}

#[test]
fn a_missing_interval_is_said_once_and_a_simulation_is_named() {
    let mut findings = fixture::findings();
    let html = report(&findings);
    assert_eq!(html.matches("No 95% intervals").count(), 1);
    assert!(html.contains("Simulated data."));
    findings.headline.rows[0].low = Some(1.0);
    findings.headline.rows[0].high = Some(3.0);
    findings.estate = "Probation".into();
    let html = report(&findings);
    assert!(!html.contains("No 95% intervals") && !html.contains("Simulated data."));
    assert!(html.contains("95% interval 1.00 to 3.00") && html.contains("(1.00 to 3.00)"));
    // The words of pictures say what the lines over bars are.
    assert!(html.matches("is its 95% interval").count() >= 8);
}

#[test]
fn an_empty_store_says_how_to_fill_it() {
    for html in pages(&Findings::default()) {
        assert!(html.contains("No data yet") || html.contains("What is measured"));
    }
    let mut bare = fixture::findings();
    bare.by_system.rows.clear();
    bare.by_task.rows.clear();
    bare.matrix.rows.clear();
    bare.hotspots.rows.clear();
    bare.fixes.rows.clear();
    bare.quality.rows.clear();
    bare.headline.rows.clear();
    assert!(report(&bare).contains("No value was found to be keyed again"));
}

#[test]
fn without_a_whole_week_hours_are_said_instead_of_rates() {
    let mut findings = fixture::findings();
    for row in &mut findings.by_system.rows {
        row.hours_per_person_week = 0.0;
    }
    let said = &sections::all(&findings)[0];
    assert!(said.finding.starts_with("ndelius costs 1,486 hours, 53%"), "{}", said.finding);
    assert_eq!(said.figures[0].title, "Hours lost, by system and cause");
}
