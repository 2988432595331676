//! Server-rendered pages.
mod assets;
mod view;
mod words;
#[cfg(test)]
mod preview;
