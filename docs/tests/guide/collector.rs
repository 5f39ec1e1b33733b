//! The Collector's configuration has the shape that the Collector asks for: what a pipeline names is defined, in an order that
//! makes sense, and nothing is defined for nobody.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

const FILE: &str = include_str!("../../collector.yaml");
const PAGE: &str = include_str!("../../guide/at-scale.md");
const PERFORMANCE: &str = include_str!("../../performance.md");

/// Reads the part of YAML that the file is written in: maps, lists of maps, lists on one line, and texts.
fn read(text: &str) -> Value {
    let lines: Vec<(usize, &str)> = text
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
        .map(|line| (line.len() - line.trim_start().len(), line.trim()))
        .collect();
    let mut rest = lines.as_slice();
    let value = block(&mut rest, 0);
    assert!(rest.is_empty(), "not understood: {rest:?}");
    value
}

fn block(lines: &mut &[(usize, &str)], indent: usize) -> Value {
    let mut list = Vec::new();
    while let Some((at, line)) = lines.first()
        && *at == indent
        && let Some(first) = line.strip_prefix("- ")
    {
        // The entry's own lines, the first of them without its dash.
        let others = lines[1..].iter().take_while(|(at, _)| *at > indent).count();
        let mut own = vec![(indent + 2, first)];
        own.extend_from_slice(&lines[1..=others]);
        list.push(block(&mut own.as_slice(), indent + 2));
        *lines = &lines[others + 1..];
    }
    if !list.is_empty() {
        return Value::Array(list);
    }
    let mut map = Map::new();
    while let Some((at, line)) = lines.first()
        && *at == indent
    {
        let (key, value) = line.split_once(':').expect("a key and a value");
        *lines = &lines[1..];
        let value = match (value.trim(), lines.first()) {
            ("", Some((inner, _))) if *inner > indent => block(lines, *inner),
            ("", _) => Value::Null,
            (text, _) => scalar(text),
        };
        assert_eq!(map.insert(key.to_owned(), value), None, "{key} twice");
    }
    Value::Object(map)
}

fn scalar(text: &str) -> Value {
    match text.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
        // An expression in quotes is one entry, whatever commas are in it.
        Some(list) if list.starts_with('\'') => Value::Array(vec![list.trim_matches('\'').into()]),
        Some(list) => list.split(',').map(|it| Value::from(it.trim())).collect(),
        None => text.into(),
    }
}

fn names(value: &Value) -> BTreeSet<String> {
    let object = value.as_object().expect("a map");
    object.keys().cloned().collect()
}

fn list(value: &Value) -> Vec<String> {
    let list = value.as_array().expect("a list").iter();
    list.map(|it| it.as_str().expect("a name").to_owned())
        .collect()
}

#[test]
fn every_component_is_defined_and_used() {
    let config = read(FILE);
    let pipelines = config["service"]["pipelines"]
        .as_object()
        .expect("pipelines");
    for kind in ["receivers", "processors", "exporters"] {
        let used: BTreeSet<_> = pipelines.values().flat_map(|it| list(&it[kind])).collect();
        assert_eq!(names(&config[kind]), used, "{kind}");
    }
    let extensions = list(&config["service"]["extensions"]);
    assert_eq!(
        names(&config["extensions"]),
        extensions.into_iter().collect()
    );
}

#[test]
fn memory_is_limited_first_and_batches_are_made_last() {
    let config = read(FILE);
    for (name, pipeline) in config["service"]["pipelines"]
        .as_object()
        .expect("pipelines")
    {
        let processors = list(&pipeline["processors"]);
        assert_eq!(processors[0], "memory_limiter", "{name}");
        let batch = processors.iter().position(|it| it == "batch");
        assert!(batch.is_none_or(|at| at + 1 == processors.len()), "{name}");
    }
}

#[test]
fn nothing_is_lost_by_a_restart_and_sessions_stay_together() {
    let config = read(FILE);
    let hive = &config["exporters"]["otlp_http/honeyhive"];
    let balancer = &config["exporters"]["load_balancing"];
    for exporter in [hive, balancer] {
        let storage = &exporter["sending_queue"]["storage"];
        let storage = storage.as_str().expect("a queue on disk");
        assert!(names(&config["extensions"]).contains(storage), "{storage}");
        let longest = &exporter["retry_on_failure"]["max_elapsed_time"];
        assert_eq!(longest, "0s", "for ever");
    }
    let of_each_backend = &balancer["protocol"]["otlp"]["sending_queue"];
    assert_eq!(of_each_backend["storage"], Value::Null, "one file for all");
    assert_eq!(
        list(&balancer["routing_attributes"]),
        ["honeyhive.session_id"]
    );
    let key = hive["headers"]["authorization"].as_str().expect("a header");
    assert_eq!(key, "Bearer ${env:HH_API_KEY}", "no key in the file");
    let path = &config["receivers"]["otlp/services"]["protocols"]["http"]["traces_url_path"];
    assert_eq!(path, "/opentelemetry/v1/traces", "where the SDK posts to");
    let url = hive["endpoint"].as_str().expect("an address");
    assert!(
        url.ends_with("/opentelemetry"),
        "`/v1/traces` is added to it: {url}"
    );
}

#[test]
fn the_page_tells_of_every_component() {
    let config = read(FILE);
    for kind in ["receivers", "processors", "exporters", "extensions"] {
        for name in names(&config[kind]) {
            assert!(PAGE.contains(&format!("`{name}`")), "{name}");
        }
    }
}

#[test]
fn the_pages_figures_are_those_that_were_measured() {
    let (_, rest) = PAGE.split_once("| Measured |").expect("a table");
    let (table, rest) = rest.split_once("\n\n").expect("its end");
    let (_, tried) = rest.split_once("## Tried").expect("what was tried");
    let rows = table.lines().skip(2);
    let measured = rows.map(|row| row.split('|').nth(2).expect("a figure").trim());
    let mut figures = 0;
    for figure in measured {
        assert!(
            PERFORMANCE.contains(figure) || tried.contains(&format!(" {figure} ")),
            "{figure} was not measured"
        );
        figures += 1;
    }
    assert_eq!(figures, 7);
}
