//! The cookie that binds a consent to the browser in which it was begun.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};
use tool_connect_core::{Error, ErrorKind, Result};

/// Names and writes the binding cookies. Each consent has one of its own, so that several can be under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cookies {
    /// Whether the host is served over https. A browser takes `__Host-` cookies from nobody else, and only a server on this
    /// machine may do without.
    pub(super) secure: bool,
}

impl Cookies {
    /// The name for a consent whose state is remembered as this.
    fn name(self, state: &str) -> String {
        let short = state.get(..12).unwrap_or(state);
        if self.secure { format!("__Host-tc-connect-{short}") } else { format!("tc-connect-{short}") }
    }

    /// Binds the browser: for the host alone, out of reach of scripts, sent along when the provider sends the browser back.
    pub(super) fn bind(self, state: &str, value: &str, lives: Duration) -> Result<HeaderValue> {
        self.write(state, value, lives.as_secs())
    }

    /// Takes the cookie back.
    pub(super) fn unbind(self, state: &str) -> Result<HeaderValue> {
        self.write(state, "", 0)
    }

    fn write(self, state: &str, value: &str, seconds: u64) -> Result<HeaderValue> {
        let name = self.name(state);
        let secure = if self.secure { " Secure;" } else { "" };
        let text = format!("{name}={value}; Path=/;{secure} HttpOnly; SameSite=Lax; Max-Age={seconds}");
        let mut value = HeaderValue::try_from(text)
            .map_err(|_| Error::new(ErrorKind::Internal, "the binding cookie is malformed"))?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// The value that the browser sent; `None` also where it sent several, of which one may be somebody else's.
    pub(super) fn read(self, headers: &HeaderMap, state: &str) -> Option<String> {
        let name = self.name(state);
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut values = lines
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(found, _)| *found == name)
            .map(|(_, value)| value);
        let first = values.next()?;
        values.next().is_none().then(|| first.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATE: &str = "abcdefghijklmnop";

    #[test]
    fn it_is_the_hosts_alone() {
        let cookie = Cookies { secure: true }.bind(STATE, "v", Duration::from_secs(600)).unwrap();
        assert_eq!(
            cookie.to_str().unwrap(),
            "__Host-tc-connect-abcdefghijkl=v; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600"
        );
        assert!(cookie.is_sensitive());
        let plain = Cookies { secure: false }.unbind(STATE).unwrap();
        assert_eq!(
            plain.to_str().unwrap(),
            "tc-connect-abcdefghijkl=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"
        );
    }

    #[test]
    fn it_is_read_only_where_it_stands_once() {
        let read = |lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::COOKIE, HeaderValue::from_str(line).unwrap());
            }
            Cookies { secure: true }.read(&headers, STATE)
        };
        let name = "__Host-tc-connect-abcdefghijkl";
        assert_eq!(read(&[&format!("a=b; {name}=v=1; c")]).as_deref(), Some("v=1"));
        assert_eq!(read(&["a=b", &format!("{name}=v")]).as_deref(), Some("v"));
        assert_eq!(read(&[&format!("{name}=v; {name}=v")]), None);
        assert_eq!(read(&[&format!("x{name}=v; tc-connect-abcdefghijkl=v")]), None);
        assert_eq!(read(&[]), None);
    }
}
