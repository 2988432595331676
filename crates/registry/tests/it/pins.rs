//! The pin keeper: what the gateway saw, what upstreams say by themselves, and who is told.

use std::sync::Arc;
use std::time::Duration;

use portreeve_core::ports::{Locks, PinWatch, RouteStore};
use portreeve_core::protocol::Era;
use portreeve_core::route::Route;
use portreeve_core::tool::{Tool, ToolDefinition, ToolState};
use portreeve_inspect::tool_definition;
use portreeve_registry::{PinJob, PinKeeper, PinParts, PinTimes};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::world::{Locked, NAME, Told, URL, World, definition, remote};

struct Running {
    world: World,
    keeper: PinKeeper,
    route: Route,
    told: Arc<Told>,
    stop: watch::Sender<bool>,
    job: JoinHandle<()>,
}

/// Long times: nothing happens by itself.
fn patient() -> PinTimes {
    PinTimes {
        interval: Duration::from_secs(600),
        debounce: Duration::from_millis(20),
        first_retry: Duration::from_secs(600),
        longest_retry: Duration::from_secs(600),
        longest_silence: Duration::from_secs(600),
        reload: Duration::from_millis(20),
    }
}

/// Short times: routes are asked again and again.
fn hasty() -> PinTimes {
    PinTimes {
        interval: Duration::from_millis(60),
        first_retry: Duration::from_millis(10),
        longest_retry: Duration::from_millis(40),
        longest_silence: Duration::from_millis(40),
        ..patient()
    }
}

fn job(world: &World, locks: Arc<dyn Locks>, told: Arc<Told>, times: PinTimes) -> (PinKeeper, PinJob) {
    let (keeper, job) = PinKeeper::new(PinParts {
        routes: world.store.clone(),
        source: world.upstreams.clone(),
        locks,
        signals: told,
        refresh: world.refreshed.clone(),
        clock: world.clock.clone(),
        rng: world.rng.clone(),
        limits: world.limits.clone(),
    });
    (keeper, job.with_times(times))
}

impl Running {
    async fn start(times: PinTimes, locks: Locked) -> Self {
        let world = World::new();
        world.upstreams.answer(URL, &[("list", "Lists"), ("pay", "Pays")]);
        let route = world.approved(&remote(NAME, "1.0.0", URL)).await.route.unwrap();
        world.actions();
        let told = Arc::new(Told::default());
        let (keeper, job) = job(&world, Arc::new(locks), told.clone(), times);
        let (stop, stopped) = watch::channel(false);
        let job = tokio::spawn(job.run(stopped));
        Self {
            world,
            keeper,
            route,
            told,
            stop,
            job,
        }
    }

    async fn tools(&self) -> Vec<Tool> {
        self.world.store.tools(self.route.id).await.unwrap()
    }

    async fn state(&self, name: &str, era: Era) -> Option<ToolState> {
        let tools = self.tools().await;
        let tool = tools.iter().find(|tool| tool.name == name && tool.era == era);
        tool.map(Tool::state)
    }

    /// Waits until the tool stands so.
    async fn until(&self, name: &str, era: Era, state: ToolState) {
        for _ in 0..400 {
            if self.state(name, era).await == Some(state) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{name} is {:?}", self.state(name, era).await);
    }

    fn asked(&self) -> usize {
        self.world.upstreams.asked().len()
    }

    async fn end(self) {
        self.stop.send(true).unwrap();
        tokio::time::timeout(Duration::from_secs(5), self.job)
            .await
            .unwrap()
            .unwrap();
    }
}

fn tool(name: &str, description: &str) -> ToolDefinition {
    tool_definition(&definition(name, description)).unwrap()
}

#[tokio::test]
async fn what_the_gateway_saw_is_written_down_once() {
    let running = Running::start(patient(), Locked::default()).await;
    let seen = || vec![tool("pay", "Pays everyone"), tool("new", "New")];
    running.keeper.seen(running.route.id, Era::Modern, seen());
    running.until("new", Era::Modern, ToolState::New).await;
    assert_eq!(running.state("pay", Era::Modern).await, Some(ToolState::Changed));
    assert_eq!(
        running.state("pay", Era::Legacy).await,
        Some(ToolState::Approved),
        "each era has its own pin"
    );
    assert_eq!(
        running.state("list", Era::Modern).await,
        Some(ToolState::Approved),
        "a page takes nothing away"
    );
    running.keeper.seen(running.route.id, Era::Modern, seen());
    running
        .keeper
        .seen(running.route.id, Era::Modern, vec![tool("list", "Lists more")]);
    running.until("list", Era::Modern, ToolState::Changed).await;
    let events = running.world.events();
    assert_eq!(events.len(), 2, "{events:#?}");
    assert_eq!(
        (events[0].action.as_str(), events[0].actor.as_str()),
        ("tools.drift", "system")
    );
    assert_eq!(events[0].route.as_deref(), Some("billing"));
    let detail = events[0].detail.as_ref().unwrap();
    assert_eq!(detail["changed"], serde_json::json!(["pay"]));
    assert_eq!(detail["new"], serde_json::json!(["new"]));
    assert_eq!(detail["era"], "modern");
    assert_eq!(*running.told.0.lock().unwrap(), ["catalogue", "catalogue"]);
    running.end().await;
}

#[tokio::test]
async fn a_tool_that_comes_back_as_it_was_approved_is_no_drift() {
    let running = Running::start(patient(), Locked::default()).await;
    running
        .keeper
        .seen(running.route.id, Era::Modern, vec![tool("pay", "Pays everyone")]);
    running.until("pay", Era::Modern, ToolState::Changed).await;
    running
        .keeper
        .seen(running.route.id, Era::Modern, vec![tool("pay", "Pays")]);
    running.until("pay", Era::Modern, ToolState::Approved).await;
    assert_eq!(running.world.actions(), ["tools.drift"]);
    running.end().await;
}

#[tokio::test]
async fn list_changed_asks_the_upstream_once() {
    let running = Running::start(patient(), Locked::default()).await;
    let before = running.asked();
    running.world.upstreams.answer(URL, &[("list", "Lists")]);
    for _ in 0..50 {
        running.keeper.list_changed(running.route.id);
    }
    running.until("pay", Era::Modern, ToolState::Missing).await;
    running.until("pay", Era::Legacy, ToolState::Missing).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(running.asked(), before + 1);
    assert_eq!(running.world.actions(), ["tools.drift", "tools.drift"]);
    running.end().await;
}

#[tokio::test]
async fn every_route_is_asked_again_and_one_that_fails_blocks_nobody() {
    // The turn of a node is kept until it runs out; these locks end never, so each turn needs a lock service that is
    // not there.
    let running = Running::start(hasty(), Locked::broken()).await;
    let other = running
        .world
        .approved(&remote("com.acme/other", "1.0.0", "https://down.example/mcp"))
        .await;
    assert!(other.route.is_some());
    running
        .world
        .upstreams
        .answer(URL, &[("list", "Lists"), ("pay", "Pays twice")]);
    running.until("pay", Era::Legacy, ToolState::Changed).await;
    let asked = running.world.upstreams.asked();
    assert!(
        asked.iter().filter(|(url, _)| url.contains("down")).count() > 1,
        "{asked:?}"
    );
    // The route that is down is found when it comes up, and its first list goes to review.
    running
        .world
        .upstreams
        .answer("https://down.example/mcp", &[("late", "Late")]);
    let route = other.route.unwrap().id;
    for _ in 0..400 {
        if !running.world.store.tools(route).await.unwrap().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let tools = running.world.store.tools(route).await.unwrap();
    assert!(!tools.is_empty() && tools.iter().all(|tool| tool.state() == ToolState::New));
    running.end().await;
}

#[tokio::test]
async fn a_server_that_answers_is_asked_as_often_beside_many_that_do_not() {
    let running = Running::start(hasty(), Locked::broken()).await;
    let asked = |part: &str| {
        let asked = running.world.upstreams.asked();
        asked.iter().filter(|(url, _)| url.contains(part)).count()
    };
    let until = async |part: &str, count: usize| {
        for _ in 0..2_000 {
            if asked(part) >= count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{part} was asked {} times, not {count}", asked(part));
    };
    // It has answered before the others come.
    until(URL, asked(URL) + 2).await;
    for number in 0..40 {
        let name = format!("com.acme/away-{number}");
        let url = format!("https://away-{number}.example/mcp");
        let outcome = running.world.approved(&remote(&name, "1.0.0", &url)).await;
        assert!(outcome.route.is_some());
    }
    // Each of the others takes the whole time of a question.
    *running.world.upstreams.away.lock().unwrap() = Some("away-");
    until("away-", asked("away-") + 4).await;
    let away = asked("away-");
    until(URL, asked(URL) + 4).await;
    let meanwhile = asked("away-") - away;
    assert!(meanwhile < 40, "it waited for {meanwhile} questions to others");
    running.end().await;
}

#[tokio::test]
async fn what_another_node_does_is_left_to_it() {
    let locks = Locked::default();
    let world = World::new();
    world.upstreams.answer(URL, &[("list", "Lists")]);
    let route = world.approved(&remote(NAME, "1.0.0", URL)).await.route.unwrap();
    locks.hold(&format!("pins/{}/turn", route.id));
    let asked = world.upstreams.asked().len();
    let (_keeper, job) = job(&world, Arc::new(locks), Arc::default(), hasty());
    let (stop, stopped) = watch::channel(false);
    let job = tokio::spawn(job.run(stopped));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(world.upstreams.asked().len(), asked);
    stop.send(true).unwrap();
    job.await.unwrap();
}

#[tokio::test]
async fn a_full_queue_drops_notices_and_counts_them() {
    let world = World::new();
    let route = world.approved(&remote(NAME, "1.0.0", URL)).await.route.unwrap();
    let (keeper, job) = job(&world, Arc::new(Locked::default()), Arc::default(), patient());
    for _ in 0..2_000 {
        keeper.list_changed(route.id);
    }
    assert_eq!(keeper.dropped(), 2_000 - 1_024);
    drop(job);
}

#[tokio::test]
async fn lists_that_wait_are_bounded_in_bytes() {
    let world = World::new();
    let route = world.approved(&remote(NAME, "1.0.0", URL)).await.route.unwrap();
    let (keeper, job) = job(&world, Arc::new(Locked::default()), Arc::default(), patient());
    let half = "x".repeat(world.limits.tool_list_bytes / 2);
    let list = || vec![tool("list", &half)];
    for _ in 0..5 {
        keeper.seen(route.id, Era::Modern, list());
    }
    assert_eq!(keeper.dropped(), 4, "one fits beside what JSON adds to it");
    keeper.list_changed(route.id);
    assert_eq!(keeper.dropped(), 4, "small notices find room");
    drop(job);
}
