//! All descriptions of a folder, in one table: how many operations become tools, and why others do not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tool_connect::connectors::openapi::{OpenApi, Report};

/// Longer than any description takes.
const LIMIT: Duration = Duration::from_secs(60);

enum End {
    Read(Report),
    Refused(String),
    Panicked,
    TooLong,
}

/// Reads one description in a thread of its own, so that what goes wrong costs one line of the table.
fn read(file: PathBuf) -> End {
    let (sender, receiver) = mpsc::channel();
    let reader = std::thread::Builder::new().stack_size(8 << 20).spawn(move || {
        let end = match std::fs::read(&file) {
            Err(error) => End::Refused(error.to_string()),
            Ok(bytes) => match OpenApi::open(bytes) {
                Ok(api) => End::Read(api.check()),
                Err(error) => End::Refused(error.message().to_owned()),
            },
        };
        let _ = sender.send(end);
    });
    if reader.is_err() {
        return End::Refused("no thread could be started".to_owned());
    }
    match receiver.recv_timeout(LIMIT) {
        Ok(end) => end,
        Err(mpsc::RecvTimeoutError::Timeout) => End::TooLong,
        Err(mpsc::RecvTimeoutError::Disconnected) => End::Panicked,
    }
}

pub(crate) fn table(folder: &Path) -> crate::Outcome {
    let mut files = Vec::new();
    find(folder, &mut files)?;
    files.sort();
    let (mut documents, mut operations, mut imported, mut noted) = (0, 0, 0, 0);
    let mut ends: BTreeMap<&str, usize> = BTreeMap::new();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let mut slowest = (Duration::ZERO, PathBuf::new());
    for file in files {
        let begun = Instant::now();
        let end = read(file.clone());
        if begun.elapsed() > slowest.0 {
            slowest = (begun.elapsed(), file.clone());
        }
        documents += 1;
        let shown = file.strip_prefix(folder).unwrap_or(&file).display();
        match end {
            End::Read(report) => {
                *ends.entry("read").or_default() += 1;
                operations += report.operations.len();
                imported += report.imported();
                noted += report.operations.iter().filter(|operation| !operation.notes.is_empty()).count();
                for (reason, times) in report.reasons() {
                    *reasons.entry(reason.to_string()).or_default() += times;
                }
                for operation in report.failed() {
                    if let Some(problem) = &operation.problem {
                        println!("{shown}: {} {}: {problem}", operation.method, operation.path);
                    }
                }
            }
            End::Refused(why) => {
                *ends.entry("refused").or_default() += 1;
                println!("{shown}: {why}");
            }
            End::Panicked => {
                *ends.entry("panicked").or_default() += 1;
                println!("{shown}: panicked");
            }
            End::TooLong => {
                *ends.entry("took too long").or_default() += 1;
                println!("{shown}: took longer than {} s", LIMIT.as_secs());
            }
        }
    }
    println!("\n| what | how many |\n| --- | ---: |");
    println!("| documents | {documents} |");
    for (end, times) in ends {
        println!("| documents {end} | {times} |");
    }
    #[allow(clippy::cast_precision_loss, reason = "a share for people")]
    let share = 100.0 * imported as f64 / (operations.max(1)) as f64;
    println!("| operations | {operations} |");
    println!("| operations that are tools | {imported} ({share:.2} %) |");
    println!("| of these, with something loosened or left out | {noted} |");
    for (reason, times) in reasons {
        println!("| not a tool: {reason} | {times} |");
    }
    println!(
        "\nslowest: {} ms, {}",
        slowest.0.as_millis(),
        slowest.1.strip_prefix(folder).unwrap_or(&slowest.1).display()
    );
    Ok(())
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) -> crate::Outcome {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, files)?;
        } else if path.extension().is_some_and(|end| ["json", "yaml", "yml"].iter().any(|one| end == *one)) {
            files.push(path);
        }
    }
    Ok(())
}
