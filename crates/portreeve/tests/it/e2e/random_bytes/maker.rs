//! Makes messages with members between the known ones that nobody has heard of.

use std::time::{SystemTime, UNIX_EPOCH};

/// How deep what nobody knows is nested.
pub(super) const DEPTH: u32 = 3;
/// Stands in a prepared answer for the id of the request.
pub(super) const ID: &str = "<the id>";

/// Texts of JSON that a reader must not touch.
const ATOMS: [&str; 14] = [
    "null",
    "true",
    "-0",
    "1.50",
    "1E+2",
    "9007199254740993",
    "0.1000",
    r#""""#,
    r#""\u00e9é\/""#,
    r#""\ud83d\ude80 \"quoted\" \\""#,
    r#""data: x\n\nevent: y""#,
    "[ ]",
    "{ }",
    r#"{"a":1,"a":2}"#,
];

/// Makes messages. The same seed makes the same ones.
pub(super) struct Maker {
    state: u64,
    named: u64,
    /// The members that nobody knows, as they were written since somebody took them.
    written: Vec<String>,
}

impl Maker {
    #[expect(
        clippy::disallowed_methods,
        reason = "each run tries other messages; a failure names them"
    )]
    pub(super) fn new() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time");
        let seed = u64::from(since.subsec_nanos()) | 1;
        println!("seed {seed}");
        Self {
            state: seed,
            named: 0,
            written: Vec::new(),
        }
    }

    pub(super) fn below(&mut self, most: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state % most
    }

    fn blank(&mut self) -> &'static str {
        [" ", "", "", "\t", "  ", "\n "][self.below(6) as usize]
    }

    fn value(&mut self, depth: u32) -> String {
        match self.below(if depth == 0 { 1 } else { 3 }) {
            0 => ATOMS[self.below(ATOMS.len() as u64) as usize].to_owned(),
            1 => {
                let items: Vec<_> = (0..self.below(4)).map(|_| self.value(depth - 1)).collect();
                format!("[{}{}]", self.blank(), items.join(" ,"))
            }
            _ => self.object(depth - 1, &[]),
        }
    }

    /// An object with these members in this order, and others between them.
    pub(super) fn object(&mut self, depth: u32, known: &[(&str, String)]) -> String {
        let mut members = Vec::new();
        for place in 0..=known.len() {
            for _ in 0..self.below(3) {
                self.named += 1;
                let value = self.value(depth);
                let member = self.member(&format!("x-{}", self.named), &value);
                self.written.push(member.trim().to_owned());
                members.push(member);
            }
            if let Some((name, value)) = known.get(place) {
                members.push(self.member(name, value));
            }
        }
        format!("{{{}}}", members.join(","))
    }

    fn member(&mut self, name: &str, value: &str) -> String {
        let blanks = [self.blank(), self.blank(), self.blank(), self.blank()];
        let [before, colon, behind, end] = blanks;
        format!("{before}\"{name}\"{colon}:{behind}{value}{end}")
    }

    pub(super) fn call(&mut self, mark: u64, marks: &[(&str, String)]) -> String {
        let arguments = self.object(DEPTH, &[("mark", mark.to_string())]);
        let meta = self.object(DEPTH, marks);
        let params = [
            ("name", "\"echo\"".to_owned()),
            ("arguments", arguments),
            ("_meta", meta),
        ];
        let params = self.object(DEPTH, &params);
        self.object(
            DEPTH,
            &[
                ("jsonrpc", "\"2.0\"".to_owned()),
                ("id", "1".to_owned()),
                ("method", "\"tools/call\"".to_owned()),
                ("params", params),
            ],
        )
    }

    /// An answer to a request whose id is filled in later.
    pub(super) fn answer(&mut self, typed: &[(&str, String)]) -> String {
        let block = [("type", "\"text\"".to_owned()), ("text", "\"said\"".to_owned())];
        let block = self.object(DEPTH, &block);
        let mut members = typed.to_vec();
        members.push(("content", format!("[ {block}]")));
        members.push(("structuredContent", self.object(DEPTH, &[])));
        members.push(("_meta", self.object(DEPTH, &[])));
        let result = self.object(DEPTH, &members);
        self.object(
            DEPTH,
            &[
                ("result", result),
                ("jsonrpc", "\"2.0\"".to_owned()),
                ("id", ID.to_owned()),
            ],
        )
    }

    pub(super) fn note(&mut self) -> String {
        let params = self.object(
            DEPTH,
            &[("level", "\"info\"".to_owned()), ("data", "1".to_owned())],
        );
        let members = [
            ("jsonrpc", "\"2.0\"".to_owned()),
            ("method", "\"notifications/message\"".to_owned()),
            ("params", params),
        ];
        self.object(DEPTH, &members)
    }

    /// Everything that nobody knows and that was written since the last time.
    pub(super) fn written(&mut self) -> Vec<String> {
        std::mem::take(&mut self.written)
    }
}
