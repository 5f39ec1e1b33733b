//! What the script records.

use honeyhive::testing;

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
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_script"))
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
