//! The kinds of value that an item can have, each with the example of its mend.

use std::time::Duration;

use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Ident, LitBool, LitInt, LitStr, Path, Token};

use super::Given;

/// Stores a value, unless there is one.
fn put<T>(slot: &mut Option<Given<T>>, word: &Ident, value: T) -> syn::Result<()> {
    if slot.is_some() {
        return Err(syn::Error::new(word.span(), format!("`{word}` is given twice: keep one")));
    }
    *slot = Some(Given { value, span: word.span() });
    Ok(())
}

fn expect_equals(word: &Ident, input: ParseStream<'_>, example: &str) -> syn::Result<()> {
    if input.peek(Token![=]) {
        return input.parse::<Token![=]>().map(drop);
    }
    Err(syn::Error::new(word.span(), format!("`{word}` takes a value: `{example}`")))
}

pub(super) fn flag(slot: &mut Option<Given<bool>>, word: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
    let wrong = || format!("`{word}` stands alone, or with `= true` or `= false`");
    if input.peek(syn::token::Paren) {
        return Err(syn::Error::new(word.span(), wrong()));
    }
    let value = if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        input.parse::<LitBool>().map_err(|error| syn::Error::new(error.span(), wrong()))?.value
    } else {
        true
    };
    put(slot, word, value)
}

fn string(word: &Ident, input: ParseStream<'_>, example: &str) -> syn::Result<LitStr> {
    let example = format!("{word} = \"{example}\"");
    expect_equals(word, input, &example)?;
    input
        .parse()
        .map_err(|error| syn::Error::new(error.span(), format!("`{word}` takes a string: `{example}`")))
}

pub(super) fn text(
    slot: &mut Option<Given<LitStr>>,
    word: &Ident,
    input: ParseStream<'_>,
    example: &str,
) -> syn::Result<()> {
    let text = string(word, input, example)?;
    put(slot, word, text)
}

pub(super) fn texts(
    slot: &mut Option<Given<Vec<LitStr>>>,
    word: &Ident,
    input: ParseStream<'_>,
    example: &str,
) -> syn::Result<()> {
    let wrong = format!("`{word}` takes a list of strings: `{word}(\"{example}\")`");
    if !input.peek(syn::token::Paren) {
        return Err(syn::Error::new(word.span(), wrong));
    }
    let content;
    syn::parenthesized!(content in input);
    let texts = Punctuated::<LitStr, Token![,]>::parse_terminated(&content)
        .map_err(|error| syn::Error::new(error.span(), &wrong))?;
    if texts.is_empty() {
        return Err(syn::Error::new(word.span(), format!("`{word}()` is empty: name one, or leave it out")));
    }
    put(slot, word, texts.into_iter().collect())
}

pub(super) fn duration(
    slot: &mut Option<Given<Duration>>,
    word: &Ident,
    input: ParseStream<'_>,
) -> syn::Result<()> {
    let text = string(word, input, "30s")?;
    let duration = humantime::parse_duration(&text.value()).map_err(|error| {
        syn::Error::new(
            text.span(),
            format!("this is not a duration ({error}): write `500ms`, `30s` or `1m 30s`"),
        )
    })?;
    if duration.is_zero() {
        return Err(syn::Error::new(
            text.span(),
            format!("`{word}` is zero: leave it out, or give it some time"),
        ));
    }
    put(slot, word, duration)
}

pub(super) fn cost(slot: &mut Option<Given<u32>>, word: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
    let wrong = "`cost` takes a whole number from 1: `cost = 5`";
    expect_equals(word, input, "cost = 5")?;
    let number: LitInt = input.parse().map_err(|error| syn::Error::new(error.span(), wrong))?;
    match number.base10_parse::<u32>() {
        Ok(0) | Err(_) => Err(syn::Error::new(number.span(), wrong)),
        Ok(cost) => put(slot, word, cost),
    }
}

pub(super) fn value<T: Parse>(
    slot: &mut Option<Given<T>>,
    word: &Ident,
    input: ParseStream<'_>,
    example: &str,
) -> syn::Result<()> {
    expect_equals(word, input, example)?;
    let parsed = input.parse()?;
    put(slot, word, parsed)
}

/// A path, bare or in a string as other derives want it.
pub(super) fn path(slot: &mut Option<Given<Path>>, word: &Ident, input: ParseStream<'_>) -> syn::Result<()> {
    expect_equals(word, input, "crate = path::to::tool_connect")?;
    let path = if input.peek(LitStr) {
        input.parse::<LitStr>()?.parse_with(Path::parse_mod_style)?
    } else {
        input.call(Path::parse_mod_style)?
    };
    put(slot, word, path)
}
