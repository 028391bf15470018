//! `gilbreth simulate`: writes or sends the OTLP of a simulated estate, and writes its truth.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use gilbreth_sample_data::{Estate, Options, Scenario, Simulation, files, reference, simulate};
use tokio::sync::mpsc;

use crate::{
    cli,
    config::Config,
    progress::Step,
    send::{self, Body},
};

/// About so many bytes are in one request.
const BODY_BYTES: usize = 1 << 20;
/// So many bodies may wait to be sent.
const BODIES_WAITING: usize = 8;

pub(crate) async fn run(options: cli::Simulate) -> anyhow::Result<ExitCode> {
    let page_key = Config::load(options.config.as_deref())?.collector.page_key;
    let plan = Plan {
        estate: options.estate,
        scenario: options.scenario,
        effects: options.effects,
        logins_apart: options.logins_apart,
        truth: options.truth,
        reference: options.reference,
        page_key,
    };
    match (options.out, options.endpoint) {
        (Some(out), _) => tokio::task::spawn_blocking(move || write(&plan, &out)).await??,
        (None, Some(endpoint)) => {
            let token = options.token.or_else(|| std::env::var("GILBRETH_TOKEN").ok());
            send(plan, &endpoint, token, &format!("send to {endpoint}")).await?;
        }
        (None, None) => unreachable!("the command line asks for one of the two"),
    }
    Ok(ExitCode::SUCCESS)
}

/// What is simulated.
pub(crate) struct Plan {
    /// How large.
    pub(crate) estate: cli::Estate,
    /// Which world.
    pub(crate) scenario: cli::Scenario,
    /// Whether changes of a known size come about in it.
    pub(crate) effects: bool,
    /// Whether people have another login in each system.
    pub(crate) logins_apart: bool,
    /// Where its truth is written.
    pub(crate) truth: Option<PathBuf>,
    /// Where its reference data are written.
    pub(crate) reference: Option<PathBuf>,
    /// The key by which its pages digest values: the collector's, or text and digests never agree.
    pub(crate) page_key: String,
}

impl Plan {
    fn begin(&self) -> anyhow::Result<Simulation> {
        let scenario = match self.scenario {
            cli::Scenario::Clean => Scenario::Clean,
            cli::Scenario::NoReEntry => Scenario::NoReEntry,
            cli::Scenario::Hard => Scenario::Hard,
        };
        let cli::Estate { staff, weeks, seed } = self.estate;
        let page_key = self.page_key.clone().into_bytes();
        let (effects, logins_apart) = (self.effects, self.logins_apart);
        let options = Options { staff, weeks, seed, scenario, effects, logins_apart, page_key, ..Options::default() };
        Ok(simulate(&Estate::probation(), &options)?)
    }

    fn end(&self, simulation: Simulation) -> anyhow::Result<()> {
        let truth = simulation.finish();
        if let Some(folder) = &self.truth {
            truth.write(folder)?;
        }
        if let Some(folder) = &self.reference {
            reference::write(&truth, folder)?;
        }
        Ok(())
    }
}

fn write(plan: &Plan, out: &Path) -> anyhow::Result<()> {
    let in_the_way = || format!("cannot write to {}", out.display());
    fs::create_dir_all(out).with_context(in_the_way)?;
    if fs::read_dir(out).with_context(in_the_way)?.next().is_some() {
        bail!("{} is not empty: it is to hold one simulation and nothing else", out.display());
    }
    let mut simulation = plan.begin()?;
    let step = Step::begin("simulate", 1_000);
    let mut spans = 0;
    let mut done = 0;
    while let Some(day) = simulation.next() {
        files::write_day(&day, out)?;
        spans += day.spans();
        advance(&step, &mut done, simulation.progress(), format!("{} {spans} spans", day.date));
    }
    plan.end(simulation)?;
    step.done(&format!("{spans} spans in {}", out.display()));
    Ok(())
}

/// Simulates and sends at the same time, over the network, as case systems do.
pub(crate) async fn send(plan: Plan, endpoint: &str, token: Option<String>, title: &str) -> anyhow::Result<()> {
    let step = Step::begin(title, 1_000);
    let (give, take) = mpsc::channel(BODIES_WAITING);
    let (say_progress, progress) = tokio::sync::watch::channel((0.0_f64, String::new()));
    let simulating = tokio::task::spawn_blocking(move || -> anyhow::Result<()> {
        let mut simulation = plan.begin()?;
        while let Some(day) = simulation.next() {
            say_progress.send_replace((simulation.progress(), day.date.to_string()));
            for body in day.exports().bodies(BODY_BYTES) {
                let spans = u64::try_from(body.spans)?;
                if give.blocking_send(Body { bytes: body.bytes, spans }).is_err() {
                    // The sending side has failed and says why.
                    return Ok(());
                }
            }
        }
        plan.end(simulation)
    });
    let (mut spans, mut done) = (0, 0);
    let sent = send::all(endpoint, token, take, |more| {
        spans += more;
        let (share, day) = progress.borrow().clone();
        advance(&step, &mut done, share, format!("{day}  {spans} spans acknowledged"));
    })
    .await;
    sent?;
    simulating.await??;
    step.done(&format!("{spans} spans acknowledged"));
    Ok(())
}

/// Moves the bar to a share of its thousand.
fn advance(step: &Step, done: &mut u64, share: f64, detail: String) {
    let now = (share * 1_000.0).round().clamp(0.0, 1_000.0);
    // Exact: a whole number between 0 and 1,000.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number from 0 to 1,000")]
    let now = now as u64;
    step.advance(now.saturating_sub(*done), detail);
    *done = now.max(*done);
}
