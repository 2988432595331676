//! The two ways to a served version agree: the bytes that the store keeps and joins, and the values made of its document.

use std::collections::BTreeSet;

use portreeve_core::name::{Environment, Slug};
use portreeve_core::route::Entrance;
use portreeve_core::served::{OFFICIAL_META, PUBLISHER_META, ServedText};
use portreeve_core::server::{Approval, Lifecycle, Version};
use portreeve_core::time::Timestamp;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use serde_json::{Map, Value, json};
use url::Url;

use super::document::RemoteTexts;
use super::{Served, served};

/// Any JSON that is not deep.
fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((".{0,6}", inner), 0..4).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// A document: a name, some fields in any order, perhaps remotes and a `_meta`; written densely or widely.
fn document() -> impl Strategy<Value = String> {
    let key = prop_oneof![
        Just("remotes".to_owned()),
        Just("description".to_owned()),
        Just("packages".to_owned()),
        ".{1,6}",
    ];
    let meta = vec(
        (
            prop_oneof![Just(PUBLISHER_META.to_owned()), ".{0,6}"],
            json_value(),
        ),
        0..3,
    );
    let fields = vec((key, json_value()), 0..6);
    (fields, option::of(meta), any::<bool>(), 0_usize..6).prop_map(|(fields, meta, is_wide, place)| {
        let mut pairs: Vec<(String, Value)> = fields;
        let meta = meta.map(|pairs| Value::Object(pairs.into_iter().collect()));
        pairs.extend(meta.map(|meta| ("_meta".to_owned(), meta)));
        pairs.insert(
            place.min(pairs.len()),
            ("name".to_owned(), json!("com.acme/billing")),
        );
        let document: Map<String, Value> = pairs.into_iter().collect();
        if is_wide {
            serde_json::to_string_pretty(&document).unwrap()
        } else {
            serde_json::to_string(&document).unwrap()
        }
    })
}

fn version() -> impl Strategy<Value = Version> {
    let lifecycle = prop_oneof![
        Just(Lifecycle::Design),
        Just(Lifecycle::Production),
        Just(Lifecycle::Deprecated),
        Just(Lifecycle::Retired),
    ];
    let moments = vec(0_i64..4_000_000_000_000, 3);
    (
        document(),
        lifecycle,
        option::of(".{0,12}"),
        any::<bool>(),
        moments,
    )
        .prop_map(
            |(document, lifecycle, status_message, is_latest, moments)| Version {
                name: "com.acme/billing".parse().unwrap(),
                version: "1.0.0".parse().unwrap(),
                document,
                content_hash: "ab".repeat(32),
                approval: Approval::Approved,
                lifecycle,
                former_lifecycle: None,
                ended_by: None,
                status_message,
                submitted_by: "key:deploy".to_owned(),
                decided_by: None,
                is_latest,
                metadata: Default::default(),
                published_at: Timestamp::from_millis(moments[0]),
                status_changed_at: Timestamp::from_millis(moments[1]),
                updated_at: Timestamp::from_millis(moments[2]),
            },
        )
}

fn faces() -> impl Strategy<Value = Vec<(Slug, Entrance)>> {
    let entrance = proptest::sample::select(Entrance::ALL);
    let slug = "[a-z][a-z0-9]{1,8}(--v[0-9])?".prop_map(|slug| slug.parse().unwrap());
    vec((slug, entrance), 0..3)
}

fn public_url() -> impl Strategy<Value = Url> {
    prop_oneof![
        Just("http://127.0.0.1:8080"),
        Just("https://gw.example/below/it/"),
        Just("https://gw.example/s/x/mcp%EF%BF%BD/%22"),
    ]
    .prop_map(|text| Url::parse(text).unwrap())
}

proptest! {
    #[test]
    fn the_bytes_that_are_kept_are_those_of_the_values(
        version in version(), faces in faces(), public_url in public_url(),
    ) {
        let values = served(&version, &faces, &public_url).unwrap();
        let expected = serde_json::to_string(&values).unwrap();
        let remotes = RemoteTexts::of(&public_url).within(BTreeSet::from([Environment::production()]));
        let joined = ServedText::of(&version).unwrap().joined(&faces, &remotes);
        prop_assert_eq!(&joined, &expected);
        let read: Served = serde_json::from_str(&joined).unwrap();
        prop_assert_eq!(serde_json::to_string(&read).unwrap(), expected);
        let value: Value = serde_json::from_str(&joined).unwrap();
        let said: Vec<&String> = value["_meta"].as_object().unwrap().keys().collect();
        prop_assert_eq!(said, [OFFICIAL_META]);
        let shown = value["server"]["remotes"].as_array().map_or(0, Vec::len);
        prop_assert_eq!(shown, faces.len());
    }
}

#[test]
fn a_document_with_nothing_to_show_has_no_text() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut version = version().new_tree(&mut runner).unwrap().current();
    for document in ["{}", "{\"remotes\":[]}", "[]", "", "{\"_meta\":{}}"] {
        version.document = document.to_owned();
        assert_eq!(ServedText::of(&version), None, "{document}");
    }
}
