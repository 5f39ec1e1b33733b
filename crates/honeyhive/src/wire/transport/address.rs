//! [`Address`] is the URL of a call, in the form that the HTTP client takes.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use http::Uri;

#[cfg(feature = "reqwest")]
type Parsed = reqwest::Url;
#[cfg(not(feature = "reqwest"))]
type Parsed = Uri;

pub(in crate::wire) type Invalid = <Parsed as FromStr>::Err;

/// The URL is parsed once. Most calls go to the same few, and reading one costs a tenth of a call.
#[derive(Debug, Clone)]
pub(in crate::wire) struct Address(Arc<Parsed>);

impl Address {
    /// Parses the address of a server. The addresses of calls are [`below`](Self::below) it.
    pub(in crate::wire) fn of(server: &str) -> Result<Self, Invalid> {
        Ok(Self(Arc::new(server.parse()?)))
    }
}

#[cfg(feature = "reqwest")]
impl Address {
    /// Returns the address of a path, which may have a query.
    pub(in crate::wire) fn below(&self, path: &str) -> Result<Self, Invalid> {
        let mut url = self.url();
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path, None),
        };
        let path = [url.path().trim_end_matches('/'), path].concat();
        url.set_path(&path);
        url.set_query(query);
        Ok(Self(Arc::new(url)))
    }

    pub(super) fn url(&self) -> Parsed {
        Parsed::clone(&self.0)
    }

    pub(super) fn uri(&self) -> Result<Uri, http::uri::InvalidUri> {
        self.0.as_str().parse()
    }
}

#[cfg(not(feature = "reqwest"))]
impl Address {
    /// Returns the address of a path, which may have a query.
    pub(in crate::wire) fn below(&self, path: &str) -> Result<Self, Invalid> {
        let server = self.0.to_string();
        Self::of(&[server.trim_end_matches('/'), path].concat())
    }

    pub(super) fn uri(&self) -> Result<Uri, Invalid> {
        Ok(Uri::clone(&self.0))
    }
}

/// Shows the URL without its query, which may hold names of the program's.
impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.0.to_string();
        formatter.write_str(url.split('?').next().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_added_to_that_of_the_server_as_it_is_written() {
        for (server, path, expected) in [
            ("http://host", "/v1/sessions", "http://host/v1/sessions"),
            ("http://host/", "/v1/sessions", "http://host/v1/sessions"),
            (
                "https://host:8443/behind/a%20proxy",
                "/v1/datasets/%C3%A4%2F%25?name=%27a%26b&run_ids%5B%5D=c%20d",
                "https://host:8443/behind/a%20proxy/v1/datasets/%C3%A4%2F%25?name=%27a%26b&run_ids%5B%5D=c%20d",
            ),
            (
                "http://[::1]:8080/a/",
                "/events",
                "http://[::1]:8080/a/events",
            ),
        ] {
            let address = Address::of(server).unwrap().below(path).unwrap();
            assert_eq!(address.uri().unwrap().to_string(), expected);
            #[cfg(feature = "reqwest")]
            assert_eq!(address.url().as_str(), expected);
        }
    }

    #[test]
    fn an_address_is_shown_without_its_query() {
        let server = Address::of("http://host/a").unwrap();
        let address = server.below("/v1/runs?name=ada").unwrap();
        assert_eq!(address.to_string(), "http://host/a/v1/runs");
    }
}
