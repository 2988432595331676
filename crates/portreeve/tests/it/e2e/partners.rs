//! The partner programme as a vendor, a reviewer and the keepers of a catalogue meet it: with the binary alone, against a
//! server, a web site and a name server of the test's own.

mod azure;
mod bundles;
mod checks;
mod desk;
mod folder;
mod journey;
mod registered;
mod shelf;
mod stolen;
mod vendor;
