//! `tui` shows sessions and their trees in the terminal.

mod view;

use std::io::{self, IsTerminal};
use std::time::Duration;

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};

use crate::args::Source;
use crate::ask::tree_text;
use crate::client::{Client, encoded};
use crate::failure::Failure;

use view::{Action, View};

/// The screen asks for news in this interval.
const EVERY: Duration = Duration::from_secs(1);

/// Runs `tui` until `q`.
pub(crate) async fn tui(source: &Source) -> Result<(), Failure> {
    if !io::stdout().is_terminal() {
        return Err(Failure::Misused(
            "this takes a terminal; `tail`, `search` and `show` do not".to_owned(),
        ));
    }
    let client = Client::of(source).await?;
    let mut terminal = ratatui::try_init().map_err(Failure::of)?;
    let mut view = View::new(client.url());
    let done = run(&client, &mut terminal, &mut view).await;
    ratatui::restore();
    done
}

async fn run(
    client: &Client,
    terminal: &mut ratatui::DefaultTerminal,
    view: &mut View,
) -> Result<(), Failure> {
    loop {
        refresh(client, view).await?;
        terminal
            .draw(|frame| view.draw(frame))
            .map_err(Failure::of)?;
        let Some(key) = key().await? else { continue };
        match view.on_key(key) {
            Action::Quit => return Ok(()),
            Action::None => {}
        }
    }
}

/// Reads the rows again, and the tree of the session that is open.
async fn refresh(client: &Client, view: &mut View) -> Result<(), Failure> {
    let listed = client
        .json(&format!("/api/sessions?limit=200&{}", view.query()))
        .await?;
    view.take(&listed.unwrap_or_default());
    if let Some(id) = view.open_id() {
        let tree = client
            .json(&format!("/api/sessions/{}/tree", encoded(id)))
            .await?;
        let text = tree.as_ref().map(tree_text);
        view.take_tree(&text.unwrap_or_else(|| "this session is gone".to_owned()));
    }
    Ok(())
}

/// Returns the next key, if one is pressed soon. A blocking thread waits for the terminal.
async fn key() -> Result<Option<KeyCode>, Failure> {
    let waited = tokio::task::spawn_blocking(|| {
        if !event::poll(EVERY)? {
            return Ok(None);
        }
        event::read().map(Some)
    });
    let event: io::Result<Option<Event>> = waited.await.map_err(Failure::of)?;
    Ok(match event.map_err(Failure::of)? {
        Some(Event::Key(key)) if key.kind == KeyEventKind::Press => {
            let is_ctrl_c =
                key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c');
            Some(if is_ctrl_c {
                KeyCode::Char('q')
            } else {
                key.code
            })
        }
        _ => None,
    })
}
