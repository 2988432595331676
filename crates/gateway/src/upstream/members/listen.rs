//! One subscription over all members: each is listened to for what concerns it, and what they say is one stream. A member that
//! breaks off does not end it: it is listened to again, and what may have been missed meanwhile is told as changed.
//!
//! The subscriptions of the members have the host's id, so what they say needs no other one.

mod follower;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use portreeve_client::{Reply, ReplyBody};
use portreeve_core::name::Slug;
use portreeve_core::protocol::Era;
use portreeve_mcp::bridge::{Wanted, tagged};
use portreeve_mcp::{answer, sse};
use portreeve_net::ResponseBody;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use self::follower::{Follower, Said};
use super::asking::{Asked, Asking};
use super::{Failure, Members, reply};
use crate::route::Routes;

/// Messages that wait for the reader.
const WAITING: usize = 16;

/// What hosts are told of the server itself: its tools by name, each with the hash of what was approved.
type Tools = BTreeMap<Arc<str>, String>;

/// One subscription.
struct Listener {
    server: Arc<Members>,
    id: Box<RawValue>,
    /// What the host is told.
    told: Wanted,
    host: mpsc::Sender<Bytes>,
    members: mpsc::Receiver<Said>,
    /// Dropped with the listener: nobody listens for nobody.
    _followers: JoinSet<()>,
}

impl Members {
    /// Answers `subscriptions/listen`.
    pub(super) async fn listen(
        self: &Arc<Self>,
        asking: &Asking<'_>,
        id: &RawValue,
    ) -> Result<Reply, Failure> {
        let wanted = Wanted::read(&asking.outbound.body).ok_or_else(|| {
            Failure::invalid(
                "Invalid params: `notifications` must say what the host wants to be told".to_owned(),
            )
        })?;
        if wanted.resource_subscriptions.len() > asking.gateway.limits.requests_per_session {
            return Err(Failure::invalid(
                "Invalid params: too many resources at once".to_owned(),
            ));
        }
        let mut shares = self.shares(asking, &wanted).await;
        // A member that is asked for nothing has said all that it will.
        shares.retain(|_, share| *share != Wanted::default());
        let awaited = shares.len();
        let (said, members) = mpsc::channel(WAITING);
        let mut followers = JoinSet::new();
        let asked = Arc::new(asking.kept());
        for (member, share) in shares {
            let follower = Follower {
                member,
                share,
                id: id.to_owned(),
                asked: Arc::clone(&asked),
                said: said.clone(),
            };
            followers.spawn(follower.run());
        }
        let (host, body) = mpsc::channel(WAITING);
        let listener = Listener {
            server: Arc::clone(self),
            id: id.to_owned(),
            told: wanted,
            host,
            members,
            _followers: followers,
        };
        tokio::spawn(listener.run(awaited, asked));
        Ok(reply(
            StatusCode::OK,
            Some(ReplyBody::Events(ResponseBody::piped(body))),
        ))
    }

    /// What each member is asked for: news of its lists, and of the resources that it has.
    async fn shares(&self, asking: &Asking<'_>, wanted: &Wanted) -> BTreeMap<Slug, Wanted> {
        let lists = Wanted {
            resource_subscriptions: Vec::new(),
            ..wanted.clone()
        };
        let peers = self.peers(asking).into_iter();
        let mut shares: BTreeMap<Slug, Wanted> = peers.map(|peer| (peer.slug, lists.clone())).collect();
        if wanted.resource_subscriptions.is_empty() {
            return shares;
        }
        let catalogue = self.catalogue(asking).await;
        for uri in &wanted.resource_subscriptions {
            let share = catalogue.owner_of(uri).and_then(|owner| shares.get_mut(&owner));
            if let Some(share) = share {
                share.resource_subscriptions.push(uri.clone());
            }
        }
        shares
    }
}

// === impl Listener ===

impl Listener {
    async fn run(mut self, members: usize, asked: Arc<Asked>) {
        let mut routes = self.server.commons.routes.subscribe();
        let mut known = self.tools(&routes.borrow_and_update());
        let until = Instant::now() + asked.gateway.limits.member_wait;
        let early = self.gather(members, until).await;
        if !self.tell(&self.told.acknowledgement(&self.id)).await {
            return;
        }
        for message in early {
            if !self.pass(&message).await {
                return;
            }
        }
        let mut open = true;
        loop {
            let said = tokio::select! {
                () = self.host.closed() => return,
                moved = routes.changed() => {
                    if moved.is_err() {
                        return;
                    }
                    None
                }
                said = self.members.recv(), if open => {
                    open = said.is_some();
                    said
                }
            };
            let stays = match said {
                Some(Said::Message(message)) => self.pass(&message).await,
                Some(Said::Acknowledged(_)) => true,
                None => {
                    let now = self.tools(&routes.borrow_and_update());
                    let changed = now != known && self.told.tools_list_changed;
                    known = now;
                    !changed || self.tell(&self.tools_changed()).await
                }
            };
            if !stays {
                return;
            }
        }
    }

    /// Waits until every member said what it will tell, and no longer than they may take; then the host is promised just that,
    /// and the news of the server itself.
    async fn gather(&mut self, members: usize, until: Instant) -> Vec<Bytes> {
        let mut promised = Wanted {
            tools_list_changed: self.told.tools_list_changed,
            ..Wanted::default()
        };
        let (mut left, mut early) = (members, Vec::new());
        while left > 0 {
            let Ok(Some(said)) = tokio::time::timeout_at(until, self.members.recv()).await else {
                break;
            };
            match said {
                Said::Acknowledged(share) => {
                    left -= 1;
                    promised.prompts_list_changed |= share.prompts_list_changed;
                    promised.resources_list_changed |= share.resources_list_changed;
                    promised
                        .resource_subscriptions
                        .extend(share.resource_subscriptions);
                }
                // It was quicker than the others.
                Said::Message(message) => early.push(message),
            }
        }
        self.told = promised;
        early
    }

    /// Passes on what a member said, if the host was promised it.
    async fn pass(&self, message: &Bytes) -> bool {
        let method = follower::method(message);
        let is_told = method.is_some_and(|method| self.told.covers(&method));
        !is_told || self.host.send(sse::message(message)).await.is_ok()
    }

    async fn tell(&self, message: &[u8]) -> bool {
        self.host.send(sse::message(message)).await.is_ok()
    }

    fn tools_changed(&self) -> Vec<u8> {
        let message = answer::request(None, "notifications/tools/list_changed", json!({}));
        tagged(&message, &self.id).unwrap_or(message)
    }

    /// Nothing, when the route is not served.
    fn tools(&self, routes: &Routes) -> Tools {
        let route = routes.by_slug.get(self.server.route.slug.as_str());
        let tools = route.into_iter().flat_map(|route| {
            let all = route.tools(Era::Modern);
            all.filter(|tool| tool.is_callable())
        });
        tools
            .filter_map(|tool| {
                let approved = tool.tool.approved.as_ref()?;
                Some((Arc::clone(&tool.name), approved.hash.clone()))
            })
            .collect()
    }
}
