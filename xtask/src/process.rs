//! Running other programs: what was asked is shown, a failure names it, and nothing is left running.

use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// What a command of this crate ends with.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// Why a command stopped, in a sentence for the person who ran it.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self(format!("cargo answered JSON that cannot be read: {error}"))
    }
}

/// True on a CI machine, where the lock file is law.
pub(crate) fn on_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

/// `cargo <subcommand>` of the toolchain that runs us, in `root`.
pub(crate) fn cargo(root: &Path, subcommand: &str) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(root).stdin(Stdio::null()).arg(subcommand);
    if on_ci() && subcommand != "fmt" {
        command.arg("--locked");
    }
    command
}

/// Runs to the end with our own output streams.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let shown = shown(command);
    eprintln!("$ {shown}");
    let status = command.status().map_err(|error| not_started(&shown, &error))?;
    if status.success() { Ok(()) } else { Err(Failure(format!("`{shown}` ended with {status}"))) }
}

/// Runs to the end in silence and returns standard output; on failure standard error is part of the message.
pub(crate) fn capture(command: &mut Command) -> Outcome<String> {
    let shown = shown(command);
    let output = command.output().map_err(|error| not_started(&shown, &error))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(Failure(format!("`{shown}` ended with {}:\n{}", output.status, why.trim_end())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs to the end, hands every line of standard output to `line` as it comes, and says whether it succeeded.
pub(crate) fn stream(command: &mut Command, mut line: impl FnMut(&str)) -> Outcome<bool> {
    let shown = shown(command);
    eprintln!("$ {shown}");
    let mut child =
        Running(command.stdout(Stdio::piped()).spawn().map_err(|error| not_started(&shown, &error))?);
    if let Some(stdout) = child.0.stdout.take() {
        let mut reader = BufReader::new(stdout);
        let mut bytes = Vec::new();
        while reader.read_until(b'\n', &mut bytes)? > 0 {
            line(String::from_utf8_lossy(&bytes).trim_end());
            bytes.clear();
        }
    }
    Ok(child.0.wait()?.success())
}

/// Runs a program that must end within `limit` and returns all that it printed; it is killed when it does not.
pub(crate) fn within(limit: Duration, command: &mut Command) -> Outcome<String> {
    let shown = shown(command);
    eprintln!("$ {shown}");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = Running(command.spawn().map_err(|error| not_started(&shown, &error))?);
    let (sender, texts) = mpsc::channel();
    let readers = [
        child.0.stdout.take().map(|pipe| collect(pipe, sender.clone())),
        child.0.stderr.take().map(|pipe| collect(pipe, sender)),
    ];
    // Both pipes close when the program ends, so waiting for their text is waiting for the program.
    let mut printed = String::new();
    let deadline = std::time::Instant::now() + limit;
    for _ in readers.iter().flatten() {
        let left = deadline.saturating_duration_since(std::time::Instant::now());
        match texts.recv_timeout(left) {
            Ok(text) => printed.push_str(&text),
            Err(_) => {
                return Err(Failure(format!(
                    "`{shown}` did not end within {} s and was stopped",
                    limit.as_secs()
                )));
            }
        }
    }
    let status = child.0.wait()?;
    if status.success() {
        Ok(printed)
    } else {
        Err(Failure(format!("`{shown}` ended with {status}, having printed:\n{printed}")))
    }
}

fn collect(mut pipe: impl Read + Send + 'static, sender: mpsc::Sender<String>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // A pipe that breaks ends the text; the exit status tells the rest.
        let _ = pipe.read_to_end(&mut bytes);
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    })
}

/// A child that does not outlive the one who started it, however that one leaves.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut text = program.file_stem().unwrap_or(command.get_program()).to_string_lossy().into_owned();
    for arg in command.get_args() {
        text.push(' ');
        text.push_str(&arg.to_string_lossy());
    }
    text
}

fn not_started(shown: &str, error: &std::io::Error) -> Failure {
    Failure(format!("`{shown}` could not be started: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn this_cargo(args: &[&str]) -> Command {
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(args).stdin(Stdio::null());
        command
    }

    #[test]
    fn a_failing_program_is_named_with_what_it_said() {
        let failure = capture(&mut this_cargo(&["no-such-subcommand"])).unwrap_err().to_string();
        assert!(failure.contains("cargo no-such-subcommand"), "{failure}");
        assert!(failure.contains("no such command"), "{failure}");
    }

    #[test]
    fn a_missing_program_is_a_failure_and_not_a_panic() {
        let failure = run(&mut Command::new("there-is-no-such-program")).unwrap_err().to_string();
        assert!(failure.contains("could not be started"), "{failure}");
    }

    #[test]
    fn lines_arrive_and_success_is_told() {
        let mut lines = Vec::new();
        assert!(stream(&mut this_cargo(&["--version"]), |line| lines.push(line.to_owned())).unwrap());
        assert!(lines.len() == 1 && lines[0].starts_with("cargo "), "{lines:?}");
        let mut failing = this_cargo(&["no-such-subcommand"]);
        assert!(!stream(failing.stderr(Stdio::null()), |_| ()).unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn a_program_that_does_not_end_is_stopped() {
        let mut endless = Command::new("sleep");
        let failure = within(Duration::from_millis(50), endless.arg("600")).unwrap_err().to_string();
        assert!(failure.contains("sleep 600") && failure.contains("was stopped"), "{failure}");
    }
}
