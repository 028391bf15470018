//! Memory and work for requests, shared by all of them: what is being read, what is unpacked, and what is decoded.
//!
//! Each step waits for room in its own place while it holds that of the step before, and a later one never waits for an
//! earlier, so nobody waits in a ring. Who finds none is told to come again.

use std::{sync::Arc, time::Duration};

use super::refusal::{Reason, Refusal};
use crate::share::{Held, Rule, Sender, Stock};

/// Room is given out in units of so many bytes.
const UNIT: usize = 1 << 10;
/// All bodies that are being read.
const READ_BYTES_MAX: usize = 256 << 20;
/// A request takes as much of it as soon as it is there: its task and its head take memory too.
const READ_BYTES_MIN: usize = 16 << 10;
/// All bodies that are unpacked and not yet decoded.
const UNPACKED_BYTES_MAX: usize = 256 << 20;
/// All exports that are decoded and not yet stored. The largest that is taken needs most of it.
const DECODED_BYTES_MAX: usize = 768 << 20;
/// How long a request waits for room. Decoding takes seconds at most; tests do not wait for it.
const PATIENCE: Duration = Duration::from_millis(if cfg!(test) { 50 } else { 10_000 });

/// The room that there is.
#[derive(Debug)]
pub(super) struct Room {
    reading: Arc<Stock>,
    unpacked: Arc<Stock>,
    decoded: Arc<Stock>,
    places: Arc<Stock>,
    turns: Arc<Stock>,
}

impl Room {
    /// Room for so many requests in work at once.
    pub(super) fn new(requests_at_once_max: usize) -> Self {
        let bytes = |bytes: usize| Stock::new(bytes / UNIT, Rule::LeaveAsMuch);
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            reading: bytes(READ_BYTES_MAX),
            unpacked: bytes(UNPACKED_BYTES_MAX),
            decoded: bytes(DECODED_BYTES_MAX),
            places: Stock::new(requests_at_once_max, Rule::LeaveAsMuch),
            turns: Stock::new(2 * cores, Rule::InTurn),
        }
    }

    /// Room for a body that begins; at once, or not at all: there are always more that want to send.
    pub(super) fn reading(&self, sender: Sender) -> Result<Reading, Refusal> {
        self.reading.take(sender, READ_BYTES_MIN / UNIT).map(Reading).ok_or_else(none)
    }

    /// Room for a body once it is unpacked.
    pub(super) async fn unpacked(&self, sender: Sender, bytes: usize) -> Result<Held, Refusal> {
        self.unpacked.wait(sender, bytes.div_ceil(UNIT), PATIENCE).await.ok_or_else(none)
    }

    /// Room for an export once it is decoded.
    pub(super) async fn decoded(&self, sender: Sender, bytes: usize) -> Result<Held, Refusal> {
        self.decoded.wait(sender, bytes.div_ceil(UNIT), PATIENCE).await.ok_or_else(none)
    }

    /// The same, if it is there at once.
    pub(super) fn decoded_now(&self, sender: Sender, bytes: usize) -> Option<Held> {
        self.decoded.now(sender, bytes.div_ceil(UNIT))
    }

    /// A place among the requests in work.
    pub(super) async fn place(&self, sender: Sender) -> Result<Held, Refusal> {
        self.places.wait(sender, 1, PATIENCE).await.ok_or_else(none)
    }

    /// A turn on a processor; whoever has one waits for nothing else.
    pub(super) async fn turn(&self, sender: Sender) -> Result<Held, Refusal> {
        self.turns.wait(sender, 1, PATIENCE).await.ok_or_else(none)
    }
}

/// The room of a body that is being read.
#[derive(Debug)]
pub(super) struct Reading(Held);

impl Reading {
    /// Room for so many bytes of it in all; at once, or not at all.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), Refusal> {
        if self.0.grow(bytes.max(READ_BYTES_MIN).div_ceil(UNIT)) { Ok(()) } else { Err(none()) }
    }
}

fn none() -> Refusal {
    Refusal::new(Reason::Busy, "too much is being received: send again later")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn room_is_bounded_shared_and_given_back() {
        let room = Room::new(2);
        let [one, other] = [1, 2].map(|last| Sender::at(([10, 0, 0, last], 1).into()));
        let mut held = room.reading(one).unwrap();
        held.grow(READ_BYTES_MAX / 2).unwrap();
        held.grow(READ_BYTES_MAX / 2 + UNIT).unwrap_err();
        room.reading(one).unwrap_err();
        room.reading(other).unwrap();
        drop(held);
        room.reading(one).unwrap();

        let all = room.decoded(one, usize::MAX).await.unwrap();
        assert_eq!(room.decoded(other, 1).await.unwrap_err().reason, Reason::Busy);
        drop(all);
        room.decoded(other, 1).await.unwrap();

        let place = room.place(one).await.unwrap();
        room.place(one).await.unwrap_err();
        room.place(other).await.unwrap();
        drop(place);
    }
}
