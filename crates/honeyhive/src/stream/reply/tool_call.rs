use serde_json::Value;

use super::bounded::Bounded;

/// A message, or an argument that comes by paths, has this many pieces at the most.
pub(super) const MAX_PARTS: usize = 256;

/// The model wants this tool called.
#[derive(Debug, Default)]
pub(crate) struct ToolCall {
    pub(super) index: u64,
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) arguments: Bounded,
    pub(super) by_path: Vec<ByPath>,
    pub(crate) result: Option<Bounded>,
}

/// The value is an argument, or a piece of one, and the path is where it stands: `$.city`, `$.days[0]`.
#[derive(Debug)]
pub(super) struct ByPath {
    pub(super) path: String,
    pub(super) is_text: bool,
    pub(super) value: Bounded,
}

impl ToolCall {
    /// Returns the arguments as JSON text; `None` where there are none.
    pub(crate) fn arguments(&self) -> Option<String> {
        if self.by_path.is_empty() {
            return (self.arguments.bytes > 0).then(|| self.arguments.shown().into_owned());
        }
        let mut whole = Value::Null;
        for piece in &self.by_path {
            let shown = piece.value.shown();
            let value = match piece.is_text {
                true => shown.into(),
                false => serde_json::from_str(&shown).unwrap_or_else(|_| shown.into()),
            };
            place(&mut whole, &piece.path, value);
        }
        Some(whole.to_string())
    }
}

/// Puts a value where its path says.
fn place(whole: &mut Value, path: &str, value: Value) {
    let path = path.strip_prefix('$').unwrap_or(path);
    let steps = path.split(['.', '[']).filter(|step| !step.is_empty());
    let mut at = whole;
    for step in steps {
        let index = step.strip_suffix(']');
        at = match index.map(|digits| digits.parse::<usize>()) {
            Some(Ok(index)) if index < MAX_PARTS => {
                if !at.is_array() {
                    *at = Value::Array(Vec::new());
                }
                let Value::Array(items) = at else { return };
                if items.len() <= index {
                    items.resize(index + 1, Value::Null);
                }
                &mut items[index]
            }
            Some(Ok(_)) => return,
            _ => {
                let name = index.unwrap_or(step).trim_matches(['\'', '"']);
                if !at.is_object() {
                    *at = Value::Object(serde_json::Map::new());
                }
                let Value::Object(fields) = at else { return };
                fields.entry(name).or_insert(Value::Null)
            }
        };
    }
    *at = value;
}
