//! Clients can ask for keys: each is made and shown once, in the form that HoneyHive gives it.

use serde_json::{Value, json};
use uuid::Uuid;

use super::sent::Sent;
use crate::reply::{Answer, Reply};

/// Answers `POST /v1/projects/{project_id}/ingestion_api_keys`.
pub(super) async fn create_ingestion(Sent(body): Sent) -> Answer {
    Ok(made("hh_ingst_", &body))
}

/// Answers `POST /v1/projects/{project_id}/fine_grained_api_keys`.
pub(super) async fn create_data_plane(Sent(body): Sent) -> Answer {
    let named = body["name"]
        .as_str()
        .is_some_and(|name| !name.trim().is_empty());
    if !named || !body["permissions"].is_array() || !body["expires_at"].is_string() {
        return Err(Reply::bad_request(
            "`name`, `permissions` and `expires_at` are needed",
        ));
    }
    Ok(made("hh_fgdp_", &body))
}

/// Makes a key. A server that checks keys takes only those of the program's settings, so a made one opens nothing.
fn made(prefix: &str, body: &Value) -> Reply {
    let digits = || Uuid::new_v4().simple().to_string();
    let (id, secret) = (&digits()[..24], format!("{}{}", digits(), digits()));
    Reply::json(&json!({
        "success": true,
        "data": {
            "key_id": id,
            "key_value": format!("{prefix}{id}_{secret}"),
            "name": body["name"],
            "description": body["description"],
            "permissions": body["permissions"],
            "expires_at": body["expires_at"],
            "root_scope_id": "proj_local",
            "root_scope_type": "project",
        },
    }))
}
