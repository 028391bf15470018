//! How many rows rest on so few people that they are for auditors' eyes only.

use gilbreth_analytics::findings::Findings;

/// Rows resting on fewer people than this are not for publication.
const PEOPLE_MIN: i64 = 10;

/// Rows with people that rest on fewer than ten of them.
pub(crate) fn few(findings: &Findings) -> usize {
    let systems = findings.by_system.rows.iter().map(|r| r.people);
    let hotspots = findings.hotspots.rows.iter().map(|r| r.people);
    let fixes = findings.fixes.rows.iter().map(|r| r.people);
    systems.chain(hotspots).chain(fixes).filter(|people| *people < PEOPLE_MIN).count()
}
