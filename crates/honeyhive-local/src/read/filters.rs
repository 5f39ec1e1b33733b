//! The conditions of a list stand in its URL.

use super::format;
use crate::store::Facets;

/// These keys are a place in a list, and no condition.
const PLACES: [&str; 3] = ["before", "after", "limit"];

/// These conditions have a button of their own.
const ALWAYS: [(&str, &str); 4] = [
    ("since", "1h"),
    ("errors", "1"),
    ("outcome", "client_disconnected"),
    ("slower", "5000"),
];

/// A list knows all these conditions.
const KNOWN: [&str; 14] = [
    "q",
    "name",
    "source",
    "user",
    "model",
    "outcome",
    "status",
    "errors",
    "run_id",
    "datapoint_id",
    "from",
    "to",
    "since",
    "slower",
];

/// `Filters` has the pairs of a query, in order.
pub(super) struct Filters {
    pairs: Vec<(String, String)>,
    first: bool,
}

impl Filters {
    pub(super) fn of(query: &str) -> Self {
        let all = form_urlencoded::parse(query.as_bytes());
        let given = all.filter(|(_, value)| !value.trim().is_empty());
        let mut first = true;
        let mut pairs = Vec::new();
        for (key, value) in given {
            first &= !PLACES.contains(&&*key);
            if KNOWN.contains(&&*key) {
                pairs.push((key.into_owned(), value.into_owned()));
            }
        }
        Self { pairs, first }
    }

    /// Returns whether the newest sessions are shown.
    pub(super) fn is_first_page(&self) -> bool {
        self.first
    }

    pub(super) fn any(&self) -> bool {
        !self.pairs.is_empty()
    }

    pub(super) fn value(&self, key: &str) -> &str {
        let mut pairs = self.pairs.iter();
        pairs
            .find(|(name, _)| name == key)
            .map_or("", |(_, value)| value)
    }

    pub(super) fn has(&self, key: &str, value: &str) -> bool {
        self.value(key) == value
    }

    /// Returns all conditions but those of `key`.
    pub(super) fn but<'f>(&'f self, key: &'f str) -> impl Iterator<Item = (&'f str, &'f str)> {
        let pairs = self.pairs.iter().filter(move |(name, _)| name != key);
        pairs.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns the conditions that neither the search nor a button shows.
    pub(super) fn others<'f>(
        &'f self,
        facets: &'f Facets,
    ) -> impl Iterator<Item = (&'f str, &'f str)> {
        self.but("q").filter(|&(key, value)| {
            let offered = match key {
                "model" => facets.models.iter().any(|model| model == value),
                "source" => facets.sources.iter().any(|source| source == value),
                _ => ALWAYS.contains(&(key, value)),
            };
            !offered
        })
    }

    /// Returns the URL of the list with one condition more, or less where it is there.
    pub(super) fn toggled(&self, key: &str, value: &str) -> String {
        let mut pairs: Vec<_> = self.but(key).collect();
        if !self.has(key, value) {
            pairs.push((key, value));
        }
        url(&pairs)
    }

    /// Returns the URL of the same list from a place on.
    pub(super) fn page(&self, before: i64) -> String {
        let before = before.to_string();
        let pairs = self.but("").chain([("before", before.as_str())]);
        url(&pairs.collect::<Vec<_>>())
    }
}

fn url(pairs: &[(&str, &str)]) -> String {
    let pairs = pairs
        .iter()
        .map(|(key, value)| format!("{}={}", format::encoded(key), format::encoded(value)));
    match pairs.collect::<Vec<_>>().join("&") {
        query if query.is_empty() => "/".to_owned(),
        query => format!("/?{query}"),
    }
}

#[cfg(test)]
mod tests {
    use super::Filters;
    use crate::store::Facets;

    #[test]
    fn a_condition_is_added_replaced_and_taken_away_in_the_url() {
        let filters = Filters::of("q=a+b&errors=1&before=7&x=1&model=");
        assert_eq!(filters.toggled("errors", "1"), "/?q=a%20b");
        assert_eq!(
            filters.toggled("model", "a&b"),
            "/?q=a%20b&errors=1&model=a%26b"
        );
        assert_eq!(filters.page(3), "/?q=a%20b&errors=1&before=3");
        assert!(filters.any() && !filters.is_first_page());
        assert_eq!(Filters::of("errors=1").toggled("errors", "1"), "/");
    }

    #[test]
    fn a_condition_without_a_button_gets_one() {
        let facets = Facets {
            models: vec!["m".to_owned()],
            sources: Vec::new(),
        };
        let filters = Filters::of("q=x&model=m&source=s&errors=1&outcome=error");
        let others: Vec<_> = filters.others(&facets).collect();
        assert_eq!(others, [("source", "s"), ("outcome", "error")]);
    }
}
