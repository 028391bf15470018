//! The messages whose content is not kept: read for nothing but whether they are well formed.
//!
//! `prost` refuses a request for a fault anywhere in it, in an event of a span or the name of a scope as well; so does
//! this, field by field of the protocol.

use super::{DecodeError, limits::Limits, wire::Reader};

/// What a field of a message is.
#[derive(Clone, Copy)]
enum Is {
    Number,
    Fixed32,
    Fixed64,
    Text,
    Bytes,
    Message(Shape),
}

/// A message of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Scope,
    Entity,
    Event,
    Link,
    Record,
    Pair,
    Value,
    Array,
    Map,
}

impl Shape {
    const fn field(self, number: u32) -> Option<Is> {
        use Is::{Bytes, Fixed32, Fixed64, Message, Number, Text};
        Some(match (self, number) {
            (Self::Scope, 1 | 2) | (Self::Entity, 1..=4) | (Self::Pair | Self::Value, 1) => Text,
            (Self::Event, 2) | (Self::Link, 3) | (Self::Record, 3 | 12) => Text,
            (Self::Scope | Self::Event, 3) | (Self::Link, 4) | (Self::Record, 6) | (Self::Map, 1) => {
                Message(Self::Pair)
            }
            (Self::Pair, 2) | (Self::Record, 5) | (Self::Array, 1) => Message(Self::Value),
            (Self::Value, 5) => Message(Self::Array),
            (Self::Value, 6) => Message(Self::Map),
            (Self::Scope | Self::Event, 4) | (Self::Link, 5) | (Self::Record, 2 | 7) => Number,
            (Self::Pair, 3) | (Self::Value, 2 | 3 | 8) => Number,
            (Self::Event, 1) | (Self::Record, 1 | 11) | (Self::Value, 4) => Fixed64,
            (Self::Link, 6) | (Self::Record, 8) => Fixed32,
            (Self::Link, 1 | 2) | (Self::Record, 9 | 10) | (Self::Value, 7) => Bytes,
            _ => return None,
        })
    }
}

/// Reads a message to its end.
pub(super) fn check(shape: Shape, mut message: Reader<'_>, limits: &mut Limits) -> Result<(), DecodeError> {
    let mut attributes = 0;
    while let Some((number, wire)) = message.key()? {
        match shape.field(number) {
            None => message.skip(number, wire)?,
            Some(Is::Number) => message.number(wire).map(drop)?,
            Some(Is::Fixed64) => message.fixed64(wire).map(drop)?,
            Some(Is::Fixed32) => message.fixed32(wire)?,
            Some(Is::Text) => message.text(wire).map(drop)?,
            Some(Is::Bytes) => message.bytes(wire).map(drop)?,
            Some(Is::Message(inner)) => {
                if inner == Shape::Pair {
                    limits.attribute(&mut attributes)?;
                }
                limits.element()?;
                check(inner, message.message(wire)?, limits)?;
            }
        }
    }
    Ok(())
}
