//! Memory and work for requests, shared by all of them: what is being read, what is unpacked, and what is decoded.
//!
//! Each step waits for room in its own place while it holds that of the step before, and a later one never waits for an
//! earlier, so nobody waits in a ring. Who finds none is told to come again.

use std::{
    ops::RangeInclusive,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::{Bytes, BytesMut};

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
/// So many requests of a sender may wait for a place among those in work; more are not read.
const WAITING_MAX: usize = 16;
/// Bodies whose memory is kept for others are of such a size …
const SPARE_BYTES: RangeInclusive<usize> = 64 << 10..=1 << 20;
/// … and so many.
const SPARE_MAX: usize = 8;
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
    spare: Arc<Spare>,
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
            spare: Arc::default(),
        }
    }

    /// Room for a body that begins; at once, or not at all: there are always more that want to send.
    pub(super) fn reading(&self, sender: Sender) -> Result<Reading, Refusal> {
        if self.places.wanted_by(sender) >= WAITING_MAX {
            return Err(none());
        }
        let held = self.reading.take(sender, READ_BYTES_MIN / UNIT).ok_or_else(none)?;
        Ok(Reading { held, spare: Arc::clone(&self.spare) })
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
pub(super) struct Reading {
    held: Held,
    spare: Arc<Spare>,
}

impl Reading {
    /// Room for so many bytes of it in all; at once, or not at all.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), Refusal> {
        if self.held.grow(bytes.max(READ_BYTES_MIN).div_ceil(UNIT)) { Ok(()) } else { Err(none()) }
    }

    /// Memory for so many bytes or some more, and the room for all of it; at once, or not at all.
    pub(super) fn memory(&mut self, bytes: usize) -> Result<BytesMut, Refusal> {
        self.grow(bytes)?;
        if let Some(memory) = self.spare.take(bytes) {
            self.grow(memory.capacity())?;
            return Ok(memory);
        }
        // A little more than is needed, so that it will do for bodies that are hardly larger.
        let piece = if SPARE_BYTES.contains(&bytes) { bytes.next_multiple_of(*SPARE_BYTES.start()) } else { bytes };
        self.grow(piece)?;
        Ok(BytesMut::with_capacity(piece))
    }

    /// Lets go of the body. Its memory may do for another.
    pub(super) fn finish(self, body: Bytes) {
        self.spare.give(body);
    }
}

/// Memory of bodies that nobody needs any more: to have it anew from the system, page by page, takes longer than to copy
/// a body into it.
#[derive(Debug, Default)]
struct Spare(Mutex<Vec<BytesMut>>);

impl Spare {
    /// Memory for so many bytes, and not for more than twice as many.
    fn take(&self, bytes: usize) -> Option<BytesMut> {
        let mut spare = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = spare.iter().position(|memory| (bytes..=2 * bytes).contains(&memory.capacity()))?;
        Some(spare.swap_remove(fits))
    }

    fn give(&self, body: Bytes) {
        let Ok(mut memory) = body.try_into_mut() else { return };
        memory.clear();
        let mut spare = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if SPARE_BYTES.contains(&memory.capacity()) {
            // What has been there longest is of no use to those that come now.
            if spare.len() == SPARE_MAX {
                spare.remove(0);
            }
            spare.push(memory);
        }
    }
}

fn none() -> Refusal {
    Refusal::new(Reason::Busy, "too much is being received: send again later")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_of_a_body_does_for_another_of_its_size() {
        let room = Room::new(2);
        let reading = || room.reading(Sender::Process).unwrap();
        let body = |bytes: usize| {
            let mut memory = reading().memory(bytes).unwrap();
            memory.resize(bytes, 1);
            (memory.as_ptr() as usize, memory.freeze())
        };
        let (place, first) = body(200_000);
        let shared = first.clone();
        reading().finish(first);
        let (other, second) = body(200_000);
        assert_ne!(place, other, "somebody still reads it");
        drop(shared);
        reading().finish(second.slice(5..));
        let (third, _) = body(200_000);
        assert_ne!(third, other, "somebody still reads it");
        drop(second);
        let (place, fourth) = body(300_000);
        reading().finish(fourth);
        assert_ne!(body(100_000).0, place, "it is too large for that");
        assert_eq!(body(299_000).0, place);
        for _ in 0..100 {
            reading().finish(BytesMut::zeroed(1 << 20).freeze());
            reading().finish(BytesMut::zeroed(2 << 20).freeze());
        }
        let kept = room.spare.0.lock().unwrap();
        assert!(kept.len() <= SPARE_MAX && kept.iter().all(|memory| memory.capacity() <= 1 << 20));
    }

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
