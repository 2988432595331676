//! Who is asked, what they see, and that nobody else decides (A-CD).

use serde_json::json;

use super::house::{Browser, CALLBACK, House, but, claims, hidden, parameter};

#[tokio::test(flavor = "multi_thread")]
async fn a_cd_1_another_client_is_asked_for_although_one_was_allowed() {
    let house = House::start().await;
    let nobody = Browser::empty();
    let client = house.client().await;
    let sent = nobody.authorize(&house, &house.request(&client)).await;
    assert_eq!(sent.status, 303, "{}", sent.text());
    assert!(
        sent.header("location")
            .starts_with("/sign-in?next=%2Fauthorize%3F"),
        "{}",
        sent.header("location")
    );
    let browser = Browser::signed_in(&house).await;
    browser.code(&house, &client).await;
    let other = house.client().await;
    for again in [&client, &other] {
        let page = browser.authorize(&house, &house.request(again)).await;
        assert_eq!(
            page.status, 200,
            "a program that registered itself is always shown"
        );
        assert!(page.text().contains("Connect Editor?"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cd_2_a_cd_10_the_page_says_who_asks_for_what() {
    let house = House::start().await;
    let browser = Browser::signed_in(&house).await;
    let client = house.client().await;
    let page = browser.authorize(&house, &house.request(&client)).await;
    let text = page.text();
    for word in [
        "Connect Editor?",
        "unverified, registered",
        client.as_str(),
        "<strong>127.0.0.1</strong>",
        CALLBACK,
        "your own computer",
        "com.acme/billing",
        "name=\"write\"",
        "user:admin",
    ] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"),
        "{policy}"
    );
    assert!(!policy.contains("form-action"), "{policy}");
    assert_eq!(page.header("x-frame-options"), "DENY");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert_eq!(page.header("cache-control"), "no-store");
    assert!(!text.contains("src=\"http"), "{text}");
    let refused = browser
        .post(&house, "/authorize", &Browser::form(&page, "refuse"))
        .await;
    assert_eq!(refused.status, 303);
    assert_eq!(parameter(&refused, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&refused, "iss"), Some(house.node.url.clone()));
    // A request that names no server lets the user choose one.
    let open = but(&but(&house.request(&client), "resource", None), "scope", None);
    let page = browser.authorize(&house, &open).await;
    assert!(page.text().contains(&house.resource), "{}", page.text());
    let mut form = but(&Browser::form(&page, "allow"), "write", None);
    form.push(("resource", house.resource.clone()));
    let answer = browser.post(&house, "/authorize", &form).await;
    let code = parameter(&answer, "code").expect("a code");
    let token = house.post("/token", &house.exchange(&client, &code)).await.json();
    assert_eq!(token["scope"], "billing:read");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cd_3_a_form_is_of_our_own_page_for_this_session() {
    let mut house = House::start().await;
    let browser = Browser::signed_in(&house).await;
    let other = Browser::another(&mut house).await;
    let client = house.client().await;
    let page = browser.authorize(&house, &house.request(&client)).await;
    let theirs = other.authorize(&house, &house.request(&client)).await;
    let form = Browser::form(&page, "allow");
    let foreign = Browser::form(&theirs, "allow");
    let foreign = &foreign.iter().find(|(name, _)| *name == "csrf").unwrap().1;
    for wrong in [but(&form, "csrf", None), but(&form, "csrf", Some(foreign))] {
        let answer = browser.post(&house, "/authorize", &wrong).await;
        assert_eq!((answer.status, answer.header("location")), (403, ""));
    }
    for site in ["cross-site", "same-site", "none"] {
        let answer = browser.post_from(&house, "/authorize", &form, site).await;
        assert_eq!((answer.status, answer.header("location")), (403, ""), "{site}");
    }
    let answer = Browser::empty().post(&house, "/authorize", &form).await;
    assert_eq!(answer.status, 403);
    let answer = browser.post(&house, "/authorize", &form).await;
    assert_eq!(answer.status, 303, "and it still works where it was shown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cd_4_what_one_browser_asked_for_no_other_can_decide() {
    let mut house = House::start().await;
    let attacker = Browser::signed_in(&house).await;
    let victim = Browser::another(&mut house).await;
    let client = house.client().await;
    let asked = house.request(&client);
    let attackers = attacker.authorize(&house, &asked).await;
    // The victim has loaded a page of the same program, and did not allow anything.
    let seen = victim.authorize(&house, &asked).await;
    let request = hidden(&attackers.text(), "request");
    let mut form = Browser::form(&seen, "allow");
    form = but(&form, "request", Some(&request));
    let answer = victim.post(&house, "/authorize", &form).await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (403, ""),
        "its form is for its own request"
    );
    let form = Browser::form(&attackers, "allow");
    let answer = victim.post(&house, "/authorize", &form).await;
    assert_eq!((answer.status, answer.header("location")), (403, ""));
    house.is_noted("oauth.authorize", "foreign-request").await;
    // Without a session nothing waits anywhere: a sign-in leads back to the request, which is then this browser's own.
    let sent = Browser::empty().authorize(&house, &asked).await;
    assert!(
        !sent.header("location").contains("request="),
        "{}",
        sent.header("location")
    );
    assert_eq!(sent.header("set-cookie"), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cd_5_a_cd_6_who_is_known_is_not_asked_twice_for_the_same() {
    let house = House::start().await;
    let browser = Browser::signed_in(&house).await;
    let made = house.node.cli_json(&[
        "client",
        "create",
        "Desk",
        "--redirect",
        "https://desk.example/cb",
        "--redirect",
        "https://other.example/cb",
        "--auth",
        "none",
    ]);
    let client = made["clientId"].as_str().unwrap();
    let read = but(
        &house.request(client),
        "redirect_uri",
        Some("https://desk.example/cb"),
    );
    let read = but(&read, "scope", Some("billing:read"));
    let silent = but(&read, "prompt", Some("none"));
    let answer = browser.authorize(&house, &silent).await;
    assert_eq!(
        parameter(&answer, "error").as_deref(),
        Some("interaction_required")
    );
    let answer = Browser::empty().authorize(&house, &silent).await;
    assert_eq!(parameter(&answer, "error").as_deref(), Some("login_required"));
    let page = browser.authorize(&house, &read).await;
    assert!(
        page.text().contains("entered by an administrator"),
        "{}",
        page.text()
    );
    let answer = browser
        .post(&house, "/authorize", &Browser::form(&page, "allow"))
        .await;
    assert!(parameter(&answer, "code").is_some(), "{}", answer.text());
    // The same again is silent; more, elsewhere, or on demand is not.
    for fields in [&read, &silent] {
        let answer = browser.authorize(&house, fields).await;
        assert!(
            parameter(&answer, "code").is_some(),
            "{} {}",
            answer.status,
            answer.text()
        );
    }
    for (name, value) in [
        ("scope", "billing:write"),
        ("redirect_uri", "https://other.example/cb"),
        ("prompt", "consent"),
        ("portreeve_signed_in", "yes"),
    ] {
        let answer = browser.authorize(&house, &but(&read, name, Some(value))).await;
        assert_eq!(answer.status, 200, "{name}={value}: {}", answer.text());
    }
    // A program that registered itself is never let through silently.
    let own = house.client().await;
    browser.code(&house, &own).await;
    let answer = browser
        .authorize(&house, &but(&house.request(&own), "prompt", Some("none")))
        .await;
    assert_eq!(
        parameter(&answer, "error").as_deref(),
        Some("interaction_required")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cd_7_nothing_that_was_allowed_is_in_a_cookie() {
    let house = House::start().await;
    let browser = Browser::signed_in(&house).await;
    let client = house.client().await;
    let page = browser.authorize(&house, &house.request(&client)).await;
    assert_eq!(page.header("set-cookie"), "");
    let answer = browser
        .post(&house, "/authorize", &Browser::form(&page, "allow"))
        .await;
    assert_eq!(answer.header("set-cookie"), "");
    // A cookie that somebody made up opens nothing.
    let forged = Browser {
        cookie: format!("{}; portreeve_consent={client}", browser.cookie),
    };
    assert_eq!(
        forged.authorize(&house, &house.request(&client)).await.status,
        200
    );
    assert!(browser.cookie.starts_with("portreeve_session="));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cd_8_two_tabs_at_once_both_work() {
    let house = House::start().await;
    let browser = Browser::signed_in(&house).await;
    let client = house.client().await;
    let asked = house.request(&client);
    let (one, two) = tokio::join!(
        browser.authorize(&house, &asked),
        browser.authorize(&house, &asked)
    );
    for page in [two, one] {
        let answer = browser
            .post(&house, "/authorize", &Browser::form(&page, "allow"))
            .await;
        let code = parameter(&answer, "code").expect("a code");
        let token = house.post("/token", &house.exchange(&client, &code)).await;
        assert_eq!(token.status, 200, "{}", token.text());
        let again = browser
            .post(&house, "/authorize", &Browser::form(&page, "allow"))
            .await;
        assert_eq!(again.status, 400, "an answer is given once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_allowed_is_seen_and_taken_back() {
    let house = House::start().await;
    let browser = Browser::signed_in(&house).await;
    let client = house.client().await;
    let tokens = house.tokens(&browser, &client).await;
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(house.calls(access).await, 200);
    let said = claims(&tokens["access_token"]);
    assert!(said["auth_time"].as_i64() <= said["iat"].as_i64(), "{said}");
    assert!(said["auth_time"].is_i64(), "{said}");
    let page = browser.get(&house, "/account/clients").await.text();
    assert!(
        page.contains("Editor") && page.contains(&client) && page.contains("billing:write"),
        "{page}"
    );
    let form = page.split("action=\"/account/clients\"").nth(1).unwrap();
    let fields = [("csrf", hidden(form, "csrf")), ("client", client.clone())];
    assert_eq!(
        browser.post(&house, "/account/clients", &fields).await.status,
        303
    );
    assert_eq!(house.calls(access).await, 401);
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let dead = house.post("/token", &House::refresh(&client, refresh)).await;
    assert_eq!(dead.json()["error"], json!("invalid_grant"));
    let page = browser.get(&house, "/account/clients").await.text();
    assert!(page.contains("You allowed no program anything"), "{page}");

    let used = house.node.cli_json(&["usage", "--client", &client]);
    assert_eq!(used["items"][0]["name"], "echo", "{used}");
    assert_eq!(
        house.node.cli_json(&["usage", "--client", "another"])["items"],
        json!([])
    );

    // The same by the command line, as the same user.
    let tokens = house.tokens(&browser, &client).await;
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(house.calls(access).await, 200);
    let mine = house.node.cli_json(&["client", "mine"]);
    let item = &mine["items"][0];
    assert_eq!(
        (&item["name"], &item["clientId"]),
        (&json!("Editor"), &json!(client))
    );
    assert_eq!(item["allowed"][0]["resource"], house.resource, "{mine}");
    assert_eq!(item["allowed"][0]["scopes"], "billing:read billing:write");
    let forgotten = house.node.cli(&["client", "forget", "Editor"]);
    assert!(
        forgotten.status.success(),
        "{}",
        String::from_utf8_lossy(&forgotten.stderr)
    );
    assert_eq!(house.calls(access).await, 401);
    assert_eq!(house.node.cli_json(&["client", "mine"])["items"], json!([]));
    assert_eq!(
        house.node.cli(&["client", "forget", "Editor"]).status.code(),
        Some(1)
    );
}
