//! The conformance table, run for axum with `honeyhive-tower`.

integration_tests::conformance_tests!(integration_tests::tower::Tower);
