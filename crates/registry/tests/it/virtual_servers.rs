//! Virtual servers: made of routes, with the tools that are approved there, under names that stay.

use portreeve_core::members::VIRTUAL_META;
use portreeve_core::name::ServerName;
use portreeve_core::served::PUBLISHER_META;
use portreeve_core::tool::ToolState;
use portreeve_registry::{Approve, RegistryError, ToolChoice, ToolView, ToolsOutcome};
use serde_json::{Value, json};

use crate::world::{World, admin, caller, remote};

const ALL: &str = "com.acme/all";
const MAIL: &str = "com.acme/mail";
const CHAT: &str = "com.acme/chat";
const MAIL_URL: &str = "https://mail.acme.example/mcp";
const CHAT_URL: &str = "https://chat.acme.example/mcp";

fn name(text: &str) -> ServerName {
    text.parse().unwrap()
}

fn of(version: &str, members: Value) -> String {
    let mark = json!({"members": members});
    json!({
        "name": ALL, "description": "Everything at one place", "version": version,
        "_meta": {PUBLISHER_META: {VIRTUAL_META: mark}},
    })
    .to_string()
}

fn both() -> String {
    of(
        "1.0.0",
        json!([{"route": "mail"}, {"route": "chat", "prefix": "c"}]),
    )
}

async fn pair() -> World {
    let world = World::new();
    world
        .upstreams
        .answer(MAIL_URL, &[("send", "Sends a mail"), ("read", "Reads")]);
    world
        .upstreams
        .answer(CHAT_URL, &[("send", "Says something"), ("join", "Joins")]);
    world.approved(&remote(MAIL, "1.0.0", MAIL_URL)).await;
    world.approved(&remote(CHAT, "1.0.0", CHAT_URL)).await;
    world
}

fn states(views: &[ToolView]) -> Vec<(&str, ToolState)> {
    let mut states: Vec<_> = views
        .iter()
        .map(|view| (view.tool.name.as_str(), view.state))
        .collect();
    states.sort_by_key(|(name, _)| *name);
    states
}

async fn tools(world: &World) -> Vec<ToolView> {
    world.registry.tools(&admin(), &name(ALL)).await.unwrap()
}

fn problems(error: RegistryError) -> Vec<String> {
    match error {
        RegistryError::Invalid(problems) => problems
            .into_iter()
            .map(|problem| format!("{}: {}", problem.path, problem.message))
            .collect(),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_gw_3_two_members_are_one_server_and_the_second_name_gets_a_prefix() {
    let world = pair().await;
    let asked = world.upstreams.asked().len();
    world.actions();
    let outcome = world.approved(&both()).await;
    assert_eq!(outcome.tools, ToolsOutcome::Pinned(4));
    assert_eq!(
        world.upstreams.asked().len(),
        asked,
        "nobody is asked: they are approved"
    );
    let route = outcome.route.unwrap();
    assert_eq!(route.upstream_url, "virtual:mail,chat=c");
    let views = tools(&world).await;
    let expected = ["c__send", "join", "read", "send"].map(|name| (name, ToolState::Approved));
    assert_eq!(states(&views), expected);
    let second = views.iter().find(|view| view.tool.name == "c__send").unwrap();
    assert_eq!(
        second.tool.approved.as_ref().unwrap().definition,
        r#"{"name":"c__send","description":"Says something","inputSchema":{"type":"object"}}"#
    );
    let actions = world.actions();
    assert!(actions.contains(&"names.give".to_owned()), "{actions:?}");
}

#[tokio::test]
async fn a_gw_3_a_name_stays_whatever_becomes_of_the_order_and_of_its_rival() {
    let world = pair().await;
    world.approved(&both()).await;
    let turned = of(
        "1.1.0",
        json!([{"route": "chat", "prefix": "c"}, {"route": "mail"}]),
    );
    world.approved(&turned).await;
    let expected = ["c__send", "join", "read", "send"].map(|name| (name, ToolState::Approved));
    assert_eq!(states(&tools(&world).await), expected);

    let alone = of("1.2.0", json!([{"route": "chat", "prefix": "other"}]));
    world.approved(&alone).await;
    let members = world.registry.members(&admin(), &name(ALL)).await.unwrap();
    let names: Vec<_> = members[0]
        .names
        .iter()
        .map(|given| (given.name.as_str(), given.own.as_str()))
        .collect();
    assert_eq!(names, [("c__send", "send"), ("join", "join")]);
    assert_eq!((members.len(), members[0].state), (1, "active"));
}

#[tokio::test]
async fn what_is_approved_at_a_member_is_approved_here_and_what_is_hidden_here_stays_hidden() {
    let world = pair().await;
    world.approved(&both()).await;
    world
        .registry
        .hide_tool(&admin(), &name(ALL), "join")
        .await
        .unwrap();
    let changed = [
        ("send", "Says something louder"),
        ("join", "Joins quickly"),
        ("leave", "Leaves"),
    ];
    world.upstreams.answer(CHAT_URL, &changed);
    world.registry.refresh_tools(&admin(), &name(CHAT)).await.unwrap();
    world.registry.refresh_tools(&admin(), &name(ALL)).await.unwrap();
    let before = tools(&world).await;
    assert_eq!(
        states(&before),
        [
            ("c__send", ToolState::Missing),
            ("join", ToolState::Hidden),
            ("read", ToolState::Approved),
            ("send", ToolState::Approved),
        ],
        "what waits at the member is not offered"
    );
    world.actions();
    world
        .registry
        .approve_tools(&admin(), &name(CHAT), ToolChoice::All)
        .await
        .unwrap();
    let after = tools(&world).await;
    assert_eq!(
        states(&after),
        [
            ("c__send", ToolState::Approved),
            ("join", ToolState::Hidden),
            ("leave", ToolState::Approved),
            ("read", ToolState::Approved),
            ("send", ToolState::Approved),
        ]
    );
    let louder = after.iter().find(|view| view.tool.name == "c__send").unwrap();
    assert!(
        louder
            .tool
            .approved
            .as_ref()
            .unwrap()
            .definition
            .contains("louder")
    );
    assert_eq!(world.actions(), ["tools.approve", "names.give", "tools.follow"]);
}

#[tokio::test]
async fn a_gw_3_members_that_are_none_are_refused_by_their_place() {
    let world = pair().await;
    world.approved(&both()).await;
    let place = |index: usize| format!("_meta.{PUBLISHER_META}.{VIRTUAL_META}.members[{index}]");
    let nested = of(
        "1.1.0",
        json!([{"route": "mail"}, {"route": "all"}, {"route": "nobody"}]),
    );
    let error = world.add(&nested, Approve::No).await.unwrap_err();
    assert_eq!(
        problems(error),
        [
            format!(
                "{}: `all` is a virtual server itself; name its members instead",
                place(1)
            ),
            format!("{}: there is no route `nobody`", place(2)),
        ]
    );
    let twice = of(
        "1.1.0",
        json!([{"route": "mail"}, {"route": "mail", "prefix": "m"}]),
    );
    let error = world.add(&twice, Approve::No).await.unwrap_err();
    assert!(problems(error)[0].ends_with("`mail` is a member twice"));
    let claimed = of(
        "1.1.0",
        json!([{"route": "chat", "prefix": "x"}, {"route": "mail", "prefix": "C"}]),
    );
    let error = world.add(&claimed, Approve::No).await.unwrap_err();
    assert_eq!(
        problems(error),
        [format!(
            "{}: `c__send` of `chat` begins with the prefix `C` already; choose another prefix",
            place(1)
        )]
    );
    let error = world
        .registry
        .members(&caller("stranger"), &name(ALL))
        .await
        .unwrap_err();
    assert!(matches!(error, RegistryError::Forbidden { .. }), "{error}");
}

#[tokio::test]
async fn a_virtual_server_leads_nowhere_else() {
    let world = pair().await;
    let mut document: Value = serde_json::from_str(&both()).unwrap();
    document["remotes"] = json!([{"type": "streamable-http", "url": MAIL_URL}]);
    let error = world.add(&document.to_string(), Approve::No).await.unwrap_err();
    assert_eq!(
        problems(error),
        ["remotes: a virtual server has no remotes: the gateway is its MCP endpoint"]
    );
    let none = of("1.0.0", json!([]));
    let error = world.add(&none, Approve::No).await.unwrap_err();
    assert_eq!(
        problems(error),
        [format!(
            "_meta.{PUBLISHER_META}.{VIRTUAL_META}: it has no members"
        )]
    );
}
