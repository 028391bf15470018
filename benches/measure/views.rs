//! Every view, timed in sessions of its own: when nobody has asked for anything since the refresh, when somebody has, and
//! asked again in the same session.

use std::{path::Path, time::Instant};

use gilbreth_analytics::{parameters::Parameters, scope::Scope, session::Session};
use gilbreth_collector::store::Store;

/// Views with a row for each interaction, stretch of time or target are not read whole: they are asked as their users
/// ask them. All others are read whole.
const ASKED: [(&str, &str); 12] = [
    ("interactions", "SELECT * FROM interactions LIMIT 100"),
    ("interactions", "SELECT kind, count(*) FROM interactions GROUP BY kind"),
    ("time_ledger", "SELECT * FROM time_ledger LIMIT 100"),
    ("time_ledger", "SELECT category, sum(seconds) FROM time_ledger GROUP BY category"),
    ("weighed_ledger", "SELECT * FROM weighed_ledger LIMIT 100"),
    ("weighed_ledger", "SELECT category, sum(microseconds) FROM weighed_ledger GROUP BY category"),
    ("re_entries", "SELECT * FROM re_entries LIMIT 100"),
    ("re_entries", "SELECT verdict, count(*) FROM re_entries GROUP BY verdict"),
    ("target_sources", "SELECT * FROM target_sources LIMIT 100"),
    ("target_sources", "SELECT verdict, count(*) FROM target_sources GROUP BY verdict"),
    ("observed", "SELECT count(*) FROM observed"),
    ("time_cube", "SELECT category, sum(microseconds) FROM time_cube GROUP BY category"),
];

struct Timed {
    sql: String,
    cold_ms: f64,
    first_ms: f64,
    again_ms: f64,
    rows: usize,
}

/// Times every view of a store, worst first. `GILBRETH_BENCH_VIEWS` names some, parted by commas.
pub(crate) async fn run(root: &Path) -> anyhow::Result<()> {
    let store = Store::open(root)?;
    let only = std::env::var("GILBRETH_BENCH_VIEWS").unwrap_or_default();
    let only: Vec<&str> = only.split(',').filter(|name| !name.is_empty()).collect();
    let named = |name: &str| only.is_empty() || only.contains(&name);
    let mut asked: Vec<String> = Vec::new();
    for name in views(&open(&store).await?)?.iter().filter(|name| named(name)) {
        let of_view: Vec<String> =
            ASKED.iter().filter(|(view, _)| view == name).map(|(_, sql)| (*sql).to_owned()).collect();
        asked.extend(if of_view.is_empty() { vec![format!("SELECT * FROM {name}")] } else { of_view });
    }
    let mut timed = Vec::new();
    for sql in asked {
        forget(root)?;
        match time(&store, &sql).await {
            Ok((cold_ms, ..)) => timed.push(Timed { sql, cold_ms, first_ms: f64::NAN, again_ms: f64::NAN, rows: 0 }),
            // One view that fails is a finding, and no reason to lose the others.
            Err(error) => println!("view                  {sql}: {error:#}"),
        }
    }
    // Somebody asks for everything, and leaves it for others.
    for one in &timed {
        time(&store, &one.sql).await?;
    }
    for one in &mut timed {
        (one.first_ms, one.again_ms, one.rows) = time(&store, &one.sql).await?;
    }
    timed.sort_by(|one, other| other.first_ms.total_cmp(&one.first_ms));
    println!("view                   cold ms    first ms    again ms        rows  asked");
    for Timed { sql, cold_ms, first_ms, again_ms, rows } in timed {
        println!("view                  {cold_ms:8.0}    {first_ms:8.0}    {again_ms:8.0}  {rows:10}  {sql}");
    }
    Ok(())
}

/// Takes away what sessions left for those that come after.
fn forget(root: &Path) -> anyhow::Result<()> {
    match std::fs::remove_dir_all(root.join("kept")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

async fn open(store: &Store) -> anyhow::Result<Session> {
    Ok(Session::open(store, &Scope::default(), &Parameters::default(), Vec::new()).await?)
}

/// The views of the data dictionary, but the two questions, which are measured apart.
fn views(session: &Session) -> anyhow::Result<Vec<String>> {
    let questions = gilbreth_analytics::questions::Question::ALL.map(|question| question.table().name);
    let dictionary = session.dictionary(None)?;
    let views = dictionary.entries().iter().filter(|entry| entry.column.is_none() && entry.kind == "view");
    Ok(views.map(|entry| entry.table.clone()).filter(|name| !questions.contains(&name.as_str())).collect())
}

/// Milliseconds in a new session, opening it apart, and again in the same; and rows.
async fn time(store: &Store, sql: &str) -> anyhow::Result<(f64, f64, usize)> {
    let session = open(store).await?;
    let begun = Instant::now();
    let rows = session.sql(sql).await?.iter().map(arrow::array::RecordBatch::num_rows).sum();
    let first_ms = begun.elapsed().as_secs_f64() * 1e3;
    let begun = Instant::now();
    session.sql(sql).await?;
    Ok((first_ms, begun.elapsed().as_secs_f64() * 1e3, rows))
}
