//! Handing in a server, saying what people should know of it, and where servers run.

use http::StatusCode;
use portreeve_core::id::UserId;

use super::browser::Browser;
use super::samples;
use super::world::{DEVELOPER, World};

async fn admin() -> (World, Browser) {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    samples::fill(&world).await.unwrap();
    let admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    (world, admin)
}

#[tokio::test]
async fn a_server_is_handed_in_by_its_url_and_waits() {
    let (world, mut admin) = admin().await;
    let token = admin.get("/submit").await.hidden("/submit", "csrf").remove(0);
    let empty = admin.post("/submit", &[("csrf", &token)]).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(empty.body.contains("unless a server.json says it"));
    let mut fields = vec![
        ("csrf", token.as_str()),
        ("name", "com.acme/fresh"),
        ("url", "ftp://fresh.example/mcp"),
        ("title", "Fresh \"things\""),
        ("tags", "new\nfruit"),
    ];
    let wrong = admin.post("/submit", &fields).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", wrong.body);
    assert!(
        wrong.body.contains("value=\"com.acme/fresh\""),
        "nobody types it twice"
    );
    // A private host is told of with what there is on this page.
    fields[2].1 = "http://127.0.0.1:9001/mcp";
    let private = admin.post("/submit", &fields).await;
    assert_eq!(private.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        private
            .body
            .contains("tick in the form that its private hosts are granted"),
        "{}",
        private.body
    );
    assert!(!private.body.contains("--internal") && private.body.contains("name=\"internal\""));
    fields[2].1 = "https://93.184.215.14/mcp";
    let done = admin.post("/submit", &fields).await;
    assert_eq!(
        done.location(),
        "/servers/com.acme/fresh?done=handed-in",
        "{}",
        done.body
    );
    let page = admin.get(done.location()).await.body;
    assert!(page.contains("Handed in.") && page.contains("Waits for approval") && page.contains("Fresh"));
    assert!(
        page.contains("fruit, new") || page.contains("new, fruit"),
        "{page}"
    );

    // A document says all of it; who may not publish is refused.
    let document = r#"{"name":"com.acme/pasted","version":"2.0.0","description":"Pasted.",
        "packages":[{"registryType":"npm","identifier":"@acme/x","version":"2.0.0","transport":{"type":"stdio"}}]}"#;
    let pasted = [
        ("csrf", token.as_str()),
        ("document", document),
        ("approve", "yes"),
    ];
    let done = admin.post("/submit", &pasted).await;
    assert_eq!(
        done.location(),
        "/servers/com.acme/pasted?done=approved",
        "{}",
        done.body
    );
    let mut developer = Browser::signed_in(&world, DEVELOPER).await;
    let page = developer.get("/submit").await;
    assert!(!page.body.contains("Approve it at once"));
    let own = page.hidden("/submit", "csrf").remove(0);
    let refused = developer
        .post("/submit", &[("csrf", &own), ("document", document)])
        .await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(
        Browser::new(&world).get("/submit").await.status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn a_virtual_server_is_handed_in_by_its_members() {
    let (_world, mut admin) = admin().await;
    let token = admin.get("/submit").await.hidden("/submit", "csrf").remove(0);
    let mut fields = vec![
        ("csrf", token.as_str()),
        ("name", "com.acme/together"),
        ("members", "billing\nNo Route"),
        ("approve", "yes"),
    ];
    let wrong = admin.post("/submit", &fields).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", wrong.body);
    assert!(wrong.body.contains("No Route"), "{}", wrong.body);
    fields[2].1 = "nowhere";
    let unknown = admin.post("/submit", &fields).await;
    assert!(
        unknown.body.contains("there is no route `nowhere`"),
        "{}",
        unknown.body
    );
    fields[2].1 = "billing=b";
    let done = admin.post("/submit", &fields).await;
    let place = "/servers/com.acme/together?done=approved";
    assert_eq!(done.location(), place, "{}", done.body);
    let page = admin.get(place).await.body;
    assert!(page.contains("virtual:billing=b"), "{page}");
}

#[tokio::test]
async fn a_profile_is_changed_where_it_is_written_and_comes_back_as_it_was() {
    let (world, mut admin) = admin().await;
    let (server, here) = ("/servers/com.acme/billing", "/servers/com.acme/billing/profile");
    assert!(admin.get(server).await.body.contains(here));
    let page = admin.get(here).await;
    let (token, revision) = (
        page.hidden(here, "csrf").remove(0),
        page.hidden(here, "revision").remove(0),
    );
    let mut fields = vec![
        ("csrf", token.as_str()),
        ("revision", revision.as_str()),
        ("summary", "Invoices & refunds"),
        ("owners", "user:ada\nBilling desk"),
        ("owner_groups", "finance"),
        (
            "contacts",
            "Desk <desk@acme.example>\nPage <https://acme.example/desk>",
        ),
        ("license", "Apache-2.0"),
        ("use_cases", "Refunds: gives money back: all of it"),
        ("external_docs", "Handbook=https://docs.acme.example/?a=b"),
        ("icons", "http://plain.example/icon.png"),
    ];
    let wrong = admin.post(here, &fields).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", wrong.body);
    assert!(wrong.body.contains("it must be an address with https"));
    fields[9].1 = "https://fine.example/icon.png";
    let saved = admin.post(here, &fields).await;
    assert_eq!(
        saved.location(),
        "/servers/com.acme/billing?done=described",
        "{}",
        saved.body
    );
    let page = admin.get(here).await.body;
    for text in [
        "Invoices &#38; refunds",
        "user:ada\nBilling desk",
        "Desk &#60;desk@acme.example&#62;\nPage &#60;https://acme.example/desk&#62;",
        "Refunds: gives money back: all of it",
        "Handbook=https://docs.acme.example/?a=b",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    let stale = admin.post(here, &fields).await;
    assert_ne!(stale.status, StatusCode::SEE_OTHER);
    let mut developer = Browser::signed_in(&world, DEVELOPER).await;
    assert_eq!(developer.get(here).await.status, StatusCode::FORBIDDEN);
    assert!(!developer.get(server).await.body.contains(here));
}

#[tokio::test]
async fn a_version_gets_values_of_its_own() {
    let (_world, mut admin) = admin().await;
    let list = "/admin/properties";
    let token = admin.get(list).await.hidden(list, "csrf").remove(0);
    let new = [
        ("csrf", token.as_str()),
        ("name", "region"),
        ("type", "string"),
        ("owner", "server"),
        ("need", "optional"),
    ];
    admin.post(list, &new).await;
    let page = admin.get("/servers/com.acme/billing/profile").await;
    let action = "/servers/com.acme/billing/values";
    let token = page.hidden(action, "csrf").remove(0);
    let send = |values: &'static str| {
        vec![
            ("csrf", token.clone()),
            ("version", "1.3.0".to_owned()),
            ("values", values.to_owned()),
        ]
    };
    let shown = page.body.split("<select id=\"values-version\"").nth(1).unwrap();
    let version = shown
        .split("value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let mut fields = send("nowhere=eu");
    fields[1].1.clone_from(&version);
    let wrong: Vec<_> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let again = admin.post(action, &wrong).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        again.body.contains("there is no property `nowhere`"),
        "{}",
        again.body
    );
    fields[2].1 = "region=eu".to_owned();
    let right: Vec<_> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let saved = admin.post(action, &right).await;
    assert_eq!(
        saved.location(),
        "/servers/com.acme/billing?done=described",
        "{}",
        saved.body
    );
    let page = admin
        .get(&format!("/servers/com.acme/billing?version={version}"))
        .await
        .body;
    assert!(
        page.contains("Property of this version") && page.contains("region: eu"),
        "{page}"
    );
}

#[tokio::test]
async fn logins_are_set_by_the_name_of_a_secret_and_removed() {
    let (world, mut admin) = admin().await;
    let here = "/servers/com.acme/billing/logins";
    assert!(admin.get(here).await.body.contains("The vault is empty"));
    let token = admin
        .get("/admin/secrets")
        .await
        .hidden("/admin/secrets", "csrf")
        .remove(0);
    let secret = [("csrf", token.as_str()), ("name", "acme"), ("value", "hush-4711")];
    admin.post("/admin/secrets", &secret).await;
    let page = admin.get(here).await;
    let token = page.hidden(here, "csrf").remove(0);
    let mut fields = vec![
        ("csrf", token.as_str()),
        ("scheme", "header"),
        ("secret", "acme"),
        ("of", "not a header"),
        ("url", "https://93.184.215.14/mcp"),
    ];
    let wrong = admin.post(here, &fields).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", wrong.body);
    fields[3].1 = "X-Api-Key";
    assert_eq!(admin.post(here, &fields).await.location(), here);
    let page = admin.get(here).await;
    assert!(page.body.contains("secret:acme in X-Api-Key") && !page.body.contains("hush-4711"));
    let remove = "/servers/com.acme/billing/logins/remove";
    let url = page.hidden(remove, "url").remove(0);
    let gone = admin.post(remove, &[("csrf", &token), ("url", &url)]).await;
    assert_eq!(gone.location(), here);
    assert!(admin.get(here).await.body.contains("Portreeve does not log in"));
    let mut developer = Browser::signed_in(&world, DEVELOPER).await;
    assert_eq!(developer.get(here).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn deployments_are_one_list_that_is_narrowed() {
    let (world, mut admin) = admin().await;
    let all = admin.get("/admin/deployments").await.body;
    assert!(
        all.contains("/servers/com.acme/billing") && all.contains("<code>test</code>"),
        "{all}"
    );
    let none = admin.get("/admin/deployments?environment=development").await.body;
    assert!(
        none.contains("Nothing fits this filter") && none.contains("Clear"),
        "{none}"
    );
    let test = admin
        .get("/admin/deployments?server=com.acme%2Fbilling&state=active")
        .await
        .body;
    assert!(test.contains("value=\"com.acme/billing\""));
    let broken = admin.get("/admin/deployments?state=active&cursor=nonsense").await;
    assert_eq!(broken.location(), "/admin/deployments?state=active");
    let mut developer = Browser::signed_in(&world, DEVELOPER).await;
    let empty = developer.get("/admin/deployments").await;
    assert_eq!(empty.status, StatusCode::OK);
    assert!(
        !empty.body.contains("/servers/com.acme/billing"),
        "where a server runs is for who may publish it"
    );
    assert_eq!(
        Browser::new(&world).get("/admin/deployments").await.status,
        StatusCode::FORBIDDEN
    );
}
