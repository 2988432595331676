//! The console beyond tools: resources, prompts, what is told meanwhile, what a server asks, and calls that a person must
//! allow first, each on a page without a script.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::try_tool::Visitor;
use crate::node::Node;
use crate::served::Served;
use crate::upstream::Speaks;

const PORT: &str = "/servers/com.example/port/try";
const BILLING: &str = "/servers/com.acme/billing/try";

/// The hidden fields of the form with the questions.
fn hidden(page: &str, name: &str) -> String {
    let form = page.split("id=\"asked-title\"").nth(1).expect("a question");
    let value = form.split(&format!("name=\"{name}\" value=\"")).nth(1);
    let value = value.unwrap_or_else(|| panic!("no {name}: {form}"));
    let value = value.split('"').next().unwrap();
    [
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#60;", "<"),
        ("&#62;", ">"),
        ("&#38;", "&"),
    ]
    .iter()
    .fold(value.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// Answers the questions of a page.
async fn reply(visitor: &Visitor<'_>, place: &str, page: &str, answers: &[(&str, &str)]) -> (u16, String) {
    let names = ["csrf", "tool", "route", "arguments", "asked", "state"];
    let kept = names.map(|name| (name, hidden(page, name)));
    let mut fields: Vec<(&str, &str)> = kept.iter().map(|(name, value)| (*name, value.as_str())).collect();
    fields.extend(answers);
    let answered = visitor.post(place, &fields).await;
    (answered.status, answered.text())
}

#[tokio::test(flavor = "multi_thread")]
async fn j3_resources_and_prompts_are_tried_and_progress_is_told() {
    let node = Node::start_with(&["--demo"]).await;
    let visitor = Visitor::signed_in(&node).await;
    let offers = visitor.get(PORT).await;
    assert_eq!(offers.status, 200, "{}", offers.text());
    let offers = offers.text();
    for shown in ["Tides today", "arrival_briefing", "inspect_cargo"] {
        assert!(offers.contains(shown), "{shown}: {offers}");
    }
    let tides = "port://tides/today";
    let read = visitor
        .tried(PORT, ("resource", tides), &[("resource", tides)])
        .await;
    assert!(
        read.contains("The resource was read") && read.contains("04:12 high 3.9 m"),
        "{read}"
    );
    let nothing = visitor
        .tried(PORT, ("resource", tides), &[("resource", "port://<b>")])
        .await;
    assert!(
        nothing.contains("refused it") && !nothing.contains("<b>"),
        "{nothing}"
    );

    let begun = visitor
        .get(&format!("{PORT}?prompt=arrival_briefing"))
        .await
        .text();
    assert!(
        begun.contains("&#34;ship&#34;"),
        "what it takes stands there: {begun}"
    );
    let fields = [
        ("prompt", "arrival_briefing"),
        ("arguments", r#"{"ship":"Aurelia"}"#),
    ];
    let made = visitor.tried(PORT, ("prompt", "arrival_briefing"), &fields).await;
    assert!(
        made.contains("user says") && made.contains("Brief the master of the Aurelia"),
        "{made}"
    );

    let inspected = visitor
        .call(PORT, "inspect_cargo", &json!({"seconds": 0.2}))
        .await;
    assert!(
        inspected.contains("The tool answered") && inspected.contains("Told meanwhile"),
        "{inspected}"
    );
    // With the page's script the same comes as it is told, and the page at the end.
    let token = visitor.token(&format!("{PORT}?tool=inspect_cargo"), PORT).await;
    let fields = [
        ("csrf", token.as_str()),
        ("tool", "inspect_cargo"),
        ("arguments", r#"{"seconds": 0.2}"#),
    ];
    let live = visitor
        .post_accepting(PORT, &fields, "application/x-portreeve-live")
        .await;
    assert_eq!(live.header("content-type"), "application/x-portreeve-live");
    let text = live.text();
    let (told, page) = text.split_once("=\n").expect("a page at the end");
    assert!(
        told.lines().count() >= 4 && told.lines().all(|line| line.starts_with("> ")),
        "{told}"
    );
    assert!(
        page.starts_with("<!doctype html>") && page.contains("The tool answered"),
        "{page}"
    );
    let audit = node.cli_json(&["audit", "list", "--limit", "100"]).to_string();
    assert!(audit.contains("inspect_cargo"), "{audit}");
}

/// Asks for a name and a number first, then says what it was told.
fn curious(message: &Value) -> Option<Response> {
    if message["method"] != "tools/call" {
        return None;
    }
    let params = &message["params"];
    let answer = &params["inputResponses"]["who"];
    let result = if answer.is_null() {
        let schema = json!({"type": "object", "required": ["name"], "properties": {
            "name": {"type": "string", "title": "Your <i>name</i>"},
            "age": {"type": "integer"},
            "sure": {"type": "boolean"},
            "colour": {"type": "string", "enum": ["red", "green"]},
        }});
        let form =
            json!({"mode": "form", "message": "Who is <script>it</script>?", "requestedSchema": schema});
        json!({
            "resultType": "input_required", "requestState": "one \"two\"",
            "inputRequests": {"who": {"method": "elicitation/create", "params": form}},
        })
    } else {
        let text = format!("{answer} {}", params["requestState"]);
        json!({"resultType": "complete", "content": [{"type": "text", "text": text}]})
    };
    let reply = json!({"jsonrpc": "2.0", "id": message["id"], "result": result});
    Some(axum::Json(reply).into_response())
}

#[tokio::test(flavor = "multi_thread")]
async fn j3_what_a_server_asks_is_a_form_on_the_next_page() {
    let served = Served::start(Speaks::Modern).await;
    served.upstream.set_script(curious);
    let visitor = Visitor::signed_in(&served.node).await;
    let asks = visitor.call(BILLING, "echo", &json!({})).await;
    assert!(asks.contains("The server asks"), "{asks}");
    assert!(
        !asks.contains("<script>it") && !asks.contains("<i>name"),
        "{asks}"
    );

    let by_name = |page: &str, property: &str| -> String {
        // Fields are numbered in the order of the schema as it was read.
        let label = page.split(&format!(">{property}<")).next().unwrap();
        label
            .rsplit("for=\"")
            .next()
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .to_owned()
    };
    let (age, colour) = (by_name(&asks, "age"), by_name(&asks, "colour"));
    let name = asks
        .split(">Your &#60;i&#62;name")
        .next()
        .unwrap()
        .rsplit("for=\"")
        .next()
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    let bad = [
        ("decision", "accept"),
        (name.as_str(), "Ada"),
        (age.as_str(), "seven"),
    ];
    let (status, again) = reply(&visitor, BILLING, &asks, &bad).await;
    assert_eq!(status, 422, "{again}");
    assert!(
        again.contains("Write a whole number") && again.contains("value=\"Ada\""),
        "{again}"
    );
    let good = [
        ("decision", "accept"),
        (name.as_str(), "Ada"),
        (age.as_str(), "7"),
        (colour.as_str(), "green"),
    ];
    let (status, done) = reply(&visitor, BILLING, &again, &good).await;
    assert_eq!(status, 200, "{done}");
    for part in ["accept", "Ada", "green", "one", "two", "false"] {
        assert!(done.contains(part), "{part}: {done}");
    }
    assert!(done.contains("The tool answered"), "{done}");
    let (_, declined) = reply(&visitor, BILLING, &asks, &[("decision", "decline")]).await;
    assert!(declined.contains("decline"), "{declined}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_a_person_must_allow_says_so_and_goes_on_afterwards() {
    let served = Served::start(Speaks::Both).await;
    let node = &served.node;
    let ada = node.new_key("ada");
    let config = json!({"tools": ["wipe"], "approvers": ["key:ada"], "wait_seconds": 0}).to_string();
    node.cli_json(&["policy", "set", "billing", "approval", "--config", &config]);
    let visitor = Visitor::signed_in(node).await;
    let mut held = String::new();
    for _ in 0..50 {
        held = visitor.call(BILLING, "wipe", &json!({"id": 1})).await;
        if held.contains("must allow this first") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(held.contains("must allow this first"), "{held}");
    let id = held
        .split("/approvals/")
        .nth(2)
        .or(held.split("/approvals/").nth(1));
    let id: String = id
        .unwrap()
        .chars()
        .take_while(|c| c.is_ascii_hexdigit() || *c == '-')
        .collect();
    let (_, early) = reply(&visitor, BILLING, &held, &[("decision", "accept")]).await;
    assert!(early.contains("nobody allowed it yet"), "{early}");
    node.cli_json(&["--key", &ada, "approval", "allow", &id]);
    let made = served.upstream.calls();
    let (_, done) = reply(&visitor, BILLING, &held, &[("decision", "accept")]).await;
    assert!(done.contains("The tool answered"), "{done}");
    assert_eq!(served.upstream.calls(), made + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_back_is_bounded_and_so_is_how_much_runs_at_once() {
    let served = Served::start(Speaks::Modern).await;
    let reached = std::sync::Arc::new(AtomicU64::new(0));
    let counted = std::sync::Arc::clone(&reached);
    served.upstream.set_script(move |message| {
        if message["method"] != "tools/call" {
            return None;
        }
        if message["params"]["arguments"]["wait"].is_number() {
            return None;
        }
        counted.fetch_add(1, Ordering::SeqCst);
        let text = match message["params"]["arguments"]["large"].as_bool() {
            Some(true) => "x".repeat(9 * 1024 * 1024),
            _ => "<img src=x onerror=alert(1)>\u{202e}".to_owned(),
        };
        let result = json!({"resultType": "complete", "content": [{"type": "text", "text": text}]});
        let reply = json!({"jsonrpc": "2.0", "id": message["id"], "result": result});
        Some(axum::Json(reply).into_response())
    });
    let visitor = Visitor::signed_in(&served.node).await;
    let shown = visitor.call(BILLING, "echo", &json!({})).await;
    assert!(
        shown.contains("&#60;img src=x") && shown.contains("[U+202E]"),
        "{shown}"
    );
    let large = visitor.call(BILLING, "echo", &json!({"large": true})).await;
    assert!(
        ["Nothing came that can be shown", "refused it", "cut here"]
            .iter()
            .any(|words| large.contains(words)),
        "{}",
        large.chars().take(4_000).collect::<String>()
    );
    assert_eq!(reached.load(Ordering::SeqCst), 2);

    // Four of one visitor are under way; the fifth is told so at once.
    let token = visitor.token(&format!("{BILLING}?tool=echo"), BILLING).await;
    let fields = [
        ("csrf", token.as_str()),
        ("tool", "echo"),
        ("arguments", r#"{"wait": 2000}"#),
    ];
    let all = futures_util::future::join_all((0..6).map(|_| visitor.post(BILLING, &fields))).await;
    let shown: Vec<String> = all.iter().map(crate::web::Answer::text).collect();
    let answered = shown.iter().filter(|page| page.contains("The tool answered"));
    let refused = shown
        .iter()
        .filter(|page| page.contains("which is the most at once"));
    assert_eq!((answered.count(), refused.count()), (4, 2), "{}", shown.concat());
    let after = visitor.call(BILLING, "echo", &json!({})).await;
    assert!(after.contains("The tool answered"), "{after}");
}
