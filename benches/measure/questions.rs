//! The two questions that databases answer too: where a value was held first, and active time.

use std::{path::Path, time::Instant};

use gilbreth_analytics::{catalogue, parameters::Parameters, questions::Question, scope::Scope, session::Session};
use gilbreth_collector::store::Store;

use crate::sizes;

/// Asks each question by its operator, and of DataFusion by the SQL that specifies it, each time in a new session.
/// `GILBRETH_BENCH_SPECIFICATION=no` leaves the second out.
pub(crate) async fn run(store: &Path) -> anyhow::Result<()> {
    let store = Store::open(store)?;
    let specification = std::env::var("GILBRETH_BENCH_SPECIFICATION").ok().as_deref() != Some("no");
    for question in Question::ALL {
        let name = question.table().name;
        let by_operator = timed(&store, &format!("SELECT * FROM {name}")).await?;
        println!("{name:<21} {by_operator:.2} s by the operator");
        if specification {
            let by_sql = timed(&store, catalogue::specification(name).text).await?;
            println!("{name:<21} {by_sql:.2} s by its SQL: {:.1} times as long", by_sql / by_operator);
        }
    }
    Ok(())
}

/// The median time of an answer, seconds.
async fn timed(store: &Store, sql: &str) -> anyhow::Result<f64> {
    let mut times = Vec::new();
    for _ in 0..sizes::runs() {
        let session = Session::open(store, &Scope::default(), &Parameters::default(), Vec::new()).await?;
        let begun = Instant::now();
        session.sql(sql).await?;
        times.push(begun.elapsed().as_secs_f64());
    }
    Ok(sizes::median(times))
}
