//! Findings as a store of a middling estate would give them; only tests read them.

use gilbreth_analytics::findings::{
    Agreement, Answer, Check, Claim, Findings, Fix, GoLiveEffect, Hotspot, LostBySystem, LostByTask, MatrixCell,
    Measure, Provenance, ReleaseEffect, TimeUse, Tried,
};

const SYSTEMS: [&str; 6] = ["ndelius", "oasys", "rsr", "cas", "crc-case-management", "c-nomis"];
const CAUSES: [&str; 8] =
    ["re_entry", "wait", "rework", "unavailable", "switching", "repeat_sign_in", "lost_session", "double_check"];

fn answer<Row>(view: &str, rows: impl IntoIterator<Item = Row>) -> Answer<Row> {
    let rows: Vec<Row> = rows.into_iter().collect();
    Answer { of: rows.len(), rows, sql: format!("SELECT *\nFROM {view}\nWHERE hours > 0.0\nORDER BY hours DESC;") }
}

/// An interval around a value.
fn around(value: f64) -> (f64, f64) {
    (value * 0.85, value * 1.2)
}

/// Six systems, eight causes, twelve hotspots, ten fixes, eight checks.
pub(crate) fn findings() -> Findings {
    let size = |i: usize, j: usize| 812.4 / ((i * i + 1) * (j + 2)) as f64;
    let all: f64 = (0..6).flat_map(|i| (0..8).map(move |j| size(i, j))).sum();
    let by_system = SYSTEMS.iter().enumerate().flat_map(|(i, system)| {
        CAUSES.iter().enumerate().filter(move |(j, _)| i < 4 || *j < 5).map(move |(j, cause)| LostBySystem {
            system: (*system).into(),
            cause: (*cause).into(),
            hours: size(i, j),
            hours_per_person_week: size(i, j) / 842.0,
            low: (j < 4).then_some(size(i, j) / 842.0 * 0.8),
            high: (j < 4).then_some(size(i, j) / 842.0 * 1.25),
            share: size(i, j) / all,
            people: 211 - 20 * i as i64,
            all_causes: (i < 5)
                .then(|| around((0..8).filter(|j| i < 4 || *j < 5).map(|j| size(i, j)).sum::<f64>() / 842.0)),
        })
    });
    let tasks = ["pre-sentence report", "risk assessment", "allocation", "contact recording", "breach", "unattributed"];
    let by_task = tasks.iter().enumerate().flat_map(|(i, task)| {
        CAUSES.iter().enumerate().take(6).map(move |(j, cause)| LostByTask {
            task: (*task).into(),
            cause: (*cause).into(),
            hours: size(i, j) * 0.9,
            hours_per_person_week: size(i, j) * 0.9 / 842.0,
            low: None,
            high: None,
            share: 0.9 * size(i, j) / all,
            instances: 640 - 70 * i as i64,
            minutes_per_instance: (i < 5).then(|| size(i, j) * 54.0 / (640 - 70 * i) as f64),
            all_causes: (i < 3).then(|| around((0..6).map(|j| size(i, j) * 0.9).sum::<f64>() / 842.0)),
        })
    });
    let matrix =
        (0..6).flat_map(|i| (0..6).filter(move |j| (i * 5 + j * 3) % 4 != 1).map(move |j| (i, j))).map(|(i, j)| {
            let hours = 240.0 / (1 + i + 2 * j + (i + j) % 3) as f64;
            MatrixCell {
                from_system: SYSTEMS[j].into(),
                to_system: SYSTEMS[i].into(),
                re_entries: hours * 371.3,
                hours,
                hours_per_person_week: hours / 842.0,
                cases: (hours * 9.0) as i64,
            }
        });
    let fields = ["surname", "date of birth", "address line 1", "postcode", "offence", "sentence date"];
    let hotspots = (0..12usize).map(|i| {
        let place = |system: usize, screen: &str, field: usize| -> [String; 3] {
            [SYSTEMS[system % 6].into(), screen.into(), fields[field % 6].into()]
        };
        let hours = 96.0 / (i + 1) as f64;
        Hotspot {
            rank: i as i64 + 1,
            from: place(i, "offender details", i),
            to: place(
                i + 1,
                if i == 4 {
                    "risk of serious recidivism, static factors and previous convictions"
                } else {
                    "case registration"
                },
                i,
            ),
            scope: "cross_system".into(),
            n: 900 - 31 * i as i64,
            m: 861 - 33 * i as i64,
            expected: 0.7 * i as f64,
            re_entries: 860.2 - 33.0 * i as f64,
            hours,
            hours_per_person_week: hours / 842.0,
            low: (i < 9).then_some(hours / 842.0 * 0.7),
            high: (i < 9).then_some(hours / 842.0 * 1.4),
            rank_low: (i < 9).then_some(if i == 0 { 1 } else { i as i64 }),
            rank_high: (i < 9).then_some(i as i64 + 2),
            cases: 860 - 33 * i as i64,
            people: 190 - 11 * i as i64,
        }
    });
    let kinds = [
        "integrate",
        "speed_up",
        "integrate",
        "repair",
        "single_sign_on",
        "integrate",
        "save_work",
        "simplify",
        "integrate",
        "speed_up",
    ];
    let fixes = kinds.iter().enumerate().map(|(i, kind)| {
        let integrate = (*kind == "integrate").then_some(());
        Fix {
            rank: i as i64 + 1,
            kind: (*kind).into(),
            cause: match *kind {
                "integrate" => "re_entry",
                "speed_up" => "wait",
                "repair" => "unavailable",
                "single_sign_on" => "repeat_sign_in",
                _ => "rework",
            }
            .into(),
            hours: 166.0 / (i + 1) as f64,
            system: SYSTEMS[i % 6].into(),
            screen: (i != 4).then(|| "case registration".into()),
            field: integrate.map(|()| fields[i % 6].into()),
            from_system: integrate.map(|()| SYSTEMS[(i + 1) % 6].into()),
            from_screen: integrate.map(|()| "offender details".into()),
            from_field: integrate.map(|()| fields[i % 6].into()),
            hours_per_week: 41.5 / (i + 1) as f64,
            low: (i < 8).then_some(30.0 / (i + 1) as f64),
            high: (i < 8).then_some(57.0 / (i + 1) as f64),
            cost_per_year: (i != 4).then_some(41.5 * 44.0 * 21.3 / (i + 1) as f64),
            rank_low: (i < 8).then_some(i as i64 + 1),
            rank_high: (i < 8).then_some(i as i64 + 3),
            people: 187 - 12 * i as i64,
            why: format!("{} values were keyed again that another system held.", 4_120 / (i + 1)),
        }
    });
    let constants = (0..3usize).map(|i| Agreement {
        from: [SYSTEMS[i].into(), "offender details".into(), "region".into()],
        to: [SYSTEMS[i + 1].into(), "case registration".into(), "region".into()],
        agreement: "whole".into(),
        n: 300 - 40 * i as i64,
        m: 290 - 41 * i as i64,
        expected: 281.5 - 38.0 * i as f64,
    });
    let too_few = (0..2usize).map(|i| Agreement {
        from: [SYSTEMS[i].into(), "offender details".into(), "telephone".into()],
        to: [SYSTEMS[i + 1].into(), "referral".into(), "contact telephone".into()],
        agreement: "whole".into(),
        n: 6 - i as i64,
        m: 5 - i as i64,
        expected: 0.2,
    });
    let checks = [
        ("spans_received", 1_204_551.0, "spans", "Spans that the gate let in."),
        ("spans_refused", 0.0, "spans", "Spans that could never be stored."),
        ("duplicates", 5_102.0, "spans", "Spans sent twice and kept once."),
        ("late", 311.0, "spans", "Spans that came more than an hour after they ended."),
        ("without_case", 0.061, "share", "Interactions that name no case."),
        ("without_digest", 0.003, "share", "Entries without a value digest."),
        ("clock_shifted", 14.0, "worker-days", "Worker-days whose times were corrected."),
        ("unattributed", 0.087, "share", "Active time that belongs to no task."),
    ];
    let measure = |name: &str, value: Option<f64>, unit: &str| Measure {
        measure: name.into(),
        value,
        unit: unit.into(),
        people: 212,
        person_weeks: 842,
        grade: "measured".into(),
        ..Measure::default()
    };
    Findings {
        estate: "Probation".into(),
        provenance: Provenance::Simulation,
        scope: Vec::new(),
        from: "2026-09-07".into(),
        to: "2026-10-02".into(),
        version: 17,
        parameters: vec![
            ("idle_threshold_s".into(), "60".into(), "s".into()),
            ("look_back_days".into(), "90".into(), "days".into()),
        ],
        claims: answer("claims", claims()),
        time_use: answer("time_use", time_use()),
        sensitivity: answer("sensitivity", sensitivity()),
        releases: answer("release_effects", releases()),
        go_lives: answer("go_live_effects", go_lives()),
        headline: answer(
            "headline",
            [
                measure("lost_hours_per_person_week", Some(all / 842.0), "hours per person-week"),
                measure("active_hours_per_person_week", Some(21.73), "hours per person-week"),
                measure("share_lost", Some(0.1164), "share of active hours"),
                measure("re_entries", Some(31_204.0), "entries"),
                measure("self_reported_hours", None, "hours"),
            ],
        ),
        by_system: answer("time_lost_by_system", by_system),
        by_task: answer("time_lost_by_task", by_task),
        matrix: answer("re_entry_matrix", matrix),
        hotspots: answer("re_entry_hotspots", hotspots),
        constants: answer("re_entry_pairs", constants),
        too_few: answer("re_entry_pairs", too_few),
        fixes: answer("fixes", fixes),
        quality: answer(
            "data_quality",
            checks.map(|(check, value, unit, meaning)| Check {
                check: check.into(),
                value,
                unit: unit.into(),
                meaning: meaning.into(),
            }),
        ),
    }
}

fn claims() -> [Claim; 3] {
    let claim = |number, claim: &str, figure, unit: &str, grade: &str, verdict: &str| Claim {
        number,
        claim: claim.into(),
        figure,
        unit: unit.into(),
        grade: grade.into(),
        verdict: verdict.into(),
        query: "SELECT 1".into(),
        ..Claim::default()
    };
    let again = claim(
        1,
        "Staff enter the same data again into different applications",
        Some(0.234),
        "hours per person-week",
        "measured",
        "supported: 31,204 values were keyed again although another system held them",
    );
    let days = "share of the working week in direct contact";
    [
        Claim { low: Some(0.2), high: Some(0.262), ..again },
        claim(6, "Three quarters of time is not spent with offenders", Some(0.31), days, "reported", "not supported"),
        claim(8, "The main system is laden", None, "share", "measured", "not available, because it does not say"),
    ]
}

fn time_use() -> [TimeUse; 3] {
    [("contact", 11.2, 0.31), ("instrumented systems", 21.7, 0.6), ("other", 3.2, 0.09)].map(
        |(activity, hours, share)| TimeUse {
            activity: activity.into(),
            hours_per_person_week: Some(hours),
            share: Some(share),
            grade: "reported".into(),
            note: "diary".into(),
        },
    )
}

fn sensitivity() -> [Tried; 3] {
    [(1.0, Some(2.53)), (5.0, Some(2.61)), (10.0, None)].map(|(value, hours)| Tried {
        parameter: "switch_s".into(),
        value: Some(value),
        in_force: value == 5.0,
        hours_per_person_week: hours,
        difference: hours.map(|hours| hours - 2.61),
    })
}

fn releases() -> [ReleaseEffect; 2] {
    let effect = ReleaseEffect {
        system: "ndelius".into(),
        release: "4.3.2".into(),
        released_on: "2026-09-21".into(),
        task: "allocation".into(),
        before: Some(3.1),
        after: Some(4.4),
        difference: Some(1.2),
        low: Some(0.7),
        high: Some(1.8),
        placebo: Some(0.05),
        people: 120,
        reason: None,
    };
    let unknown = ReleaseEffect {
        task: "breach".into(),
        people: 0,
        reason: Some("fewer than two clean weeks before the release".into()),
        ..ReleaseEffect::default()
    };
    [effect, unknown]
}

fn go_lives() -> [GoLiveEffect; 2] {
    let mean = GoLiveEffect {
        interface: "case data".into(),
        before: Some(0.8),
        after: Some(0.3),
        difference: Some(-0.45),
        low: Some(-0.6),
        high: Some(-0.3),
        p: Some(0.004),
        organisations: 12,
        ..GoLiveEffect::default()
    };
    [mean.clone(), GoLiveEffect { weeks_since: Some(-2), difference: Some(0.01), ..mean }]
}

/// The same with names that try to break out of every page, picture and file.
pub(crate) fn hostile() -> Findings {
    const EVIL: &str = "\"><script>alert('x')</script>&\u{1}";
    let mut findings = findings();
    findings.estate = EVIL.into();
    for row in &mut findings.by_system.rows {
        row.system.push_str(EVIL);
        row.cause.push_str(EVIL);
    }
    for row in &mut findings.by_task.rows {
        row.task.push_str(EVIL);
    }
    for row in &mut findings.matrix.rows {
        row.from_system.push_str(EVIL);
        row.to_system.insert_str(0, EVIL);
    }
    for row in &mut findings.hotspots.rows {
        row.to[2] = EVIL.into();
        row.from[0] = EVIL.into();
    }
    for row in &mut findings.fixes.rows {
        row.kind = EVIL.into();
        row.cause = EVIL.into();
        row.system = EVIL.into();
        row.why = EVIL.into();
    }
    for row in findings.constants.rows.iter_mut().chain(&mut findings.too_few.rows) {
        row.from[1] = EVIL.into();
        row.to[2] = EVIL.into();
        row.agreement = EVIL.into();
    }
    findings.scope.push(("task".into(), EVIL.into()));
    for row in &mut findings.claims.rows {
        row.claim = EVIL.into();
        row.verdict = EVIL.into();
    }
    for row in &mut findings.releases.rows {
        row.system = EVIL.into();
        row.task = EVIL.into();
        row.release = EVIL.into();
    }
    for row in &mut findings.go_lives.rows {
        row.interface = EVIL.into();
    }
    for row in &mut findings.quality.rows {
        row.check = EVIL.into();
        row.meaning = EVIL.into();
    }
    findings.fixes.sql = format!("SELECT '{EVIL}'");
    findings.parameters.push((EVIL.into(), EVIL.into(), EVIL.into()));
    findings
}
