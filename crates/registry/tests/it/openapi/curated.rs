//! People's choices: which operations, under which names, with which arguments.

use portreeve_registry::import::openapi::{Curation, OperationOutcome};
use serde_json::{Value, json};

use super::{assert_sound, binding, curated, tool, with_paths};

fn choices(value: Value) -> Curation {
    serde_json::from_value(value).unwrap()
}

fn document() -> Value {
    let owner = json!({"name": "owner", "in": "path", "required": true, "schema": {"type": "string"}});
    with_paths(&json!({
        "/repos/{owner}/issues": {
            "parameters": [owner],
            "get": {"operationId": "issues/list", "tags": ["issues"], "parameters": [
                {"name": "state", "in": "query", "schema": {"enum": ["open", "closed"]}},
                {"name": "page", "in": "query", "schema": {"type": "integer"}},
            ], "responses": {"200": {"description": "ok", "content": {"application/json": {"schema": {"type": "object", "properties": {"a": {}}}}}}}},
            "post": {"operationId": "issues/create", "tags": ["issues", "write"], "requestBody": {"required": true, "content":
                {"application/json": {"schema": {"type": "object", "required": ["title"], "properties": {"title": {"type": "string"}, "draft": {"type": "boolean"}}}}}}},
        },
        "/users": {"get": {"operationId": "users/list", "tags": ["users"]}},
    }))
}

#[test]
fn operations_are_chosen_by_tag_path_method_and_name() {
    let names = |curation: Value| {
        let imported = curated(&document(), &choices(curation));
        assert_sound(&imported);
        assert_eq!(imported.report.operations.len(), 3);
        imported
            .tools
            .into_iter()
            .map(|tool| tool.definition.name)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(json!({})), ["issues_create", "issues_list", "users_list"]);
    assert_eq!(
        names(json!({"include": [{"tag": "issues"}]})),
        ["issues_create", "issues_list"]
    );
    assert_eq!(
        names(json!({"include": [{"tag": "issues", "method": "get"}]})),
        ["issues_list"]
    );
    assert_eq!(
        names(json!({"include": [{"path": "/repos/*"}, {"name": "users_*"}], "exclude": [{"tag": "write"}]})),
        ["issues_list", "users_list"]
    );
    assert_eq!(
        names(json!({"exclude": [{"name": "issues/create"}]})),
        ["issues_list", "users_list"]
    );
}

#[test]
fn tools_and_arguments_are_changed_without_code() {
    let imported = curated(
        &document(),
        &choices(json!({"tools": {
            "issues_create": {
                "rename": "create_issue",
                "title": "New issue",
                "description": "Opens an issue in our repository.",
                "idempotent": true,
                "arguments": {
                    "owner": {"fixed": "acme"},
                    "draft": {"hide": true},
                    "title": {"rename": "summary", "description": "One line."},
                },
            },
            "issues_list": {
                "arguments": {"owner": {"default": "acme"}, "page": {"hide": true, "default": 1}},
                "answer": {"pick": ["/items/*/title"], "items": "/items", "mostItems": 20, "mostBytes": 10000},
                "paging": {"kind": {"page": {"parameter": "page", "first": 1}}, "items": "/items", "mostPages": 3},
                "timeoutMs": 2000,
            },
        }})),
    );
    assert_sound(&imported);
    let created = tool(&imported, "create_issue");
    assert_eq!(created["description"], "Opens an issue in our repository.");
    assert_eq!(created["title"], "New issue");
    assert_eq!(created["annotations"]["idempotentHint"], true);
    assert_eq!(
        created["inputSchema"]["properties"],
        json!({"summary": {"type": "string", "description": "One line."}})
    );
    assert_eq!(created["inputSchema"]["required"], json!(["summary"]));
    let call = binding(&imported, "create_issue");
    assert_eq!(call["parameters"][0]["source"], json!({"fixed": "acme"}));
    assert_eq!(call["retry"], "safe");
    assert_eq!(
        call["body"]["content"]["members"]["members"],
        json!([{"name": "title", "source": {"argument": "summary"}}])
    );

    let listed = tool(&imported, "issues_list");
    assert_eq!(listed["inputSchema"].get("required"), None);
    assert_eq!(listed["inputSchema"]["properties"]["owner"]["default"], "acme");
    // Of what is picked out of an answer its schema says nothing.
    assert_eq!(listed["outputSchema"], json!({"type": "object"}));
    let call = binding(&imported, "issues_list");
    assert_eq!(call["parameters"][0]["default"], "acme");
    assert_eq!(call["parameters"][2]["source"], json!({"fixed": 1}));
    assert_eq!(call["timeoutMs"], 2000);
    assert_eq!(call["shape"]["mostItems"], 20);
    assert_eq!(call["paging"]["mostPages"], 3);
}

#[test]
fn what_is_hidden_comes_back_by_no_name() {
    let schema = json!({"type": "object", "required": ["name"], "additionalProperties": true, "properties": {
        "name": {"type": "string"}, "owner": {"type": "string"}, "id": {"type": "string", "readOnly": true}, "kind": {},
    }});
    let body = json!({"required": true, "content": {"application/json": {"schema": schema}}});
    let document = with_paths(&json!({"/pets": {"post": {"operationId": "add", "requestBody": body}}}));
    let arguments = json!({"owner": {"hide": true}, "kind": {"fixed": "cat"}});
    let imported = curated(
        &document,
        &choices(json!({"tools": {"add": {"arguments": arguments}}})),
    );
    assert_sound(&imported);
    let content = binding(&imported, "add")["body"]["content"]["members"].clone();
    assert_eq!(content["extra"], "sent");
    assert_eq!(content["withheld"], json!(["id", "owner"]));
    // Its name is a member's, which no other argument replaces.
    assert_eq!(
        content["members"][1],
        json!({"name": "kind", "source": {"fixed": "cat"}})
    );
}

#[test]
fn a_default_of_a_body_as_a_whole_is_sent() {
    let body = json!({"required": true, "content": {"application/json": {"schema": {"type": "array"}}}});
    let document = with_paths(&json!({"/pets": {"post": {"operationId": "add", "requestBody": body}}}));
    let arguments = json!({"body": {"default": ["cat"]}});
    let imported = curated(
        &document,
        &choices(json!({"tools": {"add": {"arguments": arguments}}})),
    );
    assert_sound(&imported);
    assert_eq!(binding(&imported, "add")["body"]["default"], json!(["cat"]));
    let schema = tool(&imported, "add")["inputSchema"].clone();
    assert_eq!(
        (schema.get("required"), &schema["properties"]["body"]["default"]),
        (None, &json!(["cat"]))
    );
}

#[test]
fn times_and_pages_have_bounds() {
    for (choice, word) in [
        (json!({"timeoutMs": 0}), "timeoutMs"),
        (json!({"timeoutMs": 86_400_000}), "timeoutMs"),
        (json!({"paging": {"kind": "link", "mostPages": 0}}), "mostPages"),
        (json!({"paging": {"kind": "link", "mostPages": 101}}), "mostPages"),
    ] {
        let imported = curated(&document(), &choices(json!({"tools": {"users_list": choice}})));
        let last = imported.report.operations.last().unwrap();
        let OperationOutcome::Skipped { reason } = &last.outcome else {
            panic!("{choice}: {last:?}");
        };
        assert!(reason.contains(word), "{reason}");
    }
}

#[test]
fn choices_that_cannot_be_met_are_told() {
    let imported = curated(
        &document(),
        &choices(json!({"tools": {
            "issues_create": {"rename": "users_list"},
            "issues_list": {"arguments": {"owner": {"hide": true}}},
            "issues_close": {"rename": "x"},
        }})),
    );
    assert_sound(&imported);
    let reasons: Vec<String> = imported
        .report
        .operations
        .iter()
        .filter_map(|operation| match &operation.outcome {
            OperationOutcome::Skipped { reason } => Some(reason.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(reasons.len(), 2, "{reasons:?}");
    assert!(reasons[0].contains("`owner` is required"), "{reasons:?}");
    assert!(
        reasons[1].contains("`users_list` is the name of `POST /repos/{owner}/issues` already"),
        "{reasons:?}"
    );
    assert!(
        imported
            .report
            .notes
            .iter()
            .any(|note| note.message.contains("issues_close"))
    );
    assert!(serde_json::from_value::<Curation>(json!({"tols": {}})).is_err());
}
