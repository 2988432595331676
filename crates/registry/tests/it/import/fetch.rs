//! Registries that are read page by page: where a run goes on after another broke off, what a schedule remembers of its
//! runs, and what becomes of runs that end before their time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use portreeve_core::import::{
    ImportApproval, ImportKind, ImportMode, ImportRun, ImportSchedule, ImportState,
};
use portreeve_core::server::Lifecycle;
use portreeve_registry::import::{Fetch, ImportJob, NewImport, NewSchedule};
use portreeve_registry::{Internal, RegistryError};

use crate::world::{Locked, Pages, World, admin, caller, page};

const HOUR: Duration = Duration::from_secs(3_600);

/// Three pages, `2` and `3` behind the first one. While the switch is on, the second one is refused.
fn three(pages: &Pages) -> Arc<AtomicBool> {
    let broken = Arc::new(AtomicBool::new(true));
    let is_broken = Arc::clone(&broken);
    pages.answer(move |query| match cursor(query) {
        None => Ok(page("com.far/one", "active", Some("2"))),
        Some("2") if is_broken.load(Ordering::SeqCst) => Err(403),
        Some("2") => Ok(page("com.far/two", "active", Some("3"))),
        Some(_) => Ok(page("com.far/three", "active", None)),
    });
    broken
}

fn cursor(query: &str) -> Option<&str> {
    query.split('&').find_map(|part| part.strip_prefix("cursor="))
}

/// The cursors of what was asked.
fn cursors(pages: &Pages) -> Vec<String> {
    let asked = pages.asked();
    let cursor = |query: &String| cursor(query).unwrap_or("first").to_owned();
    asked.iter().map(cursor).collect()
}

async fn begin(world: &World, pages: &Pages, mode: ImportMode) -> Fetch {
    let new = NewImport {
        kind: ImportKind::Registry,
        origin: pages.url.clone(),
        mode,
        approval: ImportApproval::default(),
    };
    let (registry, admin) = (&world.registry, admin());
    registry.begin_fetch(&admin, new, Internal::Grant).await.unwrap()
}

async fn read(world: &World, pages: &Pages, mode: ImportMode) -> ImportRun {
    world.clock.pass(Duration::from_secs(1));
    let fetch = begin(world, pages, mode).await;
    world.registry.fetch(&admin(), fetch).await.unwrap()
}

async fn schedule(world: &World, pages: &Pages, approval: ImportApproval) -> ImportSchedule {
    let new = NewSchedule {
        origin: pages.url.clone(),
        every: HOUR,
        approval,
        internal: Internal::Grant,
        login: None,
    };
    world.registry.schedule_import(&admin(), new).await.unwrap()
}

/// What is due is read, by the job of a node that just started.
async fn round(world: &World) {
    let job = ImportJob::new(Arc::clone(&world.registry), Arc::new(Locked::default()));
    job.round().await.unwrap();
}

async fn newest(world: &World) -> ImportRun {
    let runs = world.registry.imports(&admin(), None, Some(1)).await.unwrap();
    runs.items.into_iter().next().unwrap()
}

async fn scheduled(world: &World) -> Vec<ImportSchedule> {
    world.registry.import_schedules(&admin()).await.unwrap()
}

#[tokio::test]
async fn nothing_goes_on_where_a_dry_run_broke_off() {
    let (world, pages) = (World::new(), Pages::start().await);
    let broken = three(&pages);
    let dry = read(&world, &pages, ImportMode::DryRun).await;
    assert_eq!((dry.state, dry.counts.added), (ImportState::Failed, 1));
    broken.store(false, Ordering::SeqCst);
    pages.asked();
    let run = read(&world, &pages, ImportMode::Apply).await;
    assert_eq!((run.state, run.counts.added), (ImportState::Done, 3));
    assert_eq!(cursors(&pages), ["first", "2", "3"]);
    assert_eq!(world.store.all().len(), 3);
}

#[tokio::test]
async fn a_run_that_breaks_off_twice_at_one_page_keeps_its_place() {
    let (world, pages) = (World::new(), Pages::start().await);
    let broken = three(&pages);
    for (asked, records) in [(["first", "2"].as_slice(), 1), (["2"].as_slice(), 0)] {
        let run = read(&world, &pages, ImportMode::Apply).await;
        assert_eq!((run.state, run.counts.records), (ImportState::Failed, records));
        assert_eq!(cursors(&pages), asked);
        // Looking at it changes nothing.
        read(&world, &pages, ImportMode::DryRun).await;
        assert_eq!(cursors(&pages), ["first", "2"]);
    }
    broken.store(false, Ordering::SeqCst);
    let run = read(&world, &pages, ImportMode::Apply).await;
    assert_eq!(
        (run.state, cursors(&pages)),
        (ImportState::Done, vec!["2".to_owned(), "3".to_owned()])
    );
}

#[tokio::test]
async fn a_run_that_is_under_way_is_not_gone_on_with() {
    let (world, pages) = (World::new(), Pages::start().await);
    let broken = three(&pages);
    read(&world, &pages, ImportMode::Apply).await;
    pages.asked();
    // Somebody is about to go on with the second page.
    let under_way = begin(&world, &pages, ImportMode::Apply).await;
    broken.store(false, Ordering::SeqCst);
    read(&world, &pages, ImportMode::Apply).await;
    assert_eq!(cursors(&pages), ["first", "2", "3"]);
    world.registry.fetch(&admin(), under_way).await.unwrap();
    assert_eq!(cursors(&pages), ["2", "3"]);
}

#[tokio::test]
async fn a_run_whose_node_stopped_is_ended_and_gone_on_with() {
    let (world, pages) = (World::new(), Pages::start().await);
    let broken = three(&pages);
    read(&world, &pages, ImportMode::Apply).await;
    let left = begin(&world, &pages, ImportMode::Apply).await.run().id;
    round(&world).await;
    assert_eq!(newest(&world).await.state, ImportState::Open, "it may be slow");
    world.clock.pass(Duration::from_secs(11 * 60));
    round(&world).await;
    let ended = world.registry.import(&admin(), left).await.unwrap();
    assert_eq!(
        (ended.state, ended.failure.as_deref()),
        (ImportState::Failed, Some("the node that read it stopped"))
    );
    broken.store(false, Ordering::SeqCst);
    pages.asked();
    let run = read(&world, &pages, ImportMode::Apply).await;
    assert_eq!((run.state, cursors(&pages).len()), (ImportState::Done, 2));
}

#[tokio::test]
async fn what_cannot_be_taken_in_ends_the_run_and_is_read_again() {
    let (world, pages) = (World::new(), Pages::start().await);
    three(&pages).store(false, Ordering::SeqCst);
    let fetch = begin(&world, &pages, ImportMode::Apply).await;
    let id = fetch.run().id;
    world.store.conflict(u32::MAX);
    let run = world.registry.fetch(&admin(), fetch).await.unwrap();
    let failure = run.failure.clone().unwrap();
    assert!(failure.contains("a page could not be taken in"), "{failure}");
    assert_eq!(world.registry.import(&admin(), id).await.unwrap(), run);
    assert_eq!((run.state, run.counts.records), (ImportState::Failed, 0));
    world.store.conflict(0);
    let run = read(&world, &pages, ImportMode::Apply).await;
    assert_eq!((run.state, run.counts.added), (ImportState::Done, 3));
}

#[tokio::test]
async fn b9_what_changed_while_a_scheduled_run_was_broken_off_comes_with_the_next() {
    let (world, pages) = (World::new(), Pages::start().await);
    let broken = three(&pages);
    let begun = schedule(&world, &pages, ImportApproval::default()).await.next_at;
    round(&world).await;
    assert_eq!(newest(&world).await.state, ImportState::Failed);
    assert_eq!(scheduled(&world).await[0].synced_until, None);
    // The first page is read before the deletion, the others after it.
    broken.store(false, Ordering::SeqCst);
    world.clock.pass(2 * HOUR);
    pages.asked();
    round(&world).await;
    assert_eq!(
        (newest(&world).await.state, cursors(&pages).len()),
        (ImportState::Done, 2)
    );
    assert_eq!(scheduled(&world).await[0].synced_until, Some(begun));

    // The second `updated_since` run: only what changed, and what was deleted is among it.
    pages.answer(|query| {
        assert!(
            query.contains("updated_since=2025-12-31T23%3A50%3A00.000Z"),
            "{query}"
        );
        assert!(
            !query.contains("include_deleted"),
            "it comes with `updated_since`: {query}"
        );
        Ok(page("com.far/one", "deleted", None))
    });
    world.clock.pass(2 * HOUR);
    round(&world).await;
    let run = newest(&world).await;
    assert_eq!(
        (run.state, run.counts.records, run.counts.hidden),
        (ImportState::Done, 1, 1)
    );
    assert_eq!(
        world.store.get("com.far/one").versions[0].lifecycle,
        Lifecycle::Retired
    );
    assert_eq!(
        world.store.get("com.far/two").versions[0].lifecycle,
        Lifecycle::Production
    );
}

#[tokio::test]
async fn a_run_by_hand_asks_for_everything_whatever_a_schedule_left_behind() {
    let (world, pages) = (World::new(), Pages::start().await);
    let broken = three(&pages);
    broken.store(false, Ordering::SeqCst);
    schedule(&world, &pages, ImportApproval::default()).await;
    round(&world).await;
    broken.store(true, Ordering::SeqCst);
    world.clock.pass(2 * HOUR);
    round(&world).await;
    assert_eq!(newest(&world).await.state, ImportState::Failed);
    broken.store(false, Ordering::SeqCst);
    pages.asked();
    assert_eq!(read(&world, &pages, ImportMode::Apply).await.counts.unchanged, 3);
    let asked = pages.asked();
    assert!(
        asked.iter().all(|query| query.contains("include_deleted=true")),
        "{asked:?}"
    );
}

#[tokio::test]
async fn a_schedule_that_ends_or_changes_during_a_run_stays_as_it_was_left() {
    for ends in [true, false] {
        let (world, pages) = (World::new(), Pages::start().await);
        let all = ImportApproval {
            all: true,
            ..ImportApproval::default()
        };
        let first = schedule(&world, &pages, all).await;
        let changed = ImportSchedule {
            approval: ImportApproval::default(),
            every_seconds: 7_200,
            ..first.clone()
        };
        let left = (!ends).then_some(changed);
        let (store, origin, with) = (Arc::clone(&world.store), first.origin.clone(), left.clone());
        pages.answer(move |query| match cursor(query) {
            None => {
                store.leave_schedule(&origin, with.clone());
                Ok(page("com.far/one", "active", Some("2")))
            }
            Some(_) => Ok(page("com.far/two", "active", None)),
        });
        round(&world).await;
        let failure = newest(&world).await.failure.unwrap_or_default();
        assert!(failure.contains("changed or ended"), "{failure}");
        assert_eq!(scheduled(&world).await, left.into_iter().collect::<Vec<_>>());
        let taken = world.store.all().len();
        assert_eq!(taken, 1, "the second page is not taken in by the old rule");
    }
}

#[tokio::test]
async fn who_operates_opens_no_private_hosts_and_lets_no_schedule_approve() {
    let world = World::new();
    let pages = Pages::start().await;
    let operator = caller("operator");
    let schedule = async |approval: ImportApproval, internal: Internal| {
        let new = NewSchedule {
            origin: pages.url.clone(),
            every: HOUR,
            approval,
            internal,
            login: None,
        };
        world.registry.schedule_import(&operator, new).await.unwrap_err()
    };
    let refused = schedule(ImportApproval::default(), Internal::Grant).await;
    assert!(
        refused
            .to_string()
            .contains("let an import reach private hosts: ask for a grant of `manage` on all servers"),
        "{refused}"
    );
    let all = ImportApproval {
        all: true,
        ..ImportApproval::default()
    };
    let refused = schedule(all, Internal::No).await;
    assert!(refused.to_string().contains("approve by a rule"), "{refused}");
    let new = NewImport {
        kind: ImportKind::Registry,
        origin: pages.url.clone(),
        mode: ImportMode::Apply,
        approval: ImportApproval::default(),
    };
    let begun = world.registry.begin_fetch(&operator, new, Internal::Grant).await;
    let refused = begun.map(drop).unwrap_err();
    assert!(matches!(refused, RegistryError::Forbidden { .. }), "{refused}");
    assert!(pages.asked().is_empty());
}
