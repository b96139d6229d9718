//! What an import came to: for each method its tools, or a reason.

use std::fmt;

/// What became of a method.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MethodReport {
    /// The method's id, `drive.files.list` say.
    pub id: String,
    /// The tool's local name.
    pub tool: String,
    /// Why it is no tool; `None` where it is one.
    pub problem: Option<String>,
    /// What had to be left out of one that is.
    pub notes: Vec<String>,
}

/// What an import came to.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// Each method; one that uploads or downloads a file is there once for each of its tools.
    pub methods: Vec<MethodReport>,
    /// Resources that cannot be read, with all of their methods.
    pub broken_resources: Vec<String>,
}

impl Report {
    /// How many tools there are.
    #[must_use]
    pub fn imported(&self) -> usize {
        self.methods.iter().filter(|method| method.problem.is_none()).count()
    }

    /// Methods that are no tools.
    pub fn failed(&self) -> impl Iterator<Item = &MethodReport> {
        self.methods.iter().filter(|method| method.problem.is_some())
    }
}

/// One line for the whole, and one for each method that is no tool.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} are tools", self.imported(), self.methods.len())?;
        for place in &self.broken_resources {
            write!(f, "\n  - {place}: the resource cannot be read")?;
        }
        for method in self.failed() {
            write!(f, "\n  - {}: {}", method.id, method.problem.as_deref().unwrap_or_default())?;
        }
        Ok(())
    }
}
