//! The registry through its door, over a small store in memory.

mod world;

mod approve;
mod corpus;
mod entries;
mod install;
mod pins;
mod publish;
mod routes;
mod serve;
mod tools;
mod versions;
