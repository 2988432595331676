//! Makes requests out of a document: mostly of the right form, with something wrong here and there. The same seed makes
//! the same requests.

use serde_json::{Map, Value, json};

/// A source of numbers that can be repeated (xorshift).
pub(super) struct Dice(u64);

/// A request, ready to be sent.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: String,
    /// With its query.
    pub(super) path: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

/// Makes requests.
pub(super) struct Generator {
    pub(super) dice: Dice,
    /// The named schemas of the document.
    pub(super) schemas: Value,
}

/// Texts that readers stumble over.
const TEXTS: [&str; 18] = [
    "",
    " ",
    "a",
    "latest",
    "1.0.0",
    "com.acme/mail",
    "null",
    "true",
    "-1",
    "1e400",
    "\u{0}",
    "\u{202e}abc",
    "İ",
    "%00",
    "../../etc/passwd",
    "' OR 1=1 --",
    "<script>",
    "🦀",
];
/// Parts of paths, already encoded.
const PARTS: [&str; 16] = [
    "com.acme%2Fmail",
    "com.acme%2Fpost",
    "com.trusted%2Fmail",
    "com.acme/mail",
    "com.acme%252Fmail",
    "com.acme",
    "latest",
    "1.0.0",
    "%00",
    "%FF",
    "%2F",
    // Dots alone would be resolved by the client: another path, which is another operation.
    "a..b",
    "a%20b",
    "never",
    "0190a0a0-0000-7000-8000-000000000001",
    "%F0%9F%A6%80",
];

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(super) fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(most.max(1)).unwrap()).unwrap()
    }

    /// Yes in so many of a hundred.
    fn in_hundred(&mut self, yes: usize) -> bool {
        self.below(100) < yes
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    fn text(&mut self) -> String {
        match self.below(20) {
            0 => "x".repeat(self.below(5_000)),
            1 => (0..self.below(30))
                .map(|_| char::from_u32(u32::try_from(self.below(0x2fff)).unwrap()).unwrap_or('?'))
                .collect(),
            _ => (*self.pick(&TEXTS)).to_owned(),
        }
    }

    /// Any JSON at all.
    fn junk(&mut self) -> Value {
        match self.below(9) {
            0 => Value::Null,
            1 => json!(self.in_hundred(50)),
            2 => json!(self.next()),
            3 => json!(-1.5e300),
            4 => json!([]),
            5 => json!({}),
            6 => json!([self.text(), {"a": self.text()}]),
            7 => (0..100).fold(json!(1), |inner, _| json!([inner])),
            _ => json!(self.text()),
        }
    }
}

impl Generator {
    pub(super) fn request(
        &mut self,
        method: &str,
        path: &str,
        parameters: &[Value],
        body: Option<&Value>,
    ) -> Request {
        let path = self.path(path);
        let query = self.query(parameters);
        let mut headers = Vec::new();
        let if_match = parameters.iter().any(|parameter| parameter["name"] == "If-Match");
        if if_match && self.dice.in_hundred(80) {
            let value = *self.dice.pick(&["*", "\"1\"", "\"x\"", "W/\"1\"", "1"]);
            headers.push(("if-match", value.to_owned()));
        }
        let content = match body {
            Some(schema) => self.content(schema),
            None if self.dice.in_hundred(3) => self.dice.junk().to_string(),
            None => String::new(),
        };
        if self.dice.in_hundred(3) {
            let kinds = [
                "text/plain",
                "application/json; charset=latin-1",
                "",
                "application/x-www-form-urlencoded",
            ];
            headers.push(("content-type", (*self.dice.pick(&kinds)).to_owned()));
        }
        let method = if self.dice.in_hundred(3) {
            (*self.dice.pick(&["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"])).to_owned()
        } else {
            method.to_owned()
        };
        Request {
            method,
            path: format!("{path}{query}"),
            headers,
            body: content,
        }
    }

    fn path(&mut self, template: &str) -> String {
        let parts = template.split('/').map(|part| match part {
            "{method}" => (*self.dice.pick(&["none", "dns", "oidc", "magic", "%00"])).to_owned(),
            "{slug}" => (*self.dice.pick(&["mail", "post", "never", "%2F", "a..b"])).to_owned(),
            "{name}" if self.dice.in_hundred(70) => (*self.dice.pick(&PARTS[..4])).to_owned(),
            "{version}" if self.dice.in_hundred(70) => {
                (*self.dice.pick(&["1.0.0", "1.1.0", "latest"])).to_owned()
            }
            part if part.starts_with('{') => (*self.dice.pick(&PARTS)).to_owned(),
            part => part.to_owned(),
        });
        let mut path = parts.collect::<Vec<_>>().join("/");
        if path.starts_with("/v0.1/") && self.dice.in_hundred(20) {
            path = path.replacen("/v0.1/", "/v0/", 1);
        }
        if self.dice.in_hundred(2) {
            path.push('/');
        }
        path
    }

    fn query(&mut self, parameters: &[Value]) -> String {
        let mut query = String::new();
        for parameter in parameters.iter().filter(|parameter| parameter["in"] == "query") {
            if !self.dice.in_hundred(35) {
                continue;
            }
            let name = parameter["name"].as_str().unwrap();
            let value = match (name, self.dice.below(4)) {
                ("limit", 0..3) => self.dice.below(120).to_string(),
                ("updated_since" | "from" | "to", 0..2) => "2026-01-01T00:00:00Z".to_owned(),
                ("include_deleted", 0..2) => "true".to_owned(),
                _ => self.dice.text(),
            };
            let encoded: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
            query.push(if query.is_empty() { '?' } else { '&' });
            query.push_str(&format!("{name}={encoded}"));
        }
        query
    }

    fn content(&mut self, schema: &Value) -> String {
        if self.dice.in_hundred(3) {
            return (*self
                .dice
                .pick(&["{", "", "{}{}", "{\"a\":1,\"a\":2}", "nonsense", "[[[["]))
            .to_owned();
        }
        let value = if schema.get("x-document").is_some() {
            self.document()
        } else if schema.get("x-status").is_some() {
            let message = self.dice.text();
            let status = *self.dice.pick(&["active", "deprecated", "deleted", "gone"]);
            if self.dice.in_hundred(50) {
                json!({"status": status})
            } else {
                json!({"status": status, "statusMessage": message})
            }
        } else if schema.get("x-claim").is_some() {
            json!({"domain": self.dice.text(), "timestamp": self.dice.text(), "signed_timestamp": self.dice.text(), "oidc_token": self.dice.text()})
        } else {
            self.value(schema, 0)
        };
        let value = if self.dice.in_hundred(10) {
            self.spoilt(value)
        } else {
            value
        };
        value.to_string()
    }

    /// A document that leads nowhere: a package, or a port of this machine where nothing listens.
    fn document(&mut self) -> Value {
        let name = *self.dice.pick(&[
            "com.acme/mail",
            "com.acme/post",
            "com.trusted/mail",
            "COM.ACME/mail",
        ]);
        let version = format!("1.{}.0", self.dice.below(6));
        let mut document = json!({
            "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
            "name": name, "description": "Mail", "version": version,
            "packages": [{"registryType": "npm", "identifier": "@acme/mail", "version": "1.0.0", "transport": {"type": "stdio"},
                "packageArguments": [{"type": "named", "name": "--a", "value": "b"}]}],
        });
        if self.dice.in_hundred(20) {
            document["remotes"] =
                json!([{"type": "streamable-http", "url": format!("http://127.0.0.1:9/{name}")}]);
        }
        if self.dice.in_hundred(30) {
            self.spoilt(document)
        } else {
            document
        }
    }

    /// The same with something else at one place.
    fn spoilt(&mut self, value: Value) -> Value {
        let deeper = self.dice.in_hundred(70);
        match value {
            Value::Object(mut members) if deeper && !members.is_empty() => {
                let chosen = self.dice.below(members.len());
                if let Some(place) = members.values_mut().nth(chosen) {
                    *place = self.spoilt(place.take());
                }
                Value::Object(members)
            }
            Value::Array(mut items) if deeper && !items.is_empty() => {
                let chosen = self.dice.below(items.len());
                items[chosen] = self.spoilt(items[chosen].take());
                Value::Array(items)
            }
            _ => self.dice.junk(),
        }
    }

    /// A value of a schema, most of the time.
    fn value(&mut self, schema: &Value, depth: usize) -> Value {
        if depth > 6 || self.dice.in_hundred(4) {
            return self.dice.junk();
        }
        if let Some(name) = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next()) {
            let named = self.schemas[name].clone();
            return self.value(&named, depth + 1);
        }
        for choice in ["oneOf", "anyOf", "allOf"] {
            if let Some(options) = schema[choice].as_array().filter(|options| !options.is_empty()) {
                let option = self.dice.pick(options).clone();
                return self.value(&option, depth + 1);
            }
        }
        if let Some(words) = schema["enum"].as_array() {
            return self.dice.pick(words).clone();
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => self.dice.pick(kinds).as_str().unwrap_or_default().to_owned(),
            kind => kind.as_str().unwrap_or_default().to_owned(),
        };
        match kind.as_str() {
            "object" => self.object(schema, depth),
            "array" => (0..self.dice.below(3))
                .map(|_| self.value(&schema["items"], depth + 1))
                .collect(),
            "string" => json!(self.dice.text()),
            "integer" => json!(self.dice.below(100_000)),
            "number" => json!(self.dice.below(100)),
            "boolean" => json!(self.dice.in_hundred(50)),
            "null" => Value::Null,
            _ => self.document(),
        }
    }

    fn object(&mut self, schema: &Value, depth: usize) -> Value {
        let Some(properties) = schema["properties"].as_object().cloned() else {
            return self.document();
        };
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let mut object = Map::new();
        for (name, inner) in properties {
            let is_required = required.iter().any(|required| required == name.as_str());
            if self.dice.in_hundred(if is_required { 96 } else { 40 }) {
                let value = if name == "document" {
                    self.document()
                } else {
                    self.value(&inner, depth + 1)
                };
                object.insert(name, value);
            }
        }
        Value::Object(object)
    }
}
