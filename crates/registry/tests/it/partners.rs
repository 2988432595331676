//! The partner programme as functions: every Azure file there and back, and a reader of catalogues that believes nothing.

mod azure_corpus;
mod reader;
mod verified;
