//! The room through its door: a browser without scripts, a real store behind the pages.

#[cfg(test)]
mod browser;
#[cfg(test)]
mod markup;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod world;

#[cfg(test)]
mod every_page;
#[cfg(test)]
mod home;
#[cfg(test)]
mod managers;
#[cfg(test)]
mod server;
#[cfg(test)]
mod sign_in;
