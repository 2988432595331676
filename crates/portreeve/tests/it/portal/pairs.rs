//! Every form of the portal that changes something is an operation of the management API and a command as well: what the
//! portal can do, a script can.

use std::collections::BTreeSet;

use portreeve_core::id::UserId;
use serde_json::Value;

use super::browser::Browser;
use super::every_page::PAGES;
use super::markup;
use super::registries;
use super::samples;
use super::world::World;

/// Where a form goes, with names as `{}`; the operation of the API; the words of the command. What only a browser has
/// (signing in and out) has neither.
const PAIRS: &[(&str, &str, &str)] = &[
    ("/discover/{}/{}", "registerPartnerServer", "partner register"),
    ("/submit", "addServer", "server add"),
    ("/servers/{}/{}/profile", "describeServer", "server edit"),
    ("/servers/{}/{}/values", "describeVersion", "server edit"),
    ("/servers/{}/{}/deployments", "setDeployments", "deployment set"),
    (
        "/servers/{}/{}/deployments/remove",
        "setDeployments",
        "deployment remove",
    ),
    ("/servers/{}/{}/stages", "setServerLifecycle", "server lifecycle"),
    ("/servers/{}/{}/stages/submit", "submitServer", "server submit"),
    ("/servers/{}/{}/stages/icons", "fetchIcons", "server icons"),
    ("/servers/{}/{}/stages/remove", "removeServer", "server remove"),
    ("/servers/{}/{}/logins", "setLogin", "server login"),
    ("/servers/{}/{}/logins/remove", "removeLogin", "server logout"),
    ("/admin/environments/{}", "changeEnvironment", "environment edit"),
    (
        "/admin/environments/{}/delete",
        "removeEnvironment",
        "environment delete",
    ),
    ("/admin/properties/{}", "changeMetadataSchema", "metadata edit"),
    (
        "/admin/properties/{}/delete",
        "removeMetadataSchema",
        "metadata delete",
    ),
    ("/servers/{}/{}/tools/approve", "approveTools", "tool approve"),
    ("/servers/{}/{}/review", "approveServer", "server approve"),
    ("/servers/{}/{}/assess", "assessVersion", "server assess"),
    ("/admin/waiting/approve", "approveWaiting", "waiting approve"),
    ("/admin/registries", "createRegistry", "registry create"),
    ("/admin/registries/{}", "changeRegistry", "registry edit"),
    ("/admin/registries/{}/delete", "deleteRegistry", "registry delete"),
    ("/admin/environments", "createEnvironment", "environment create"),
    ("/admin/properties", "createMetadataSchema", "metadata create"),
    ("/servers/{}/{}/try", "", "call"),
    ("/servers/{}/{}/access", "askForAccess", "access request ask"),
    (
        "/servers/{}/{}/access/withdraw",
        "withdrawAccessRequest",
        "access request withdraw",
    ),
    ("/access-requests/{}/grant", "grantAccess", "access request grant"),
    (
        "/access-requests/{}/refuse",
        "refuseAccess",
        "access request refuse",
    ),
    ("/admin/rest", "previewOpenApi", "server add"),
    ("/admin/rest/{}", "previewOpenApi", "server add"),
    ("/admin/rest/{}/submit", "importOpenApi", "server add"),
    ("/admin/imports/registry", "beginImport", "import registry"),
    ("/admin/imports/files", "uploadImportRecords", "import dump"),
    (
        "/admin/imports/unschedule",
        "endImportSchedule",
        "import unschedule",
    ),
    ("/admin/policies", "setAccessPolicy", "access set"),
    ("/admin/policies/{}", "setAccessPolicy", "access set"),
    (
        "/admin/policies/{}/dry-run",
        "dryRunAccessPolicy",
        "access dry-run",
    ),
    ("/admin/policies/{}/test", "testAccessPolicy", "access test"),
    (
        "/admin/policies/{}/switch",
        "disableAccessPolicy",
        "access disable",
    ),
    ("/admin/policies/{}/delete", "removeAccessPolicy", "access remove"),
    ("/admin/secrets", "setSecret", "secret set"),
    ("/admin/secrets/delete", "deleteSecret", "secret delete"),
    ("/admin/webhooks", "createWebhook", "webhook create"),
    ("/approvals/{}", "allowCall", "approval allow"),
    ("/audit/verify", "verifyAudit", "audit verify"),
    ("/admin/users", "createUser", "user create"),
    ("/admin/grants", "addGrant", "grant add"),
    ("/admin/grants/remove", "removeGrant", "grant remove"),
    ("/admin/users/{}/groups", "setUserGroups", "user groups"),
    ("/admin/users/{}/sign-out", "endUserSessions", "user sessions"),
    ("/admin/users/{}/reset", "resetUser", "user reset"),
    ("/admin/users/{}/disable", "disableUser", "user disable"),
    ("/admin/users/{}/delete", "removeUser", "user delete"),
    // Passwords and sessions are their holder's own business, in a browser.
    ("/sign-in/password", "", ""),
    ("/sign-in/new-password", "", ""),
    ("/account/password", "", ""),
    ("/account/codes", "", ""),
    ("/account/clients", "forgetMyClient", "client forget"),
    ("/account/sessions/end", "", ""),
    ("/sign-out", "", ""),
];

/// The place in the table that an address has.
fn pattern(action: &str) -> String {
    let parts: Vec<&str> = action.split('/').collect();
    let shown = |(index, part): (usize, &&str)| match (parts.get(1), index) {
        (Some(&"servers" | &"discover"), 2 | 3) => "{}".to_owned(),
        (Some(&"access-requests" | &"approvals"), 2) => "{}".to_owned(),
        (Some(&"admin"), 3)
            if matches!(
                parts.get(2),
                Some(&"registries" | &"environments" | &"properties" | &"rest" | &"users" | &"policies")
            ) =>
        {
            "{}".to_owned()
        }
        _ => (*part).to_owned(),
    };
    parts.iter().enumerate().map(shown).collect::<Vec<_>>().join("/")
}

fn operations() -> BTreeSet<String> {
    let document: Value = serde_json::from_str(&portreeve_api::openapi_document().unwrap()).unwrap();
    let paths = document["paths"].as_object().unwrap().values();
    let operations = paths.flat_map(|path| path.as_object().unwrap().values());
    operations
        .filter_map(|operation| operation["operationId"].as_str().map(str::to_owned))
        .collect()
}

#[tokio::test]
async fn every_form_is_an_operation_and_a_command_too() {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    samples::fill(&world).await.unwrap();
    samples::request(&world).await.unwrap();
    let mut admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    registries::made(&mut admin).await;
    let mut found = BTreeSet::new();
    for path in PAGES.iter().copied().chain(["/admin/registries/partners"]) {
        let page = admin.get(&path.replace('<', "%3C").replace('>', "%3E")).await;
        for tag in markup::tags(&page.body) {
            if tag.name == "form" && tag.attribute("method") == Some("post") {
                found.insert(pattern(tag.attribute("action").unwrap()));
            }
        }
    }
    let listed: BTreeSet<String> = PAIRS.iter().map(|(action, ..)| (*action).to_owned()).collect();
    let unlisted: Vec<_> = found.difference(&listed).collect();
    assert!(unlisted.is_empty(), "forms without a row: {unlisted:?}");
    assert!(found.len() > 10, "{found:?}");
    let operations = operations();
    let help = include_str!("../../golden/help.txt");
    for (action, operation, command) in PAIRS {
        let is_known = operation.is_empty() || operations.contains(*operation);
        assert!(is_known, "{action}: there is no operation {operation}");
        let is_told = command.is_empty() || help.contains(&format!("=== portreeve {command} --help"));
        assert!(is_told, "{action}: there is no command {command}");
    }
}
