//! The full screen: draws the value at hand and acts on keys.

use std::io::IsTerminal as _;
use std::time::Duration;

use ratatui::Frame;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph, Wrap};

use super::Recorder;
use super::context::Context;
use super::model::{Filter, Item, Session};
use super::plain::{decision, until};
use crate::cli::baseline::printable;
use crate::suppress::baseline::Decision;

/// The least size that there is room to draw in.
const LEAST: (u16, u16) = (40, 12);

/// What keys mean now.
enum Mode {
    /// Commands.
    Command,
    /// A line is typed.
    Input { what: Input, text: String },
}

/// What a line is typed for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Input {
    Search,
    Until,
    Reason(Decision, Option<jiff::civil::Date>),
}

/// The screen's state beside the session.
struct Screen<'a> {
    session: &'a mut Session,
    recorder: &'a mut Recorder,
    context: &'a Context,
    mode: Mode,
    reveal: bool,
    message: String,
}

/// Runs until the user quits or the terminal goes away.
///
/// # Errors
/// The terminal cannot be used, or a decision cannot be written. The terminal is restored.
pub fn run(session: &mut Session, recorder: &mut Recorder, context: &Context) -> anyhow::Result<()> {
    let mut terminal = ratatui::try_init()?;
    end_with_terminal();
    let mut screen =
        Screen { session, recorder, context, mode: Mode::Command, reveal: false, message: String::new() };
    let done = screen.events(&mut terminal);
    ratatui::restore();
    done
}

/// Ends the process soon after its terminal went away. The signal that says so ends it at once, but `nohup` and some
/// supervisors make programs ignore that, and what reads events would then read nothing for ever. Every decision
/// is in the file already.
fn end_with_terminal() {
    /// What shells report for a process that lost its terminal.
    const HUNG_UP: i32 = 129;
    std::thread::spawn(|| {
        while std::io::stdin().is_terminal() {
            std::thread::sleep(Duration::from_millis(500));
        }
        std::process::exit(HUNG_UP);
    });
}

impl Screen<'_> {
    fn events(&mut self, terminal: &mut ratatui::DefaultTerminal) -> anyhow::Result<()> {
        loop {
            terminal.draw(|frame| self.draw(frame))?;
            match event::read()? {
                Event::Key(key) if key.kind != KeyEventKind::Release => {
                    if !self.key(key)? {
                        return Ok(());
                    }
                }
                // Everything else, such as a new size, only asks for drawing again.
                _ => {}
            }
        }
    }

    /// Acts on a key. Returns false to end.
    fn key(&mut self, key: KeyEvent) -> anyhow::Result<bool> {
        if key.modifiers.contains(KeyModifiers::CONTROL) && matches!(key.code, KeyCode::Char('c' | 'd')) {
            return Ok(false);
        }
        match std::mem::replace(&mut self.mode, Mode::Command) {
            Mode::Command => self.command(key.code),
            Mode::Input { what, text } => {
                self.typed(what, text, key.code)?;
                Ok(true)
            }
        }
    }

    fn command(&mut self, code: KeyCode) -> anyhow::Result<bool> {
        self.message.clear();
        let revealed = std::mem::take(&mut self.reveal);
        match code {
            KeyCode::Char('q') | KeyCode::Esc => return Ok(false),
            KeyCode::Down | KeyCode::Right | KeyCode::Char('j' | 's' | 'n') => self.session.go(1),
            KeyCode::Up | KeyCode::Left | KeyCode::Char('k' | 'p') => self.session.go(-1),
            KeyCode::PageDown => self.session.go(10),
            KeyCode::PageUp => self.session.go(-10),
            KeyCode::Home => self.session.go(isize::MIN),
            KeyCode::End => self.session.go(isize::MAX),
            KeyCode::Char('v') => self.reveal = !revealed,
            KeyCode::Char('t') => self.session.toggle_filter(),
            KeyCode::Char('/') => self.input(Input::Search),
            KeyCode::Char('u') => self.undo()?,
            KeyCode::Char('a') => self.input(Input::Until),
            KeyCode::Char(c) => match decision(c.encode_utf8(&mut [0; 4])) {
                Some(status) => self.input(Input::Reason(status, None)),
                None => "unknown key".clone_into(&mut self.message),
            },
            _ => {}
        }
        Ok(true)
    }

    fn input(&mut self, what: Input) {
        if what == Input::Search || self.session.current().is_some() {
            self.mode = Mode::Input { what, text: String::new() };
        }
    }

    fn typed(&mut self, what: Input, mut text: String, code: KeyCode) -> anyhow::Result<()> {
        match code {
            KeyCode::Esc => return Ok(()),
            KeyCode::Enter => return self.entered(what, &text),
            KeyCode::Backspace => {
                text.pop();
            }
            KeyCode::Char(c) if text.len() < 400 => text.push(c),
            _ => {}
        }
        self.mode = Mode::Input { what, text };
        Ok(())
    }

    fn entered(&mut self, what: Input, text: &str) -> anyhow::Result<()> {
        match what {
            Input::Search => self.session.set_search(text.trim()),
            Input::Until => match until(text, self.session.today()) {
                Ok(expires) => self.input(Input::Reason(Decision::Accepted, expires)),
                Err(reason) => {
                    reason.clone_into(&mut self.message);
                    self.mode = Mode::Input { what, text: text.to_owned() };
                }
            },
            Input::Reason(status, expires) => {
                if let Some(item) = self.session.decide(status, text, expires) {
                    self.recorder.record(item)?;
                }
                self.message = format!("recorded: {} (u takes it back)", status.name());
                self.session.go(1);
            }
        }
        Ok(())
    }

    fn undo(&mut self) -> anyhow::Result<()> {
        match self.session.undo() {
            Some(item) => {
                self.recorder.record(item)?;
                "taken back".clone_into(&mut self.message);
            }
            None => "nothing to take back".clone_into(&mut self.message),
        }
        Ok(())
    }

    fn draw(&self, frame: &mut Frame<'_>) {
        let area = frame.area();
        if area.width < LEAST.0 || area.height < LEAST.1 {
            let text = format!("The terminal is too small:\n{} by {} at least.", LEAST.0, LEAST.1);
            return frame.render_widget(Paragraph::new(text).wrap(Wrap { trim: true }), area);
        }
        let [head, body, foot] =
            Layout::vertical([Constraint::Length(1), Constraint::Min(5), Constraint::Length(3)]).areas(area);
        frame.render_widget(self.head(), head);
        match self.session.current() {
            Some(item) => self.item(frame, body, item),
            None => frame.render_widget(
                Paragraph::new("Nothing is left here. t: show all · /: search anew · q: quit"),
                body,
            ),
        }
        frame.render_widget(self.foot(), foot);
    }

    fn head(&self) -> Paragraph<'_> {
        let (at, of) = self.session.position();
        let (decided, open) = self.session.counts();
        let what = match self.session.filter() {
            Filter::Open => "open",
            Filter::All => "all",
        };
        let search = match self.session.search() {
            "" => String::new(),
            text => format!(" · search: {}", printable(text)),
        };
        Paragraph::new(format!(" stanch audit   {at}/{of} {what} · {decided} decided · {open} open{search}"))
            .style(Style::new().add_modifier(Modifier::REVERSED))
    }

    fn item(&self, frame: &mut Frame<'_>, area: Rect, item: &Item) {
        let finding = &item.finding;
        let mut lines = vec![
            Line::from(vec![
                Span::from(printable(&finding.description)).bold(),
                Span::from(format!("  ({})", finding.rule)),
            ]),
            Line::from(format!(
                "{} · severity {} · confidence {} · now: {}",
                finding.category,
                finding.severity,
                finding.confidence,
                item.status().name()
            )),
        ];
        if let Some(entry) = item.entry.as_ref().filter(|entry| !entry.reason.is_empty()) {
            lines.push(Line::from(format!("reason: {}", printable(&entry.reason))));
        }
        lines.push(Line::default());
        for place in item.places.iter().take(5) {
            lines.push(Line::from(format!("at {}", printable(place))));
        }
        if item.places.len() > 5 {
            lines.push(Line::from(format!("… and {} more places", item.places.len() - 5)));
        }
        lines.push(Line::default());
        for line in self.context.lines(item, self.reveal) {
            let text = format!("{:>6} │ {}", line.number, line.text);
            lines.push(if line.marked { Line::from(text).yellow() } else { Line::from(text).dim() });
        }
        lines.push(Line::default());
        lines.extend(life(item).into_iter().map(Line::from));
        let remedy = &finding.remediation;
        for (what, text) in [
            ("opens", &remedy.opens),
            ("revoke", &remedy.revoke),
            ("rotate", &remedy.rotate),
            ("see", &remedy.url),
        ] {
            if !text.is_empty() {
                lines.push(Line::from(vec![
                    Span::from(format!("{what:<7}")).cyan(),
                    Span::from(text.clone()),
                ]));
            }
        }
        frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }).block(Block::bordered()), area);
    }

    fn foot(&self) -> Paragraph<'_> {
        let lines = match &self.mode {
            Mode::Input { what, text } => {
                let prompt = match what {
                    Input::Search => "search".to_owned(),
                    Input::Until => "accepted until (2026-01-31, or 90d; empty: for ever)".to_owned(),
                    Input::Reason(status, _) => format!("{}: reason (may be empty)", status.name()),
                };
                vec![
                    Line::from(format!("{prompt}: {text}▏")),
                    Line::from(self.message.clone()),
                    Line::from("Enter: go on · Esc: leave it"),
                ]
            }
            Mode::Command => vec![
                Line::from("r real · o rotated or revoked · f false positive · a accepted until… · s skip"),
                Line::from("u undo · v show the value · t open/all · / search · ↑↓ move · q quit"),
                Line::from(self.message.clone()).green(),
            ],
        };
        Paragraph::new(lines)
    }
}

/// What is known of the value's life.
fn life(item: &Item) -> Vec<String> {
    let Some(life) = &item.finding.life else { return Vec::new() };
    let day = |time: i64| {
        jiff::Timestamp::from_second(time)
            .map(|time| time.strftime("%Y-%m-%d").to_string())
            .unwrap_or_default()
    };
    let mut lines = Vec::new();
    for (what, commit) in [("introduced", &life.first_seen), ("last held", &life.last_seen)] {
        if let Some(commit) = commit {
            let id = commit.id.get(..12).unwrap_or(&commit.id);
            lines.push(format!(
                "{what} in {id} on {} by {}",
                day(commit.time),
                printable(&commit.author.to_string())
            ));
        }
    }
    lines.push(if life.in_head { "in HEAD".to_owned() } else { "in the history only".to_owned() });
    lines
}
