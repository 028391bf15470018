//! The view `sensitivity` against facts that are made anew with the other value.

use super::{
    estate::{S, Span, batch, busy, rekeyed},
    facts_with, memory,
    memory::Memory,
};
use crate::{
    parameters::Parameters,
    scope::Scope,
    session::{Providers, Session},
    tables,
};

/// Most of a week in which everything happens, and a value keyed again by rule.
fn estate() -> Vec<Span> {
    let mut spans = rekeyed(12);
    let day = 86_400 * S;
    spans.extend(busy(3, 2_500).into_iter().map(|span| Span {
        span: span.span + 100_000,
        trace: span.trace + 1_000,
        // Chains of entries go by span id.
        continues: span.continues.map(|span| span + 100_000),
        field: Some("street"),
        ..span
    }));
    // The week is whole: its Friday was worked too. A minute and a half there between two systems, and a chain of waits
    // that ends between two values tried.
    let wait = |span, start, length| Span { kind: Some("wait"), ..Span::new(span, start, length) };
    spans.extend([
        Span::new(90_000, 4 * day, S),
        Span { system: "b", ..Span::new(90_001, 4 * day + 91 * S, S) },
        wait(90_002, 4 * day + 200 * S, S),
        wait(90_003, 4 * day + 201 * S + S / 20, 2 * S),
    ]);
    spans
}

async fn session(facts: &Memory, parameters: &Parameters) -> Session {
    let mut providers = Providers::new();
    for table in tables::FACTS {
        providers.insert(table.name, facts.table(table));
    }
    Session::over(providers, &Scope::default(), parameters, Vec::new(), chrono_tz::Europe::London).await.unwrap()
}

/// Rows of a measure and its microseconds.
async fn microseconds(session: &Session, figure: &str, from: &str) -> Vec<String> {
    let query = format!(
        "SELECT measure, CAST(round({figure} * person_weeks * 3600000000) AS BIGINT) AS microseconds {from} ORDER BY 1"
    );
    memory::lines(&session.sql(&query).await.unwrap())
}

fn with(parameters: &Parameters, name: &str, value: f64) -> Parameters {
    let mut other = parameters.clone();
    *match name {
        "idle_threshold_s" => &mut other.idle_threshold_s,
        "tolerated_wait_s" => &mut other.tolerated_wait_s,
        "switch_s" => &mut other.switch_s,
        _ => &mut other.look_back_days,
    } = value;
    other
}

#[tokio::test]
async fn another_value_gives_what_facts_made_with_it_give() {
    let tried: [(&str, &[f64], &str); 3] = [
        ("idle_threshold_s", &[5.0, 15.0, 30.0, 60.0, 120.0, 300.0], "switching"),
        ("tolerated_wait_s", &[0.5, 1.0, 2.0, 4.0], "wait"),
        ("switch_s", &[0.0, 2.0, 5.0, 10.0], "switching"),
    ];
    let altered = Parameters { idle_threshold_s: 15.0, tolerated_wait_s: 4.0, switch_s: 0.0, ..Parameters::default() };
    let mut told_apart = std::collections::BTreeSet::new();
    for parameters in [Parameters::default(), altered] {
        let of_view = session(&facts_with(vec![batch(&estate())], 2, &parameters).await, &parameters).await;
        for (name, values, category) in tried {
            for &value in values {
                let other = with(&parameters, name, value);
                let anew = session(&facts_with(vec![batch(&estate())], 2, &other).await, &other).await;
                let measures = format!("('lost_hours_per_person_week', '{category}_hours_per_person_week')");
                let expected =
                    microseconds(&anew, "value", &format!("FROM headline WHERE measure IN {measures}")).await;
                let from = format!("FROM sensitivity WHERE parameter = '{name}' AND value = {value}");
                assert_eq!(
                    microseconds(&of_view, "hours_per_person_week", &from).await,
                    expected,
                    "{name} = {value}, from {parameters:?}"
                );
                told_apart.insert((name, expected));
            }
        }
    }
    assert!(told_apart.len() >= 20, "values do not matter in this estate: {}", told_apart.len());
}

#[tokio::test]
async fn values_in_force_give_the_headline_whether_listed_or_not() {
    let facts = facts_with(vec![batch(&estate())], 2, &Parameters::default()).await;
    let headline = session(&facts, &Parameters::default()).await;
    let counted =
        "SELECT count(*), sum(CASE WHEN s.hours_per_person_week = h.value AND s.difference = 0 THEN 1 ELSE 0 END),
        min(h.value) > 0 FROM sensitivity s JOIN headline h ON h.measure = s.measure WHERE s.in_force";
    assert_eq!(memory::lines(&headline.sql(counted).await.unwrap()), ["8,8,true"]);
    // A look-back of 30 days is none of the values tried, and 90 days are more than those facts know.
    let parameters = with(&Parameters::default(), "look_back_days", 30.0);
    let facts = facts_with(vec![batch(&estate())], 2, &parameters).await;
    let shorter = session(&facts, &parameters).await;
    assert_eq!(memory::lines(&shorter.sql(counted).await.unwrap()), ["8,8,true"]);
    let unknown = "SELECT DISTINCT value FROM sensitivity WHERE hours_per_person_week IS NULL";
    assert_eq!(memory::lines(&shorter.sql(unknown).await.unwrap()), ["90.0"]);
}
