//! A browser without a window, driven over a pipe by its own protocol: what people do, and what comes of it.

#![allow(dead_code, reason = "each test file uses its part")]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// Chromium, if this machine has one. Where `TOOLS_ARE_THERE` is set, it must.
pub fn installed() -> Option<&'static str> {
    let known = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
    let found = known.into_iter().find(|path| Path::new(path).exists());
    if found.is_none() {
        let required = std::env::var_os("TOOLS_ARE_THERE").is_some();
        assert!(!required, "there is no Chromium at {}: `apt-get install chromium` installs it", known.join(", "));
        eprintln!("NOT TESTED: there is no Chromium; TOOLS_ARE_THERE=1 makes that a failure");
    }
    found
}

/// A running browser with one page.
pub struct Browser {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    folder: PathBuf,
    session: Option<String>,
    sent: u64,
    /// Whether the page is there that was opened last.
    loaded: bool,
    /// What the page fetched, and what it was kept from or stumbled over.
    pub requests: Vec<String>,
    pub complaints: Vec<String>,
}

impl Browser {
    /// Starts it, in a folder of its own, and opens a page of that width and height.
    pub fn start(program: &str, name: &str, size: (u32, u32)) -> Self {
        let folder = std::env::temp_dir().join(format!("topolint-browser-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        // The protocol is spoken on the descriptors 3 and 4.
        let flags = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
             --disable-component-update --disable-sync --disable-dev-shm-usage --remote-debugging-pipe";
        let script = format!(
            "exec {program} {flags} --user-data-dir=\"$1\" about:blank 3<&0 4>&1 0</dev/null 1>/dev/null 2>/dev/null"
        );
        let mut command = Command::new("sh");
        command.arg("-c").arg(script).arg("sh").arg(folder.join("profile"));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let (requests, complaints) = (Vec::new(), Vec::new());
        let mut browser = Self { child, to, from, folder, session: None, sent: 0, loaded: false, requests, complaints };
        let target = browser.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let target = json!({ "targetId": target["targetId"], "flatten": true });
        let session = browser.call("Target.attachToTarget", &target);
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Network", "Log"] {
            browser.call(&format!("{domain}.enable"), &json!({}));
        }
        let size = json!({ "width": size.0, "height": size.1, "deviceScaleFactor": 1, "mobile": false });
        browser.call("Emulation.setDeviceMetricsOverride", &size);
        browser
    }

    /// Says something to the browser, and waits for the answer.
    pub fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.sent += 1;
        let id = self.sent;
        let mut message = json!({ "id": id, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.to.write_all(message.to_string().as_bytes()).unwrap();
        self.to.write_all(&[0]).unwrap();
        loop {
            let message = self.next();
            if message["id"] == id {
                assert!(message.get("error").is_none(), "{method}: {}", message["error"]);
                return message["result"].clone();
            }
        }
    }

    fn next(&mut self) -> Value {
        let mut bytes = Vec::new();
        self.from.read_until(0, &mut bytes).unwrap();
        assert_eq!(bytes.pop(), Some(0), "the browser is gone");
        let message: Value = serde_json::from_slice(&bytes).unwrap();
        let parameters = &message["params"];
        match message["method"].as_str() {
            Some("Network.requestWillBeSent") => {
                self.requests.push(parameters["request"]["url"].as_str().unwrap_or("?").to_owned());
            }
            Some("Page.loadEventFired") => self.loaded = true,
            Some("Log.entryAdded") => self.complaints.push(parameters["entry"]["text"].to_string()),
            Some("Runtime.exceptionThrown") => self.complaints.push(parameters["exceptionDetails"].to_string()),
            Some("Runtime.consoleAPICalled") => self.complaints.push(parameters["args"].to_string()),
            _ => {}
        }
        message
    }

    /// Opens a page from disk, at an address within it.
    pub fn open(&mut self, page: &str, hash: &str) {
        self.open_file("page.html", page, hash);
    }

    /// Opens a file of that name, which tells the browser how to read it.
    pub fn open_file(&mut self, name: &str, content: &str, hash: &str) {
        let path = self.folder.join(name);
        fs::write(&path, content).unwrap();
        // A change of the address within one page would load nothing.
        for url in ["about:blank".to_owned(), format!("file://{}{hash}", path.display())] {
            self.requests.clear();
            self.loaded = false;
            self.call("Page.navigate", &json!({ "url": url }));
            while !self.loaded {
                self.next();
            }
        }
    }

    /// What an expression is worth in the page.
    pub fn ask(&mut self, expression: &str) -> Value {
        let asked = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let answer = self.call("Runtime.evaluate", &asked);
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// The text of an element.
    pub fn text(&mut self, selector: &str) -> String {
        let expression = format!("document.querySelector({}).innerText", json!(selector));
        self.ask(&expression).as_str().unwrap_or_default().to_owned()
    }

    /// How many elements are visible.
    pub fn count(&mut self, selector: &str) -> u64 {
        let chosen = format!("[...document.querySelectorAll({})]", json!(selector));
        self.ask(&format!("{chosen}.filter((element) => element.checkVisibility()).length")).as_u64().unwrap()
    }

    /// Moves the pointer to the middle of an element.
    pub fn point(&mut self, selector: &str) -> (f64, f64) {
        let expression = format!(
            "(() => {{ const box = document.querySelector({}).getBoundingClientRect(); \
             return [box.x + box.width / 2, box.y + box.height / 2]; }})()",
            json!(selector)
        );
        let at = self.ask(&expression);
        let at = (at[0].as_f64().unwrap(), at[1].as_f64().unwrap());
        self.mouse("mouseMoved", at);
        at
    }

    pub fn click(&mut self, selector: &str) {
        let at = self.point(selector);
        self.mouse("mousePressed", at);
        self.mouse("mouseReleased", at);
    }

    pub fn mouse(&mut self, kind: &str, (x, y): (f64, f64)) {
        let button = if kind == "mouseMoved" { "none" } else { "left" };
        let event = json!({ "type": kind, "x": x, "y": y, "button": button, "buttons": 1, "clickCount": 1 });
        self.call("Input.dispatchMouseEvent", &event);
    }

    pub fn wheel(&mut self, (x, y): (f64, f64), by: f64) {
        let event = json!({ "type": "mouseWheel", "x": x, "y": y, "deltaX": 0, "deltaY": by });
        self.call("Input.dispatchMouseEvent", &event);
    }

    pub fn key(&mut self, key: &str) {
        let code = match key {
            "Enter" => 13,
            "Escape" => 27,
            "Tab" => 9,
            _ => u32::from(key.to_uppercase().as_bytes()[0]),
        };
        let text = if key == "Enter" { "\r" } else { key };
        let mut event = json!({ "type": "keyDown", "key": key, "windowsVirtualKeyCode": code });
        if key.len() == 1 || key == "Enter" {
            event["text"] = json!(text);
        }
        self.call("Input.dispatchKeyEvent", &event);
        self.call("Input.dispatchKeyEvent", &json!({ "type": "keyUp", "key": key, "windowsVirtualKeyCode": code }));
    }

    /// Light or dark, as the reader has it.
    pub fn prefer(&mut self, scheme: &str) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.call("Emulation.setEmulatedMedia", &features);
    }

    /// A picture of the page, as PNG in base 64.
    pub fn screenshot(&mut self) -> String {
        let taken = self.call("Page.captureScreenshot", &json!({ "format": "png" }));
        taken["data"].as_str().unwrap().to_owned()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.session = None;
        let _ = self.to.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
