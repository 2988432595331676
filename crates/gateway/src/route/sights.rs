//! How tools were just seen in lists, ahead of the catalogue, which learns of it a moment later: a call that comes with the
//! list in hand is decided by what the list said.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use portreeve_core::protocol::Era;
use portreeve_core::tool::Tool;

/// A sight is forgotten after this time: by then the catalogue says what it said, or the upstream says something else again.
const LIFE: Duration = Duration::from_secs(10);

/// One of them.
#[derive(Debug, Clone)]
struct Sight {
    at: Instant,
    /// The hash of what was seen.
    hash: String,
    /// Where what was approved came back: the hash that it came after. Whatever else the catalogue hears of is newer.
    after: Option<String>,
}

/// What a sight says about calls of a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    /// It differs from what is approved.
    Differs,
    /// It is again what is approved, whatever the catalogue still believes.
    IsBack,
}

/// The sights of one route. A route that replaces another has the same ones: a list that began at the older one ends when
/// calls reach the newer one already, and what it says counts for those.
///
/// Most routes have none, ever, and pay nothing for them.
#[derive(Debug, Default)]
pub(super) struct Sights(OnceLock<Shared>);

type Shared = Arc<Mutex<HashMap<(Era, String), Sight>>>;

impl Sights {
    /// The same ones, for a route that replaces this one.
    pub(super) fn shared(&self) -> Self {
        Self(OnceLock::from(Arc::clone(self.0.get_or_init(Shared::default))))
    }

    /// Notes that a tool was seen with a hash that is not the approved one.
    pub(super) fn differs(&self, tool: &Tool, hash: &str) {
        self.note(tool, hash, None);
    }

    /// Whether the catalogue does not know that a tool has this hash, which is not the approved one, or was overruled.
    pub(super) fn is_news(&self, tool: &Tool, hash: &str) -> bool {
        let is_known = tool.live.as_ref().is_some_and(|live| live.hash == hash);
        !is_known || self.of(tool) == Some(Says::IsBack)
    }

    /// Notes that a tool was seen as it is approved, and says whether that is news to the catalogue.
    pub(super) fn is_back(&self, tool: &Tool, hash: &str) -> bool {
        let live = tool.live.as_ref();
        let late = live
            .filter(|live| live.hash != hash)
            .map(|live| live.hash.clone());
        let after = late.or_else(|| match self.fresh(tool) {
            Some(sight) if sight.hash != hash => Some(sight.hash),
            _ => None,
        });
        if after.is_some() {
            self.note(tool, hash, after);
            return true;
        }
        live.is_none()
    }

    /// What there is to say about a tool beside the catalogue, if anything.
    pub(super) fn of(&self, tool: &Tool) -> Option<Says> {
        let sight = self.fresh(tool)?;
        if tool
            .approved
            .as_ref()
            .is_none_or(|approved| approved.hash != sight.hash)
        {
            return Some(Says::Differs);
        }
        let live = tool.live.as_ref()?;
        (sight.after? == live.hash).then_some(Says::IsBack)
    }

    /// Whether there is any that counts still.
    pub(super) fn any(&self) -> bool {
        let sights = self.seen();
        sights.is_some_and(|sights| sights.values().any(|sight| sight.at.elapsed() < LIFE))
    }

    fn note(&self, tool: &Tool, hash: &str, after: Option<String>) {
        let sight = Sight {
            at: Instant::now(),
            hash: hash.to_owned(),
            after,
        };
        let mut sights = lock(self.0.get_or_init(Shared::default));
        // Tools that are long gone leave nothing here.
        sights.retain(|_, old| old.at.elapsed() < LIFE);
        sights.insert((tool.era, tool.name.clone()), sight);
    }

    fn fresh(&self, tool: &Tool) -> Option<Sight> {
        let sights = self.seen()?;
        let sight = sights.get(&(tool.era, tool.name.clone()))?;
        (sight.at.elapsed() < LIFE).then(|| sight.clone())
    }

    /// The sights, if there ever was one.
    fn seen(&self) -> Option<MutexGuard<'_, HashMap<(Era, String), Sight>>> {
        let sights = lock(self.0.get()?);
        (!sights.is_empty()).then_some(sights)
    }
}

fn lock(sights: &Shared) -> MutexGuard<'_, HashMap<(Era, String), Sight>> {
    sights.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use portreeve_core::tool::{ToolAnnotations, ToolDefinition};

    use super::*;

    fn definition(hash: &str) -> ToolDefinition {
        ToolDefinition {
            name: "dock".to_owned(),
            hash: hash.to_owned(),
            definition: "{}".to_owned(),
            annotations: ToolAnnotations::default(),
        }
    }

    /// Approved as `good`; the catalogue last heard of `live`.
    fn tool(live: &str) -> Tool {
        Tool {
            name: "dock".to_owned(),
            era: Era::Modern,
            approved: Some(definition("good")),
            live: Some(definition(live)),
            hidden: false,
            approved_by: None,
            approved_at: None,
            seen_at: None,
        }
    }

    #[test]
    fn what_came_back_is_back_before_the_catalogue_knows() {
        let sights = Sights::default();
        assert!(
            sights.is_back(&tool("bad"), "good"),
            "the catalogue must hear of it"
        );
        assert_eq!(sights.of(&tool("bad")), Some(Says::IsBack));
        assert_eq!(sights.of(&tool("good")), None, "once it knows, it decides");
        assert_eq!(sights.of(&tool("worse")), None, "what it hears later is newer");
    }

    #[test]
    fn what_came_back_before_the_catalogue_knew_that_it_had_gone_is_news_too() {
        let sights = Sights::default();
        sights.differs(&tool("good"), "bad");
        assert_eq!(sights.of(&tool("good")), Some(Says::Differs));
        assert!(
            sights.is_back(&tool("good"), "good"),
            "it will hear that it had gone"
        );
        assert_eq!(sights.of(&tool("good")), None);
        assert_eq!(sights.of(&tool("bad")), Some(Says::IsBack));
    }

    #[test]
    fn what_goes_again_is_news_again() {
        let sights = Sights::default();
        assert!(!sights.is_news(&tool("bad"), "bad"), "the catalogue knows it");
        sights.is_back(&tool("bad"), "good");
        assert!(sights.is_news(&tool("bad"), "bad"), "it was believed to be back");
        sights.differs(&tool("bad"), "bad");
        assert_eq!(sights.of(&tool("bad")), Some(Says::Differs));
    }

    #[test]
    fn what_never_went_is_no_news() {
        let sights = Sights::default();
        assert!(!sights.is_back(&tool("good"), "good"));
        assert_eq!(sights.of(&tool("good")), None);
        assert!(!sights.any());
        sights.differs(&tool("good"), "bad");
        assert!(sights.any());
    }

    #[test]
    fn another_approval_is_what_counts() {
        let sights = Sights::default();
        sights.is_back(&tool("bad"), "good");
        let approved = Tool {
            approved: Some(definition("bad")),
            ..tool("bad")
        };
        assert_eq!(sights.of(&approved), Some(Says::Differs));
    }

    #[test]
    fn a_list_that_began_at_a_route_counts_for_the_one_that_replaces_it() {
        let before = Sights::default();
        let now = before.shared();
        before.differs(&tool("good"), "bad");
        assert_eq!(now.of(&tool("good")), Some(Says::Differs));
        before.is_back(&tool("bad"), "good");
        assert_eq!(now.of(&tool("bad")), Some(Says::IsBack));
    }
}
