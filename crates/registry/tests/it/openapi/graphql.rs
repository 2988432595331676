//! Schemas of GraphQL: the queries that are written, what they take and give, and what is refused.

use apollo_parser::Parser;
use portreeve_core::limits::Limits;
use portreeve_registry::import::openapi::{
    Curation, Imported, OpenApiError, OperationOutcome, Options, import_text,
};
use serde_json::{Value, json};

use super::{assert_sound, binding, tool};

const SDL: &str = include_str!("harbour.graphql");

fn made(text: &str, curation: Value) -> Result<Imported, OpenApiError> {
    let curation: Curation = serde_json::from_value(curation).unwrap();
    let limits = Limits::default();
    let options = Options {
        source: None,
        base_url: Some("https://api.example.com/v1/graphql"),
        curation: &curation,
        limits: &limits,
    };
    let imported = import_text(text, &options)?;
    for name in imported.bindings.tools.keys() {
        let query = query(&imported, name);
        let parsed = Parser::new(&query).parse();
        assert_eq!(parsed.errors().count(), 0, "{query}");
    }
    Ok(imported)
}

fn harbour(curation: Value) -> Imported {
    made(SDL, curation).unwrap()
}

fn query(imported: &Imported, name: &str) -> String {
    let binding = binding(imported, name);
    binding["body"]["form"]["graphql"]["query"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn outcome<'a>(imported: &'a Imported, path: &str) -> &'a OperationOutcome {
    let found = imported.report.operations.iter().find(|one| one.path == path);
    &found.unwrap_or_else(|| panic!("{path}")).outcome
}

#[test]
fn each_query_is_a_tool_that_only_reads_and_no_mutation_is_one() {
    let imported = harbour(json!({}));
    assert_sound(&imported);
    let names: Vec<&str> = imported
        .tools
        .iter()
        .map(|tool| tool.definition.name.as_str())
        .collect();
    assert_eq!(names, ["harbours", "search", "ship", "ships", "version"]);
    assert_eq!(imported.report.format, "graphql");
    assert_eq!(imported.report.base_url, "https://api.example.com/v1");
    assert_eq!(
        query(&imported, "ships"),
        "query ships($first: Int, $filter: ShipFilter, $flags: [Flag!]) { ships(first: $first, filter: $filter, flags: \
         $flags) { id name flag berth { number harbour { name } } captain { name born } } }"
    );
    assert_eq!(
        query(&imported, "search"),
        "query search($text: String!, $since: DateTime) { search(text: $text, since: $since) { __typename ... on Ship { id \
         name flag } ... on Person { born } } }"
    );
    assert_eq!(query(&imported, "version"), "query version { version }");
    let ships = tool(&imported, "ships");
    assert_eq!(ships["description"], "Finds ships. The newest come first.");
    assert_eq!(ships["annotations"]["readOnlyHint"], true);
    assert_eq!(ships["annotations"]["idempotentHint"], true);
    let call = binding(&imported, "ships");
    assert_eq!(
        (&call["method"], &call["retry"]),
        (&json!("POST"), &json!("safe"))
    );
    assert_eq!(call["path"], json!([{"literal": "/graphql"}]));
    assert_eq!(call["answers"]["graphql"], "ships");
    for path in ["addShip", "scrap"] {
        assert!(matches!(
            outcome(&imported, path),
            OperationOutcome::NotChosen { .. }
        ));
    }
    let OperationOutcome::Skipped { reason } = outcome(&imported, "things") else {
        panic!("nothing of it can be asked");
    };
    assert!(reason.contains("without arguments"), "{reason}");
    assert!(imported.report.notes.iter().any(|note| note.pointer == "/News"));
}

#[test]
fn arguments_are_variables_with_their_types() {
    let imported = harbour(json!({}));
    let input = &tool(&imported, "ships")["inputSchema"];
    assert_eq!(input.get("required"), None);
    assert_eq!(input["properties"]["first"]["type"], "integer");
    assert_eq!(
        input["properties"]["flags"],
        json!({"type": "array", "items": {"type": "string", "enum": ["DE", "NL", "OTHER"]}})
    );
    let filter = &input["$defs"]["ShipFilter"];
    assert_eq!(filter["required"], json!(["at"]));
    assert_eq!(filter["additionalProperties"], false);
    assert_eq!(
        filter["properties"]["flag"]["enum"],
        json!(["DE", "NL", "OTHER", null])
    );
    assert_eq!(
        filter["properties"]["and"]["items"],
        json!({"$ref": "#/$defs/ShipFilter"})
    );
    let text = input.to_string();
    assert!(text.contains("\"maxProperties\":1"), "{text}");
    let ship = tool(&imported, "ship");
    assert_eq!(ship["inputSchema"]["required"], json!(["id"]));
    assert_eq!(
        ship["inputSchema"]["properties"]["id"]["description"],
        "Its number."
    );
    let result = &ship["outputSchema"]["properties"]["result"];
    assert_eq!(result["type"], json!(["object", "null"]));
    assert_eq!(result["properties"]["name"]["type"], json!(["string", "null"]));
    assert_eq!(result["properties"]["id"]["type"], "string");
    let since = &tool(&imported, "search")["inputSchema"]["properties"]["since"];
    assert_eq!(*since, json!({"description": "DateTime of the API."}));
    assert_sound(&harbour(json!({"profile": "flat"})));
}

#[test]
fn a_mutation_is_a_tool_only_where_its_method_is_chosen_and_says_that_it_destroys() {
    let imported = harbour(json!({"include": [{"method": "mutation", "name": "add*"}, {"name": "*"}]}));
    assert_sound(&imported);
    assert!(matches!(
        outcome(&imported, "scrap"),
        OperationOutcome::NotChosen { .. }
    ));
    let added = tool(&imported, "addShip");
    assert_eq!(added["annotations"]["readOnlyHint"], false);
    assert_eq!(added["annotations"]["destructiveHint"], true);
    assert_eq!(binding(&imported, "addShip")["retry"], "never");
    assert!(
        query(&imported, "addShip").starts_with("mutation addShip($name: String!, $berth: Int) { addShip(")
    );
}

#[test]
fn a_selection_is_chosen_and_checked() {
    let select = |text: &str| {
        let imported = harbour(json!({"tools": {"ships": {"select": text, "rename": "fleet"}}}));
        match outcome(&imported, "ships") {
            OperationOutcome::Tool { .. } => Ok(query(&imported, "fleet")),
            OperationOutcome::Skipped { reason } => Err(reason.clone()),
            other => panic!("{other:?}"),
        }
    };
    let chosen = select("id, captain { ships { name } }").unwrap();
    assert!(
        chosen.ends_with("{ id captain { ships { name } } } }"),
        "{chosen}"
    );
    for (text, words) in [
        ("", "its selection"),
        ("id none", "no field `none`"),
        ("berth", "something must be selected"),
        ("name { first }", "nothing to select"),
        ("history { at }", "needs arguments"),
        ("a: id", "no aliases"),
        ("id @skip(if: true)", "no aliases"),
        ("...Other", "fragment"),
        ("id } } mutation { scrap(id: 1) ", "read"),
        (
            "sister { sister { sister { sister { sister { sister { sister { sister { id } } } } } } } }",
            "deeper",
        ),
        (
            "captain { ships { captain { ships { captain { ships { id } } } } } }",
            "more than a tool may",
        ),
    ] {
        let refused = select(text).unwrap_err();
        assert!(refused.contains(words), "{text}: {refused}");
    }
}

#[test]
fn an_introspection_is_read_like_the_schema_that_it_tells() {
    let named = |kind: &str, name: &str| json!({"kind": kind, "name": name, "ofType": null});
    let required = |of: Value| json!({"kind": "NON_NULL", "name": null, "ofType": of});
    let field = |name: &str, args: Value, of: Value| json!({"name": name, "description": null, "args": args, "type": of, "isDeprecated": false});
    let id = json!([{"name": "id", "description": "Its number.", "type": required(named("SCALAR", "ID")), "defaultValue": null}]);
    let types = json!([
        {"kind": "OBJECT", "name": "Query", "fields": [
            field("ship", id, named("OBJECT", "Ship")),
            field("bad name", json!([]), named("SCALAR", "ID")),
            field("__other", json!([]), named("SCALAR", "ID")),
        ]},
        {"kind": "OBJECT", "name": "Ship", "fields": [
            field("id", json!([]), required(named("SCALAR", "ID"))),
            field("x} } mutation { scrap(id: 1)", json!([]), named("SCALAR", "ID")),
        ]},
        {"kind": "OBJECT", "name": "__Schema", "fields": []},
        {"kind": "NEW_KIND", "name": "Odd"}, 7,
    ]);
    let schema = json!({"queryType": {"name": "Query"}, "mutationType": null, "subscriptionType": null, "types": types});
    for document in [json!({"__schema": schema}), json!({"data": {"__schema": schema}})] {
        let imported = made(&document.to_string(), json!({})).unwrap();
        assert_sound(&imported);
        assert_eq!(imported.report.operations.len(), 1);
        assert_eq!(
            query(&imported, "ship"),
            "query ship($id: ID!) { ship(id: $id) { id } }"
        );
    }
}

#[test]
fn what_is_no_schema_or_too_much_is_refused_or_cut() {
    for (text, words) in [
        ("type Query { a: }", "line 1"),
        ("type Query {\n  a: Int\n", "line"),
        ("nothing: of this kind", "no description of an API"),
    ] {
        let refused = made(text, json!({})).unwrap_err().to_string();
        assert!(refused.contains(words), "{text}: {refused}");
    }
    let deep = format!(
        "type Query {{ a: {}Int{} }}",
        "[".repeat(20_000),
        "]".repeat(20_000)
    );
    assert!(matches!(
        made(&deep, json!({})),
        Err(OpenApiError::Unreadable { .. })
    ));
    // Each type leads to ten others, which are as many queries as there are ways.
    let mut bomb = "type Query { start: T0 }\n".to_owned();
    for level in 0..100 {
        let fields = (0..10).map(|at| format!("f{at}: [T{}!] ", (level * 7 + at + 1) % 100));
        bomb.push_str(&format!(
            "type T{level} {{ id: ID {} }}\n",
            fields.collect::<String>()
        ));
    }
    let imported = made(&bomb, json!({})).unwrap();
    assert!(query(&imported, "start").len() < 10_000);
    let notes = &imported.report.operations[0].notes;
    assert!(
        notes.iter().any(|note| note.message.contains("`select`")),
        "{notes:?}"
    );
    let curation = Curation::default();
    let limits = Limits::default();
    let nowhere = Options {
        source: None,
        base_url: None,
        curation: &curation,
        limits: &limits,
    };
    assert!(matches!(
        import_text(SDL, &nowhere),
        Err(OpenApiError::NoServer { .. })
    ));
}

#[test]
fn what_has_a_default_is_no_variable_that_must_be_there() {
    let sdl = "type Query { page(first: Int! = 10, of: [Int!]! = [1], id: ID!): Int }";
    let imported = made(sdl, json!({})).unwrap();
    assert_sound(&imported);
    assert_eq!(
        query(&imported, "page"),
        "query page($first: Int, $of: [Int!], $id: ID!) { page(first: $first, of: $of, id: $id) }"
    );
    assert_eq!(tool(&imported, "page")["inputSchema"]["required"], json!(["id"]));
}
