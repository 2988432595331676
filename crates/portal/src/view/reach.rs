//! Who may use a server, how one gets to, and its usage in short.

use portreeve_access::{NamedGrant, ShownAccessRequest};
use portreeve_core::access_request::AccessRequestState;
use portreeve_core::ports::Entry;
use portreeve_core::route::{Access, Route, RouteState};
use portreeve_core::time::Timestamp;
use portreeve_core::usage::UsageRow;

use crate::view::grants::GrantRow;
use crate::view::usage::{self, Tile};
use crate::words::{self, Moment};

/// Grants that are shown on the page.
const GRANTS: usize = 50;

/// Whom a route lets in that is not open.
const RIGHT: &str =
    "Callers with a right to use it: a grant to a person, a group, a key or a client, or an access policy";

/// What stands under "Who may use it".
#[derive(Debug, Clone, Default)]
pub(crate) struct Reach {
    /// Whom its routes let in.
    pub(crate) rule: String,
    /// What that means for the visitor.
    pub(crate) mine: Mine,
    /// What became of the visitor's last request for it.
    pub(crate) asked: Option<Asked>,
    /// Where one asks for more.
    pub(crate) ask: String,
    /// Where one signs in and comes back.
    pub(crate) sign_in: String,
    /// Who answers for it.
    pub(crate) owners: String,
    /// Where who was granted what is shown, while it is not.
    pub(crate) show: Option<String>,
    /// Who was granted what.
    pub(crate) grants: Option<Vec<GrantRow>>,
    /// Grants beyond those.
    pub(crate) more: usize,
}

/// A visitor's last request for the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    /// What became of it, in a sentence.
    pub(crate) text: String,
    /// What who decided says about it.
    pub(crate) note: Option<String>,
    /// The request's own page.
    pub(crate) href: String,
    pub(crate) tone: &'static str,
    /// Whether it waits, so that there is nothing to ask for.
    pub(crate) waits: bool,
    /// Whether it came to nothing, so that one may ask again.
    pub(crate) again: bool,
}

/// What the visitor may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Mine {
    /// Use it.
    Use,
    /// Use it without a key, as everybody.
    Open,
    /// Install it, or nothing at all.
    Run,
    /// Not use it.
    Ask,
    /// Nobody knows: the visitor is not signed in.
    #[default]
    Unknown,
}

/// What it is made of.
pub(crate) struct ReachFacts<'a> {
    /// The entry as the visitor may know it.
    pub(crate) entry: &'a Entry,
    /// Whether it can be installed.
    pub(crate) is_local: bool,
    /// Whether somebody signed in.
    pub(crate) is_known: bool,
    /// Whether the visitor may use it.
    pub(crate) may_use: bool,
    /// Whether the visitor may know who may.
    pub(crate) audits: bool,
    /// The visitor's last request for it.
    pub(crate) asked: Option<&'a ShownAccessRequest>,
    /// Now: a grant may have ended.
    pub(crate) now: Timestamp,
    /// Who was granted what, if that was asked for.
    pub(crate) grants: Option<&'a [NamedGrant]>,
}

/// Usage in short.
#[derive(Debug, Clone)]
pub(crate) struct Brief {
    pub(crate) tiles: Vec<Tile>,
    /// The tools that were called most.
    pub(crate) most: Vec<(String, String)>,
}

// === impl Reach ===

impl Reach {
    /// Whether a request of the visitor waits.
    pub(crate) fn waits(&self) -> bool {
        self.asked.as_ref().is_some_and(|asked| asked.waits)
    }

    /// Whether the visitor may ask, and was not told so beside an earlier request.
    pub(crate) fn invites(&self) -> bool {
        self.asked
            .as_ref()
            .is_none_or(|asked| !asked.waits && !asked.again)
    }

    pub(crate) fn new(of: &ReachFacts<'_>) -> Self {
        let name = &of.entry.server.name;
        let (rule, mine) = rule(of);
        let owners = of.entry.server.profile.owners.iter();
        let owners = owners.chain(&of.entry.server.profile.owner_groups);
        let owners: Vec<String> = owners.map(|owner| words::visible(owner)).collect();
        let page = format!("/servers/{name}");
        Self {
            rule,
            mine,
            asked: of.asked.and_then(|asked| Asked::new(asked, mine, of.now)),
            ask: format!("{page}/access"),
            sign_in: format!("/sign-in?next={}", words::encoded(&page)),
            owners: owners.join(", "),
            show: (of.audits && of.grants.is_none()).then(|| format!("{page}?show=grants#access")),
            grants: of
                .grants
                .map(|grants| grants.iter().take(GRANTS).map(GrantRow::new).collect()),
            more: of.grants.map_or(0, |grants| grants.len().saturating_sub(GRANTS)),
        }
    }
}

// === impl Asked ===

impl Asked {
    /// Nothing where it says nothing any more: who may use the server needs no word of a request that was refused.
    fn new(shown: &ShownAccessRequest, mine: Mine, now: Timestamp) -> Option<Self> {
        let request = &shown.request;
        let on = Moment::new(request.asked_at).day;
        let by = request.decided_by.as_deref().map(words::visible);
        let by = by.unwrap_or_default();
        let is_over = request.granted_until.is_some_and(|until| until <= now);
        let until = request.granted_until.map(Moment::new);
        let (tone, text) = match (shown.state, mine) {
            (AccessRequestState::Open, _) => {
                let until = Moment::new(request.expires_at).day;
                let text = format!("You asked for access on {on}. It waits for a decision until {until}.");
                ("notice-warn", text)
            }
            (AccessRequestState::Granted, _) if !is_over => {
                let end = match until {
                    Some(until) => format!("until {}, {} UTC", until.day, until.time),
                    None => "with no end".to_owned(),
                };
                let text = format!("You asked on {on}. Granted by {by} {end}");
                match mine {
                    // Somebody took the grant away, or a policy forbids what it gives.
                    Mine::Ask => ("notice-warn", format!("{text}, but that gives you nothing now.")),
                    _ => ("notice-good", format!("{text}.")),
                }
            }
            (_, Mine::Use) => return None,
            (AccessRequestState::Granted, _) => {
                let text = format!("You asked on {on}. It was granted by {by}, and is over.");
                ("notice-warn", text)
            }
            (AccessRequestState::Refused, _) => {
                ("notice-bad", format!("You asked on {on}. Refused by {by}."))
            }
            (AccessRequestState::Withdrawn, _) => {
                ("notice-warn", format!("You asked on {on}, and took it back."))
            }
            (AccessRequestState::Expired, _) => (
                "notice-warn",
                format!("You asked on {on}. Nobody decided in time."),
            ),
        };
        Some(Self {
            text,
            note: request.note.as_deref().map(words::visible),
            href: format!("/access-requests/{}", request.id),
            tone,
            waits: shown.state == AccessRequestState::Open,
            again: !matches!(
                shown.state,
                AccessRequestState::Open | AccessRequestState::Granted
            ),
        })
    }
}

/// Whom the routes let in, and what that means for the visitor. It is open only where every route is: a page that says
/// so for one of several would tell people who need a right that they need none.
fn rule(of: &ReachFacts<'_>) -> (String, Mine) {
    let active = of
        .entry
        .routes
        .iter()
        .filter(|route| route.state == RouteState::Active);
    let (open, closed): (Vec<&Route>, Vec<&Route>) =
        active.partition(|route| route.access == Access::Anonymous);
    let mine = match (of.is_known, of.may_use) {
        (true, true) => Mine::Use,
        (true, false) => Mine::Ask,
        (false, _) => Mine::Unknown,
    };
    match (open.is_empty(), closed.is_empty()) {
        (true, true) if !of.is_local => (
            "Nobody at the moment: no route of this gateway serves it.".to_owned(),
            Mine::Run,
        ),
        (true, true) => (
            "Nothing of it passes this gateway: it runs where it is installed, and whoever sees it here may install it."
                .to_owned(),
            Mine::Run,
        ),
        (false, true) => (
            "Everyone who can reach this gateway may call it, without a key.".to_owned(),
            Mine::Open,
        ),
        (true, false) => (format!("{RIGHT}."), mine),
        (false, false) => {
            let names: Vec<&str> = open.iter().map(|route| route.slug.as_str()).collect();
            let rule = format!(
                "Its routes differ. Everyone who can reach this gateway, without a key: {}. The others: {RIGHT}.",
                names.join(", ")
            );
            (rule, mine)
        }
    }
}

// === impl Brief ===

impl Brief {
    /// From rows with the most calls first.
    pub(crate) fn new(rows: &[UsageRow]) -> Self {
        let called = rows.iter().filter_map(|row| {
            let tool = row.tool.as_deref()?;
            Some((words::visible(tool), words::number(row.calls)))
        });
        Self {
            tiles: usage::tiles(rows),
            most: called.take(3).collect(),
        }
    }
}
