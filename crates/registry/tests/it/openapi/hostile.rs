//! Documents that are meant to do harm: they are refused or cut down, quickly, and nothing leaves this process.

use portreeve_core::limits::Limits;
use portreeve_registry::import::openapi::{Bundle, Curation, OpenApiError, OperationOutcome, read};
use serde_json::{Value, json};
use url::Url;

use super::{assert_sound, imported, text, tool, with_paths};

#[test]
fn a_gw_7_yaml_alias_bombs_are_refused() {
    let mut bomb = String::from("openapi: 3.1.0\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let below = format!("*a{}, ", level - 1).repeat(10);
        bomb.push_str(&format!(
            "a{level}: &a{level} [{}]\n",
            below.trim_end_matches(", ")
        ));
    }
    let refused = read(&bomb, &Limits::default());
    assert!(
        matches!(refused, Err(OpenApiError::Unreadable { .. })),
        "{refused:?}"
    );
}

#[test]
fn a_gw_5_two_to_the_thirtieth_fan_out_stays_small() {
    let mut schemas = serde_json::Map::new();
    for level in 0..30 {
        let next = json!({"$ref": format!("#/components/schemas/L{}", level + 1)});
        schemas.insert(
            format!("L{level}"),
            json!({"type": "object", "properties": {"a": next, "b": next}}),
        );
    }
    schemas.insert("L30".to_owned(), json!({"type": "string"}));
    let body = json!({"post": {"operationId": "bomb", "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/L0"}}}}}});
    let mut document = with_paths(&json!({"/a": body}));
    document["components"] = json!({"schemas": schemas});
    for profile in ["full", "flat"] {
        let curation: Curation = serde_json::from_value(json!({"profile": profile})).unwrap();
        let imported = text(&document.to_string(), &curation).unwrap();
        assert_sound(&imported);
        assert!(tool(&imported, "bomb").to_string().len() < 100_000);
    }
}

#[test]
fn a_gw_5_a_tool_whose_arguments_could_not_be_judged_is_not_made() {
    let mut schemas = serde_json::Map::new();
    for level in 0..30 {
        let next = json!({"$ref": format!("#/components/schemas/L{}", level + 1)});
        schemas.insert(
            format!("L{level}"),
            json!({"anyOf": [next, {"allOf": [next, {"minLength": level}]}]}),
        );
    }
    schemas.insert("L30".to_owned(), json!({"type": "string"}));
    let schema = json!({"type": "object", "properties": {"a": {"$ref": "#/components/schemas/L0"}}});
    let bomb = json!({"post": {"operationId": "bomb", "requestBody": {"content": {"application/json": {"schema": schema}}}}});
    let mut document = with_paths(&json!({"/bomb": bomb, "/fine": {"get": {"operationId": "fine"}}}));
    document["components"] = json!({"schemas": schemas});
    for profile in ["full", "flat"] {
        let curation: Curation = serde_json::from_value(json!({"profile": profile})).unwrap();
        let imported = text(&document.to_string(), &curation).unwrap();
        assert_sound(&imported);
        assert_eq!((imported.report.tools(), imported.report.skipped()), (1, 1));
        let outcome = &imported.report.operations[0].outcome;
        let OperationOutcome::Skipped { reason } = outcome else {
            panic!("{outcome:?}");
        };
        assert!(reason.contains("judged too often"), "{reason}");
    }
}

#[test]
fn a_gw_5_an_answer_made_of_itself_thirty_times_over_is_looked_at_seldom() {
    let parts: Vec<Value> = vec![json!({"$ref": "#/components/schemas/A"}); 30];
    for word in ["allOf", "anyOf", "oneOf"] {
        let answer = json!({"200": {"description": "ok", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}});
        let get = |parameters: Value| json!({"get": {"operationId": "bomb", "parameters": parameters, "responses": answer}});
        let mut document = with_paths(&json!({"/a": get(json!([]))}));
        document["components"] = json!({"schemas": {"A": {word: parts}}});
        // Without a bound it would be looked at 30^8 times, which no test waits for.
        assert_sound(&imported(&document));
        let query = json!([{"name": "q", "in": "query", "schema": {"$ref": "#/components/schemas/A"}}]);
        document["paths"] = json!({"/a": get(query)});
        let curation: Curation = serde_json::from_value(json!({"resources": {"bomb": {}}})).unwrap();
        assert_sound(&text(&document.to_string(), &curation).unwrap());
    }
}

#[test]
fn a_gw_5_many_files_hold_no_more_values_than_one_may() {
    let limits = Limits {
        openapi_nodes: 1_000,
        ..Limits::default()
    };
    let place = |name: &str| Url::parse(&format!("https://a.example/{name}")).unwrap();
    let file =
        |name: &str| json!({"openapi": "3.1.0", "x": vec![1; 400], "next": {"$ref": name}}).to_string();
    let mut bundle = Bundle::begin(place("0.json"), &file("1.json"), &limits).unwrap();
    bundle.add(place("1.json"), &file("2.json"), &limits).unwrap();
    let refused = bundle.add(place("2.json"), &file("3.json"), &limits);
    assert!(refused.is_err());
    // In YAML, aliases unfold to values as well.
    let mut bundle = Bundle::begin(place("0.json"), &file("1.json"), &limits).unwrap();
    let unfolded = format!("a: &a [{}]\nb: [*a, *a, *a, *a, *a, *a]\n", "x, ".repeat(100));
    assert!(bundle.add(place("1.json"), &unfolded, &limits).is_err());
}

#[test]
fn a_gw_5_deep_documents_and_schemas_end_somewhere() {
    let deep = format!(
        "{{\"openapi\": \"3.1.0\", \"x\": {}{}}}",
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    assert!(matches!(
        read(&deep, &Limits::default()),
        Err(OpenApiError::Unreadable { .. })
    ));
    let deep = format!("openapi: 3.1.0\nx: {}{}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(matches!(
        read(&deep, &Limits::default()),
        Err(OpenApiError::Unreadable { .. })
    ));

    // A chain of references is as long as somebody writes it, and no deeper for that.
    let mut schemas = serde_json::Map::new();
    for level in 0..30_000 {
        let next = json!({"$ref": format!("#/components/schemas/L{}", level + 1)});
        schemas.insert(format!("L{level}"), json!({"type": "array", "items": next}));
    }
    let mut document = with_paths(
        &json!({"/a": {"post": {"requestBody": {"content": {"application/json": {"schema":
        {"$ref": "#/components/schemas/L0"}}}}}}, "/b": {"get": {"operationId": "b"}}}),
    );
    document["components"] = json!({"schemas": schemas});
    let imported = imported(&document);
    assert_sound(&imported);
    assert_eq!((imported.report.tools(), imported.report.skipped()), (1, 1));
}

#[test]
fn references_in_a_circle_or_to_nowhere_cost_one_operation() {
    let mut document = with_paths(&json!({
        "/circle": {"get": {"parameters": [{"$ref": "#/components/parameters/A"}]}},
        "/nowhere": {"get": {"parameters": [{"$ref": "#/components/parameters/None"}]}},
        "/self": {"$ref": "#/paths/~1self"},
        "/schema": {"post": {"operationId": "schema", "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/A"}}}}}},
        "/all": {"post": {"operationId": "all", "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/All"}}}},
            "responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/All"}}}}}}},
        "/odd": {"get": 7, "post": {"parameters": "none", "requestBody": [], "responses": 3}},
        "/fine": {"get": {"operationId": "fine"}},
    }));
    document["components"] = json!({
        "parameters": {"A": {"$ref": "#/components/parameters/B"}, "B": {"$ref": "#/components/parameters/A"}},
        "schemas": {"A": {"$ref": "#/components/schemas/A"}, "All": {"allOf": [{"$ref": "#/components/schemas/All"}]}},
    });
    let imported = imported(&document);
    assert_sound(&imported);
    let skipped = imported
        .report
        .operations
        .iter()
        .filter(|one| matches!(one.outcome, OperationOutcome::Skipped { .. }));
    let skipped: Vec<&str> = skipped.map(|one| one.path.as_str()).collect();
    // What a schema in a circle says of a value has no end, so nothing could be judged by it.
    assert_eq!(
        skipped,
        ["/circle", "/nowhere", "/schema", "/all", "/odd", "/odd"]
    );
    assert!(tool(&imported, "fine").is_object());
    assert!(
        imported
            .report
            .notes
            .iter()
            .any(|note| note.pointer == "/paths/~1self")
    );
}

#[test]
fn a_gw_4_references_out_of_the_document_are_followed_by_nobody() {
    let document = with_paths(
        &json!({"/a": {"post": {"operationId": "a", "requestBody": {"content": {"application/json": {"schema":
        {"type": "object", "properties": {"x": {"$ref": "http://127.0.0.1:1/schema.json"}, "y": {"$ref": "file:///etc/passwd"}}}}}}}}}),
    );
    let imported = imported(&document);
    assert_sound(&imported);
    let definition = tool(&imported, "a").to_string();
    assert!(
        !definition.contains("127.0.0.1") && !definition.contains("passwd"),
        "{definition}"
    );
    assert_eq!(imported.report.operations[0].notes.len(), 2);
    // Who collects the files is told of them, and decides.
    let place = Url::parse("https://a.example/openapi.json").unwrap();
    let bundle = Bundle::begin(place, &document.to_string(), &Limits::default()).unwrap();
    assert_eq!(bundle.missing().len(), 2);
}

#[test]
fn a_gw_7_paths_that_lead_elsewhere_are_no_tools() {
    let document = with_paths(&json!({
        "/../admin": {"get": {}},
        "/a/./b": {"get": {}},
        "relative": {"get": {}},
        "/open/{id": {"get": {}},
        "/line\r\nHost: x": {"get": {"operationId": "line"}},
        "/query?x=1#y": {"get": {"operationId": "query"}},
        "/trace": {"trace": {}},
    }));
    let imported = imported(&document);
    assert_sound(&imported);
    assert_eq!(imported.report.skipped(), 5, "{:?}", imported.report.operations);
    let path = |name: &str| super::binding(&imported, name)["path"].clone();
    assert_eq!(path("line"), json!([{"literal": "/line%0D%0AHost:%20x"}]));
    assert_eq!(path("query"), json!([{"literal": "/query"}]));
}

#[test]
fn what_is_too_large_is_refused_as_a_whole() {
    let limits = Limits {
        openapi_bytes: 100,
        ..Limits::default()
    };
    let refused = read(&" ".repeat(101), &limits);
    assert_eq!(refused, Err(OpenApiError::TooLarge { limit: 100 }));
    let limits = Limits {
        openapi_nodes: 100,
        ..Limits::default()
    };
    let many = json!({"openapi": "3.1.0", "x": vec![1; 200]}).to_string();
    assert!(matches!(
        read(&many, &limits),
        Err(OpenApiError::Unreadable { .. })
    ));
    let paths: serde_json::Map<String, Value> = (0..5_001)
        .map(|number| (format!("/{number}"), json!({"get": {}})))
        .collect();
    let refused = text(&with_paths(&paths.into()).to_string(), &Curation::default());
    assert_eq!(refused, Err(OpenApiError::TooMany { limit: 5_000 }));
    for other in ["{}", "[]", "openapi: 4.0.0", "swagger: '1.2'", "just text", ""] {
        let refused = text(other, &Curation::default());
        assert!(
            matches!(
                refused,
                Err(OpenApiError::NotOpenApi | OpenApiError::Unreadable { .. })
            ),
            "{other}: {refused:?}"
        );
    }
}

#[test]
fn what_stands_under_an_unknown_method_is_told() {
    let document = with_paths(&json!({"/a": {
        "get": {"operationId": "a"}, "GET": {}, "fetch": {}, "x-own": {}, "summary": "A", "parameters": [],
    }}));
    let imported = imported(&document);
    assert_sound(&imported);
    let mut told: Vec<&str> = imported
        .report
        .notes
        .iter()
        .map(|note| note.pointer.as_str())
        .collect();
    told.sort_unstable();
    assert_eq!(told, ["/paths/~1a/GET", "/paths/~1a/fetch"]);
}

#[test]
fn patterns_that_are_not_checked_here_are_left_out() {
    let document = with_paths(
        &json!({"/a": {"post": {"operationId": "a", "requestBody": {"required": true, "content": {"application/json": {"schema": {
        "type": "object", "properties": {"look": {"type": "string", "pattern": "^(?!x)"}, "plain": {"type": "string", "pattern": "^x"}, "broken": {"type": "string", "pattern": "("}}}}}}}}}),
    );
    let imported = imported(&document);
    assert_sound(&imported);
    let properties = tool(&imported, "a")["inputSchema"]["properties"].clone();
    assert_eq!(properties["plain"]["pattern"], "^x");
    assert_eq!(
        (
            properties["look"].get("pattern"),
            properties["broken"].get("pattern")
        ),
        (None, None)
    );
}
