use super::node::{Kind, Node};
use super::text::Text;

/// The value is one of an indexed text.
#[derive(Clone, Copy)]
pub(in crate::stream) struct Json<'a> {
    text: &'a str,
    nodes: &'a [Node],
    at: usize,
}

impl<'a> Json<'a> {
    #[inline]
    pub(super) const fn root(text: &'a str, nodes: &'a [Node]) -> Self {
        Self { text, nodes, at: 0 }
    }

    #[inline]
    pub(super) fn node(self) -> &'a Node {
        &self.nodes[self.at]
    }

    #[inline]
    const fn at(self, at: usize) -> Self {
        Self { at, ..self }
    }

    /// Returns the field of an object; a null is no value.
    pub(in crate::stream) fn get(self, key: &str) -> Option<Self> {
        // The lengths are compared first, since most names differ in length.
        let is_meant = |field: &Self| {
            field.node().name_len as usize == key.len() && field.name() == key.as_bytes()
        };
        let field = self.children(Kind::Object).find(is_meant)?;
        (field.node().kind != Kind::Null).then_some(field)
    }

    /// Returns the fields of an object, without its nulls.
    pub(in crate::stream) fn fields(self) -> Fields<'a> {
        let node = self.node();
        let end = match node.kind {
            Kind::Object => node.next as usize,
            _ => 0,
        };
        Fields {
            at: self.at(self.at + 1),
            end,
        }
    }

    /// Returns the name as it is written: names of an API have no escapes.
    #[inline]
    pub(super) fn name(self) -> &'a [u8] {
        let node = self.node();
        let start = node.name as usize;
        &self.text.as_bytes()[start..start + node.name_len as usize]
    }

    /// Returns the name of the field that this is.
    pub(in crate::stream) fn name_text(self) -> &'a str {
        let node = self.node();
        let start = node.name as usize;
        let name = self.text.get(start..start + node.name_len as usize);
        name.unwrap_or_default()
    }

    #[inline]
    pub(super) fn children(self, kind: Kind) -> impl Iterator<Item = Self> + use<'a> {
        let node = self.node();
        let (mut at, end) = match node.kind == kind {
            true => (self.at + 1, node.next as usize),
            false => (0, 0),
        };
        std::iter::from_fn(move || {
            if at >= end {
                return None;
            }
            let child = self.at(at);
            at = child.node().next as usize;
            Some(child)
        })
    }

    /// Returns the texts, lists and objects of a list; nothing for any other value.
    pub(in crate::stream) fn items(self) -> impl Iterator<Item = Self> + use<'a> {
        self.children(Kind::Array)
    }

    /// Returns the items of the list in this field.
    pub(in crate::stream) fn list(self, key: &str) -> impl Iterator<Item = Self> + use<'a> {
        self.get(key).into_iter().flat_map(Self::items)
    }

    /// Returns the number of items of a list, of whatever type.
    #[inline]
    pub(in crate::stream) fn len(self) -> u64 {
        self.node().items.into()
    }

    #[inline]
    pub(in crate::stream) fn is_object(self) -> bool {
        self.node().kind == Kind::Object
    }

    #[inline]
    pub(in crate::stream) fn is_list(self) -> bool {
        self.node().kind == Kind::Array
    }

    #[inline]
    pub(in crate::stream) fn text(self) -> Option<Text<'a>> {
        let is_plain = match self.node().kind {
            Kind::Text => true,
            Kind::Escaped => false,
            _ => return None,
        };
        Some(Text::of(self.raw(), is_plain))
    }

    /// Returns the text, where this is one that is not empty.
    #[inline]
    pub(in crate::stream) fn said(self) -> Option<Text<'a>> {
        self.text().filter(|text| !text.written().is_empty())
    }

    /// Returns the text in this field, where there is one that is not empty.
    #[inline]
    pub(in crate::stream) fn text_in(self, key: &str) -> Option<Text<'a>> {
        self.get(key)?.said()
    }

    /// Returns true where the value is this text.
    pub(in crate::stream) fn says(self, text: &str) -> bool {
        self.text().is_some_and(|it| it.written() == text)
    }

    /// Returns true where the value is a text that begins with this one.
    pub(in crate::stream) fn begins(self, with: &str) -> bool {
        self.text().is_some_and(|it| it.written().starts_with(with))
    }

    pub(in crate::stream) fn is(self, key: &str, value: &str) -> bool {
        self.get(key).is_some_and(|it| it.says(value))
    }

    /// Returns true where the field is a text that ends with this one.
    pub(in crate::stream) fn ends(self, key: &str, with: &str) -> bool {
        let text = self.get(key).and_then(Self::text);
        text.is_some_and(|it| it.written().ends_with(with))
    }

    pub(in crate::stream) fn number(self, key: &str) -> Option<u64> {
        self.get(key)?.count()
    }

    /// Returns the number as a count, if it is none of those whose sums would overflow.
    pub(in crate::stream) fn count(self) -> Option<u64> {
        const MOST: u64 = 1_000_000_000_000_000;
        if self.node().kind != Kind::Plain {
            return None;
        }
        let text = self.raw();
        let whole: Option<u64> = text.parse().ok();
        whole.filter(|it| *it < MOST).or_else(|| {
            let number: f64 = text.parse().ok()?;
            let is_count = (0.0..MOST as f64).contains(&number);
            is_count.then_some(number as u64)
        })
    }

    /// Returns the number, if this is one that is not negative.
    pub(in crate::stream) fn amount(self) -> Option<f64> {
        let number: f64 = self.raw().parse().ok()?;
        (self.node().kind == Kind::Plain && number >= 0.0 && number.is_finite()).then_some(number)
    }

    /// Returns the JSON text of the value.
    #[inline]
    pub(in crate::stream) fn raw(self) -> &'a str {
        let node = self.node();
        // Both ends of the range are beside an ASCII byte.
        self.text
            .get(node.start as usize..node.end as usize)
            .unwrap_or_default()
    }
}

/// The fields are those of an object, without its nulls.
pub(in crate::stream) struct Fields<'a> {
    at: Json<'a>,
    end: usize,
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a [u8], Json<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        while self.at.at < self.end {
            let field = self.at;
            let node = field.nodes.get(field.at)?;
            self.at.at = node.next as usize;
            if node.kind != Kind::Null {
                let start = node.name as usize;
                let end = start + node.name_len as usize;
                return Some((field.text.as_bytes().get(start..end)?, field));
            }
        }
        None
    }
}
