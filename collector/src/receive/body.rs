//! A body, read into one piece of memory within the room that there is.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;

use super::{
    refusal::{Reason, Refusal},
    room::Reading,
};

/// A body that takes longer holds its room for nothing.
const BODY_TIME_MAX: Duration = Duration::from_millis(if cfg!(test) { 500 } else { 60_000 });
/// Memory is taken at once for a body whose length is known, up to this; beyond it as the body comes, since saying that
/// one will be large costs nothing.
const TRUSTED_BYTES_MAX: usize = 1 << 20;

/// A body as it came, and the room that it takes.
#[derive(Debug)]
pub(super) struct Packed {
    pub(super) bytes: Bytes,
    /// Where its message begins.
    pub(super) begins: usize,
    pub(super) room: Reading,
}

/// The body as it came, if it is no more than allowed. `expected` looks at what has come so far and tells how long it all
/// will be, if that is known, or that it need not go on.
pub(super) async fn read(
    body: &mut Body,
    mut room: Reading,
    bytes_max: usize,
    expected: impl Fn(&[u8]) -> Result<Option<usize>, Refusal>,
) -> Result<Packed, Refusal> {
    let reading = async {
        let mut read = Read::default();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Refusal::new(Reason::Malformed, "the body ends early"))?;
            // Trailers say nothing here.
            let Ok(chunk) = frame.into_data() else { continue };
            if read.len() + chunk.len() > bytes_max {
                return Err(Refusal::too_large(bytes_max));
            }
            read.add(chunk, &mut room, bytes_max, &expected)?;
        }
        Ok(Packed { bytes: read.into_bytes(), begins: 0, room })
    };
    // Not 408: a sender drops what is answered with that.
    tokio::time::timeout(BODY_TIME_MAX, reading)
        .await
        .unwrap_or_else(|_| Err(Refusal::new(Reason::Busy, "the body took more than a minute: send it again")))
}

/// What was read so far: nothing, one chunk as it came, or a copy of several.
enum Read {
    One(Bytes),
    Several(BytesMut),
}

impl Default for Read {
    fn default() -> Self {
        Self::One(Bytes::new())
    }
}

impl Read {
    fn len(&self) -> usize {
        self.so_far().len()
    }

    fn so_far(&self) -> &[u8] {
        match self {
            Self::One(chunk) => chunk,
            Self::Several(bytes) => bytes,
        }
    }

    fn add(
        &mut self,
        chunk: Bytes,
        room: &mut Reading,
        bytes_max: usize,
        expected: &impl Fn(&[u8]) -> Result<Option<usize>, Refusal>,
    ) -> Result<(), Refusal> {
        if self.len() == 0 {
            expected(&chunk)?;
            room.grow(chunk.len())?;
            *self = Self::One(chunk);
            return Ok(());
        }
        let whole = expected(self.so_far())?;
        let length = self.len() + chunk.len();
        let mut bytes = match std::mem::take(self) {
            Self::Several(bytes) if bytes.capacity() >= length => bytes,
            so_far => {
                let capacity = capacity(so_far.len(), length, whole, bytes_max);
                let mut bytes = room.memory(capacity)?;
                bytes.extend_from_slice(so_far.so_far());
                bytes
            }
        };
        bytes.extend_from_slice(&chunk);
        *self = Self::Several(bytes);
        Ok(())
    }

    fn into_bytes(self) -> Bytes {
        match self {
            Self::One(chunk) => chunk,
            Self::Several(bytes) => bytes.freeze(),
        }
    }
}

/// How much memory to take for so many bytes and, as far as it may be believed, for the whole.
fn capacity(so_far: usize, length: usize, whole: Option<usize>, bytes_max: usize) -> usize {
    let believed = whole.unwrap_or(0).min(TRUSTED_BYTES_MAX);
    length.max(believed).max(2 * so_far).min(whole.unwrap_or(bytes_max).max(length))
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;
    use crate::{receive::room::Room, share::Sender};

    async fn of(chunks: &[usize], whole: Option<usize>) -> Result<(Bytes, usize), Reason> {
        let parts: Vec<_> =
            chunks.iter().enumerate().map(|(at, length)| vec![u8::try_from(at).unwrap(); *length]).collect();
        let mut body = Body::from_stream(stream::iter(parts.into_iter().map(Ok::<_, std::io::Error>)));
        let room = Room::new(1).reading(Sender::at(([127, 0, 0, 1], 1).into())).unwrap();
        let packed = read(&mut body, room, 10 << 20, |_| Ok(whole)).await.map_err(|refusal| refusal.reason)?;
        let capacity = Vec::from(packed.bytes.clone()).capacity();
        Ok((packed.bytes, capacity))
    }

    #[tokio::test]
    async fn a_body_is_one_piece_and_takes_what_it_needs() {
        for (chunks, whole, capacity_max) in [
            (&[][..], Some(0), 0),
            (&[7], Some(7), 7),
            (&[3, 4], Some(7), 7),
            (&[3, 4], None, 7),
            (&[100, 100, 100], None, 600),
            // It says more than it sends.
            (&[3, 4], Some(10 << 20), 1 << 20),
            (&[1 << 20, 1 << 20, 1 << 20], Some(3 << 20), 3 << 20),
        ] {
            let (bytes, capacity) = of(chunks, whole).await.unwrap();
            let expected: Vec<u8> =
                chunks.iter().enumerate().flat_map(|(at, length)| vec![u8::try_from(at).unwrap(); *length]).collect();
            assert!(bytes == expected && capacity <= capacity_max, "{chunks:?}: {capacity}");
        }
        assert_eq!(of(&[10 << 20, 1], None).await.unwrap_err(), Reason::TooLarge);
    }
}
