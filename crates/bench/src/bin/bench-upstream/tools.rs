//! The tool list, written once.

/// The tools that do something.
const WORKING: [&str; 4] = [
    r#"{"name":"echo","description":"Answers with the text.","inputSchema":{"type":"object","properties":{"text":{"type":"string"}},"required":["text"]}}"#,
    r#"{"name":"events","description":"Streams progress, then answers.","inputSchema":{"type":"object","properties":{"n":{"type":"integer"},"interval_ms":{"type":"integer"}}}}"#,
    r#"{"name":"hold","description":"Streams one event and stays open.","inputSchema":{"type":"object"}}"#,
    r#"{"name":"hidden","description":"There to be hidden.","inputSchema":{"type":"object"}}"#,
];

/// The field `tools` of a list with this many tools.
pub(crate) fn field(count: usize) -> String {
    let mut tools: Vec<String> = WORKING.iter().map(|tool| (*tool).to_owned()).collect();
    tools.extend((tools.len()..count).map(filling));
    format!(r#""tools":[{}]"#, tools.join(","))
}

/// A tool of the size that tools have: about 450 bytes.
fn filling(number: usize) -> String {
    format!(
        concat!(
            r#"{{"name":"search_table_{0}","description":"Searches table {0} for rows that match a question and "#,
            r#"returns at most as many as are asked for, the best first.","inputSchema":{{"type":"object","#,
            r#""properties":{{"question":{{"type":"string","description":"What to look for, in plain words"}},"#,
            r#""most":{{"type":"integer","minimum":1,"maximum":100}},"where":{{"type":"object","#,
            r#""additionalProperties":{{"type":"string"}}}}}},"required":["question"]}}}}"#,
        ),
        number
    )
}
