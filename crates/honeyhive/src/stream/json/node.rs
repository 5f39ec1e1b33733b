#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Object,
    Array,
    Text,
    /// The text has escapes.
    Escaped,
    /// The value is a number or a boolean.
    Plain,
    Null,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    /// The field's name is without its quotes; empty where the value is no field.
    pub(super) name: u32,
    pub(super) name_len: u32,
    /// The value's bytes are here, a text's without its quotes.
    pub(super) start: u32,
    pub(super) end: u32,
    /// The node is the one that follows the value and all within.
    pub(super) next: u32,
    /// A list has this many items.
    pub(super) items: u32,
    pub(super) kind: Kind,
}
