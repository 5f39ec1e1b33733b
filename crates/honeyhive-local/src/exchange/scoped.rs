//! The routes under `/v1/projects/{project_id}/…` are those without a project, with newer verbs.

use http::request::Parts;
use http::uri::{PathAndQuery, Uri};
use http::{Method, StatusCode};

use crate::reply::Reply;

/// Resources in this list are changed by PATCH here and by PUT elsewhere; the others take either verb, since neither is
/// documented.
const PATCHED: [&str; 2] = ["runs", "charts"];

/// Makes a call below a project one of the plain routes.
pub(super) fn unscope(head: &mut Parts) -> Result<(), Reply> {
    let Some(rest) = below_project(head.uri.path()) else {
        return Ok(());
    };
    let resource = rest.split('/').next().unwrap_or_default();
    if head.method == Method::PUT && PATCHED.contains(&resource) {
        let message = "this path takes PATCH";
        return Err(Reply::refusal(StatusCode::METHOD_NOT_ALLOWED, message));
    }
    let path = match head.uri.query() {
        Some(query) => format!("/v1/{rest}?{query}"),
        None => format!("/v1/{rest}"),
    };
    let path = PathAndQuery::try_from(path).map_err(|_| Reply::not_found())?;
    head.uri = Uri::from(path);
    if head.method == Method::PATCH {
        head.method = Method::PUT;
    }
    Ok(())
}

fn below_project(path: &str) -> Option<&str> {
    let (project, rest) = path.strip_prefix("/v1/projects/")?.split_once('/')?;
    (!project.is_empty()).then_some(rest)
}
