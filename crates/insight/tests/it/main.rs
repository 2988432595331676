//! The room through its door: events in, rollups and answers out.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod doubles;
#[cfg(test)]
mod purge;
#[cfg(test)]
mod ring;
#[cfg(test)]
mod writer;
