//! A small GitHub: the comments of pull request 7 of `acme/shop`, over HTTP.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use serde_json::{Value, json};

use super::TOKEN;

/// So many characters does GitHub take.
const MOST: usize = 65_536;

/// A server, as long as the test runs.
pub struct Api {
    pub address: String,
    state: Arc<Mutex<State>>,
}

/// What it knows.
#[derive(Default)]
pub struct State {
    pub comments: Vec<Comment>,
    /// The status with which everything is answered that would change something.
    pub refuses_with: Option<u16>,
    /// The methods that were asked for, with their paths.
    pub asked: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    pub id: usize,
    pub login: String,
    pub body: String,
}

impl Api {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.expect("a connection"), &shared);
            }
        });
        Self { address, state }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test has stopped")
    }

    pub fn with_comment(self, login: &str, body: &str) -> Self {
        self.state().add(login, body);
        self
    }
}

impl State {
    fn add(&mut self, login: &str, body: &str) -> Value {
        let id = 1000 + self.comments.len();
        self.comments.push(Comment { id, login: login.to_owned(), body: body.to_owned() });
        json!({ "id": id })
    }

    fn answer(&mut self, method: &str, path: &str, is_known: bool, body: &[u8]) -> (u16, Value) {
        self.asked.push(format!("{method} {path}"));
        if !is_known {
            return (401, json!({ "message": "Bad credentials" }));
        }
        if let (true, Some(status)) = (method != "GET", self.refuses_with) {
            return (status, json!({ "message": "Resource not accessible by integration" }));
        }
        let Some(path) = path.strip_prefix("/repos/acme/shop/issues/") else { return (404, Value::Null) };
        if let ("GET", Some(page)) = (method, path.strip_prefix("7/comments?per_page=100&page=")) {
            return (200, self.page(page.parse().expect("a number")));
        }
        let Some(text) = text(body) else { return (422, json!({ "message": "Validation Failed" })) };
        if (method, path) == ("POST", "7/comments") {
            return (201, self.add("github-actions[bot]", &text));
        }
        let id = path.strip_prefix("comments/").and_then(|id| id.parse().ok());
        let Some(index) = self.comments.iter().position(|comment| Some(comment.id) == id) else {
            return (404, Value::Null);
        };
        match method {
            "PATCH" => {
                self.comments[index].body = text;
                (200, json!({}))
            }
            "DELETE" => {
                self.comments.remove(index);
                (204, Value::Null)
            }
            _ => (405, Value::Null),
        }
    }

    fn page(&self, page: usize) -> Value {
        let shown = self.comments.iter().skip((page - 1) * 100).take(100);
        shown
            .map(|comment| json!({ "id": comment.id, "user": { "login": comment.login }, "body": comment.body }))
            .collect()
    }
}

/// The text of a comment that is sent; empty where nothing is.
fn text(body: &[u8]) -> Option<String> {
    if body.is_empty() {
        return Some(String::new());
    }
    let sent: Value = serde_json::from_slice(body).ok()?;
    let text = sent.get("body")?.as_str()?.to_owned();
    (sent.as_object()?.len() == 1 && text.chars().count() <= MOST).then_some(text)
}

/// One request of a connection.
fn answer(stream: TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line");
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let header = |name: &str| {
        let found =
            head.iter().filter_map(|line| line.split_once(": ")).find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    };
    if header("Expect").is_some() {
        reader.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n").expect("somebody listens");
    }
    let mut body = vec![0; header("Content-Length").map_or(0, |length| length.parse().expect("a length"))];
    reader.read_exact(&mut body).expect("the body");
    let mut words = head.first().expect("a request").split(' ');
    let (method, path) = (words.next().expect("a method"), words.next().expect("a path"));
    let is_known = header("Authorization") == Some(&format!("Bearer {TOKEN}"));
    let (status, value) = state.lock().expect("no test has stopped").answer(method, path, is_known, &body);
    let text = if status == 204 { String::new() } else { value.to_string() };
    let length = text.len();
    let answer = format!("HTTP/1.1 {status} Said\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{text}");
    reader.get_mut().write_all(answer.as_bytes()).expect("somebody listens");
}
