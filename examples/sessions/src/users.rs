//! [`serve_users`] serves many users at once with one tracer, on threads and in tasks.

use std::thread;

use honeyhive::{HoneyHiveTracer, NewSession, Session, json};

/// Serves all users at once and returns when all are served.
pub async fn serve_users(tracer: &HoneyHiveTracer, users: &[String]) {
    let served: Vec<_> = users
        .iter()
        .map(|user| {
            let session = NewSession::named(format!("user-{user}"))
                .user_properties(json!({ "user_id": user }));
            let session = tracer.create_session(session);
            let work = serve(session.clone(), user.clone());
            session.spawn(work) // a plain `tokio::spawn` would lose the session
        })
        .collect();
    for user in served {
        // A panic of one user's work does not reach the others'.
        let _ = user.await;
    }
}

/// Serves a user, on whichever thread the task runs: the session is current in here.
#[honeyhive::trace(event_type = "chain", skip(session))]
async fn serve(session: Session, user: String) {
    tokio::task::yield_now().await;
    fetch(&user).await;

    let (for_thread, for_pool) = (user.clone(), user);
    // A thread knows nothing of the session in which it was started, so `wrap` takes the session along.
    let on_thread = thread::spawn(session.wrap(move || compute(&for_thread, "std thread")));
    let in_pool = session.spawn_blocking(move || compute(&for_pool, "blocking pool"));
    let _ = in_pool.await;
    let _ = on_thread.join(); // short work: a long one would hold up a thread of the runtime
}

#[honeyhive::trace(event_type = "tool")]
async fn fetch(user: &str) -> String {
    tokio::task::yield_now().await;
    format!("the data of {user}")
}

#[honeyhive::trace(event_type = "tool")]
fn compute(user: &str, place: &str) -> usize {
    user.len() + place.len()
}
