//! What the tests of the binary share: boards of their own, the binary, and HTTP by hand.

#![allow(dead_code, reason = "each test file uses its part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// Longer than anything takes on a machine that is busy; a test that waits for this has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A directory of boards, removed with everything in it.
pub struct Rig {
    directory: tempfile::TempDir,
}

impl Rig {
    pub fn new() -> Self {
        // Boards are refused on filesystems that are not memory.
        let directory = tempfile::tempdir_in("/dev/shm").unwrap();
        Self { directory }
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The file of the board called `name`.
    pub fn board(&self, name: &str) -> PathBuf {
        self.path().join(format!("{name}.v1.board"))
    }

    /// Everything that is in the directory.
    pub fn files(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.path()).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    /// The binary, looking for names in this directory.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tallyboard"));
        command
            .args(arguments)
            .env_remove("TALLYBOARD")
            .env_remove("TALLYBOARD_RSEQ")
            .env("TALLYBOARD_DIR", self.path())
            .stdin(Stdio::null());
        command
    }

    pub fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs a command that must succeed; returns what it printed.
    pub fn run(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command that must fail with `status` and one line on stderr, and returns it.
    pub fn fail(&self, arguments: &[&str], status: i32) -> String {
        let output = self.output(arguments);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            output.status.code(),
            Some(status),
            "{arguments:?}: {errors}"
        );
        assert_eq!(errors.lines().count(), 1, "{errors}");
        errors
    }

    /// Starts `serve` on a port that is free.
    pub fn serve(&self, arguments: &[&str]) -> Serving {
        let mut command = self.command(&["serve", "--web.listen-address", "127.0.0.1:0"]);
        let process = command.args(arguments).stderr(Stdio::piped());
        let mut process = Running(process.spawn().unwrap());
        let lines = lines_of(process.0.stderr.take().unwrap());
        let line = wait_for(&lines, "listening on http://");
        let address = line.split("http://").nth(1).unwrap();
        let address = address.split('/').next().unwrap().to_owned();
        Serving {
            process,
            address,
            log: lines,
        }
    }
}

/// A process that does not outlive the test.
pub struct Running(pub Child);

impl Running {
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    pub fn wait(&mut self) -> ExitStatus {
        self.0.wait().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The lines of a process's output, as they come.
pub fn lines_of(output: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// The next line with `text` in it.
pub fn wait_for(lines: &Receiver<String>, text: &str) -> String {
    loop {
        let line = lines.recv_timeout(PATIENCE);
        let line = line.unwrap_or_else(|_| panic!("no line with `{text}`"));
        if line.contains(text) {
            return line;
        }
    }
}

/// A running `serve`.
pub struct Serving {
    pub process: Running,
    pub address: String,
    pub log: Receiver<String>,
}

impl Serving {
    pub fn get(&self, path: &str) -> Response {
        self.request("GET", path, &[])
    }

    /// The body of `/metrics` as text.
    pub fn metrics(&self) -> String {
        let response = self.get("/metrics");
        assert_eq!(response.status, 200);
        response.text()
    }

    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
        request(&self.address, method, path, headers)
    }

    pub fn connect(&self) -> TcpStream {
        connect(&self.address)
    }

    /// Sends the signal and returns how the process ended.
    pub fn stop(mut self, signal: Signal) -> ExitStatus {
        self.process.signal(signal);
        self.process.wait()
    }
}

pub fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// One request on a connection of its own.
pub fn request(address: &str, method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
    let mut stream = connect(address);
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    Response::parse(&bytes)
}

pub struct Response {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Whether the body came to the end that its headers promise.
    pub is_whole: bool,
}

impl Response {
    pub fn parse(bytes: &[u8]) -> Self {
        let end = bytes
            .windows(4)
            .position(|window| window == b"\r\n\r\n")
            .unwrap();
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_lowercase(), value.to_owned())
        });
        let mut response = Self {
            status: status.parse().unwrap(),
            headers: headers.collect(),
            body: bytes[end + 4..].to_vec(),
            is_whole: true,
        };
        if response.header("transfer-encoding") == Some("chunked") {
            (response.body, response.is_whole) = joined(&response.body);
        } else if let Some(length) = response.header("content-length") {
            response.is_whole = length == response.body.len().to_string();
        }
        response
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }
}

/// The chunks of a body put together, and whether the last one is there.
fn joined(mut chunks: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    loop {
        let Some(end) = chunks.windows(2).position(|window| window == b"\r\n") else {
            return (body, false);
        };
        let length = std::str::from_utf8(&chunks[..end]).unwrap();
        let length = usize::from_str_radix(length, 16).unwrap();
        let chunk = &chunks[end + 2..];
        if length == 0 {
            return (body, true);
        }
        if chunk.len() < length + 2 {
            body.extend_from_slice(&chunk[..length.min(chunk.len())]);
            return (body, false);
        }
        body.extend_from_slice(&chunk[..length]);
        chunks = &chunk[length + 2..];
    }
}
