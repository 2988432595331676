//! How often one value would be judged by a schema. References let a small schema stand for a huge one: thirty
//! definitions that each name the next one twice judge a value 2^30 times.
//!
//! A schema is a graph. Some edges judge the same value again (`allOf`, `$ref`, `if` ...), others a value inside it
//! (`properties`, `items` ...). Counting the ways through the former is one pass; with each level of nesting, those ways
//! multiply by what the latter lead to.

use std::collections::{HashMap, HashSet};

use portreeve_core::limits::Limits;
use serde_json::{Map, Value};

/// What a schema costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cost {
    /// So deep may a value be that it stays within the bound.
    Depth(usize),
    /// It is past the bound for any value.
    TooMuch,
    /// It refers to another document, or to what is not there.
    Elsewhere,
}

/// Schemas inside a schema.
const SCHEMAS: usize = 10_000;
/// Of them, those that references name. Whoever compiles a schema may go from each into the next.
const TARGETS: usize = 500;
/// Deeper than this nobody nests arguments.
const DEEPEST: usize = Limits::JSON_DEPTH / 2;

/// Edges to schemas that judge the same value.
const HERE_ONE: [&str; 5] = ["not", "if", "then", "else", "propertyNames"];
const HERE_MANY: [&str; 3] = ["allOf", "anyOf", "oneOf"];
const HERE_NAMED: [&str; 1] = ["dependentSchemas"];
/// Edges to schemas that judge values inside it, one of these for each.
const INSIDE_ONE: [&str; 3] = ["items", "additionalItems", "additionalProperties"];
const INSIDE_MANY: [&str; 2] = ["prefixItems", "items"];
const INSIDE_NAMED: [&str; 1] = ["properties"];
/// The same, for values that others judge as well.
const BESIDE_ONE: [&str; 3] = ["contains", "unevaluatedItems", "unevaluatedProperties"];
const BESIDE_NAMED: [&str; 1] = ["patternProperties"];

#[derive(Default)]
struct Node {
    here: Vec<usize>,
    inside: Vec<usize>,
    beside: Vec<usize>,
}

struct Graph<'a> {
    root: &'a Value,
    nodes: Vec<Node>,
    known: HashMap<*const Value, usize>,
    unread: Vec<(usize, &'a Value)>,
    targets: HashSet<usize>,
    anchors: HashMap<&'a str, &'a Value>,
}

/// What a schema costs, against a bound on how often one value may be judged.
pub(super) fn cost(schema: &Value, bound: u64) -> Cost {
    let mut graph = Graph {
        root: schema,
        nodes: Vec::new(),
        known: HashMap::new(),
        unread: Vec::new(),
        targets: HashSet::new(),
        anchors: HashMap::new(),
    };
    graph.find_anchors(schema);
    let Some(root) = graph.read(schema) else {
        return Cost::Elsewhere;
    };
    if graph.nodes.len() > SCHEMAS || graph.targets.len() > TARGETS {
        return Cost::TooMuch;
    }
    let Some(order) = graph.order() else {
        return Cost::TooMuch;
    };
    // How often a value is judged, by where its judging begins; grown level by level.
    let mut visits = vec![1_u64; graph.nodes.len()];
    let mut depth = 0;
    loop {
        let mut now = vec![0_u64; graph.nodes.len()];
        for node in &order {
            let Some(edges) = graph.nodes.get(*node) else {
                continue;
            };
            let at = |list: &[u64], node: &usize| list.get(*node).copied().unwrap_or_default();
            let sum = |list: &[u64], nodes: &[usize]| {
                nodes
                    .iter()
                    .fold(0_u64, |sum, node| sum.saturating_add(at(list, node)))
            };
            let deeper = if depth == 0 {
                1
            } else {
                let one = edges.inside.iter().map(|node| at(&visits, node)).max();
                one.unwrap_or(1).saturating_add(sum(&visits, &edges.beside))
            };
            let again = sum(&now, &edges.here);
            if let Some(place) = now.get_mut(*node) {
                *place = deeper.saturating_add(again);
            }
        }
        let worst = now.get(root).copied().unwrap_or_default();
        if worst > bound {
            return match depth {
                0 => Cost::TooMuch,
                depth => Cost::Depth(depth - 1),
            };
        }
        if depth >= DEEPEST {
            return Cost::Depth(depth);
        }
        visits = now;
        depth += 1;
    }
}

impl<'a> Graph<'a> {
    /// Anchors and identities that references may name.
    fn find_anchors(&mut self, value: &'a Value) {
        match value {
            Value::Object(members) => {
                for keyword in ["$anchor", "$dynamicAnchor"] {
                    if let Some(Value::String(name)) = members.get(keyword) {
                        self.anchors.insert(name, value);
                    }
                }
                members.values().for_each(|member| self.find_anchors(member));
            }
            Value::Array(elements) => elements.iter().for_each(|element| self.find_anchors(element)),
            _ => {}
        }
    }

    /// Reads a schema and all that it leads to. `None`: it refers elsewhere. A list of what is to be read, and no recursion:
    /// a chain of references may be as long as the document.
    fn read(&mut self, schema: &'a Value) -> Option<usize> {
        let root = self.node(schema);
        while let Some((at, schema)) = self.unread.pop() {
            let Value::Object(members) = schema else { continue };
            let mut here = self.edges(members, &HERE_ONE, &HERE_MANY, &HERE_NAMED);
            let inside = self.edges(members, &INSIDE_ONE, &INSIDE_MANY, &INSIDE_NAMED);
            let beside = self.edges(members, &BESIDE_ONE, &[], &BESIDE_NAMED);
            for keyword in ["$ref", "$dynamicRef", "$recursiveRef"] {
                if let Some(reference) = members.get(keyword) {
                    let target = self.target(reference.as_str()?)?;
                    let target = self.node(target);
                    self.targets.insert(target);
                    here.push(target);
                }
            }
            *self.nodes.get_mut(at)? = Node { here, inside, beside };
        }
        Some(root)
    }

    fn node(&mut self, schema: &'a Value) -> usize {
        let next = self.nodes.len();
        let at = *self.known.entry(std::ptr::from_ref(schema)).or_insert(next);
        if at == next {
            self.nodes.push(Node::default());
            self.unread.push((at, schema));
        }
        at
    }

    fn edges(
        &mut self,
        members: &'a Map<String, Value>,
        one: &[&str],
        many: &[&str],
        named: &[&str],
    ) -> Vec<usize> {
        let mut found = Vec::new();
        for keyword in one {
            if let Some(schema @ (Value::Object(_) | Value::Bool(_))) = members.get(*keyword) {
                found.push(self.node(schema));
            }
        }
        for keyword in many {
            for schema in members
                .get(*keyword)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                found.push(self.node(schema));
            }
        }
        for keyword in named {
            let schemas = members.get(*keyword).and_then(Value::as_object);
            for schema in schemas.into_iter().flat_map(Map::values) {
                found.push(self.node(schema));
            }
        }
        found
    }

    /// What a reference names inside this document.
    fn target(&self, reference: &str) -> Option<&'a Value> {
        let fragment = reference.strip_prefix('#')?;
        if fragment.is_empty() {
            return Some(self.root);
        }
        let decoded = percent_encoding::percent_decode_str(fragment)
            .decode_utf8()
            .ok()?;
        if decoded.starts_with('/') {
            self.root.pointer(&decoded)
        } else {
            self.anchors.get(&*decoded).copied()
        }
    }

    /// The nodes so that each comes after all that judge the same value for it. `None`: there is a circle of those, and
    /// judging would not end.
    fn order(&self) -> Option<Vec<usize>> {
        #[derive(Clone, Copy, PartialEq)]
        enum Mark {
            New,
            Open,
            Done,
        }
        let mut marks = vec![Mark::New; self.nodes.len()];
        let mut order = Vec::with_capacity(self.nodes.len());
        for start in 0..self.nodes.len() {
            let mut stack = vec![(start, 0_usize)];
            while let Some((node, edge)) = stack.pop() {
                if edge == 0 {
                    let mark = *marks.get(node)?;
                    match mark {
                        Mark::Done => continue,
                        Mark::Open => return None,
                        Mark::New => *marks.get_mut(node)? = Mark::Open,
                    }
                }
                match self.nodes.get(node)?.here.get(edge) {
                    Some(next) => {
                        stack.push((node, edge + 1));
                        stack.push((*next, 0));
                    }
                    None => {
                        *marks.get_mut(node)? = Mark::Done;
                        order.push(node);
                    }
                }
            }
        }
        Some(order)
    }
}
