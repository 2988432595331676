//! Something with a name, under another name: every other byte stays.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::splice::Splice;

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    name: &'a RawValue,
}

/// An object with this name instead of its own. `None`: it has no name, or more than one.
pub fn renamed(object: &str, name: &str) -> Option<String> {
    let Named { name: own } = serde_json::from_str(object).ok()?;
    let name = serde_json::to_string(name).ok()?;
    let mut splice = Splice::new(object.as_bytes());
    splice.replace(own.get(), name).ok()?;
    String::from_utf8(splice.finish()).ok()
}

#[cfg(test)]
mod tests {
    use super::renamed;

    #[test]
    fn only_the_name_is_another() {
        let tool = r#"{ "x":{"name":"kept"}, "name" : "send" ,"n":1.50}"#;
        let expected = r#"{ "x":{"name":"kept"}, "name" : "j__send" ,"n":1.50}"#;
        assert_eq!(renamed(tool, "j__send").as_deref(), Some(expected));
        assert_eq!(renamed(r#"{"title":"x"}"#, "a"), None);
        assert_eq!(renamed(r#"{"name":"x","name":"y"}"#, "a"), None);
    }
}
