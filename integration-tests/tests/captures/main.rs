//! The same calls as in the captures of the Python SDK have the same meaning.
//!
//! `integration-tests/captures` holds what Python sent, distilled: sessions in their final state and their
//! spans, without ids, times and the order of concurrent calls. A row makes the same calls here and compares
//! whole values with what [`honeyhive_local`] received. Where we differ on purpose the row says so, and why:
//! mostly with the number of a bug of the Python SDK, from the list in `tests/sdk/python_bugs.rs`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on should say so"
)]

mod baggage;
mod configuration;
mod edits;
mod enrichment;
mod experiments;
mod facts;
mod failures;
mod foreign;
mod hive;
mod lifecycle;
mod meaning;
mod python;
mod runs;
mod sessions;
mod spans;
mod traced;
mod two_tracers;
mod web;

use std::collections::BTreeSet;

/// The macro makes a test a row, in the module `rows`, and the list of all captures that have one.
macro_rules! captures {
    ($($topic:ident { $($(#[$attribute:meta])* $capture:literal: $name:ident,)* })*) => {
        mod rows {
            $(mod $topic {
                $(
                    #[test]
                    $(#[$attribute])*
                    fn $name() {
                        let test = concat!("rows::", stringify!($topic), "::", stringify!($name));
                        crate::$topic::$name(crate::python::Python::read($capture, test));
                    }
                )*
            })*
        }

        const COMPARED: &[&str] = &[$($($capture,)*)*];
    };
}

captures! {
    sessions {
        "01-init-basic": init_basic,
        "02-init-session-id": init_with_a_session_id,
        "09-init-skip-backend": init_in_a_session_that_exists,
        "17-session-start-method": session_start,
        "18-init-dotted-input-keys": inputs_with_dotted_keys,
        "20-create-session-full": create_session_with_every_field,
        "21-create-session-no-name": create_session_without_a_name,
        "23-create-session-link": link_to_a_session,
        "25-acreate-session": acreate_session_in_every_variant,
        "28-asyncio-concurrent": two_tasks_at_once,
    }
    enrichment {
        "31-enrich-session-each-field": each_field_of_a_session,
        "32-enrich-session-all": all_fields_of_a_session_twice,
        "34-enrich-session-empty": nothing_and_nulls,
        "36-enrich-session-free-function": a_session_by_its_id,
        "37-enrich-session-non-json": values_that_json_cannot_hold,
        "60-enrich-span-each-field": each_field_of_a_span,
        "65-enrich-span-free": a_span_without_its_handle,
        "66-enrich-span-no-span": no_span_to_enrich,
        "90-concurrent-enrich-blocks-loop": enriching_in_async_code,
    }
    traced {
        "13-init-protobuf": over_protobuf,
        "40-trace-sync-event-types": event_types,
        "41-trace-async-event-types": async_functions,
        "42-trace-arg-kinds": arguments_of_every_kind,
        "44-trace-exception": errors,
        "45-trace-generators": streams,
        "48-trace-enum": event_types_as_paths,
        "49-atrace-and-bare": bare_and_methods,
        "53-trace-no-tracer": no_tracer_yet,
        "54-trace-tracer-error-text": an_error_that_names_the_tracer,
    }
    spans {
        "08-init-disable-batch": nested,
        "70-start-span": attributes_kinds_links_and_status,
        "71-tracer-trace": with_a_type,
        "78-span-name-filters": names_that_are_filtered,
        "80-create-event": events_by_hand,
        "81-max-attributes": more_attributes_than_fit,
    }
    foreign {
        "72-foreign-genai": operations_of_gen_ai,
        "74-foreign-names": names_and_attributes_that_hint,
        "75-foreign-raw-and-secret": raw_and_secret_attributes,
    }
    two_tracers {
        "15-init-two-tracers": side_by_side,
        "67-enrich-span-other-tracers-span": a_span_of_the_others,
    }
    baggage {
        "92-link-carrier": a_carrier,
        "93-session-id-header-baggage-encoding": encoding,
    }
    lifecycle {
        "05-init-test-mode": test_mode,
        "85-force-flush": force_flush,
        "86-shutdown": shutdown,
        "87-exit-without-flush": the_end_of_the_program,
        "88-exit-by-exception-and-thread": the_end_by_an_error,
        "94-reinit-after-shutdown": a_tracer_after_another,
    }
    configuration {
        "04-init-ingestion-key": an_ingestion_key_beside_the_projects,
        "04b-init-ingestion-key-bad": an_ingestion_key_of_the_wrong_shape,
        "04c-init-ingestion-key-only": an_ingestion_key_alone,
        "06-init-env-only": all_from_the_environment,
        "07-init-env-bare-names": variables_without_a_prefix,
        "12-init-no-key": no_key,
        "16-init-ignored-env": variables_that_python_ignores,
        "16b-init-more-env": more_variables,
        "19-init-resource-env": the_resource_from_the_environment,
    }
    failures {
        "104-err-disable-batch-slow": a_slow_answer_to_a_span,
        "107-err-http-timeout-env": a_timeout_from_the_environment,
    }
    experiments {
        "110-evaluate-inline": a_list,
        "111-evaluate-dataset-id": a_stored_dataset,
        "114-evaluate-errors": failures_of_honeyhive,
        "115-evaluate-git-metadata": the_work_tree,
    }
    web {
        "120-fastapi-guide": the_guide_beside_the_frameworks_spans,
        "120b-fastapi-guide-no-builtin-otel": the_guide,
        "121-fastapi-multi-turn": several_turns,
        "122-flask-guide": the_blocking_guide,
    }
}

/// Some captures of these subjects have no row, for a reason.
const NOT_COMPARED: &[(&str, &str)] = &[(
    "91-fork",
    "a Rust program with threads forks only by unsafe code; a worker process builds its own tracer",
)];

#[test]
fn every_capture_has_a_row_or_a_reason() {
    let files: BTreeSet<_> = std::fs::read_dir(python::folder())
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "json"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    let rows = COMPARED.iter().copied();
    let without = NOT_COMPARED.iter().map(|(capture, _)| *capture);
    let listed: Vec<_> = rows.chain(without).map(str::to_owned).collect();
    assert_eq!(listed.len(), files.len(), "each is listed once");
    assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), files);
}
