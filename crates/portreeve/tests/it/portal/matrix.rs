//! Every address of the portal, `/authorize` among them, for every role: who is shown a page, and that no form goes through
//! without the token of its page. The addresses are read out of the router: one that nobody listed here fails.
//!
//! What a form does is a use case of the management API, and is asked there for every role and scope
//! (`api/endpoints/roles.rs`); that each form is one of those stands in `pairs.rs`.

use std::collections::{BTreeMap, BTreeSet};

use http::StatusCode;
use portreeve_access::NewGrant;
use portreeve_core::decision::Action;
use portreeve_core::grant::{Rights, ServerScope, Subject, ToolScope};
use portreeve_core::ports::Catalogue;

use super::browser::{Browser, Page};
use super::samples;
use super::world::{DEVELOPER, World};

/// The whole of it is one list of `.route("ADDRESS", get(...).post(...))`.
const ROUTER: &str = include_str!("../../../../portal/src/router.rs");

/// Whom a page is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Everybody, with what each may see on it.
    Nothing,
    /// Whoever brings what it asks for: a link, an answer of a provider, a request of a program.
    Itself,
    /// Who is signed in.
    Account,
    /// Who has this right over everything.
    Right(Action),
    /// Or one of two.
    Either(Action, Action),
}

use Action::{Audit, Operate, Publish, View};
use Need::{Account, Either, Itself, Nothing, Right};

const PAGES: &[(&str, Need)] = &[
    ("/", Nothing),
    ("/servers/{namespace}/{name}/access", Account),
    ("/access-requests/{request}", Account),
    ("/account/access", Account),
    ("/discover", Nothing),
    ("/discover/{partner}/{server}", Nothing),
    ("/assets/partners/{partner}", Nothing),
    ("/servers/{namespace}/{name}", Nothing),
    ("/servers/{name}", Nothing),
    ("/servers/{namespace}/{name}/connector", Nothing),
    ("/servers/{namespace}/{name}/review", Either(View, Publish)),
    ("/servers/{namespace}/{name}/profile", Right(Publish)),
    ("/servers/{namespace}/{name}/logins", Right(View)),
    ("/servers/{namespace}/{name}/stages", Either(View, Publish)),
    ("/servers/{namespace}/{name}/deployments", Right(Publish)),
    ("/servers/{namespace}/{name}/try", Account),
    ("/submit", Account),
    ("/admin/deployments", Account),
    ("/admin/rest", Account),
    ("/admin/rest/{draft}", Account),
    ("/admin/waiting", Account),
    ("/exports", Nothing),
    ("/exports/{format}", Nothing),
    ("/hosts", Nothing),
    ("/usage", Right(Audit)),
    ("/audit", Right(Audit)),
    ("/sign-in", Nothing),
    ("/signed-out", Nothing),
    ("/sign-in/new-password", Itself),
    ("/sign-in/{provider}", Itself),
    ("/sign-in/{provider}/callback", Itself),
    ("/account", Account),
    ("/account/sessions", Account),
    ("/account/clients", Account),
    ("/authorize", Itself),
    ("/approvals", Account),
    ("/approvals/{id}", Account),
    ("/admin/welcome", Itself),
    ("/admin/users", Right(Audit)),
    ("/admin/users/{user}", Right(Audit)),
    ("/admin/grants", Right(Audit)),
    ("/registries", Account),
    ("/admin/environments", Account),
    ("/admin/environments/{environment}", Right(Operate)),
    ("/admin/properties", Account),
    ("/admin/properties/{property}", Right(Operate)),
    ("/admin/registries/{registry}", Right(Operate)),
    ("/admin/policies", Right(Audit)),
    ("/admin/policies/{policy}", Right(Audit)),
    ("/admin/secrets", Either(Operate, Audit)),
    ("/admin/imports", Right(View)),
    ("/admin/imports/{import}", Right(View)),
    ("/admin/webhooks", Right(Operate)),
    ("/admin/webhooks/{name}", Right(Operate)),
    ("/assets/{file}", Nothing),
    ("/favicon.ico", Nothing),
];

/// Where forms go. None of them is taken without the token of its page, whoever sends it.
const FORMS: &[&str] = &[
    "/servers/{namespace}/{name}/access",
    "/servers/{namespace}/{name}/access/withdraw",
    "/access-requests/{request}/grant",
    "/access-requests/{request}/refuse",
    "/discover/{partner}/{server}",
    "/servers/{namespace}/{name}/tools/approve",
    "/servers/{namespace}/{name}/assess",
    "/servers/{namespace}/{name}/review",
    "/servers/{namespace}/{name}/profile",
    "/servers/{namespace}/{name}/values",
    "/servers/{namespace}/{name}/logins",
    "/servers/{namespace}/{name}/logins/remove",
    "/servers/{namespace}/{name}/stages",
    "/servers/{namespace}/{name}/stages/submit",
    "/servers/{namespace}/{name}/stages/icons",
    "/servers/{namespace}/{name}/stages/remove",
    "/servers/{namespace}/{name}/deployments",
    "/servers/{namespace}/{name}/deployments/remove",
    "/servers/{namespace}/{name}/try",
    "/submit",
    "/admin/rest",
    "/admin/rest/{draft}",
    "/admin/rest/{draft}/submit",
    "/admin/waiting/approve",
    "/sign-in/{provider}/logout",
    "/audit/verify",
    "/sign-in/password",
    "/sign-in/code",
    "/sign-in/new-password",
    "/sign-out",
    "/account/password",
    "/account/codes",
    "/account/codes/confirm",
    "/account/codes/remove",
    "/account/sessions/end",
    "/account/clients",
    "/authorize",
    "/approvals/{id}",
    "/admin/welcome",
    "/admin/users",
    "/admin/users/{user}/{step}",
    "/admin/grants",
    "/admin/grants/remove",
    "/admin/environments",
    "/admin/properties",
    "/admin/environments/{environment}",
    "/admin/environments/{environment}/delete",
    "/admin/properties/{property}",
    "/admin/properties/{property}/delete",
    "/admin/registries",
    "/admin/registries/{registry}",
    "/admin/registries/{registry}/delete",
    "/admin/policies",
    "/admin/policies/{policy}",
    "/admin/policies/{policy}/dry-run",
    "/admin/policies/{policy}/test",
    "/admin/policies/{policy}/switch",
    "/admin/policies/{policy}/delete",
    "/admin/secrets",
    "/admin/secrets/delete",
    "/admin/imports/registry",
    "/admin/imports/files",
    "/admin/imports/unschedule",
    "/admin/webhooks",
    "/admin/webhooks/{name}",
];

/// The roles, and whoever has none: signed in, or not.
const ROLES: [Option<Rights>; 7] = [
    None,
    Some(Rights::View),
    Some(Rights::Publish),
    Some(Rights::Approve),
    Some(Rights::Operate),
    Some(Rights::Audit),
    Some(Rights::Manage),
];

/// The addresses of the router, by the method that it takes.
fn routes(method: &str) -> BTreeSet<String> {
    let calls = ROUTER.split(".route(").skip(1);
    let of_method = calls.filter(|call| call.contains(&format!("{method}(")));
    of_method
        .map(|call| call.split('"').nth(1).unwrap().to_owned())
        .collect()
}

/// An address that there is, if there can be one.
fn example(pattern: &str) -> String {
    let names = BTreeMap::from([
        ("/servers/{namespace}/{name}", "/servers/com.acme/billing"),
        ("/servers/{name}", "/servers/com.acme%2Fbilling"),
        ("/webhooks/{name}", "/webhooks/chat"),
        ("{draft}", "draft-0"),
        ("{format}", "nothing"),
        ("{provider}", "nobody"),
        ("{id}", "nothing"),
        ("{user}", "dana"),
        ("{step}", "disable"),
        ("{environment}", "test"),
        ("{property}", "dataClass"),
        ("{registry}", "default"),
        ("{policy}", "no-write"),
        ("{import}", "0190a0a0-0000-7000-8000-000000000001"),
        ("{file}", "nothing.css"),
        ("{request}", "0190a0a0-0000-7000-8000-000000000001"),
        ("{partner}", "stripe"),
        ("{server}", "stripe"),
    ]);
    let made = names
        .iter()
        .fold(pattern.to_owned(), |made, (from, to)| made.replace(from, to));
    assert!(!made.contains('{'), "{pattern}: say which there is");
    made
}

fn gets_in(need: Need, rights: Option<Rights>, signed_in: bool) -> Option<bool> {
    let has = |action| rights.is_some_and(|rights| rights.includes(action));
    match need {
        Itself => None,
        Nothing => Some(true),
        Account => Some(signed_in),
        Right(action) => Some(has(action)),
        Either(one, other) => Some(has(one) || has(other)),
    }
}

/// A page that says no, or the way to the sign-in.
fn is_refused(page: &Page) -> bool {
    matches!(page.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
        || (page.status.is_redirection() && page.location().starts_with("/sign-in"))
}

async fn world(rights: Option<Rights>) -> World {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    samples::fill(&world).await.unwrap();
    if let Some(rights) = rights {
        let new = NewGrant {
            subject: Subject::User(DEVELOPER),
            rights,
            servers: ServerScope::All,
            tools: ToolScope::All,
            expires_at: None,
        };
        let admin = world.access.known_as("user:admin").unwrap();
        world.access.add_grant(&admin, new).await.unwrap();
        world.refresh.refresh().await;
    }
    world
}

#[test]
fn every_address_is_in_the_table() {
    let pages: BTreeSet<String> = PAGES.iter().map(|(path, _)| (*path).to_owned()).collect();
    let forms: BTreeSet<String> = FORMS.iter().map(|path| (*path).to_owned()).collect();
    assert_eq!(
        routes("get"),
        pages,
        "left: the router, right: the table of pages"
    );
    assert_eq!(
        routes("post"),
        forms,
        "left: the router, right: the table of forms"
    );
    assert!(pages.len() > 40 && forms.len() > 50);
}

/// What a browser gets that is not as the table says.
async fn look(browser: &mut Browser, (rights, signed_in): (Option<Rights>, bool)) -> Vec<String> {
    let mut wrong = Vec::new();
    for (pattern, need) in PAGES {
        let page = browser.get(&example(pattern)).await;
        let is_right = match gets_in(*need, rights, signed_in) {
            None => true,
            Some(true) => !is_refused(&page),
            Some(false) => is_refused(&page) || page.status == StatusCode::NOT_FOUND,
        };
        if !is_right || page.status == StatusCode::INTERNAL_SERVER_ERROR {
            let who = if signed_in { "signed in" } else { "a stranger" };
            wrong.push(format!("{pattern}: {rights:?}, {who}, got {}", page.status));
        }
    }
    wrong
}

#[tokio::test]
async fn every_page_is_for_whom_the_table_says() {
    let mut wrong = Vec::new();
    for rights in ROLES {
        let world = world(rights).await;
        if rights.is_none() {
            wrong.extend(look(&mut Browser::new(&world), (None, false)).await);
        }
        let mut browser = Browser::signed_in(&world, DEVELOPER).await;
        wrong.extend(look(&mut browser, (rights, true)).await);
    }
    assert!(
        wrong.is_empty(),
        "{} are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[tokio::test]
async fn no_form_is_taken_without_the_token_of_its_page() {
    for rights in ROLES {
        let world = world(rights).await;
        let member = Browser::signed_in(&world, DEVELOPER).await;
        let before = world.store.generation().await.unwrap();
        for (mut browser, signed_in) in [(Browser::new(&world), false), (member, true)] {
            for pattern in FORMS {
                let page = browser.post(&example(pattern), &[]).await;
                let leaves = *pattern == "/sign-out" && !signed_in && page.status.is_redirection();
                assert!(
                    page.status.is_client_error() || leaves,
                    "{pattern}: {rights:?}, signed in: {signed_in}, got {}",
                    page.status
                );
            }
        }
        assert_eq!(
            world.store.generation().await.unwrap(),
            before,
            "{rights:?} changed something"
        );
    }
}
