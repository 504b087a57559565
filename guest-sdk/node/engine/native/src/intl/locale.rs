//! What locales mean, and the case of letters in them.

use icu_casemap::CaseMapper;
use icu_locale::{Locale, LocaleCanonicalizer, LocaleExpander};
use rquickjs::{Ctx, Object};

use super::data::Files;
use crate::{Refusal, define};

pub fn install(native: &Object<'_>) -> rquickjs::Result<()> {
    define(native, "localeCanonical", canonical)?;
    define(native, "localeMaximized", |cx: Ctx<'_>, tag: String| likely(&cx, &tag, |expander, id| drop(expander.maximize(id))))?;
    define(native, "localeMinimized", |cx: Ctx<'_>, tag: String| likely(&cx, &tag, |expander, id| drop(expander.minimize(id))))?;
    define(native, "upperCase", |cx: Ctx<'_>, locale: String, text: String| {
        with_case(&cx, &locale, |case, locale| case.as_borrowed().uppercase_to_string(&text, &locale.id).into_owned())
    })?;
    define(native, "lowerCase", |cx: Ctx<'_>, locale: String, text: String| {
        with_case(&cx, &locale, |case, locale| case.as_borrowed().lowercase_to_string(&text, &locale.id).into_owned())
    })
}

fn refuse(cx: &Ctx<'_>, error: impl std::fmt::Display) -> rquickjs::Error {
    Refusal::new("ERR_INTERNAL_ASSERTION", error.to_string()).throw(cx)
}

/// The canonical form of a tag; undefined if it is none.
fn canonical(cx: Ctx<'_>, tag: String) -> rquickjs::Result<Option<String>> {
    let Ok(mut locale) = tag.parse::<Locale>() else { return Ok(None) };
    let canonicalizer = LocaleCanonicalizer::try_new_extended_with_buffer_provider(&Files).map_err(|error| refuse(&cx, error))?;
    canonicalizer.canonicalize(&mut locale);
    Ok(Some(locale.to_string()))
}

fn likely(cx: &Ctx<'_>, tag: &str, change: impl FnOnce(&LocaleExpander, &mut icu_locale::LanguageIdentifier)) -> rquickjs::Result<String> {
    let mut locale: Locale = tag.parse().map_err(|error| refuse(cx, error))?;
    let expander = LocaleExpander::try_new_extended_with_buffer_provider(&Files).map_err(|error| refuse(cx, error))?;
    change(&expander, &mut locale.id);
    Ok(locale.to_string())
}

fn with_case(cx: &Ctx<'_>, locale: &str, map: impl FnOnce(&CaseMapper, &Locale) -> String) -> rquickjs::Result<String> {
    let locale: Locale = locale.parse().map_err(|error| refuse(cx, error))?;
    let case = CaseMapper::try_new_with_buffer_provider(&Files).map_err(|error| refuse(cx, error))?;
    Ok(map(&case, &locale))
}
