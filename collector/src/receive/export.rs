//! One export, whatever brought it: who sends? → body → spans → gate → pipeline → outcome.

use std::{net::SocketAddr, sync::Arc, task::Poll, time::Instant};

use axum::{
    body::Body,
    http::{HeaderMap, Uri},
};
use bytes::Bytes;
use prost::Message as _;
use tracing::{Instrument as _, field::Empty};

use super::{
    Compression,
    behind::Behind,
    body::{self, Packed},
    compression::UnpackError,
    metrics::Metrics,
    refusal::{Reason, Refusal},
    room::{Reading, Room},
};
use crate::{
    Error, ErrorKind,
    access::{self, Access, Peer, Presented},
    agent::Rulebook,
    config::Config,
    decode::{Encoding, Signal, Size, decode_measured, measure},
    gate::{self, Admission, Names, Policy},
    pipeline::Pipeline,
    share::{Held, Sender},
    telemetry::{self, Page},
};

/// A packed body is at first expected to become no more than so many times its size.
const UNPACKS_TIMES: usize = 16;
/// So large a body is worked on by the thread that read it.
const AT_HAND_BYTES_MAX: usize = 1 << 20;

/// Takes exports from every transport. Clones are handles of the same one.
#[derive(Clone)]
pub struct Receiver(Arc<Inner>);

struct Inner {
    policy: Policy,
    access: Arc<Access>,
    names: Names,
    behind: Behind,
    cors_origins: Vec<String>,
    rules: Rulebook,
    body_bytes_max: usize,
    room: Room,
    now_us: fn() -> i64,
    metrics: Metrics,
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Receiver").field("policy", &self.0.policy).finish_non_exhaustive()
    }
}

impl Receiver {
    /// One that asks `access` who may send, and hands what the gate admits to that pipeline.
    #[must_use]
    pub fn new(policy: Policy, access: Access, pipeline: Pipeline, rules: Rulebook, config: &Config) -> Self {
        let now_us = || chrono::Utc::now().timestamp_micros();
        Self::before(Behind::of(pipeline), policy, access, rules, config, now_us)
    }

    /// Why exports are not taken, in words; `None` if they are: the log can be written and has room, somebody commits it,
    /// and the tokens can be read. It says how things are now, not how the last export went: where nothing is sent to who
    /// is not ready, no export would come to tell that things are well again.
    #[must_use]
    pub fn why_not_ready(&self) -> Option<&'static str> {
        (self.0.behind.why_not_ready)()
            .or_else(|| (!self.0.access.is_readable()).then_some("the access tokens cannot be read"))
    }

    /// What was measured since the start, as Prometheus text.
    #[must_use]
    pub fn metrics(&self) -> String {
        let mut page = Page::default();
        self.0.metrics.write(&mut page);
        self.0.access.write(&mut page);
        self.0.behind.telemetry.write(&(self.0.behind.stands)(), &mut page);
        page.into_text()
    }

    pub(super) fn before(
        behind: Behind,
        policy: Policy,
        access: Access,
        rules: Rulebook,
        config: &Config,
        now_us: fn() -> i64,
    ) -> Self {
        Self(Arc::new(Inner {
            policy,
            access: Arc::new(access),
            names: rules.names(),
            behind,
            cors_origins: config.cors_origins.clone(),
            rules,
            body_bytes_max: config.body_bytes_max,
            room: Room::new(config.requests_at_once_max),
            now_us,
            metrics: Metrics::default(),
        }))
    }

    /// Who may send.
    pub(super) fn access(&self) -> &Arc<Access> {
        &self.0.access
    }

    /// Origins whose pages may send.
    pub(super) fn cors_origins(&self) -> &[String] {
        &self.0.cors_origins
    }

    /// The agent's rules.
    pub(super) fn rules(&self) -> &Rulebook {
        &self.0.rules
    }

    /// Most bytes of a request, unpacked or not.
    pub(super) fn body_bytes_max(&self) -> usize {
        self.0.body_bytes_max
    }

    /// Answers one request, in a span of its own, and counts it; requests of our own telemetry leave no span.
    pub(super) async fn observe<A>(
        &self,
        transport: &'static str,
        signal: Option<Signal>,
        headers: &HeaderMap,
        answering: impl Future<Output = (u16, A)>,
    ) -> A {
        let observing = async {
            let began = Instant::now();
            let span = tracing::info_span!(
                "export",
                signal = signal.map(tracing::field::debug),
                transport,
                "http.response.status_code" = Empty,
                "rpc.grpc.status_code" = Empty,
                spans = Empty,
                "gilbreth.own" = Empty
            );
            let (status, answer) = answering.instrument(span.clone()).await;
            let named = if transport == "grpc" { "rpc.grpc.status_code" } else { "http.response.status_code" };
            span.record(named, status);
            self.0.metrics.request(transport, status, began.elapsed());
            answer
        };
        if headers.contains_key(telemetry::HEADER) { telemetry::untraced(observing).await } else { observing.await }
    }

    /// Who asks, before anything of the body is read. **Access is decided here**, for every transport: what a head asks
    /// for is granted, or refused with its reason.
    pub(super) async fn admit(&self, head: &Head<'_>) -> Result<Grant, Refusal> {
        let presented = Presented::of(head.headers, head.uri.query(), Some(Peer(head.peer.ip())));
        let access = Arc::new(self.0.access.grant(presented).await?);
        let sender = access.token().map_or_else(|| Sender::at(head.peer), |id| Sender::Token(id.to_bytes()));
        Ok(Grant { sender, access })
    }

    /// Room for the body of whoever has a grant, unless it is known already that it could not be stored.
    pub(super) fn reading(&self, grant: &Grant) -> Result<Reading, Refusal> {
        (self.0.behind.takes)(grant.sender)?;
        self.0.room.reading(grant.sender)
    }

    /// Reads a body, unpacks, judges and stores it. Once it is read, the rest goes on even if nobody waits for its outcome
    /// any more: what it holds is then let go of when the work is done, not before.
    pub(super) async fn export(&self, grant: Grant, what: What, packed: Packed) -> Result<Outcome, Refusal> {
        let receiver = self.clone();
        let storing = async move { receiver.store(grant, what, packed).await };
        let storing = storing.in_current_span();
        // Another task does not know by itself that it is to leave no span.
        let stored = if telemetry::is_untraced() {
            tokio::spawn(telemetry::untraced(storing)).await
        } else {
            tokio::spawn(storing).await
        };
        stored.map_err(broken)?
    }

    /// The grant is let go of when this is done: a token's place among its requests is taken until then.
    async fn store(&self, grant: Grant, what: What, packed: Packed) -> Result<Outcome, Refusal> {
        let received_at_us = (self.0.now_us)();
        let _place = self.0.room.place(grant.sender).await?;
        let content = self.unpack(grant.sender, what.compression, packed).await?;
        let (admission, _decoded) = self.judge(&grant, what, content, received_at_us).await?;
        self.note_whose(&admission);
        let outcome = Outcome::of(&admission);
        let Admission { admitted, counts, refused, dropped } = admission;
        if let Err(error) = (self.0.behind.submit)(grant.sender, admitted, counts).await {
            tracing::warn!(error = %error, "export not stored, sender told to come again");
            return Err(error.into());
        }
        // What is not stored comes again, and counts then.
        self.0.access.charge(&grant.access, counts.received);
        self.0.metrics.intake(counts, &refused, &dropped);
        Ok(outcome)
    }

    /// Spans of our own are stored as all others are, and leave no span in their turn.
    fn note_whose(&self, admission: &Admission) {
        let span = tracing::Span::current();
        span.record("spans", admission.counts.received);
        if telemetry::is_own(admission.admitted.rows()) {
            span.record(telemetry::FIELD, true);
        } else {
            self.0.behind.telemetry.others.note();
        }
    }

    /// Unpacks a body within the room that there is. How large it will be is not known: few become sixteen times their
    /// size, and those that do unpack a second time, with room for the largest.
    async fn unpack(&self, sender: Sender, compression: Compression, packed: Packed) -> Result<Content, Refusal> {
        if compression == Compression::None {
            return Ok(Content { bytes: packed.bytes, begins: packed.begins, room: Kept::Read(packed.room) });
        }
        let bytes_max = self.0.body_bytes_max;
        let source = packed.bytes.slice(packed.begins..);
        let mut limit = source.len().saturating_mul(UNPACKS_TIMES).min(bytes_max);
        loop {
            let room = self.0.room.unpacked(sender, limit).await?;
            let source = source.clone();
            let at_hand = limit <= AT_HAND_BYTES_MAX;
            match self.work(sender, at_hand, move || (compression.unpack(&source, limit), room)).await? {
                (Ok(bytes), room) => return Ok(Content { bytes, begins: 0, room: Kept::Unpacked(room) }),
                (Err(UnpackError::TooLarge), _) if limit < bytes_max => limit = bytes_max,
                (Err(UnpackError::TooLarge), _) => return Err(Refusal::too_large(bytes_max)),
                (Err(UnpackError::Malformed), _) => {
                    return Err(Refusal::new(Reason::Malformed, "the body is not in its content encoding"));
                }
            }
        }
    }

    /// Bytes to rows, in one go if there is room for them: measured, decoded, let through the gate.
    async fn judge(
        &self,
        grant: &Grant,
        what: What,
        content: Content,
        received_at_us: i64,
    ) -> Result<(Admission, Held), Refusal> {
        let sender = grant.sender;
        let at_hand = content.message().len() <= AT_HAND_BYTES_MAX;
        let (receiver, granted) = (self.clone(), grant.clone());
        let judging = move || -> Result<Judged, Refusal> {
            let size = measure(what.signal, what.encoding, content.message())?;
            match receiver.0.room.decoded_now(sender, size.memory()) {
                Some(room) => receiver.admission(&granted, what, content, size, room, received_at_us).map(Judged::Done),
                None => Ok(Judged::Measured(content, size)),
            }
        };
        let (content, size) = match self.work(sender, at_hand, judging).await?? {
            Judged::Done(done) => return Ok(done),
            Judged::Measured(content, size) => (content, size),
        };
        let room = self.0.room.decoded(sender, size.memory()).await?;
        let (receiver, granted) = (self.clone(), grant.clone());
        self.work(sender, at_hand, move || receiver.admission(&granted, what, content, size, room, received_at_us))
            .await?
    }

    /// All that this knows of decoding and of the gate is here and in measuring before.
    fn admission(
        &self,
        grant: &Grant,
        what: What,
        content: Content,
        size: Size,
        room: Held,
        received_at_us: i64,
    ) -> Result<(Admission, Held), Refusal> {
        let decoded = decode_measured(what.signal, what.encoding, content.message(), size)?;
        content.finish();
        let Inner { policy, names, .. } = &*self.0;
        let admission =
            gate::admit(&decoded, policy, grant.access.source(), received_at_us, names).map_err(|error| {
                Error::new(ErrorKind::Internal, "the gate made rows of another schema").caused_by(error)
            })?;
        Ok((admission, room))
    }

    /// Work that keeps a processor busy: nobody's holds up another's, for whoever has it takes turns. What is small is
    /// done where it stands, since handing it over to another thread and back costs more than the two milliseconds that
    /// it takes at most; the rest may take seconds, and must not hold up other connections.
    async fn work<T: Send + 'static>(
        &self,
        sender: Sender,
        at_hand: bool,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let turn = self.0.room.turn(sender).await?;
        let working = move || {
            let _turn = turn;
            work()
        };
        if at_hand {
            // Only those who have asked for a turn are served in turn.
            let_others_ask().await;
            return Ok(working());
        }
        tokio::task::spawn_blocking(working).await.map_err(broken)
    }
}

/// What came of judging: rows, or how much room they need, if that is not there yet.
enum Judged {
    Done((Admission, Held)),
    Measured(Content, Size),
}

/// Goes to the end of the queue of what can go on.
async fn let_others_ask() {
    let mut asked = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut asked, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// What a request says of itself before its body.
#[derive(Debug)]
pub(super) struct Head<'a> {
    /// Its headers; over gRPC, its metadata.
    pub(super) headers: &'a HeaderMap,
    /// Its path and query.
    pub(super) uri: &'a Uri,
    /// Who is at the other end of the connection.
    pub(super) peer: SocketAddr,
}

/// What a sender may do.
#[derive(Debug, Clone)]
pub(super) struct Grant {
    /// Who it is, as far as shares go.
    pub(super) sender: Sender,
    access: Arc<access::Grant>,
}

impl Grant {
    /// Whether it is that of a page, whose origin has been looked at.
    pub(super) fn is_of_page(&self) -> bool {
        self.access.is_of_page()
    }
}

/// What a body is.
#[derive(Debug, Clone, Copy)]
pub(super) struct What {
    pub(super) signal: Signal,
    pub(super) encoding: Encoding,
    pub(super) compression: Compression,
}

/// An unpacked body, and the room that it takes.
struct Content {
    bytes: Bytes,
    /// Where its message begins.
    begins: usize,
    room: Kept,
}

enum Kept {
    Read(Reading),
    Unpacked(Held),
}

impl Content {
    fn message(&self) -> &[u8] {
        &self.bytes[self.begins..]
    }

    /// Lets go of the body, then of its room.
    fn finish(self) {
        match self.room {
            Kept::Read(room) => room.finish(self.bytes),
            Kept::Unpacked(room) => {
                drop(self.bytes);
                drop(room);
            }
        }
    }
}

/// What the sender is told about an export that is stored.
#[derive(Debug)]
pub(super) struct Outcome {
    /// How many spans or log records can never be taken.
    pub(super) refused: i64,
    /// Why; `None` if there are none.
    pub(super) message: Option<String>,
}

impl Outcome {
    fn of(admission: &Admission) -> Self {
        Self {
            refused: i64::try_from(admission.counts.refused).unwrap_or(i64::MAX),
            message: admission.refusal_message(),
        }
    }

    /// The response's message; empty if nothing was refused. Both signals' have the same numbers, so one does for both.
    pub(super) fn to_protobuf(&self) -> Vec<u8> {
        let partial_success =
            self.message.clone().map(|error_message| PartialSuccess { rejected: self.refused, error_message });
        ExportResponse { partial_success }.encode_to_vec()
    }
}

#[derive(Clone, PartialEq, prost::Message)]
struct ExportResponse {
    #[prost(message, optional, tag = "1")]
    partial_success: Option<PartialSuccess>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct PartialSuccess {
    #[prost(int64, tag = "1")]
    rejected: i64,
    #[prost(string, tag = "2")]
    error_message: String,
}

/// Reads a body within the room of whoever has a grant.
pub(super) async fn read(
    receiver: &Receiver,
    grant: &Grant,
    body: &mut Body,
    bytes_max: usize,
    expected: impl Fn(&[u8]) -> Result<Option<usize>, Refusal>,
) -> Result<Packed, Refusal> {
    body::read(body, receiver.reading(grant)?, bytes_max, expected).await
}

fn broken(error: tokio::task::JoinError) -> Refusal {
    Error::new(ErrorKind::Internal, "the export could not be worked on").caused_by(error).into()
}
