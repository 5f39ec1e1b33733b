//! The Python names of `from-python.md`: whoever searches the API documentation for one finds an item.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[test]
fn every_python_name_leads_to_an_item_of_the_api() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(docs.join("guide/from-python.md")).unwrap();
    let names = python_names(&page);
    for name in [
        "init",
        "acreate_session",
        "set_default_tracer",
        "link",
        "atrace",
    ] {
        assert!(names.contains(name), "{name}: {names:?}");
    }
    let api = api(docs);
    for name in names {
        let is_found = [
            format!("fn {name}("),
            format!("fn {name}<"),
            format!("alias = \"{name}\""),
        ];
        assert!(
            is_found.iter().any(|it| api.contains(it)),
            "no item is called {name}, and none has it as its `doc(alias)`"
        );
    }
}

/// What Python's SDK 1.7.0 exports, the methods of its tracer, and the arguments of `init` that change something there.
const PUBLIC_IN_PYTHON: &[&str] = &[
    "HoneyHive",
    "MissingApiKeyError",
    "HoneyHiveTracer",
    "trace",
    "atrace",
    "trace_class",
    "enrich_session",
    "enrich_span",
    "set_default_tracer",
    "get_default_tracer",
    "set_global_provider",
    "get_global_provider",
    "HoneyHiveSpanProcessor",
    "shutdown_tracer",
    "graceful_shutdown_all",
    "flush",
    "flush_all",
    "get_logger",
    "DotDict",
    "with_distributed_trace_context",
    "evaluate",
    "evaluator",
    "aevaluator",
    "get_run_result",
    "get_run_metrics",
    "compare_runs",
    "init",
    "create_session",
    "acreate_session",
    "with_session",
    "session_start",
    "start_span",
    "create_event",
    "set_baggage",
    "get_baggage",
    "inject_context",
    "extract_context",
    "link",
    "unlink",
    "force_flush",
    "shutdown",
    "provider",
    "api_key",
    "ingestion_api_key",
    "server_url",
    "project",
    "source",
    "session_name",
    "session_id",
    "inputs",
    "test_mode",
    "verbose",
    "disable_batch",
    "disable_tracing",
    "skip_backend_session_creation",
    "requests_session",
    "span_name_filters",
    "max_attributes",
    "run_id",
    "event_id",
    "update_event_id",
];

#[test]
fn every_name_that_python_exports_is_on_a_page() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("guide");
    let read = |page| fs::read_to_string(guide.join(page)).unwrap();
    let pages = read("from-python.md") + &read("experiments.md");
    let is_part = |symbol: char| symbol.is_ascii_alphanumeric() || symbol == '_';
    let said: BTreeSet<_> = pages.split(|symbol| !is_part(symbol)).collect();
    let missing: Vec<_> = PUBLIC_IN_PYTHON
        .iter()
        .filter(|name| !said.contains(*name))
        .collect();
    assert!(missing.is_empty(), "nothing is said of {missing:?}");
}

#[test]
fn every_call_beside_it_is_one_of_the_api() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(docs.join("guide/from-python.md")).unwrap();
    let api = api(docs);
    let others = [
        "attach",
        "clone",
        "from_secs",
        "layer",
        "trace",
        "with_context",
        "wrap",
    ];
    let cells = page.lines().filter(|line| line.starts_with("| `"));
    let calls = cells.filter_map(|line| line.split(" | ").nth(1));
    let mut count = 0;
    for call in calls {
        let is_part = |symbol: char| symbol.is_ascii_alphanumeric() || symbol == '_';
        for (at, _) in call.match_indices('(') {
            let name = &call[..at];
            let start = name.rfind(|symbol| !is_part(symbol)).map_or(0, |at| at + 1);
            let name = &name[start..];
            let is_found = ["(", "<"]
                .iter()
                .any(|next| api.contains(&format!("fn {name}{next}")));
            assert!(
                is_found || name.is_empty() || others.contains(&name),
                "nothing is called {name}: {call}"
            );
            count += 1;
        }
    }
    assert!(count > 30, "{count} calls were read");
}

/// The source of what a service uses.
fn api(docs: &Path) -> String {
    let mut api = String::new();
    for name in [
        "honeyhive",
        "honeyhive-macros",
        "honeyhive-tower",
        "honeyhive-actix",
    ] {
        let folder = docs.parent().unwrap().join("crates").join(name);
        read_below(&folder.join("src"), &mut api);
    }
    api
}

/// Returns the calls in the first column of the table, and the names of their arguments.
fn python_names(page: &str) -> BTreeSet<&str> {
    let cells = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let calls = cells.flat_map(|line| {
        line.split(" | ")
            .next()
            .unwrap_or_default()
            .split('`')
            .step_by(2)
    });
    let mut names = BTreeSet::new();
    for call in calls.filter(|call| !call.starts_with("HH_")) {
        let is_part = |symbol: char| symbol.is_ascii_alphanumeric() || symbol == '_';
        for (at, sign) in call.match_indices(['(', '=']) {
            let name = &call[..at];
            let start = name.rfind(|symbol| !is_part(symbol)).map_or(0, |at| at + 1);
            let is_tracer = sign == "=" && &name[start..] == "tracer";
            if start < at && !is_tracer {
                names.insert(&name[start..]);
            }
        }
        if let Some(decorator) = call.strip_prefix('@') {
            names.insert(decorator.split('(').next().unwrap_or_default());
        }
    }
    names
}

fn read_below(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_below(&path, text);
        } else {
            text.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}
