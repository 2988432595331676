//! What the programs of this crate share. They are for measuring only: nothing of the product depends on them.

pub mod message;
pub mod options;
