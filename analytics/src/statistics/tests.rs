//! Intervals from rows to rows: against numbers worked out elsewhere, against the truth of a generator, and at the edges.

mod coverage;
mod edges;
mod method;
mod reference;
mod rows;
