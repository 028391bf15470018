//! What a receiver hands on to, and asks: the pipeline, or what a test puts in its place.

use std::{pin::Pin, sync::Arc};

use crate::{
    Error,
    gate::{Admitted, IntakeCounts},
    pipeline::{Pipeline, Standing},
    telemetry::Telemetry,
};

pub(super) type Submitted = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;
type Submit = dyn Fn(Admitted, IntakeCounts) -> Submitted + Send + Sync;
type WhyNotReady = dyn Fn() -> Option<&'static str> + Send + Sync;
type Stands = dyn Fn() -> Standing + Send + Sync;

/// What is behind a receiver.
pub(super) struct Behind {
    pub(super) submit: Box<Submit>,
    pub(super) why_not_ready: Box<WhyNotReady>,
    pub(super) stands: Box<Stands>,
    pub(super) telemetry: Arc<Telemetry>,
}

impl Behind {
    pub(super) fn of(pipeline: Pipeline) -> Self {
        let (asked, standing, telemetry) = (pipeline.clone(), pipeline.clone(), Arc::clone(pipeline.telemetry()));
        let submit = move |admitted, counts| -> Submitted {
            let pipeline = pipeline.clone();
            Box::pin(async move { pipeline.submit(admitted, counts).await })
        };
        Self {
            submit: Box::new(submit),
            why_not_ready: Box::new(move || asked.why_not_ready()),
            stands: Box::new(move || standing.standing()),
            telemetry,
        }
    }

    /// Something that is always ready, and submits as a test wants it.
    #[cfg(test)]
    pub(super) fn stub(submit: impl Fn(Admitted, IntakeCounts) -> Submitted + Send + Sync + 'static) -> Self {
        Self {
            submit: Box::new(submit),
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
