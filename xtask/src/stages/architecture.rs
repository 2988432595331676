//! The tests of the house itself: crate borders and tidiness.

use anyhow::Result;

use super::runner::{Selection, Tests};
use crate::context::Context;
use crate::process::Log;

pub(crate) fn run(context: &mut Context, log: &mut Log) -> Result<String> {
    Tests::ready(context, log)?.run(context, log, Selection::House, |_| {})
}
