//! Memory for requests, shared by all of them: what is being read, what is unpacked, and what is decoded.
//!
//! Each step waits for room in its own place while it holds that of the step before, and a later one never waits for an
//! earlier, so nobody waits in a ring. Who finds none is told to come again.

use std::{sync::Arc, time::Duration};

use axum::http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::answer::Failure;

/// Room is given out in units of so many bytes.
const UNIT: usize = 1 << 10;
/// All bodies that are being read.
const READ_BYTES_MAX: usize = 256 << 20;
/// All bodies that are unpacked and not yet decoded.
const UNPACKED_BYTES_MAX: usize = 256 << 20;
/// All exports that are decoded and not yet rows. The largest that is taken needs most of it.
const DECODED_BYTES_MAX: usize = 768 << 20;
/// How long a request waits for room. Decoding takes seconds at most; tests do not wait for it.
const PATIENCE: Duration = Duration::from_millis(if cfg!(test) { 50 } else { 10_000 });

/// The room that there is.
#[derive(Debug)]
pub(super) struct Room {
    reading: Arc<Semaphore>,
    unpacked: Arc<Semaphore>,
    decoded: Arc<Semaphore>,
}

impl Room {
    pub(super) fn new() -> Self {
        let of = |bytes: usize| Arc::new(Semaphore::new(bytes / UNIT));
        Self { reading: of(READ_BYTES_MAX), unpacked: of(UNPACKED_BYTES_MAX), decoded: of(DECODED_BYTES_MAX) }
    }

    /// Room for a body of which so much is read, added to what it has; at once, or not at all.
    pub(super) fn read(&self, held: &mut Option<OwnedSemaphorePermit>, bytes: usize) -> Result<(), Failure> {
        let units = bytes.div_ceil(UNIT) - held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        let more = Arc::clone(&self.reading).try_acquire_many_owned(units).map_err(|_| none())?;
        match held {
            Some(held) => held.merge(more),
            None => *held = Some(more),
        }
        Ok(())
    }

    /// Room for a body once it is unpacked.
    pub(super) async fn unpacked(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Failure> {
        wait(&self.unpacked, bytes, UNPACKED_BYTES_MAX).await
    }

    /// Room for an export once it is decoded.
    pub(super) async fn decoded(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Failure> {
        wait(&self.decoded, bytes, DECODED_BYTES_MAX).await
    }
}

/// What is larger than all the room there is gets all of it.
async fn wait(room: &Arc<Semaphore>, bytes: usize, most: usize) -> Result<OwnedSemaphorePermit, Failure> {
    let units = u32::try_from(bytes.min(most).div_ceil(UNIT)).unwrap_or(u32::MAX);
    match tokio::time::timeout(PATIENCE, Arc::clone(room).acquire_many_owned(units)).await {
        Ok(Ok(held)) => Ok(held),
        Ok(Err(_)) | Err(_) => Err(none()),
    }
}

fn none() -> Failure {
    Failure::new(StatusCode::SERVICE_UNAVAILABLE, "too much is being received: send again later")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn room_is_bounded_given_back_and_counted_by_the_body_not_by_the_chunk() {
        let room = Room::new();
        let mut held = None;
        for bytes in 1..=2_000 {
            room.read(&mut held, bytes).unwrap();
        }
        assert_eq!(held.as_ref().map(OwnedSemaphorePermit::num_permits), Some(2));
        room.read(&mut None, READ_BYTES_MAX).unwrap_err();
        drop(held);
        room.read(&mut None, READ_BYTES_MAX).unwrap();

        let all = room.decoded(usize::MAX).await.unwrap();
        assert_eq!(room.decoded(1).await.unwrap_err().status(), StatusCode::SERVICE_UNAVAILABLE);
        drop(all);
        assert_eq!(room.decoded(1).await.unwrap().num_permits(), 1);
    }
}
