//! What every page promises: a table, a title and words for each picture; nothing that a name could break out of.

use gilbreth_analytics::findings::{Measure, Provenance};

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
        let tabled =
            ["claims", "time-use", "releases", "go-lives", "quality", "constants", "too-few"].contains(&section.id);
        assert_eq!(pictures, if tabled { 0 } else { 2 }, "{}", section.id);
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
    findings.provenance = Provenance::InUse;
    findings.estate = "Records Office, simulated".into();
    let html = report(&findings);
    assert!(!html.contains("No 95% intervals"));
    assert!(html.contains("95% interval 1.00 to 3.00") && html.contains("(1.00 to 3.00)"));
    // The words of pictures say what the lines over bars are.
    assert!(html.matches("is its 95% interval").count() >= 8);
    assert!(!html.contains("Simulated data.") && !html.contains("A recording."), "an estate's name says nothing");
    findings.provenance = Provenance::Recording;
    assert!(report(&findings).contains("A recording."));
}

#[test]
fn regions_have_names_of_their_own_and_are_reached_only_where_they_scroll() {
    for html in pages(&fixture::findings()) {
        let mut labels: Vec<&str> = html.split("aria-label=\"").skip(1).filter_map(|l| l.split('"').next()).collect();
        labels.retain(|label| !label.starts_with("SQL of "));
        let all = labels.len();
        labels.sort_unstable();
        labels.dedup();
        assert_eq!(labels.len(), all, "{labels:?}");
        // The matrix alone is wider than a page; tables of three columns are not.
        assert!(
            html.matches("\"Chart: ").count() <= 1 && !html.contains("\"Table: Hours lost per person-week, by cause")
        );
    }
}

#[test]
fn a_scope_is_said_at_the_top_and_beside_the_sql() {
    let mut findings = fixture::findings();
    assert!(!report(&findings).contains("Narrowed to"));
    findings.scope = vec![("task".into(), "pre-sentence report".into()), ("from".into(), "2026-09-14".into())];
    let html = report(&findings);
    assert!(html.contains("only task pre-sentence report, from 14 September 2026"), "{html}");
    let beside = html.matches("--task 'pre-sentence report' --from 2026-09-14</code>").count();
    assert_eq!(beside, html.matches("Narrowed to").count());
    assert!(beside > sections::all(&findings).len());
}

#[test]
fn what_is_cut_says_of_how_many() {
    let mut findings = fixture::findings();
    let row = findings.fixes.rows[0].clone();
    findings.fixes.rows = vec![row; 200];
    findings.fixes.of = 412;
    let html = report(&findings);
    assert!(html.contains("in order of hours: the first 25 of 412") && html.contains("The first 200 of 412 rows of "));
    assert!(!html.contains("Every row of <code>fixes"));
}

#[test]
fn constants_are_listed_apart() {
    let html = page(&fixture::findings(), Page::ReEntry);
    assert!(html.contains("Cannot be told from a default") && html.contains("ndelius › offender details › region"));
}

#[test]
fn while_nothing_is_established_pairs_with_too_few_cases_come_first() {
    let mut findings = fixture::findings();
    let place = |html: &str, what: &str| html.find(what).unwrap_or_else(|| panic!("{what} in {html}"));
    let (too_few, matrix) = ("<section aria-labelledby=\"too-few\"", "<section aria-labelledby=\"re-entry\"");
    let html = page(&findings, Page::ReEntry);
    assert!(place(&html, matrix) < place(&html, too_few) && !html.contains("#too-few"));

    findings.matrix.rows.clear();
    findings.hotspots.rows.clear();
    let html = page(&findings, Page::ReEntry);
    let lead = place(&html, "2 pairs of fields agree as if values were keyed again, but on <a href=\"#too-few\">");
    assert!(lead < place(&html, too_few) && place(&html, too_few) < place(&html, matrix));
    assert!(html.contains("id=\"too-few\"") && html.contains("No value is established as keyed again yet"));
    let overview = page(&findings, Page::Overview);
    assert!(place(&overview, "<a href=\"/re-entry#too-few\">") < place(&overview, "<section"));
    assert!(!page(&findings, Page::Tasks).contains("#too-few"));
}

#[test]
fn small_amounts_are_readable_in_sentences_and_stay_hours_in_tables() {
    let mut findings = fixture::findings();
    findings.by_system.rows.truncate(1);
    findings.by_system.rows[0].hours = 0.000_192;
    findings.by_system.rows[0].hours_per_person_week = 0.0;
    findings.headline.rows = vec![Measure {
        measure: "lost_hours".into(),
        value: Some(0.000_373),
        unit: "hours".into(),
        ..Measure::default()
    }];
    let html = page(&findings, Page::Overview);
    for said in ["ndelius costs 0.7 seconds, 100%", "Over all systems 0.7 seconds are lost", "1.3<span>seconds"] {
        assert!(html.contains(said), "{said} in {html}");
    }
    assert!(html.contains(">0.000192<") && html.contains(">0.000373<"), "tables");
}

#[test]
fn one_kind_of_fix_has_words_for_each_cause() {
    let mut findings = fixture::findings();
    let said = |findings: &Findings| report(findings);
    findings.fixes.rows[3].cause = "rework".into();
    assert!(said(&findings).contains("Say what is accepted before it is rejected"));
    findings.fixes.rows[3].cause = "unavailable".into();
    assert!(said(&findings).contains("Make it available"));
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
    bare.too_few.rows.clear();
    assert!(report(&bare).contains("No value was found to be keyed again"));
}

#[test]
fn without_a_whole_week_hours_are_said_instead_of_rates() {
    let mut findings = fixture::findings();
    for row in &mut findings.by_system.rows {
        row.hours_per_person_week = 0.0;
    }
    let all = sections::all(&findings);
    let said = all.iter().find(|section| section.id == "systems").expect("it is always there");
    assert!(said.finding.starts_with("ndelius costs 1,486 hours, 53%"), "{}", said.finding);
    assert_eq!(said.figures[0].title, "Hours lost, by system and cause");

    for row in &mut findings.by_system.rows {
        row.hours_per_person_week = f64::NAN;
    }
    for row in &mut findings.fixes.rows {
        row.hours_per_week = f64::NAN;
    }
    let html = report(&findings);
    assert!(!html.contains("not available hours") && !html.contains("hours a week"), "no rate is promised");
    let fixes = sections::all(&findings).into_iter().find(|section| section.id == "fixes").expect("it is there");
    assert!(fixes.finding.ends_with("166 hours go into keying it again"), "{}", fixes.finding);
    assert!(fixes.figures[0].inline().contains(">166<"));
}

#[test]
fn claims_come_first_and_what_has_no_rows_is_not_shown() {
    let mut findings = fixture::findings();
    let html = report(&findings);
    let place = |id: &str| html.find(&format!("<section aria-labelledby=\"{id}\""));
    assert!(place("claims") < place("key-figures") && place("key-figures") < place("systems"));
    for said in ["Of 3 claims made in public", "0.23 hours per person-week", "0.20 to 0.26", "Not estimable: fewer"] {
        assert!(html.contains(said), "{said}");
    }
    findings.claims.rows.clear();
    findings.releases.rows.clear();
    findings.go_lives.rows.clear();
    findings.time_use.rows.clear();
    let html = report(&findings);
    for id in ["claims", "releases", "go-lives", "time-use"] {
        assert!(!html.contains(&format!("<section aria-labelledby=\"{id}\"")), "{id}");
    }
    assert!(page(&findings, Page::Releases).contains("No system changed its release"));
}
