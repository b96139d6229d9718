//! A storm on one expired token: many calls, many processes, processes that are stopped and killed at the worst moments.
//!
//! Run it with `cargo run --example refresh_storm`; it needs no account and no network. It starts an authorization server of
//! its own that rotates refresh tokens and ends a grant when one is used twice, and processes of its own that share one SQLite
//! file. `-- --full` does it at full size (100,000 calls, 8 processes, 1,000 stops, 1,000 kills; some minutes), and names of
//! parts (`calls`, `processes`, `stops`, `kills`, `unfenced`) run those alone.
//!
//! | part | what must come out |
//! | --- | --- |
//! | `calls` | very many calls in one process: one token request, no call fails |
//! | `processes` | the same from processes that share a file |
//! | `stops` | whoever holds the lease is stopped (SIGSTOP) for longer than it lasts: no refresh token is used twice |
//! | `kills` | a process dies with the provider's answer in its hands: a working token, or `needs_reauth` and an event; no loop |
//! | `unfenced` | the fence is taken away, and the same program reports failures |
//!
//! | file | what is in it |
//! | --- | --- |
//! | `parts.rs` | the parts and their figures |
//! | `house.rs` | server, file and manager |
//! | `child.rs` | what a process does |
//! | `trouble.rs` | stores and transports at which a process stops or dies |
//! | `process.rs` | starting, stopping and hearing processes |

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example speaks to its reader")]

mod child;
mod house;
mod parts;
mod process;
mod trouble;

use std::process::ExitCode;

use parts::{Part, Size};

fn main() -> ExitCode {
    if child::is_one() {
        return child::run();
    }
    let mut size = Size::SHORT;
    let mut wanted = Vec::new();
    for argument in std::env::args().skip(1) {
        match (argument.as_str(), Part::named(&argument)) {
            ("--full", _) => size = Size::FULL,
            (_, Some(part)) => wanted.push(part),
            (other, None) => {
                eprintln!("`{other}` is not known; give --full, or names of parts: {}", Part::names());
                return ExitCode::from(2);
            }
        }
    }
    if wanted.is_empty() {
        wanted.extend(Part::ALL);
    }
    let failed = wanted.into_iter().filter(|part| !parts::run(*part, size)).count();
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::parts::{Part, Size, run};

    /// The processes of the tests are this binary too, with this test as their `main`.
    #[test]
    fn process() {
        if super::child::is_one() {
            super::child::run();
        }
    }

    #[test]
    fn one_token_request_for_all_calls() {
        assert!(run(Part::Calls, Size::SHORT));
    }

    #[test]
    fn one_token_request_for_all_processes() {
        assert!(run(Part::Processes, Size::SHORT));
    }

    #[test]
    fn stopped_holders_spend_nothing_twice() {
        assert!(run(Part::Stops, Size::SHORT));
    }

    #[test]
    fn killed_holders_end_well_or_with_the_user() {
        assert!(run(Part::Kills, Size::SHORT));
    }

    #[test]
    fn without_the_fence_the_same_program_reports_failures() {
        assert!(run(Part::Unfenced, Size::SHORT));
    }
}
