//! The example sends sessions as a shop's assistant would, by HTTP alone.

#![allow(
    dead_code,
    unused_imports,
    clippy::expect_used,
    clippy::needless_pass_by_value,
    reason = "shared by an example and a test, which use parts of it and may panic"
)]

mod chats;
mod experiments;
mod extremes;
mod returns;
mod shop;
mod spans;

pub(crate) use experiments::{NEW_RUN, OLD_RUN};
pub(crate) use extremes::HOSTILE;
pub(crate) use returns::RETURNS;
pub(crate) use shop::Shop;
pub(crate) use spans::{Span, asked};

/// Sends everything of the example.
pub(crate) async fn everything(url: &str) {
    let shop = Shop::new(url);
    shop.experiments().await;
    shop.chats().await;
    shop.lost().await;
}
