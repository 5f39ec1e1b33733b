// A feature that is off says which one it is: the extractor without `axum`.

use honeyhive_tower::CurrentSession;

async fn chat(session: CurrentSession) -> String {
    session.id().to_string()
}

fn main() {}
