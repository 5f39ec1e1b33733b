//! Most tests serve this application: routes within one `HoneyHive`.

use actix_web::App;
use actix_web::web::ServiceConfig;
use honeyhive::testing::{Captured, tracer};
use honeyhive_actix::HoneyHive;
use integration_tests::actix::serve_app;
use integration_tests::adapter::Running;

/// Serves these routes within `HoneyHive`, and captures its recordings.
pub(crate) async fn serve(
    routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> (Running, Captured) {
    let (tracer, captured) = tracer();
    let running = serve_app(move || {
        App::new()
            .wrap(HoneyHive::new(tracer.clone()))
            .configure(routes.clone())
    })
    .await;
    (running, captured)
}
