//! A call within `call_tool`: it becomes the call that it stands for, before anybody decides about it. So it is decided about,
//! limited and recorded under its own name.

use portreeve_core::members::CALL_TOOL;
use portreeve_mcp::envelope::Message;
use portreeve_mcp::method::Method;
use portreeve_mcp::params::Params;
use portreeve_mcp::splice::Splice;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::accept::inbound::Call;
use crate::respond::Refusal;
use crate::route::ServedRoute;
use crate::upstream::Way;

/// Whether a call came within another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// By its own name. Its headers, where it has some, speak of it.
    Alone,
    /// Within `call_tool`. Its headers speak of that.
    Within,
}

/// A call of a tool by its name.
#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    name: &'a RawValue,
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
}

/// Takes the call out of `call_tool`, on routes that have it.
pub fn unwrap(call: &mut Call, route: &ServedRoute) -> Result<(), Refusal> {
    let is_searched = matches!(&route.upstream, Way::Members(server) if server.searches());
    if !is_searched || call.method != Method::CallTool || call.target.as_deref() != Some(CALL_TOOL) {
        return Ok(());
    }
    let invalid = |reason: &str| Refusal::InvalidParams {
        id: Some(call.id.clone()),
        reason: reason.to_owned(),
    };
    let body = inner(call).ok_or_else(|| {
        invalid("`arguments` of `call_tool` must hold the `name` of a tool, and perhaps its `arguments`, an object")
    })?;
    let Ok(Message::Request { id, params, .. }) = Message::parse(&body) else {
        return Err(Refusal::BrokenBody);
    };
    let view = Params::parse(params).map_err(|error| invalid(&error.0))?;
    let places = Splice::new(&body);
    let place = |part: &str| places.place_of(part).map_err(|_| Refusal::BrokenBody);
    call.id_place = place(id.get())?;
    call.arguments = view.arguments.map(place).transpose()?;
    call.target = view.name.map(std::borrow::Cow::into_owned);
    call.body = body.into();
    call.came = Came::Within;
    Ok(())
}

/// The body with the call in the place of the one that it came in.
fn inner(call: &Call) -> Option<Vec<u8>> {
    let Ok(Message::Request {
        params: Some(params), ..
    }) = Message::parse(&call.body)
    else {
        return None;
    };
    let outer: Named<'_> = serde_json::from_str(params.get()).ok()?;
    let arguments = outer.arguments?;
    let within: Named<'_> = serde_json::from_str(arguments.get()).ok()?;
    serde_json::from_str::<String>(within.name.get()).ok()?;
    let own = within.arguments.map_or("{}", RawValue::get);
    if !own.starts_with('{') {
        return None;
    }
    let mut splice = Splice::new(&call.body);
    splice.replace(outer.name.get(), within.name.get()).ok()?;
    splice.replace(arguments.get(), own).ok()?;
    Some(splice.finish())
}
