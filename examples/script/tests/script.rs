//! The script makes recordings.

use std::process::Command;

use honeyhive::testing;
use honeyhive_local::LocalServer;

#[test]
fn everything_that_the_script_does_is_in_one_session() {
    let (tracer, captured) = testing::tracer();

    let results = script::run(&tracer);

    assert_eq!(results, ["olleH", "dlroW"]);
    let session = captured.only_session();
    assert_eq!(session.outputs["results"][1], "dlroW");
    let tree = session.tree();
    let spans: Vec<_> = tree.lines().skip(1).collect();
    assert_eq!(spans, ["  process_data [tool]", "  process_data [tool]"]);
}

#[test]
fn a_call_records_its_argument_its_result_and_what_it_adds() {
    let (tracer, captured) = testing::tracer();

    script::process_data(&tracer, "Hello");

    let session = captured.only_session();
    let call = session.event("process_data");
    assert_eq!(
        call.text("honeyhive_inputs.input_text").as_deref(),
        Some("Hello")
    );
    assert_eq!(
        call.text("honeyhive_outputs.result").as_deref(),
        Some("olleH")
    );
    assert_eq!(
        call.text("honeyhive_metadata.input_length").as_deref(),
        Some("5")
    );
    assert_eq!(call.text("honeyhive_inputs.tracer"), None);
}

#[test]
fn the_program_prints_the_tree_of_its_session() {
    let output = Command::new(env!("CARGO_BIN_EXE_script"))
        .env_clear()
        .output()
        .unwrap();

    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(
        said.ends_with(
            "local-dev-session
  process_data [tool]
  process_data [tool]
"
        ),
        "{said}"
    );
}

#[test]
fn with_a_key_the_session_goes_where_the_variables_say() {
    let honeyhive = LocalServer::builder()
        .api_key("hh_script")
        .start_blocking()
        .unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_script"))
        .env_clear()
        .env("HH_API_KEY", "hh_script")
        .env("HH_API_URL", honeyhive.url())
        .output()
        .unwrap();

    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.is_empty(), "{said}");
    let session = &honeyhive.sessions()[0];
    assert_eq!(session.outputs["results"][0], "olleH");
    assert_eq!(
        honeyhive.tree(&session.session_id),
        "local-dev-session\n  process_data [tool]\n  process_data [tool]\n"
    );
}
