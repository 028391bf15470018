//! Protocol buffers by hand: spans are moved from one message to another as the bytes that they are.

use anyhow::{Context as _, bail};

/// A field whose value has a length: all that this program opens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field<'a> {
    pub(crate) number: u64,
    pub(crate) bytes: &'a [u8],
}

/// The fields of a message that have a length, in order; others are passed over.
pub(crate) fn fields(mut message: &[u8]) -> impl Iterator<Item = anyhow::Result<Field<'_>>> {
    std::iter::from_fn(move || {
        while !message.is_empty() {
            match next(&mut message) {
                Ok(Some(field)) => return Some(Ok(field)),
                Ok(None) => {}
                Err(error) => {
                    message = &[];
                    return Some(Err(error));
                }
            }
        }
        None
    })
}

fn next<'a>(message: &mut &'a [u8]) -> anyhow::Result<Option<Field<'a>>> {
    let tag = varint(message)?;
    match tag & 7 {
        0 => varint(message).map(|_| None),
        1 => take(message, 8).map(|_| None),
        2 => {
            let length = usize::try_from(varint(message)?)?;
            Ok(Some(Field { number: tag >> 3, bytes: take(message, length)? }))
        }
        5 => take(message, 4).map(|_| None),
        other => bail!("a field of wire type {other}"),
    }
}

fn take<'a>(from: &mut &'a [u8], length: usize) -> anyhow::Result<&'a [u8]> {
    let (taken, rest) = from.split_at_checked(length).context("a message that ends too soon")?;
    *from = rest;
    Ok(taken)
}

/// Takes a varint off the front.
pub(crate) fn varint(from: &mut &[u8]) -> anyhow::Result<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = take(from, 1)?[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    bail!("a number of more than ten bytes")
}

/// Appends a field that has a length.
pub(crate) fn put(number: u64, bytes: &[u8], to: &mut Vec<u8>) {
    put_head(number, bytes.len(), to);
    to.extend_from_slice(bytes);
}

/// Appends what stands before the bytes of such a field.
pub(crate) fn put_head(number: u64, length: usize, to: &mut Vec<u8>) {
    put_varint(number << 3 | 2, to);
    put_varint(length as u64, to);
}

/// How many bytes such a field takes.
pub(crate) fn size(number: u64, length: usize) -> usize {
    varint_size(number << 3) + varint_size(length as u64) + length
}

fn put_varint(mut value: u64, to: &mut Vec<u8>) {
    while value >= 0x80 {
        to.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

fn varint_size(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}
