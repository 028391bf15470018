//! Sending: as fast as it is taken, or at a fixed rate whatever comes back.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    ops::ControlFlow,
    rc::Rc,
    time::Duration,
};

use anyhow::Context as _;
use tokio::{task::LocalSet, time::Instant};

use crate::{
    answer::Answer,
    bodies::{Bodies, Body},
    connection::{Connection, Target},
    options::Options,
    server::Server,
};

/// Who is told to come again and not when, waits this long, and twice as long each time after.
const AGAIN_AFTER: Duration = Duration::from_millis(50);
const AGAIN_AFTER_MAX: Duration = Duration::from_secs(5);
/// A request that is not taken for so long is given up: the server is not coming back.
const PATIENCE: Duration = Duration::from_secs(120);

/// What came of it all.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    /// From the first request to the last answer.
    pub(crate) took: Duration,
    /// Spans that the server said it has.
    pub(crate) acknowledged: u64,
    /// Spans that it refused for good, in part or with their request.
    pub(crate) refused: u64,
    /// Spans of requests that were given up.
    pub(crate) given_up: u64,
    /// How long each acknowledgement took, from when its request was due, tries again included.
    pub(crate) times: Vec<Duration>,
    /// Answers by status; `broken` is a connection that ended without one.
    pub(crate) answers: BTreeMap<String, u64>,
}

/// What the senders share; they are on one thread.
struct Work {
    bodies: RefCell<std::vec::IntoIter<Body>>,
    due: Cell<Instant>,
    /// Between one span and the next, if there is a rate.
    apart: Option<f64>,
    ends: Option<Instant>,
    target: Target,
    sent: RefCell<Sent>,
}

/// Sends bodies until there are no more, or the time is up and those under way are answered.
pub(crate) async fn send_all(options: &Options, server: &Server, bodies: Bodies) -> anyhow::Result<Sent> {
    let target = Target::new(&server.endpoint, options)?;
    let mut connections = Vec::new();
    for _ in 0..options.connections {
        connections.push(Connection::open(&target).await.context("the server cannot be reached")?);
    }
    let begun = Instant::now();
    let work = Rc::new(Work {
        bodies: RefCell::new(bodies.all.into_iter()),
        due: Cell::new(begun),
        apart: options.rate.map(|rate| 1.0 / rate),
        ends: options.seconds.map(|seconds| begun + Duration::from_secs_f64(seconds)),
        target,
        sent: RefCell::default(),
    });
    let senders = LocalSet::new();
    for connection in connections {
        senders.spawn_local(send_some(Rc::clone(&work), connection));
    }
    senders.await;
    let mut sent = work.sent.take();
    sent.took = begun.elapsed();
    Ok(sent)
}

async fn send_some(work: Rc<Work>, connection: Connection) {
    let mut connection = Some(connection);
    while let Some((body, due)) = work.next() {
        tokio::time::sleep_until(due).await;
        work.deliver(&mut connection, &body, due).await;
    }
}

impl Work {
    /// The next body and when it is due: now, or by the rate.
    fn next(&self) -> Option<(Body, Instant)> {
        let due = if self.apart.is_some() { self.due.get() } else { Instant::now() };
        if self.ends.is_some_and(|ends| due >= ends) {
            return None;
        }
        let body = self.bodies.borrow_mut().next()?;
        if let Some(apart) = self.apart {
            self.due.set(due + Duration::from_secs_f64(apart * f64::from(body.spans)));
        }
        Some((body, due))
    }

    /// Sends a body until it is taken, refused or given up.
    async fn deliver(&self, connection: &mut Option<Connection>, body: &Body, due: Instant) {
        let begun = Instant::now();
        let mut wait = AGAIN_AFTER;
        while begun.elapsed() < PATIENCE {
            let answer = self.try_once(connection, body).await;
            let noted = self.sent.borrow_mut().note(answer, u64::from(body.spans), due);
            match noted {
                ControlFlow::Break(()) => return,
                ControlFlow::Continue(after) => tokio::time::sleep(after.unwrap_or(wait)).await,
            }
            wait = (wait * 2).min(AGAIN_AFTER_MAX);
        }
        self.sent.borrow_mut().given_up += u64::from(body.spans);
    }

    /// On the connection at hand, or a new one where that has ended.
    async fn try_once(&self, connection: &mut Option<Connection>, body: &Body) -> anyhow::Result<Answer> {
        let mut open = match connection.take() {
            Some(open) => open,
            None => Connection::open(&self.target).await?,
        };
        let answer = open.send(&self.target, body.bytes.clone()).await?;
        *connection = Some(open);
        Ok(answer)
    }
}

impl Sent {
    /// Notes what came of a request; it ends with it, or goes on after the time that the server asks for.
    fn note(&mut self, answer: anyhow::Result<Answer>, spans: u64, due: Instant) -> ControlFlow<(), Option<Duration>> {
        match answer {
            Ok(Answer::Taken { status, refused }) => {
                self.count(&status);
                self.acknowledged += spans.saturating_sub(refused);
                self.refused += refused;
                self.times.push(due.elapsed());
                ControlFlow::Break(())
            }
            Ok(Answer::Refused { status }) => {
                self.count(&status);
                self.refused += spans;
                ControlFlow::Break(())
            }
            Ok(Answer::Again { status, after }) => {
                self.count(&status);
                ControlFlow::Continue(after)
            }
            Err(_) => {
                self.count("broken");
                ControlFlow::Continue(None)
            }
        }
    }

    fn count(&mut self, status: &str) {
        *self.answers.entry(status.to_owned()).or_default() += 1;
    }
}
