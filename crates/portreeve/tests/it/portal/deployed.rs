//! Where one server runs, said in the portal.

use http::StatusCode;
use portreeve_core::id::UserId;

use super::browser::Browser;
use super::samples;
use super::world::{DEVELOPER, World};

const HERE: &str = "/servers/com.acme/billing/deployments";

#[tokio::test]
async fn a_server_is_deployed_and_taken_back() {
    let world = World::empty("https://mcp.acme.example").await.unwrap();
    samples::fill(&world).await.unwrap();
    let mut admin = Browser::signed_in(&world, UserId::LOCAL_ADMIN).await;
    let page = admin.get(HERE).await;
    let (token, revision) = (
        page.hidden(HERE, "csrf").remove(0),
        page.hidden(HERE, "revision").remove(0),
    );
    let fields = |environment: &'static str, url: &'static str, version: &'static str| {
        [
            ("csrf", token.clone()),
            ("revision", revision.clone()),
            ("environment", environment.to_owned()),
            ("url", url.to_owned()),
            ("version", version.to_owned()),
            ("major", "v1".to_owned()),
            ("state", "active".to_owned()),
        ]
    };
    let borrowed = |fields: &[(&'static str, String)]| {
        let fields = fields.iter().map(|(name, value)| (*name, value.clone()));
        fields.collect::<Vec<_>>()
    };
    for (environment, url, version, told) in [
        (
            "nowhere",
            "https://93.184.215.14/mcp",
            "",
            "there is no environment `nowhere`",
        ),
        ("test", "", "", "say where it runs"),
        (
            "test",
            "https://93.184.215.14/mcp",
            "7.0.0",
            "is not a version of",
        ),
    ] {
        let sent = borrowed(&fields(environment, url, version));
        let sent: Vec<_> = sent.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let wrong = admin.post(HERE, &sent).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{told}");
        assert!(wrong.body.contains(told), "{told}: {}", wrong.body);
    }
    let sent = borrowed(&fields("test", "https://93.184.215.14/mcp", "1.4.0"));
    let sent: Vec<_> = sent.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let done = admin.post(HERE, &sent).await;
    assert_eq!(done.location(), HERE, "{}", done.body);
    let page = admin.get(HERE).await;
    assert!(page.body.contains("https://93.184.215.14/mcp") && page.body.contains("Served"));
    // What was read before that change is told so instead of undoing it.
    let stale = admin.post(HERE, &sent).await;
    assert!(
        stale.body.contains("was changed by somebody else"),
        "{}",
        stale.body
    );

    let remove = format!("{HERE}/remove");
    let revision = page.hidden(HERE, "revision").remove(0);
    let gone = [
        ("csrf", token.as_str()),
        ("revision", revision.as_str()),
        ("environment", "test"),
        ("major", "v1"),
    ];
    assert_eq!(admin.post(&remove, &gone).await.location(), HERE);
    assert!(!admin.get(HERE).await.body.contains("https://93.184.215.14/mcp"));
    let mut developer = Browser::signed_in(&world, DEVELOPER).await;
    assert_eq!(developer.get(HERE).await.status, StatusCode::FORBIDDEN);
}
