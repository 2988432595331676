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
