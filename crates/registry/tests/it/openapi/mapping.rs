//! What others get wrong, each by its name; and how each part of a description becomes part of a call.

use portreeve_registry::import::openapi::Curation;
use serde_json::{Value, json};

use super::{assert_sound, binding, imported, text, tool, with_paths};

#[test]
fn url_parameters_and_a_json_body_stand_side_by_side() {
    let document = with_paths(&json!({"/pets/{id}": {"post": {
        "operationId": "pet update",
        "parameters": [
            {"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}},
            {"name": "notify", "in": "query", "schema": {"type": "boolean"}},
            {"name": "X-Trace", "in": "header", "schema": {"type": "string"}},
            {"name": "session", "in": "cookie", "schema": {"type": "string"}},
        ],
        "requestBody": {"required": true, "content": {"application/json": {"schema": {
            "type": "object",
            "required": ["name"],
            "properties": {"name": {"type": "string"}, "id": {"type": "string"}, "age": {"type": "integer", "readOnly": true}},
        }}}},
    }}}));
    let imported = imported(&document);
    assert_sound(&imported);
    let schema = tool(&imported, "pet_update")["inputSchema"].clone();
    let names: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
    // The member that has the name of a parameter is told from it; what only the API writes is not asked.
    assert_eq!(names, ["id", "notify", "X-Trace", "session", "name", "body_id"]);
    assert_eq!(schema["required"], json!(["id", "name"]));
    assert_eq!(schema["additionalProperties"], false);
    let binding = binding(&imported, "pet_update");
    assert_eq!(
        binding["path"],
        json!([{"literal": "/pets/"}, {"parameter": "id"}])
    );
    assert_eq!(
        binding["body"]["content"]["members"]["members"],
        json!([
            {"name": "name", "source": {"argument": "name"}},
            {"name": "id", "source": {"argument": "body_id"}},
        ])
    );
}

#[test]
fn the_versioned_base_path_stays() {
    let mut document = with_paths(&json!({"/pets": {"get": {}}}));
    assert_eq!(imported(&document).report.base_url, "https://api.example.com/v1");
    document["servers"] = json!([{"url": "https://{region}.example.com/{version}/", "variables": {
        "region": {"default": "eu"}, "version": {"enum": ["v2", "v3"]},
    }}]);
    assert_eq!(imported(&document).report.base_url, "https://eu.example.com/v2");
    document["servers"] = json!([{"url": "/v4"}]);
    assert_eq!(imported(&document).report.base_url, "https://api.example.com/v4");
    let two = json!({"swagger": "2.0", "host": "old.example.com", "basePath": "/v1/x", "schemes": ["http", "https"],
        "paths": {"/a": {"get": {"responses": {}}}}});
    assert_eq!(imported(&two).report.base_url, "https://old.example.com/v1/x");
}

#[test]
fn every_get_operation_can_be_picked() {
    let paths: serde_json::Map<String, Value> = (0..50)
        .map(|number| {
            (
                format!("/things/{number}"),
                json!({"get": {"responses": {"200": {"description": "ok"}}}}),
            )
        })
        .collect();
    let document = json!({"swagger": "2.0", "host": "a.example", "paths": paths});
    let imported = imported(&document);
    assert_sound(&imported);
    assert_eq!((imported.report.tools(), imported.report.skipped()), (50, 0));
}

#[test]
fn circular_references_become_definitions_and_are_cut_in_the_flat_profile() {
    let mut document = with_paths(&json!({"/nodes": {"post": {"operationId": "add", "requestBody": {
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Node"}}}}}}}));
    document["components"] = json!({"schemas": {"Node": {"type": "object", "properties": {
        "name": {"type": "string"},
        "children": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}},
    }}}});
    let full = imported(&document);
    assert_sound(&full);
    let schema = tool(&full, "add")["inputSchema"].clone();
    assert_eq!(schema["properties"]["children"]["items"]["$ref"], "#/$defs/Node");
    assert_eq!(
        schema["$defs"]["Node"]["properties"]["children"]["items"]["$ref"],
        "#/$defs/Node"
    );

    let curation: Curation = serde_json::from_value(json!({"profile": "flat"})).unwrap();
    let flat = text(&document.to_string(), &curation).unwrap();
    assert_sound(&flat);
    let shown = tool(&flat, "add")["inputSchema"].to_string();
    assert!(!shown.contains("$ref"), "{shown}");
    // The arguments are judged by the whole schema.
    assert_eq!(
        binding(&flat, "add")["arguments"]["properties"]["children"]["items"]["$ref"],
        "#/$defs/Node"
    );
}

#[test]
fn optional_parameters_are_not_required() {
    let document = with_paths(&json!({"/a": {"get": {"operationId": "a", "parameters": [
        {"name": "q", "in": "query", "schema": {"type": "string"}},
        {"name": "r", "in": "query", "required": true, "schema": {"type": "string"}},
    ]}}}));
    assert_eq!(
        tool(&imported(&document), "a")["inputSchema"]["required"],
        json!(["r"])
    );
}

#[test]
fn host_and_authorization_are_never_arguments() {
    let mut document = with_paths(&json!({"/a": {"get": {"operationId": "a", "parameters": [
        {"name": "Host", "in": "header", "required": true, "schema": {"type": "string"}},
        {"name": "authorization", "in": "header", "required": true, "schema": {"type": "string"}},
        {"name": "Transfer-Encoding", "in": "header", "schema": {"type": "string"}},
        {"name": "X-Forwarded-For", "in": "header", "schema": {"type": "string"}},
        {"name": "Bad\r\nName", "in": "header", "schema": {"type": "string"}},
        {"name": "api_key", "in": "query", "schema": {"type": "string"}},
        {"name": "X-Fine", "in": "header", "schema": {"type": "string"}},
    ]}}}));
    document["components"] =
        json!({"securitySchemes": {"key": {"type": "apiKey", "in": "query", "name": "api_key"}}});
    document["security"] = json!([{"key": []}]);
    let imported = imported(&document);
    assert_sound(&imported);
    let schema = tool(&imported, "a")["inputSchema"].clone();
    assert_eq!(
        schema["properties"]
            .as_object()
            .unwrap()
            .keys()
            .collect::<Vec<_>>(),
        ["X-Fine"]
    );
    assert_eq!(
        imported.report.operations[0].notes.len(),
        6,
        "{:?}",
        imported.report.operations[0].notes
    );
    assert_eq!(binding(&imported, "a")["security"], json!([["key"]]));
    assert_eq!(imported.bindings.security.len(), 1);
}

#[test]
fn null_is_allowed_in_both_ways_of_saying_it() {
    let body = |schema: Value| {
        json!({"post": {"requestBody": {"required": true, "content": {"application/json": {"schema":
        {"type": "object", "properties": {"a": schema}}}}}}})
    };
    let mut document = with_paths(&json!({
        "/old": body(json!({"type": "string", "nullable": true, "enum": ["x"]})),
        "/new": body(json!({"type": ["string", "null"]})),
        "/ref": body(json!({"$ref": "#/components/schemas/A", "nullable": true})),
    }));
    document["components"] = json!({"schemas": {"A": {"type": "integer"}}});
    let imported = imported(&document);
    assert_sound(&imported);
    let of = |name: &str| tool(&imported, name)["inputSchema"]["properties"]["a"].clone();
    assert_eq!(
        of("post_old"),
        json!({"type": ["string", "null"], "enum": ["x", null]})
    );
    assert_eq!(of("post_new"), json!({"type": ["string", "null"]}));
    assert_eq!(
        of("post_ref"),
        json!({"anyOf": [{"type": "integer"}, {"type": "null"}]})
    );
}

#[test]
fn a_query_in_a_path_is_always_sent() {
    let parameter = json!({"name": "mode", "in": "query", "schema": {"type": "string"}});
    let imported = imported(&with_paths(&json!({
        "/runs": {"get": {"operationId": "runs"}},
        "/runs?beta=a%20b&flag#later": {"get": {"operationId": "beta"}},
        "/runs?mode=x&of={id}": {"get": {"operationId": "mode", "parameters": [parameter]}},
    })));
    assert_sound(&imported);
    let of = |name: &str| -> Vec<(String, Value)> {
        let parameters = binding(&imported, name)["parameters"].clone();
        let all = parameters.as_array().cloned().unwrap_or_default();
        let pair = |one: &Value| (one["name"].as_str().unwrap().to_owned(), one["source"].clone());
        all.iter().map(pair).collect()
    };
    assert_eq!(of("runs"), []);
    let fixed = |name: &str, value: &str| (name.to_owned(), json!({"fixed": value}));
    assert_eq!(of("beta"), [fixed("beta", "a b"), fixed("flag", "")]);
    // What is described is an argument, and what is left open is nobody's.
    assert_eq!(of("mode"), [("mode".to_owned(), json!({"argument": "mode"}))]);
}

#[test]
fn styles_of_all_versions_are_kept() {
    let query = |more: Value| {
        let mut parameter =
            json!({"name": "q", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}});
        parameter
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!({"get": {"parameters": [parameter]}})
    };
    let document = with_paths(&json!({
        "/form": query(json!({})),
        "/csv": query(json!({"explode": false})),
        "/space": query(json!({"style": "spaceDelimited", "explode": false})),
        "/pipe": query(json!({"style": "pipeDelimited"})),
        "/deep": query(json!({"style": "deepObject", "allowReserved": true})),
        "/json": query(json!({"schema": null, "content": {"application/json": {"schema": {"type": "object"}}}})),
    }));
    let imported = imported(&document);
    assert_sound(&imported);
    let of = |name: &str| binding(&imported, name)["parameters"][0]["encoding"].clone();
    let styled = |style: &str, explode: bool, reserved: bool| json!({"styled": {"style": style, "explode": explode, "allowReserved": reserved}});
    assert_eq!(of("get_form"), styled("form", true, false));
    assert_eq!(of("get_csv"), styled("form", false, false));
    assert_eq!(of("get_space"), styled("spaceDelimited", false, false));
    assert_eq!(of("get_pipe"), styled("pipeDelimited", false, false));
    assert_eq!(of("get_deep"), styled("deepObject", true, true));
    assert_eq!(
        of("get_json"),
        json!({"content": {"mediaType": "application/json"}})
    );

    let two = |format: &str| {
        json!({"swagger": "2.0", "host": "a.example", "paths": {"/a": {"get": {"operationId": "a",
        "parameters": [{"name": "q", "in": "query", "type": "array", "items": {"type": "string"}, "collectionFormat": format}]}}}})
    };
    for (format, style, explode) in [
        ("csv", "form", false),
        ("multi", "form", true),
        ("ssv", "spaceDelimited", false),
        ("tsv", "tabDelimited", false),
        ("pipes", "pipeDelimited", false),
    ] {
        let imported = super::imported(&two(format));
        assert_eq!(
            binding(&imported, "a")["parameters"][0]["encoding"],
            styled(style, explode, false),
            "{format}"
        );
    }
}

#[test]
fn forms_files_and_texts_are_bodies() {
    let body = |content: Value| json!({"post": {"requestBody": {"required": true, "content": content}}});
    let document = with_paths(&json!({
        "/form": body(json!({"application/x-www-form-urlencoded": {"schema": {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}}}},
            "encoding": {"a": {"style": "form", "explode": false}}}})),
        "/files": body(json!({"multipart/form-data": {"schema": {"type": "object", "required": ["file"], "properties": {
            "file": {"type": "string", "format": "binary"}, "more": {"type": "array", "items": {"type": "string", "format": "binary"}}, "meta": {"type": "object"}}},
            "encoding": {"file": {"contentType": "image/png, image/jpeg"}}}})),
        "/bytes": body(json!({"application/octet-stream": {}})),
        "/text": body(json!({"text/plain": {"schema": {"type": "string"}}})),
        "/list": body(json!({"application/json": {"schema": {"type": "array", "items": {"type": "string"}}}})),
    }));
    let imported = imported(&document);
    assert_sound(&imported);
    let body = |name: &str| binding(&imported, name)["body"].clone();
    assert_eq!(
        body("post_form")["form"]["urlencoded"]["members"]["a"]["styled"]["explode"],
        false
    );
    let parts = body("post_files")["form"]["multipart"]["parts"].clone();
    assert_eq!(parts["file"], json!({"base64": true, "contentType": "image/png"}));
    assert_eq!(parts["more"], json!({"base64": true, "repeated": true}));
    let file = tool(&imported, "post_files")["inputSchema"]["properties"]["file"].clone();
    assert_eq!(file, json!({"type": "string", "contentEncoding": "base64"}));
    assert_eq!(body("post_bytes")["form"], "base64");
    assert_eq!(body("post_text")["form"], "text");
    assert_eq!(body("post_list")["content"]["whole"], json!({"argument": "body"}));
    assert_eq!(
        tool(&imported, "post_list")["inputSchema"]["required"],
        json!(["body"])
    );
}

#[test]
fn answers_have_a_schema_and_others_are_wrapped() {
    let answer = |schema: Value| json!({"get": {"responses": {"200": {"description": "ok", "content": {"application/json": {"schema": schema}}}}}});
    let document = with_paths(&json!({
        "/object": answer(json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "minLength": 3}, "b": {"type": "string", "writeOnly": true}}})),
        "/list": answer(json!({"type": "array", "items": {"type": "integer"}})),
        "/text": {"get": {"responses": {"200": {"description": "ok", "content": {"text/plain": {}}}}}},
        "/none": {"delete": {"responses": {"204": {"description": "gone"}}}},
    }));
    let imported = imported(&document);
    assert_sound(&imported);
    // What an API sends is described, not promised: null may come, and members may be missing.
    assert_eq!(
        tool(&imported, "get_object")["outputSchema"],
        json!({"type": "object", "properties": {"a": {"type": ["string", "null"]}}})
    );
    assert_eq!(
        binding(&imported, "get_object")["answers"]["structured"],
        "object"
    );
    assert_eq!(
        tool(&imported, "get_list")["outputSchema"]["properties"]["result"]["items"]["type"],
        json!(["integer", "null"])
    );
    assert_eq!(
        binding(&imported, "get_list")["answers"]["structured"],
        json!({"wrapped": "result"})
    );
    for name in ["get_text", "delete_none"] {
        assert_eq!(tool(&imported, name).get("outputSchema"), None);
    }
    let hints = |name: &str| tool(&imported, name)["annotations"].clone();
    assert_eq!(
        hints("get_text"),
        json!({"readOnlyHint": true, "destructiveHint": false, "idempotentHint": true, "openWorldHint": true})
    );
    assert_eq!(
        hints("delete_none"),
        json!({"readOnlyHint": false, "destructiveHint": true, "idempotentHint": true, "openWorldHint": true})
    );
}

#[test]
fn names_are_short_and_do_not_depend_on_the_order() {
    let long = "x".repeat(200);
    let paths = [
        ("/a", json!({"get": {"operationId": "list things"}, "post": {}})),
        ("/b", json!({"get": {"operationId": "list.things"}})),
        (
            "/c/{id}/d",
            json!({"delete": {}, "put": {"operationId": long}, "patch": {"operationId": "§§§"}}),
        ),
    ];
    let names = |paths: &[(&str, Value)]| {
        let document = with_paths(
            &paths
                .iter()
                .map(|(path, item)| ((*path).to_owned(), item.clone()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        );
        let imported = imported(&document);
        assert_sound(&imported);
        let mut of: Vec<(String, String)> = imported
            .tools
            .iter()
            .map(|tool| (tool.operation.clone(), tool.definition.name.clone()))
            .collect();
        of.sort();
        of
    };
    let forward = names(&paths);
    let mut turned = paths.clone();
    turned.reverse();
    assert_eq!(forward, names(&turned));
    let of = |operation: &str| {
        forward
            .iter()
            .find(|(known, _)| known == operation)
            .unwrap()
            .1
            .clone()
    };
    assert_eq!(of("DELETE /c/{id}/d"), "delete_c_id_d");
    assert_eq!(of("POST /a"), "post_a");
    assert_eq!(of("PATCH /c/{id}/d"), "patch_c_id_d");
    assert!(of("GET /a").starts_with("list_things_") && of("GET /b").starts_with("list_things_"));
    assert_ne!(of("GET /a"), of("GET /b"));
    assert_eq!(of("PUT /c/{id}/d").len(), 64);
}
