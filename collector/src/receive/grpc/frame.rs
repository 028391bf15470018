//! A message of gRPC: whether it is packed (one byte), its length (four, the highest first), and its bytes.

use crate::receive::{
    Compression,
    refusal::{Reason, Refusal},
};

/// What stands before a message.
pub(super) const PREFIX_BYTES: usize = 5;

/// How long the body of one message will be, once enough of it is there to tell.
pub(super) fn length(so_far: &[u8], bytes_max: usize) -> Result<Option<usize>, Refusal> {
    let Some((_, length)) = prefix(so_far) else { return Ok(None) };
    if length > bytes_max {
        return Err(Refusal::too_large(bytes_max));
    }
    Ok(Some(PREFIX_BYTES + length))
}

/// How the one message of a body is packed, if it is; it begins behind the prefix.
pub(super) fn packing(body: &[u8], named: Compression) -> Result<Compression, Refusal> {
    let broken = |what: &str| Refusal::new(Reason::Protocol, what);
    let (flag, length) = prefix(body).ok_or_else(|| broken("there is no whole message"))?;
    let there = body.len() - PREFIX_BYTES;
    if there != length {
        return Err(broken(if there < length { "the message ends early" } else { "more than one message" }));
    }
    match (flag, named) {
        (0, _) => Ok(Compression::None),
        (1, Compression::None) => Err(broken("a packed message without grpc-encoding")),
        (1, packed) => Ok(packed),
        _ => Err(broken("the flag of a message is 0 or 1")),
    }
}

fn prefix(body: &[u8]) -> Option<(u8, usize)> {
    let (flag, rest) = body.split_first()?;
    let length = u32::from_be_bytes(*rest.first_chunk()?);
    Some((*flag, usize::try_from(length).unwrap_or(usize::MAX)))
}
