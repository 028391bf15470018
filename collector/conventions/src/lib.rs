//! What a case system sends, as names and pure functions: the part of Gilbreth that senders and the gate share.
//!
//! - [`attribute`]: every attribute name of the conventions, spelled once;
//! - [`kind`]: the closed vocabularies (kinds of interaction, triggers, origins, value kinds, outcomes);
//! - [`normalise`]: a value as typed → the canonical form that is digested, and its parts;
//! - [`digest`]: canonical form → the client digest that travels instead of the value.
//!
//! Nothing here reads a clock, a file or a key of its own. `vectors/normalise.json` holds the cases that every
//! implementation of the normalisation, in any language, must agree with.

pub mod attribute;
pub mod digest;
pub mod kind;
pub mod normalise;
