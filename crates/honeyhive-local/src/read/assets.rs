//! Pages load three files: a style sheet, a module and a picture. All are part of the program.

use http::StatusCode;
use http::header::HeaderValue;

use crate::reply::Reply;

const CSS: HeaderValue = HeaderValue::from_static("text/css; charset=utf-8");
const SCRIPT: HeaderValue = HeaderValue::from_static("text/javascript; charset=utf-8");
const PICTURE: HeaderValue = HeaderValue::from_static("image/svg+xml");

pub(super) async fn style() -> Reply {
    file(CSS, include_str!("assets/style.css"))
}

pub(super) async fn script() -> Reply {
    file(SCRIPT, include_str!("assets/app.js"))
}

pub(super) async fn icon() -> Reply {
    file(PICTURE, include_str!("assets/icon.svg"))
}

fn file(kind: HeaderValue, text: &'static str) -> Reply {
    Reply::new(StatusCode::OK, kind, text)
}
