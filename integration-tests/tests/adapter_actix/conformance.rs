//! actix-web with `honeyhive-actix` passes the conformance table.

integration_tests::conformance_tests!(integration_tests::actix::ActixWeb);
