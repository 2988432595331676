//! Who signs in, as browsers and identity providers see it.

mod asserted;
mod connected;
mod departed;
mod jar;
mod local;
mod provider;
mod provider_refused;
