//! The thirty-two pitfalls of gateways for MCP, and the tests that look at each. A test that is named after a pitfall
//! (`p12_...`) stands here too, so that nothing is counted twice and nothing is forgotten.

use std::collections::{BTreeMap, BTreeSet};

use crate::repository::{files, text};

/// A pitfall: its number, what happens to those who fall in, and where it is tested, as `file::test`. Without tests it is
/// open, and says in brackets why.
type Pitfall = (u8, &'static str, &'static [&'static str]);

const PITFALLS: [Pitfall; 32] = [
    (
        1,
        "the host's protocol and session headers reach the server",
        &[
            "e2e/ladder::an_upstream_of_the_modern_era_gets_a_new_head",
            "e2e/resource_server::a_rs_11_nothing_of_a_legacy_caller_reaches_the_upstream",
        ],
    ),
    (
        2,
        "the host's credential reaches the server",
        &["e2e/gateway::a_rs_11_nothing_of_the_caller_reaches_the_upstream"],
    ),
    (
        3,
        "calls with one id get each other's answers",
        &[
            "e2e/passing::p3_a_host_that_numbers_every_request_the_same_gets_its_answers",
            "e2e/crossing::concurrent_calls_with_one_id_never_cross",
            "e2e/sessions::a_gw_12_equal_ids_at_the_same_time_never_cross",
        ],
    ),
    (
        4,
        "servers' questions with one id get each other's answers",
        &["e2e/pitfalls::p4_questions_with_one_id_are_answered_each_in_its_own_session"],
    ),
    (
        5,
        "progress of one call is told to another",
        &["e2e/passing::p5_progress_tokens_keep_their_type_and_their_call"],
    ),
    (
        6,
        "a stream is held back until its end",
        &["e2e/gateway::a_progress_notification_arrives_before_its_tool_ends"],
    ),
    (7, "silent streams are cut on their way", &[]),
    (8, "one large event is more than a client reads", &[]),
    (
        9,
        "a packed answer is passed on as something else",
        &[
            "e2e/pitfalls::p9_no_answer_is_asked_for_that_would_have_to_be_unpacked",
            "e2e/bombs::what_is_packed_is_not_unpacked",
        ],
    ),
    (
        10,
        "only the first page of a list is there",
        &[
            "e2e/pitfalls::p10_every_page_of_a_list_is_there_and_its_tools_can_be_called",
            "e2e/bombs::a_tool_list_of_large_pages_without_end",
        ],
    ),
    (11, "a tool's new name is not told to everybody who needs it", &[]),
    (
        12,
        "fields are lost that the gateway does not know",
        &[
            "e2e/passing::p12_a_call_and_its_answer_pass_byte_for_byte",
            "e2e/passing::p12_lists_and_handshakes_keep_what_nobody_knows",
            "e2e/random_bytes::p12_generated_messages_pass_byte_for_byte_within_an_era",
            "e2e/random_bytes/bridged::p12_generated_messages_keep_what_the_bridge_does_not_name",
        ],
    ),
    (
        13,
        "the gateway judges results, and good ones become errors",
        &["e2e/pitfalls::p13_a_result_that_breaks_its_schema_is_still_a_result"],
    ),
    (14, "a session that the server lost is half dead", &[]),
    (15, "another node does not know the session", &[]),
    (
        16,
        "somebody else's session can be used",
        &["e2e/transport::a_tr_9_a_session_of_somebody_else_is_unknown"],
    ),
    (
        17,
        "changes of lists are swallowed, and copies of them grow old",
        &[],
    ),
    (
        18,
        "notifications reach other sessions",
        &["e2e/lifecycle::s8_p18_a_message_comes_on_one_stream_of_one_session"],
    ),
    (
        19,
        "a cancellation names another request, or nobody cancels",
        &[
            "e2e/lifecycle::s10_p19_a_cancellation_names_the_request_as_the_server_knows_it",
            "e2e/sessions::s10_a_legacy_host_that_goes_away_has_not_cancelled_its_call",
        ],
    ),
    (
        20,
        "the place of a stream that is gone is not free",
        &["e2e/upstreams::p20_a_second_stream_takes_the_place_of_the_first_at_the_server_too"],
    ),
    (
        21,
        "a server without a stream of its own counts as broken",
        &["e2e/lifecycle::s6_s9_a_session_has_one_stream_which_goes_on_where_it_broke_off"],
    ),
    (
        22,
        "a call that reports progress for ever never ends",
        &["e2e/patience::streams_have_an_age_at_which_they_end"],
    ),
    (
        23,
        "a status means something else in the other era",
        &[
            "e2e/statuses::p23_a_refusal_has_the_status_of_its_era",
            "e2e/statuses::p23_only_the_end_of_a_session_reads_like_one",
            "e2e/statuses::p23_an_answer_of_the_server_keeps_its_status_within_an_era",
            "e2e/statuses::p23_a_limit_and_a_server_that_is_away_read_the_same_in_both_eras",
        ],
    ),
    (
        24,
        "more is advertised than is served",
        &["e2e/gateway::discovery_advertises_only_what_is_served_and_lists_are_private"],
    ),
    (25, "one server that is down takes the others with it", &[]),
    (
        26,
        "a server's era is learnt from an answer that says nothing",
        &[],
    ),
    (
        27,
        "a call is sent again that may have run",
        &["e2e/reuse::a_call_that_was_read_is_not_sent_again"],
    ),
    (
        28,
        "errors of servers are put into other words",
        &["e2e/passing::p28_errors_of_the_server_pass_in_its_own_words"],
    ),
    (
        29,
        "numbers of errors are given a meaning that they do not have",
        &["e2e/passing::p28_errors_of_the_server_pass_in_its_own_words"],
    ),
    (
        30,
        "events lose their name",
        &["e2e/passing::p30_events_pass_as_they_came_and_always_have_a_name"],
    ),
    (31, "a list is shared by hosts that can do different things", &[]),
    (
        32,
        "a host is kept from falling back by a gateway that cannot serve it",
        &["e2e/matrix::every_host_meets_every_server_as_the_table_says"],
    ),
];

/// The pitfalls that no test looks at yet, and who will: what they need is not there.
const OPEN: &[(u8, &str)] = &[
    (7, "comments on every stream"),
    (8, "one final message as JSON, whatever the server made of it"),
    (11, "several servers behind one route"),
    (14, "sessions that outlive the server's"),
    (15, "sessions that every node serves"),
    (17, "the list cache"),
    (25, "several servers behind one route"),
    (26, "bridges"),
    (31, "bridges"),
];

/// The tests of this binary: `file::test`, from the file's path within the folder.
fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (name, _) in files("crates/portreeve/tests/it") {
        let Some(file) = name.strip_suffix(".rs") else {
            continue;
        };
        let file = file.trim_start_matches("crates/portreeve/tests/it/").to_owned();
        for line in text(&name).lines() {
            let Some(rest) = line.strip_prefix("async fn ").or(line.strip_prefix("fn ")) else {
                continue;
            };
            if let Some(test) = rest.strip_suffix("() {") {
                found.insert(format!("{file}::{test}"));
            }
        }
    }
    found
}

/// The numbers of pitfalls in a name like `s8_p18_a_message_...`, which begins with such marks.
fn numbers(test: &str) -> Vec<u8> {
    let name = test.rsplit("::").next().unwrap_or_default();
    let mut found = Vec::new();
    for word in name.split('_') {
        let number = word.trim_start_matches(|letter: char| letter.is_ascii_lowercase());
        let Ok(number) = number.parse() else { break };
        if word == format!("p{number}") {
            found.push(number);
        }
    }
    found
}

#[test]
fn every_pitfall_has_a_test_or_says_what_it_waits_for() {
    let tests = tests();
    let open: BTreeMap<_, _> = OPEN.iter().copied().collect();
    for (place, (number, what, named)) in PITFALLS.into_iter().enumerate() {
        assert_eq!(usize::from(number), place + 1);
        let absent: Vec<_> = named.iter().filter(|test| !tests.contains(**test)).collect();
        assert!(absent.is_empty(), "P{number}, {what}: there is no {absent:?}");
        assert_eq!(
            named.is_empty(),
            open.contains_key(&number),
            "P{number}, {what}: tested or open, not both, not neither"
        );
    }
    let told: BTreeSet<_> = PITFALLS
        .iter()
        .flat_map(|(number, _, named)| named.iter().map(move |test| (*number, (*test).to_owned())))
        .collect();
    for test in &tests {
        for number in numbers(test) {
            let known = told.contains(&(number, test.clone()));
            assert!(
                known,
                "`{test}` is named after P{number} and does not stand in the table"
            );
        }
    }
    println!("{} of 32 pitfalls are tested", 32 - open.len());
}
