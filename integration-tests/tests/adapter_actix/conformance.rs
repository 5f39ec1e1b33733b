//! The conformance table, run for actix-web with `honeyhive-actix`.

integration_tests::conformance_tests!(integration_tests::actix::ActixWeb);
