//! What is written is read again, and nothing else.

use serde_json::json;

use crate::served::PUBLISHER_META;

use super::*;

fn bindings() -> Bindings {
    let binding = Binding {
        method: HttpMethod::try_from("POST".to_owned()).unwrap(),
        base_url: None,
        path: vec![
            Piece::Literal("/pets/".to_owned()),
            Piece::Parameter("id".to_owned()),
        ],
        parameters: vec![Parameter {
            place: Place::Path,
            name: "id".to_owned(),
            source: Source::Argument("id".to_owned()),
            default: None,
            encoding: Encoding::Styled {
                style: Style::Simple,
                explode: false,
                allow_reserved: false,
            },
            allow_empty: false,
        }],
        body: Some(Body {
            content_type: "application/json".to_owned(),
            form: BodyForm::Json,
            content: Content::Members {
                members: vec![Member {
                    name: "name".to_owned(),
                    source: Source::Fixed(json!(null)),
                    default: None,
                }],
                extra: Extra::Sent,
                withheld: vec!["id".to_owned()],
            },
            required: true,
            default: None,
        }),
        answers: Answers {
            accept: vec!["application/json".to_owned()],
            structured: Structured::Wrapped("items".to_owned()),
            graphql: None,
        },
        shape: Shape::default(),
        paging: Some(Paging {
            kind: PagingKind::Link,
            items: None,
            most_pages: 3,
        }),
        timeout_ms: Some(5_000),
        retry: Retry::Never,
        security: vec![vec!["token".to_owned()], vec![]],
        arguments: None,
    };
    let scheme = SecurityScheme {
        credential: Credential::Key {
            place: Place::Header,
            name: "X-Key".to_owned(),
        },
        description: String::new(),
    };
    Bindings {
        format: Bindings::FORMAT,
        security: [("token".to_owned(), scheme)].into(),
        tools: [("pet_update".to_owned(), binding.clone())].into(),
        resources: [("pet".to_owned(), resource(binding))].into(),
        prompts: BTreeMap::new(),
    }
}

fn resource(binding: Binding) -> Resource {
    Resource {
        uri: "api:///pets/{id}".to_owned(),
        name: "pet".to_owned(),
        title: String::new(),
        description: "A pet.".to_owned(),
        mime_type: Some("application/json".to_owned()),
        variables: [("id".to_owned(), Variable::Text)].into(),
        binding,
    }
}

#[test]
fn a_resource_is_listed_as_what_it_is() {
    let mut resource = bindings().resources["pet"].clone();
    assert_eq!(
        resource.listed(),
        json!({"uriTemplate": "api:///pets/{id}", "name": "pet", "description": "A pet.", "mimeType": "application/json"})
    );
    resource.variables.clear();
    assert_eq!(resource.listed()["uri"], "api:///pets/{id}");
}

#[test]
fn bindings_are_read_as_they_were_written() {
    let text = bindings().text().unwrap();
    assert_eq!(Bindings::read(&text).unwrap(), bindings());
}

#[test]
fn what_this_version_does_not_know_is_refused() {
    let mut other = bindings();
    other.format = 2;
    assert!(matches!(
        Bindings::read(&other.text().unwrap()),
        Err(BindingsError::Format { found: 2 })
    ));
    let unknown = bindings().text().unwrap().replace("\"retry\"", "\"reply\"");
    assert!(matches!(
        Bindings::read(&unknown),
        Err(BindingsError::Unreadable(_))
    ));
    let mut dangling = bindings();
    dangling.tools.clear();
    let pet = dangling.resources.get_mut("pet").unwrap();
    pet.binding.parameters.clear();
    assert!(matches!(
        Bindings::read(&dangling.text().unwrap()),
        Err(BindingsError::Dangling { .. })
    ));
}

#[test]
fn methods_that_open_tunnels_or_echo_credentials_are_none() {
    for word in ["GET", "QUERY", "M-SEARCH"] {
        assert!(HttpMethod::try_from(word.to_owned()).is_ok(), "{word}");
    }
    for word in ["", "get", "CONNECT", "TRACE", "GET /", "A\r\nB"] {
        assert!(HttpMethod::try_from(word.to_owned()).is_err(), "{word}");
    }
}

#[test]
fn a_mark_is_found_where_it_was_put_and_nowhere_else() {
    let mark = RestMark {
        base_url: "https://api.example.com/v1".to_owned(),
        toolset: "a".repeat(64),
    };
    let mut document = Map::from_iter([("_meta".to_owned(), json!({"x": 1}))]);
    mark.put(&mut document);
    assert_eq!(document["_meta"]["x"], 1);
    let text = serde_json::to_string(&document).unwrap();
    assert_eq!(RestMark::of(&text), Some(mark));
    for other in [
        json!({}),
        json!({"_meta": {REST_META: {"baseUrl": "x", "toolset": "a".repeat(64)}}}),
        json!({"_meta": {PUBLISHER_META: {REST_META: {"baseUrl": "x", "toolset": "short"}}}}),
    ] {
        assert_eq!(RestMark::of(&other.to_string()), None);
    }
}
