//! Edits of one object within a body: members are cut out, put in or given another value, and every other byte stays as it
//! was. Before it: `members`, which finds them. After it: `splice`, which carries the edits out.

use std::borrow::Cow;

use crate::members::Members;
use crate::params::text;
use crate::splice::{Misplaced, Splice};

/// An object and what shall become of its members.
#[derive(Debug)]
pub(crate) struct Edit<'a> {
    object: &'a str,
    members: Vec<Member<'a>>,
    added: Vec<(&'static str, String)>,
}

#[derive(Debug)]
struct Member<'a> {
    /// The key as it was written, with its quotes.
    raw: &'a str,
    key: Cow<'a, str>,
    value: &'a str,
    fate: Fate,
}

#[derive(Debug)]
enum Fate {
    Kept,
    Cut,
    Replaced(String),
}

// === impl Edit ===

impl<'a> Edit<'a> {
    /// An object without edits. Of anything else there are no members.
    pub(crate) fn of(object: &'a str) -> Self {
        let members = Members::of(object).map(|(raw, value)| Member {
            raw,
            key: text(raw).unwrap_or_default(),
            value,
            fate: Fate::Kept,
        });
        Self {
            object,
            members: members.collect(),
            added: Vec::new(),
        }
    }

    /// The value of a member as it was written; the last one, where it comes more than once.
    pub(crate) fn value(&self, key: &str) -> Option<&'a str> {
        let found = self.members.iter().rev().find(|member| member.key == key);
        found.map(|member| member.value)
    }

    /// Whether nothing is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.added.is_empty() && self.members.iter().all(Member::is_cut)
    }

    /// Cuts a member out, however often it comes.
    pub(crate) fn cut(&mut self, key: &str) {
        for member in self.members.iter_mut().filter(|member| member.key == key) {
            member.fate = Fate::Cut;
        }
    }

    /// Gives a member this value, however often it comes; puts it in where it does not come.
    pub(crate) fn put(&mut self, key: &'static str, value: impl Into<String>) {
        let value = value.into();
        let mut found = false;
        for member in self.members.iter_mut().filter(|member| member.key == key) {
            member.fate = Fate::Replaced(value.clone());
            found = true;
        }
        if !found {
            self.added.retain(|(known, _)| *known != key);
            self.added.push((key, value));
        }
    }

    /// Hands the edits over. The object must lie in the body of the splice.
    pub(crate) fn apply(self, splice: &mut Splice<'_>) -> Result<(), Misplaced> {
        self.cut_runs(splice)?;
        for member in &self.members {
            if let Fate::Replaced(value) = &member.fate {
                splice.replace(member.value, value.as_str())?;
            }
        }
        let rest = self.members.iter().any(|member| !member.is_cut());
        let mut text = String::new();
        for (at, (key, value)) in self.added.iter().enumerate() {
            // Keys are ours, and need no escapes.
            text.push_str(if at > 0 { ",\"" } else { "\"" });
            text.push_str(key);
            text.push_str("\":");
            text.push_str(value);
        }
        if text.is_empty() {
            return Ok(());
        }
        if rest {
            text.push(',');
        }
        let brace = self.object.find('{').ok_or(Misplaced)?;
        let start = splice.place_of(self.object)?.start;
        splice.insert(start + brace + 1, text)?;
        Ok(())
    }

    /// Each run of members that are cut goes with one of the commas around it.
    fn cut_runs(&self, splice: &mut Splice<'_>) -> Result<(), Misplaced> {
        let mut at = 0;
        while let Some(first) = self.members.get(at) {
            if !first.is_cut() {
                at += 1;
                continue;
            }
            let run = self.members.iter().skip(at).take_while(|member| member.is_cut());
            let last = at + run.count() - 1;
            let mut start = splice.place_of(first.raw)?.start;
            let end = match (self.members.get(last + 1), self.members.get(last)) {
                (Some(next), _) => splice.place_of(next.raw)?.start,
                (None, Some(last)) => {
                    if let Some(before) = at.checked_sub(1).and_then(|before| self.members.get(before)) {
                        start = splice.place_of(before.value)?.end;
                    }
                    splice.place_of(last.value)?.end
                }
                (None, None) => return Err(Misplaced),
            };
            splice.replace_at(start..end, "")?;
            at = last + 1;
        }
        Ok(())
    }
}

// === impl Member ===

impl Member<'_> {
    fn is_cut(&self) -> bool {
        matches!(self.fate, Fate::Cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(object: &str, change: impl FnOnce(&mut Edit<'_>)) -> String {
        let body = format!("[{object}]");
        let object = body.get(1..body.len() - 1).unwrap();
        let mut edit = Edit::of(object);
        change(&mut edit);
        let mut splice = Splice::new(body.as_bytes());
        edit.apply(&mut splice).unwrap();
        let text = String::from_utf8(splice.finish()).unwrap();
        text.get(1..text.len() - 1).unwrap().to_owned()
    }

    #[test]
    fn members_are_cut_with_one_comma_each() {
        let text = "{ \"a\" : 1 , \"b\":[2], \"c\":{\"a\":3}\n}";
        assert_eq!(
            edited(text, |edit| edit.cut("a")),
            "{ \"b\":[2], \"c\":{\"a\":3}\n}"
        );
        assert_eq!(
            edited(text, |edit| edit.cut("b")),
            "{ \"a\" : 1 , \"c\":{\"a\":3}\n}"
        );
        assert_eq!(edited(text, |edit| edit.cut("c")), "{ \"a\" : 1 , \"b\":[2]\n}");
        assert_eq!(
            edited(text, |edit| ["a", "b"].iter().for_each(|key| edit.cut(key))),
            "{ \"c\":{\"a\":3}\n}"
        );
        assert_eq!(
            edited(text, |edit| ["a", "b", "c"].iter().for_each(|key| edit.cut(key))),
            "{ \n}"
        );
        assert_eq!(
            edited(r#"{"a":1,"\u0061":2,"b":3}"#, |edit| edit.cut("a")),
            r#"{"b":3}"#
        );
    }

    #[test]
    fn members_are_put_in_once() {
        assert_eq!(edited("{}", |edit| edit.put("x", "1")), r#"{"x":1}"#);
        assert_eq!(
            edited(r#"{ "a":1}"#, |edit| edit.put("x", "1")),
            r#"{"x":1, "a":1}"#
        );
        assert_eq!(edited(r#"{ "x":2}"#, |edit| edit.put("x", "1")), r#"{ "x":1}"#);
        assert_eq!(
            edited(r#"{"a":1}"#, |edit| {
                edit.cut("a");
                edit.put("x", "1");
                edit.put("y", "2");
            }),
            r#"{"x":1,"y":2}"#
        );
    }

    proptest::proptest! {
        #[test]
        fn what_is_not_named_stays_byte_for_byte(
            members in proptest::collection::vec(("[a-e]", "(1|true|\"[a-z,}{]{0,4}\"|\\{\"a\": \\[1 ,2\\]\\})", " {0,2}"), 0..7),
            cut in "[a-e]",
        ) {
            let one = |(key, value, space): &(String, String, String)| format!("{space}\"{key}\"{space}:{space}{value}");
            let all: Vec<_> = members.iter().map(one).collect();
            let kept: Vec<_> = members.iter().filter(|(key, ..)| *key != cut).map(one).collect();
            let text = edited(&format!("{{{}}}", all.join(",")), |edit| edit.cut(&cut));
            let stripped = |text: &str| text.replace(' ', "");
            proptest::prop_assert_eq!(stripped(&text), stripped(&format!("{{{}}}", kept.join(","))));
            proptest::prop_assert!(serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok(), "{}", text);
            for member in &kept {
                proptest::prop_assert!(text.contains(member.trim_start()), "{} lacks {}", text, member);
            }
        }
    }
}
