//! Who and what there is: made-up values, the people who work, the cases they work on.

pub mod cases;
pub mod people;
pub mod vocabulary;
