//! A server that others wrote, as a child that prints READY when it listens and does not outlive us.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::process::{Failure, Outcome};

/// How long a server may take to end by itself.
const GRACE: Duration = Duration::from_secs(5);

/// A running server.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    /// Held open: the server ends when it closes, so also when we are killed and nobody is left to stop it.
    stdin: Option<ChildStdin>,
    ready: String,
}

impl Server {
    /// Starts it and waits until it prints `READY` and what its users must know.
    pub(super) fn start(command: &mut Command, limit: Duration) -> Outcome<Self> {
        let name = name(command);
        eprintln!("$ {name} (in the background)");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| Failure::new(format!("`{name}` could not be started: {error}")))?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take();
        let mut server = Self { child, stdin, ready: String::new() };

        let (sender, lines) = mpsc::channel();
        if let Some(stdout) = stdout {
            // Reads on after READY, so that the server never waits for a full pipe.
            thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    let _ = sender.send(line);
                }
            });
        }
        let deadline = Instant::now() + limit;
        loop {
            match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    if let Some(ready) = line.strip_prefix("READY") {
                        server.ready = ready.trim().to_owned();
                        return Ok(server);
                    }
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    return Err(Failure::new(format!("`{name}` was not ready within {} s", limit.as_secs())));
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    let status = server.child.wait()?;
                    return Err(Failure::new(format!("`{name}` ended with {status} before it was ready")));
                }
            }
        }
    }

    /// What it printed behind `READY`.
    pub(super) fn ready(&self) -> &str {
        &self.ready
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It ends by itself when its input closes, and stops what it has started: one that is killed cannot.
        drop(self.stdin.take());
        let deadline = Instant::now() + GRACE;
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() >= deadline {
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

fn name(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut name = program.file_stem().unwrap_or(command.get_program()).to_string_lossy().into_owned();
    for arg in command.get_args() {
        name.push(' ');
        name.push_str(&arg.to_string_lossy());
    }
    name
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_server_is_ready_when_it_says_so_and_is_stopped_when_dropped() {
        let server =
            Server::start(&mut shell("echo starting; echo READY '{\"port\":1}'; cat"), START).unwrap();
        assert_eq!(server.ready(), "{\"port\":1}");
        let id = server.child.id().to_string();
        drop(server);
        let alive = Command::new("kill").args(["-0", &id]).stderr(Stdio::null()).status().unwrap();
        assert!(!alive.success(), "the server outlived its handle");
    }

    #[test]
    fn a_server_that_is_stopped_can_stop_what_it_started() {
        let mark = std::env::temp_dir().join(format!("tool-connect-server-{}", std::process::id()));
        let script = format!("echo READY; cat; echo stopped > '{}'", mark.display());
        drop(Server::start(&mut shell(&script), START).unwrap());
        let stopped = std::fs::read_to_string(&mark);
        let _ = std::fs::remove_file(&mark);
        assert_eq!(stopped.unwrap(), "stopped\n");
    }

    #[test]
    fn a_server_that_ends_or_dawdles_is_a_failure_and_is_not_left_behind() {
        let failure = Server::start(&mut shell("exit 3"), START).unwrap_err().to_string();
        assert!(failure.contains("ended with") && failure.contains("before it was ready"), "{failure}");
        let begun = Instant::now();
        let failure = Server::start(&mut shell("exec sleep 600"), Duration::from_millis(50)).unwrap_err();
        assert!(failure.to_string().contains("was not ready"), "{failure}");
        assert!(begun.elapsed() < START, "waited for the server instead of stopping it");
    }

    const START: Duration = Duration::from_secs(20);
}
