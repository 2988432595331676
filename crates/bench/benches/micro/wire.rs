//! Reading the body.

use std::hint::black_box;

use anyhow::{Context as _, Result, bail};
use portreeve_mcp::depth;
use portreeve_mcp::envelope::Message;
use portreeve_mcp::params::Params;

use crate::{CALL, step};

pub(crate) fn measure() -> Result<()> {
    let body = CALL.as_bytes();
    step("depth check of a call, 360 bytes", || {
        depth::check(black_box(body))
    })?;
    step("envelope of a call, with the depth check", || {
        Message::parse(black_box(body)).is_ok()
    })?;
    let Message::Request { params, .. } = Message::parse(body).context("the call is not read")? else {
        bail!("the call is no request");
    };
    step("parameters of a call, with `_meta`", || {
        Params::parse(black_box(params)).is_ok()
    })
}
