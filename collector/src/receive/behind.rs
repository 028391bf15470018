//! What a receiver hands on to, and asks: the pipeline, or what a test puts in its place.

use std::{pin::Pin, sync::Arc};

use crate::{
    Error, Sender,
    gate::{Admitted, IntakeCounts},
    pipeline::{Pipeline, Standing},
    telemetry::Telemetry,
};

pub(super) type Submitted = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;
type Submit = dyn Fn(Sender, Admitted, IntakeCounts) -> Submitted + Send + Sync;
type Takes = dyn Fn(Sender) -> Result<(), Error> + Send + Sync;
type WhyNotReady = dyn Fn() -> Option<&'static str> + Send + Sync;
type Stands = dyn Fn() -> Standing + Send + Sync;

/// What is behind a receiver.
pub(super) struct Behind {
    pub(super) submit: Box<Submit>,
    /// Whether something that this sender begins to send now could be stored, as far as is known.
    pub(super) takes: Box<Takes>,
    pub(super) why_not_ready: Box<WhyNotReady>,
    pub(super) stands: Box<Stands>,
    pub(super) telemetry: Arc<Telemetry>,
}

impl Behind {
    pub(super) fn of(pipeline: Pipeline) -> Self {
        let (asked, standing, telemetry) = (pipeline.clone(), pipeline.clone(), Arc::clone(pipeline.telemetry()));
        let taking = pipeline.clone();
        let submit = move |sender, admitted, counts| -> Submitted {
            let pipeline = pipeline.clone();
            Box::pin(async move { pipeline.submit(sender, admitted, counts).await })
        };
        Self {
            submit: Box::new(submit),
            takes: Box::new(move |sender| taking.takes(sender)),
            why_not_ready: Box::new(move || asked.why_not_ready()),
            stands: Box::new(move || standing.standing()),
            telemetry,
        }
    }

    /// Something that is always ready, and submits as a test wants it.
    #[cfg(test)]
    pub(super) fn stub(submit: impl Fn(Admitted, IntakeCounts) -> Submitted + Send + Sync + 'static) -> Self {
        Self {
            submit: Box::new(move |_, admitted, counts| submit(admitted, counts)),
            takes: Box::new(|_| Ok(())),
            why_not_ready: Box::new(|| None),
            stands: Box::new(Standing::default),
            telemetry: Arc::default(),
        }
    }
}

/// An empty store in memory, for the tokens of a test.
#[cfg(test)]
pub(super) fn store() -> crate::store::Store {
    use crate::{disk::simulated::SimulatedDisk, store};
    let manifest = store::Manifest { format: 0, estate: "E".to_owned(), time_zone: chrono_tz::Europe::London };
    let disk = Arc::new(SimulatedDisk::new(1));
    store::Store::open_or_create_on(disk, std::path::Path::new("/store"), manifest).unwrap()
}
