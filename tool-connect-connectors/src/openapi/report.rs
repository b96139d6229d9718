//! What an import came to: for each operation a tool, or a reason and a place.

use std::collections::BTreeMap;
use std::fmt;

use http::Method;

/// Why an operation cannot be a tool, by kind: for counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The operation is malformed.
    Syntax,
    /// A reference leads nowhere, in a circle, or to a document that was not supplied.
    Reference,
    /// The path is malformed.
    Path,
    /// A parameter is malformed.
    Parameter,
    /// The body is malformed.
    Body,
    /// The schema of the arguments cannot be used.
    Schema,
    /// No server can be used.
    Server,
    /// The method is not sent.
    Method,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => "syntax",
            Self::Reference => "reference",
            Self::Path => "path",
            Self::Parameter => "parameter",
            Self::Body => "body",
            Self::Schema => "schema",
            Self::Server => "server",
            Self::Method => "method",
        })
    }
}

/// Something to mend in a description.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// Its kind.
    pub reason: Reason,
    /// What is wrong.
    pub message: String,
    /// JSON pointer to the place in the description.
    pub place: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} (at {})", self.reason, self.message, self.place)
    }
}

/// What became of an operation.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OperationReport {
    /// Its method.
    pub method: Method,
    /// Its path.
    pub path: String,
    /// Its id in the description.
    pub operation_id: Option<String>,
    /// The tool's local name.
    pub tool: String,
    /// Why it is no tool; `None` where it is one.
    pub problem: Option<Problem>,
    /// What had to be loosened or left out of one that is.
    pub notes: Vec<String>,
}

/// What an import came to.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// Each operation that was chosen, in the order of the description.
    pub operations: Vec<OperationReport>,
    /// What is wrong with the description as a whole.
    pub problems: Vec<Problem>,
    /// What could not be taken over of the description as a whole.
    pub notes: Vec<String>,
}

impl Report {
    /// How many operations are tools.
    #[must_use]
    pub fn imported(&self) -> usize {
        self.operations.iter().filter(|operation| operation.problem.is_none()).count()
    }

    /// Those that are none.
    pub fn failed(&self) -> impl Iterator<Item = &OperationReport> {
        self.operations.iter().filter(|operation| operation.problem.is_some())
    }

    /// How many operations are none, by the kind of the reason.
    #[must_use]
    pub fn reasons(&self) -> BTreeMap<Reason, usize> {
        let mut reasons = BTreeMap::new();
        for problem in self.operations.iter().filter_map(|operation| operation.problem.as_ref()) {
            *reasons.entry(problem.reason).or_insert(0) += 1;
        }
        reasons
    }
}

/// One line for the whole, and one for each operation that is no tool.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} operations are tools", self.imported(), self.operations.len())?;
        for problem in &self.problems {
            write!(f, "\n  the description: {problem}")?;
        }
        for note in &self.notes {
            write!(f, "\n  the description {note}")?;
        }
        for operation in self.failed() {
            if let Some(problem) = &operation.problem {
                write!(f, "\n  {} {}: {problem}", operation.method, operation.path)?;
            }
        }
        Ok(())
    }
}
