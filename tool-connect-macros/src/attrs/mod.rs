//! `#[tool(..)]`: what an author may say, read with every mistake pointed at.

mod values;

use std::collections::HashSet;
use std::time::Duration;

use proc_macro2::{Span, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Ident, LitStr, Path, Token, Type};

use self::values::{cost, duration, flag, path, text, texts, value};
use crate::errors::Errors;
use crate::names::{nearest, problem_of_name};

/// Where the attribute stands, which decides what may be said.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// On the struct of `#[derive(Tool)]`.
    Tool,
    /// On the function of `#[tool]`.
    Function,
    /// On the type of `#[derive(ToolArgs)]`.
    Args,
    /// On a field.
    Field,
}

impl Place {
    const fn known(self) -> &'static [&'static str] {
        match self {
            Self::Tool => &[
                "name",
                "title",
                "scopes",
                "read_only",
                "destructive",
                "idempotent",
                "open_world",
                "version",
                "aliases",
                "timeout",
                "cost",
                "cache",
                "blocking",
                "state",
                "allow_unknown_fields",
                "deprecated",
                "crate",
            ],
            Self::Function => &[
                "name",
                "title",
                "scopes",
                "read_only",
                "destructive",
                "idempotent",
                "open_world",
                "version",
                "aliases",
                "timeout",
                "cost",
                "cache",
                "blocking",
                "deprecated",
                "crate",
            ],
            Self::Args => &["allow_unknown_fields", "crate"],
            Self::Field => &["unchecked"],
        }
    }
}

/// A value and the word that introduced it.
pub(crate) struct Given<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

/// What was said, each at most once.
#[derive(Default)]
pub(crate) struct Attrs {
    pub(crate) name: Option<Given<LitStr>>,
    pub(crate) title: Option<Given<LitStr>>,
    pub(crate) scopes: Option<Given<Vec<LitStr>>>,
    pub(crate) read_only: Option<Given<bool>>,
    pub(crate) destructive: Option<Given<bool>>,
    pub(crate) idempotent: Option<Given<bool>>,
    pub(crate) open_world: Option<Given<bool>>,
    pub(crate) version: Option<Given<LitStr>>,
    pub(crate) aliases: Option<Given<Vec<LitStr>>>,
    pub(crate) timeout: Option<Given<Duration>>,
    pub(crate) cost: Option<Given<u32>>,
    pub(crate) cache: Option<Given<Duration>>,
    pub(crate) blocking: Option<Given<bool>>,
    pub(crate) state: Option<Given<Type>>,
    pub(crate) allow_unknown_fields: Option<Given<bool>>,
    pub(crate) deprecated: Option<Given<LitStr>>,
    pub(crate) krate: Option<Given<Path>>,
    pub(crate) unchecked: Option<Given<bool>>,
}

impl Attrs {
    /// Reads every `#[tool(..)]` among the attributes.
    pub(crate) fn of(attrs: &[Attribute], place: Place, errors: &mut Errors) -> Self {
        let mut said = Self::default();
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("tool")) {
            let read = attr.parse_args_with(|input: ParseStream<'_>| {
                said.read_all(input, place, errors);
                Ok(())
            });
            errors.keep(read);
        }
        said.check(errors);
        said
    }

    /// Reads the arguments of `#[tool(..)]` on a function.
    pub(crate) fn of_function(args: proc_macro2::TokenStream, errors: &mut Errors) -> Self {
        let mut said = Self::default();
        let read = |input: ParseStream<'_>| {
            said.read_all(input, Place::Function, errors);
            Ok(())
        };
        let read = read.parse2(args);
        errors.keep(read);
        said.check(errors);
        said
    }

    /// Reads items up to the end; after a mistake it goes on behind the next comma.
    fn read_all(&mut self, input: ParseStream<'_>, place: Place, errors: &mut Errors) {
        while !input.is_empty() {
            let item = self.read(input, place).and_then(|()| {
                if input.is_empty() || input.peek(Token![,]) {
                    Ok(())
                } else {
                    Err(input.error("expected `,` between the items"))
                }
            });
            if let Err(error) = item {
                errors.push(error);
                while !input.is_empty() && !input.peek(Token![,]) && input.parse::<TokenTree>().is_ok() {}
            }
            // Cannot fail: the loop above stopped at the end or at a comma.
            if input.parse::<Option<Token![,]>>().is_err() {
                return;
            }
        }
    }

    fn read(&mut self, input: ParseStream<'_>, place: Place) -> syn::Result<()> {
        if input.peek(syn::Lit) {
            return Err(input.error("expected an item such as `name = \"create_issue\"`"));
        }
        let word = input.call(Ident::parse_any)?;
        let item = word.to_string();
        if !place.known().contains(&item.as_str()) {
            return Err(syn::Error::new(word.span(), unknown(&item, place)));
        }
        match item.as_str() {
            "name" => text(&mut self.name, &word, input, "create_issue"),
            "title" => text(&mut self.title, &word, input, "Create an issue"),
            "version" => text(&mut self.version, &word, input, "1.0.0"),
            "deprecated" => text(&mut self.deprecated, &word, input, "use `open_issue`"),
            "scopes" => texts(&mut self.scopes, &word, input, "repo"),
            "aliases" => texts(&mut self.aliases, &word, input, "old_name"),
            "read_only" => flag(&mut self.read_only, &word, input),
            "destructive" => flag(&mut self.destructive, &word, input),
            "idempotent" => flag(&mut self.idempotent, &word, input),
            "open_world" => flag(&mut self.open_world, &word, input),
            "blocking" => flag(&mut self.blocking, &word, input),
            "allow_unknown_fields" => flag(&mut self.allow_unknown_fields, &word, input),
            "unchecked" => flag(&mut self.unchecked, &word, input),
            "timeout" => duration(&mut self.timeout, &word, input),
            "cache" => duration(&mut self.cache, &word, input),
            "cost" => cost(&mut self.cost, &word, input),
            "state" => value(&mut self.state, &word, input, "state = Root"),
            "crate" => path(&mut self.krate, &word, input),
            _ => Err(syn::Error::new(word.span(), unknown(&item, place))),
        }
    }

    /// What each item allows by itself is known; this is about all of them together.
    fn check(&self, errors: &mut Errors) {
        if let Some(name) = &self.name
            && let Some(problem) = problem_of_name(&name.value.value())
        {
            errors.at(&name.value, format!("this name {problem}"));
        }
        for (what, given) in [("title", &self.title), ("deprecated", &self.deprecated)] {
            if let Some(given) = given
                && given.value.value().trim().is_empty()
            {
                errors.at(&given.value, format!("`{what}` is empty: say something or leave it out"));
            }
        }
        if let Some(version) = &self.version
            && let Err(error) = semver::Version::parse(&version.value.value())
        {
            let message =
                format!("this is not a semantic version ({error}): write three numbers, such as `1.2.0`");
            errors.at(&version.value, message);
        }
        self.check_lists(errors);
        self.check_annotations(errors);
    }

    fn check_lists(&self, errors: &mut Errors) {
        if let Some(scopes) = &self.scopes {
            repeated("scope", &scopes.value, errors);
            for scope in scopes.value.iter().filter(|scope| scope.value().trim().is_empty()) {
                errors.at(scope, "this scope is empty");
            }
        }
        if let Some(aliases) = &self.aliases {
            repeated("alias", &aliases.value, errors);
            for alias in &aliases.value {
                if let Some(problem) = problem_of_name(&alias.value()) {
                    errors.at(alias, format!("this alias {problem}"));
                }
            }
        }
    }

    fn check_annotations(&self, errors: &mut Errors) {
        let read_only = is(&self.read_only, true);
        if read_only && let Some(given) = self.destructive.as_ref().filter(|given| given.value) {
            errors.at_span(given.span, "`destructive` contradicts `read_only`: keep the one that is true");
        }
        if read_only && let Some(given) = self.idempotent.as_ref().filter(|given| !given.value) {
            let message =
                "`idempotent = false` contradicts `read_only`: what changes nothing can be repeated";
            errors.at_span(given.span, message);
        }
        if !read_only && let Some(given) = &self.cache {
            let message = "only a read can be served from the cache: add `read_only`, or take `cache` away";
            errors.at_span(given.span, message);
        }
    }

    /// Aliases are compared with the name once it is known.
    pub(crate) fn check_against(&self, name: &str, errors: &mut Errors) {
        for alias in self.aliases.iter().flat_map(|given| &given.value) {
            if alias.value() == name {
                errors.at(alias, "this alias is the tool's name: an alias is a former name, take it away");
            }
        }
    }
}

/// Whether a flag was given with this value.
pub(crate) fn is(flag: &Option<Given<bool>>, wanted: bool) -> bool {
    flag.as_ref().is_some_and(|given| given.value == wanted)
}

fn unknown(item: &str, place: Place) -> String {
    match (place, item) {
        (Place::Tool | Place::Function, "description") => {
            return "the description is the doc comment: write it there".to_owned();
        }
        (Place::Function, "state") => {
            return "a function's state is that of its context: `cx: &ToolContext<Root>`".to_owned();
        }
        (Place::Function, "allow_unknown_fields") => {
            return "this belongs on the argument struct: `#[tool(allow_unknown_fields)]` under its `#[derive(ToolArgs)]`"
                .to_owned();
        }
        _ => {}
    }
    let known = place.known();
    match nearest(item, known) {
        Some(meant) => format!("unknown item `{item}`; did you mean `{meant}`?"),
        None => format!("unknown item `{item}`; here may stand: {}", known.join(", ")),
    }
}

fn repeated(what: &str, texts: &[LitStr], errors: &mut Errors) {
    let mut seen = HashSet::new();
    for text in texts {
        if !seen.insert(text.value()) {
            errors.at(text, format!("this {what} is given twice"));
        }
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    fn read(args: proc_macro2::TokenStream, place: Place) -> (Attrs, Vec<String>) {
        let mut errors = Errors::default();
        let attr: Attribute = syn::parse_quote!(#[tool(#args)]);
        let attrs = Attrs::of(&[attr], place, &mut errors);
        (attrs, errors.messages())
    }

    #[test]
    fn everything_that_may_be_said_is_read() {
        let (attrs, errors) = read(
            quote! {
                name = "create_issue", title = "New issue", scopes("repo", "user"), destructive = false,
                idempotent, open_world = true, version = "1.2.0", aliases("old_name"), timeout = "1m 30s", cost = 5,
                blocking, state = Root<u8, u16>, allow_unknown_fields, deprecated = "use x", crate = renamed::inner,
            },
            Place::Tool,
        );
        assert_eq!(errors, Vec::<String>::new());
        assert_eq!(attrs.timeout.unwrap().value, Duration::from_secs(90));
        assert_eq!(attrs.cost.unwrap().value, 5);
        assert_eq!(attrs.scopes.unwrap().value.len(), 2);
        assert!(is(&attrs.destructive, false) && is(&attrs.idempotent, true) && is(&attrs.blocking, true));
        let state = attrs.state.unwrap().value;
        assert_eq!(quote!(#state).to_string(), quote!(Root<u8, u16>).to_string());
        let krate = attrs.krate.unwrap().value;
        assert_eq!(quote!(#krate).to_string(), quote!(renamed::inner).to_string());
    }

    #[test]
    fn every_mistake_is_reported_in_one_pass() {
        let (_, errors) = read(
            quote!(
                nmae = "x",
                cost = 0,
                timeout = "soon",
                version = "1",
                "text",
                read_only,
                destructive,
                cost = 1,
                blocking(x)
            ),
            Place::Tool,
        );
        let expected = [
            "did you mean `name`",
            "from 1",
            "not a duration",
            "expected an item",
            "`blocking` stands alone",
            "three numbers",
            "contradicts `read_only`",
        ];
        assert_eq!(errors.len(), expected.len(), "{errors:#?}");
        for (error, word) in errors.iter().zip(expected) {
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn each_place_knows_its_own_words() {
        for (args, place, word) in [
            (quote!(state = Root), Place::Function, "that of its context"),
            (quote!(allow_unknown_fields), Place::Function, "belongs on the argument struct"),
            (quote!(description = "x"), Place::Tool, "the doc comment"),
            (quote!(name = "x"), Place::Args, "here may stand: allow_unknown_fields, crate"),
            (quote!(uncheckd), Place::Field, "did you mean `unchecked`"),
        ] {
            let (_, errors) = read(args, place);
            assert!(matches!(&*errors, [only] if only.contains(word)), "{errors:?}");
        }
    }

    #[test]
    fn lists_hold_each_thing_once() {
        let (attrs, errors) = read(quote!(aliases("a", "a", "B"), scopes("x", "x", " ")), Place::Tool);
        assert_eq!(errors.len(), 4, "{errors:?}");
        let mut more = Errors::default();
        attrs.check_against("a", &mut more);
        assert_eq!(more.messages().len(), 2);
    }
}
