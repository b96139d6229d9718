//! Starting, stopping and hearing processes. Stopping needs signals, so Unix.

use std::io::{BufRead, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::Sender;

use super::child::{ROLE, Role};

/// Something that a process said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) process: usize,
    /// `None` once it has ended.
    pub(crate) line: Option<String>,
}

/// A process of ours; killed when it is dropped.
pub(crate) struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
}

impl Process {
    /// Starts this program once more, with a role.
    pub(crate) fn start(number: usize, role: &Role, heard: Sender<Said>) -> std::io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        if cfg!(test) {
            command.args(["tests::process", "--exact", "--nocapture", "--test-threads=1"]);
        }
        let role = serde_json::to_string(role)?;
        let mut child = command
            .env(ROLE, role)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take();
        std::thread::spawn(move || {
            let lines = stdout.into_iter().flat_map(|stdout| BufReader::new(stdout).lines());
            for line in lines.map_while(Result::ok) {
                // The test harness talks too.
                let Some(line) = line.strip_prefix(PREFIX) else { continue };
                if heard.send(Said { process: number, line: Some(line.to_owned()) }).is_err() {
                    return;
                }
            }
            let _ = heard.send(Said { process: number, line: None });
        });
        Ok(Self { child, stdin })
    }

    /// Tells it something.
    pub(crate) fn tell(&mut self, line: &str) {
        if let Some(stdin) = &mut self.stdin {
            let _ = writeln!(stdin, "{line}").and_then(|()| stdin.flush());
        }
    }

    /// Lets it go on, after it has stopped itself.
    pub(crate) fn wake(&self) {
        signal("CONT", self.child.id());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Gone already, mostly.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a process says begins with this.
const PREFIX: &str = "storm: ";

/// Says something to the one that started this process.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "\n{PREFIX}{line}").and_then(|()| out.flush());
}

/// Sends a signal to a process of ours by its id.
pub(crate) fn signal(name: &str, process: u32) {
    // Where the process has gone meanwhile, that is no news.
    let _ =
        Command::new("kill").args([&format!("-{name}"), &process.to_string()]).stderr(Stdio::null()).status();
}
