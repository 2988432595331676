//! The sample REST API of `serve --demo`: imported, chosen from, approved, limited, and called like any other.

use serde_json::{Value, json};

use crate::node::Node;
use crate::web::modern;

const NAME: &str = "com.example/chandler";

async fn ask(node: &Node, method: &str, params: Value) -> Value {
    let (headers, body) = modern(Some(&node.key), 1, method, params);
    let url = node.endpoint("chandler");
    node.web.ask("POST", &url, &headers, body).await.unwrap().json()
}

/// What a tool answers: its structured content, or else its result.
async fn call(node: &Node, tool: &str, arguments: Value) -> Value {
    let answer = ask(node, "tools/call", json!({"name": tool, "arguments": arguments})).await;
    assert_eq!(answer["error"], Value::Null, "{tool}: {answer}");
    answer["result"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn j7_the_sample_api_has_curated_tools() {
    let node = Node::start_with(&["--demo"]).await;
    let list = ask(&node, "tools/list", json!({})).await;
    let tools = list["result"]["tools"].as_array().unwrap();
    let mut names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    let expected = [
        "cancel_order",
        "change_part",
        "delete_part",
        "find_parts",
        "list_orders",
        "list_shipments",
        "place_order",
        "print_label",
        "ship_order",
        "show_order",
        "show_part",
        "show_picture",
    ];
    assert_eq!(names, expected);
    let tool = |name: &str| tools.iter().find(|tool| tool["name"] == name).unwrap();
    let arguments = |name: &str| -> Vec<&str> {
        let all = tool(name)["inputSchema"]["properties"].as_object().unwrap();
        all.keys().map(String::as_str).collect()
    };
    assert_eq!(arguments("find_parts"), ["word", "category", "inStock"]);
    assert_eq!(arguments("ship_order"), ["order", "notify", "berth", "carrier"]);
    assert_eq!(tool("find_parts")["annotations"]["readOnlyHint"], true);
    assert_eq!(tool("delete_part")["annotations"]["destructiveHint"], true);

    let shown = node.cli_json(&["server", "openapi", NAME]);
    let report = &shown["report"];
    let count = |what: &str| report[what].as_u64().unwrap();
    assert_eq!(
        (count("tools"), count("notChosen"), count("skipped")),
        (12, 2, 0),
        "{report}"
    );
    let route = node.cli_json(&["server", "show", NAME]);
    assert!(route.to_string().contains("rate_limit"), "{route}");
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_are_found_page_by_page_seen_changed_and_deleted() {
    let node = Node::start_with(&["--demo"]).await;
    // Two pages of the API are one answer here.
    let found = call(&node, "find_parts", json!({})).await;
    assert_eq!(
        found["structuredContent"]["items"].as_array().unwrap().len(),
        26,
        "{found}"
    );
    let chosen = json!({"word": "line", "category": ["rigging", "deck"], "inStock": true});
    let found = call(&node, "find_parts", chosen).await;
    assert_eq!(found["structuredContent"]["items"][0]["sku"], "RG-320", "{found}");

    let picture = call(&node, "show_picture", json!({"sku": "SF-410"})).await;
    let image = &picture["content"][0];
    assert_eq!(
        (&image["type"], &image["mimeType"]),
        (&json!("image"), &json!("image/png"))
    );
    assert!(
        image["data"].as_str().unwrap().starts_with("iVBORw0KGgo"),
        "{image}"
    );

    let changed = json!({"sku": "DK-140", "name": "Brush", "category": "deck", "price": 3, "stock": 1, "X-Changed-By": "Ada"});
    let changed = call(&node, "change_part", changed).await;
    assert_eq!(changed["structuredContent"]["changedBy"], "Ada", "{changed}");
    let gone = call(&node, "delete_part", json!({"sku": "DK-140"})).await;
    assert_eq!(gone.get("isError"), None, "{gone}");
    let missing = call(&node, "show_part", json!({"sku": "DK-140"})).await;
    assert_eq!(missing["isError"], true, "{missing}");

    let unfit = ask(
        &node,
        "tools/call",
        json!({"name": "show_part", "arguments": {"sku": "dk"}}),
    )
    .await;
    assert_eq!(unfit["error"]["code"], -32602, "{unfit}");
    let hidden = ask(&node, "tools/call", json!({"name": "takeStock", "arguments": {}})).await;
    assert_eq!(hidden["error"]["message"], "Unknown tool: takeStock");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_placed_once_shipped_once_and_shown_in_part() {
    let node = Node::start_with(&["--demo"]).await;
    let lines = json!([{"sku": "RG-320", "quantity": 2}]);
    let order = json!({"ship": "Aurelia", "lines": lines, "Idempotency-Key": "e2e"});
    let placed = call(&node, "place_order", order.clone()).await;
    let placed = &placed["structuredContent"];
    assert_eq!(
        (&placed["total"], &placed["note"]),
        (&json!(156.0), &json!("Ordered by an agent."))
    );
    let number = placed["order"].as_str().unwrap();
    assert_eq!(
        call(&node, "place_order", order).await["structuredContent"]["order"],
        number
    );

    let shown = call(&node, "show_order", json!({"order": number})).await;
    let expected =
        json!({"order": number, "ship": "Aurelia", "state": "open", "lines": lines, "total": 156.0});
    assert_eq!(
        shown["structuredContent"], expected,
        "history and note were not picked"
    );

    let ship = json!({"order": number, "notify": true, "berth": "south 1", "carrier": "launch"});
    let shipped = call(&node, "ship_order", ship.clone()).await;
    let shipped = &shipped["structuredContent"];
    assert_eq!(
        (&shipped["requestedBy"], &shipped["notified"]),
        (&json!("portreeve"), &json!(true))
    );
    let again = call(&node, "ship_order", ship).await;
    assert_eq!(again["isError"], true);
    assert!(again.to_string().contains("not open any more"), "{again}");

    let sent = call(&node, "list_shipments", json!({"filter": {"carrier": "launch"}})).await;
    assert_eq!(sent["structuredContent"]["shipments"], json!([shipped]));
    let label = call(&node, "print_label", json!({"shipment": shipped["shipment"]})).await;
    assert!(
        label["content"][0]["text"]
            .as_str()
            .unwrap()
            .contains("2 x RG-320"),
        "{label}"
    );

    let page = call(
        &node,
        "list_orders",
        json!({"state": ["shipped", "cancelled"], "page": 2}),
    )
    .await;
    assert_eq!(
        page["structuredContent"]["result"].as_array().unwrap().len(),
        4,
        "{page}"
    );
    let open = call(
        &node,
        "cancel_order",
        json!({"order": "O-1009", "reason": "a / b ? c"}),
    )
    .await;
    assert!(
        open["structuredContent"]["history"][1]["what"]
            .as_str()
            .unwrap()
            .ends_with("a / b ? c"),
        "{open}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_changes_nothing_of_the_sample_api() {
    let mut node = Node::start_with(&["--demo"]).await;
    let shown = |node: &Node| {
        let show = node.cli_json(&["server", "show", NAME]).to_string();
        show.replace(&node.url, "") + &node.cli_json(&["server", "openapi", NAME]).to_string()
    };
    let before = shown(&node);
    node.terminate();
    assert!(node.wait().await);
    node.begin().await;
    assert_eq!(before, shown(&node));

    // At another address it is another version, with the same route and what was chosen.
    node.terminate();
    assert!(node.wait().await);
    let port: u16 = std::fs::read_to_string(node.data().join("demo.port"))
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    let _taken = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    node.begin().await;
    let found = call(&node, "find_parts", json!({"word": "cleat"})).await;
    assert_eq!(found["structuredContent"]["items"][0]["sku"], "DK-110", "{found}");
    let now = node.cli_json(&["server", "openapi", NAME]);
    assert_eq!(now["version"], "1.0.1", "{now}");
}
