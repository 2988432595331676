//! What is meant for one member goes to that member, and what it answers goes back as it comes: whole or as a stream, with the
//! id that the host gave. Nothing but the name is changed.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Response};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use portreeve_client::{Reply, ReplyBody, retry_after};
use portreeve_core::members::Kind;
use portreeve_core::name::Slug;
use portreeve_core::protocol::Era;
use portreeve_mcp::splice::Splice;
use portreeve_net::ResponseBody;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use super::asking::Asking;
use super::{Failure, Members};
use crate::respond::Body;

/// Pieces of a body that wait for the reader.
const WAITING: usize = 4;

/// What a request is about.
#[derive(Default, Deserialize)]
#[serde(default)]
struct About<'a> {
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    uri: Option<&'a RawValue>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
    #[serde(borrow, rename = "ref")]
    reference: Option<&'a RawValue>,
}

/// Where a request goes.
struct Way<'a> {
    member: Slug,
    /// The part of the body that is put in other words, and those.
    own: Option<(&'a RawValue, String)>,
    /// What `Mcp-Name` repeats.
    name: Option<String>,
}

impl Members {
    /// Sends a request to the member that it is meant for.
    pub(super) async fn forward(&self, asking: &Asking<'_>, method: &str) -> Result<Reply, Failure> {
        let about: About<'_> = asking
            .params
            .and_then(|params| serde_json::from_str(params.get()).ok())
            .unwrap_or_default();
        let way = match method {
            "tools/call" => self.named_way(Kind::Tool, about.name)?,
            "prompts/get" => self.named_way(Kind::Prompt, about.name)?,
            "resources/read" => self.way_to_resource(asking, about.uri).await?,
            _ if asking.outbound.made_by.is_some() => self.way_to_task(asking)?,
            _ => self.way_to_reference(asking, about.reference).await?,
        };
        let body = match way.own {
            Some((place, own)) => renamed(&asking.outbound.body, place, &own)
                .ok_or_else(|| Failure::invalid("Invalid params: the name cannot be read".to_owned()))?,
            None => asking.outbound.body.clone(),
        };
        let repeated = match (method, &way.name) {
            ("tools/call", Some(own)) => self.repeated(&way.member, own, about.arguments)?,
            _ => HeaderMap::new(),
        };
        let name = way.name.as_deref();
        let request = asking.request(&way.member, method, (name, repeated), body);
        Ok(replied(asking.send(request).await))
    }

    /// The headers that repeat arguments, as the member's tool wants it.
    fn repeated(&self, member: &Slug, own: &str, arguments: Option<&RawValue>) -> Result<HeaderMap, Failure> {
        let route = self.member(member);
        let tool = route
            .as_ref()
            .and_then(|route| route.tool(route.hop(Era::Modern), own));
        let Some(Ok(mirrors)) = tool.map(|tool| &tool.mirrors) else {
            return Ok(HeaderMap::new());
        };
        mirrors
            .headers(arguments.map(RawValue::get))
            .map_err(|problem| Failure::invalid(format!("Invalid params: {problem}")))
    }

    fn named_way<'a>(&self, kind: Kind, name: Option<&'a RawValue>) -> Result<Way<'a>, Failure> {
        let unknown = |name: &str| Failure::invalid(format!("Unknown {kind}: {name}"));
        let place = name.ok_or_else(|| unknown(""))?;
        let name: String = serde_json::from_str(place.get()).map_err(|_| unknown(""))?;
        let owner = self.naming.owner(kind, &name);
        let owner = owner.filter(|(slug, _)| self.member(slug).is_some());
        let (member, own) = owner.ok_or_else(|| unknown(&name))?;
        Ok(Way {
            member: member.clone(),
            own: Some((place, own.to_owned())),
            name: Some(own.to_owned()),
        })
    }

    /// A task is of the member whose tool made it.
    fn way_to_task<'a>(&self, asking: &Asking<'_>) -> Result<Way<'a>, Failure> {
        let tool = asking.outbound.made_by.as_deref().unwrap_or_default();
        let owner = self.naming.owner(Kind::Tool, tool);
        let owner = owner.filter(|(slug, _)| self.member(slug).is_some());
        let unknown = || Failure::invalid("Invalid params: `taskId` names no task that is here".to_owned());
        Ok(Way {
            member: owner.map(|(member, _)| member.clone()).ok_or_else(unknown)?,
            own: None,
            name: asking.outbound.name.clone(),
        })
    }

    async fn way_to_resource<'a>(
        &self,
        asking: &Asking<'_>,
        uri: Option<&'a RawValue>,
    ) -> Result<Way<'a>, Failure> {
        let uri: Option<String> = uri.and_then(|uri| serde_json::from_str(uri.get()).ok());
        let uri = uri.ok_or_else(|| Failure::invalid("Invalid params: `uri` is missing".to_owned()))?;
        match self.catalogue(asking).await.owner_of(&uri) {
            Some(member) => Ok(Way {
                member,
                own: None,
                name: Some(uri),
            }),
            None => Err(Failure {
                data: Some(json!({ "uri": uri })),
                ..Failure::invalid("Resource not found".to_owned())
            }),
        }
    }

    async fn way_to_reference<'a>(
        &self,
        asking: &Asking<'_>,
        reference: Option<&'a RawValue>,
    ) -> Result<Way<'a>, Failure> {
        let invalid = || Failure::invalid("Invalid params: `ref` names nothing that is here".to_owned());
        let about: About<'a> = reference
            .and_then(|reference| serde_json::from_str(reference.get()).ok())
            .ok_or_else(invalid)?;
        if about.name.is_some() {
            let way = self.named_way(Kind::Prompt, about.name)?;
            return Ok(Way { name: None, ..way });
        }
        let template: Option<String> = about.uri.and_then(|uri| serde_json::from_str(uri.get()).ok());
        let template = template.ok_or_else(invalid)?;
        let owner = self.catalogue(asking).await.owner_of_template(&template);
        Ok(Way {
            member: owner.ok_or_else(invalid)?,
            own: None,
            name: None,
        })
    }
}

fn renamed(body: &Bytes, place: &RawValue, own: &str) -> Option<Bytes> {
    let own = serde_json::to_string(own).ok()?;
    let mut splice = Splice::new(body);
    splice.replace(place.get(), own).ok()?;
    Some(splice.finish().into())
}

/// A member's response as the reply of a server.
pub(super) fn replied(response: Response<Body>) -> Reply {
    let status = response.status();
    let kind = response.headers().get(CONTENT_TYPE);
    let begins = |with: &[u8]| kind.is_some_and(|kind| kind.as_bytes().starts_with(with));
    let into: fn(ResponseBody) -> ReplyBody = if begins(b"application/json") {
        ReplyBody::Json
    } else if begins(b"text/event-stream") {
        ReplyBody::Events
    } else {
        ReplyBody::Other
    };
    Reply {
        status,
        session: None,
        retry_after: retry_after(response.headers()),
        body: into(piped(response.into_body())),
    }
}

/// A body that is read as fast as the host takes it. When nobody reads it any more, the member hears of it.
fn piped(mut body: Body) -> ResponseBody {
    if body.is_end_stream() {
        return ResponseBody::ready(Bytes::new());
    }
    let (sender, pieces) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        loop {
            let frame = tokio::select! {
                () = sender.closed() => return,
                frame = body.frame() => frame,
            };
            let Some(Ok(frame)) = frame else { return };
            if let Ok(data) = frame.into_data()
                && sender.send(data).await.is_err()
            {
                return;
            }
        }
    });
    ResponseBody::piped(pieces)
}
