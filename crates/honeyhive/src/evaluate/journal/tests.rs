use std::path::PathBuf;

use super::*;
use crate::evaluate::summary::made::{trial, value};

/// A `Place` is a file of its own, which is gone at the end.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("honeyhive-journal-{}-{name}", std::process::id()));
        Self(folder.join("run.jsonl"))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.0.parent().unwrap());
    }
}

fn header() -> Header {
    Header {
        run_id: "r".to_owned(),
        name: "n".to_owned(),
        dataset_id: "EXT-d".to_owned(),
        function: "f".to_owned(),
        evaluators: vec!["m".to_owned()],
        trials: 2,
    }
}

#[test]
fn a_journal_tells_what_is_finished_and_a_torn_last_line_is_absent() {
    let place = Place::new("torn");
    let mut journal = Journal::create(&place.0, &header()).unwrap();
    let finished = trial(0, 1, &[("m", value(0.5))]);
    journal.add(&finished).unwrap();
    let failed = TrialReport {
        outcome: Outcome::Failed,
        ..trial(1, 0, &[])
    };
    journal.add(&failed).unwrap();
    drop(journal);
    let mut file = OpenOptions::new().append(true).open(&place.0).unwrap();
    file.write_all(br#"{"datapoint_id":"EXT-2","posi"#).unwrap();

    let told = JournalContents::read(&place.0).unwrap();
    assert_eq!(told.header, header());
    let key = ("EXT-0".to_owned(), 1);
    assert_eq!(told.finished, BTreeMap::from([(key, finished)]));

    let again = trial(1, 0, &[("m", value(true))]);
    told.reopen(&place.0).unwrap().add(&again).unwrap();
    let told = JournalContents::read(&place.0).unwrap();
    assert_eq!(told.finished.len(), 2);
    assert_eq!(told.finished[&("EXT-1".to_owned(), 0)], again);
}

#[test]
fn a_journal_of_something_else_is_refused() {
    let place = Place::new("other");
    drop(Journal::create(&place.0, &header()).unwrap());
    let told = JournalContents::read(&place.0).unwrap();
    assert!(told.expect(&header()).is_ok());
    let others = [
        (
            Header {
                dataset_id: "EXT-e".to_owned(),
                ..header()
            },
            "dataset",
        ),
        (
            Header {
                function: "g".to_owned(),
                ..header()
            },
            "function",
        ),
        (
            Header {
                trials: 1,
                ..header()
            },
            "number of trials",
        ),
        (
            Header {
                evaluators: Vec::new(),
                ..header()
            },
            "list of evaluators",
        ),
    ];
    for (other, what) in others {
        let refused = told.expect(&other).unwrap_err().to_string();
        assert!(refused.contains(what), "{refused}");
    }
    let renamed = Header {
        name: "another".to_owned(),
        ..header()
    };
    assert!(told.expect(&renamed).is_ok());
}

#[test]
fn a_broken_line_in_the_middle_and_an_empty_file_are_told() {
    let place = Place::new("broken");
    drop(Journal::create(&place.0, &header()).unwrap());
    let mut file = OpenOptions::new().append(true).open(&place.0).unwrap();
    file.write_all(b"oops\n{}\n").unwrap();
    assert!(matches!(
        JournalContents::read(&place.0),
        Err(ResumeError::Line { line: 2, .. })
    ));
    fs::write(&place.0, "").unwrap();
    assert!(matches!(
        JournalContents::read(&place.0),
        Err(ResumeError::Line { line: 1, .. })
    ));
    assert!(matches!(
        JournalContents::read(Path::new("/no/such/journal")),
        Err(ResumeError::File { .. })
    ));
}
