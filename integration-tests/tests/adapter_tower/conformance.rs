//! axum with `honeyhive-tower` passes the conformance table.

integration_tests::conformance_tests!(integration_tests::tower::Tower);
