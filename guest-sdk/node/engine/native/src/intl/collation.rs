//! Comparing texts as a language orders them.

use std::cmp::Ordering;

use icu_collator::options::{AlternateHandling, CaseLevel, CollatorOptions, Strength};
use icu_collator::preferences::{CollationCaseFirst, CollationNumericOrdering};
use icu_collator::{Collator as IcuCollator, CollatorPreferences};
use icu_locale::Locale;
use rquickjs::{Class, Ctx, Object};

use super::data::Files;
use crate::{Refusal, define};

pub struct Collator(IcuCollator);

pub fn install(native: &Object<'_>) -> rquickjs::Result<()> {
    define(native, "collator", make)?;
    define(native, "collatorCompare", |collator: Class<'_, Collator>, left: String, right: String| {
        compare(&collator.borrow().0, &left, &right)
    })
}

/// `sensitivity` is ECMA-402's; `case_first` is "upper", "lower" or "false".
fn make<'js>(
    cx: Ctx<'js>,
    locale: String,
    sensitivity: String,
    ignores_punctuation: bool,
    is_numeric: bool,
    case_first: String,
) -> rquickjs::Result<Class<'js, Collator>> {
    let refuse = |message: String| Refusal::new("ERR_INTERNAL_ASSERTION", message).throw(&cx);
    let locale: Locale = locale.parse().map_err(|error| refuse(format!("{locale}: {error}")))?;
    let mut preferences = CollatorPreferences::from(&locale);
    preferences.numeric_ordering = Some(if is_numeric { CollationNumericOrdering::True } else { CollationNumericOrdering::False });
    preferences.case_first = match &*case_first {
        "upper" => Some(CollationCaseFirst::Upper),
        "lower" => Some(CollationCaseFirst::Lower),
        _ => Some(CollationCaseFirst::False),
    };
    let mut options = CollatorOptions::default();
    let (strength, case_level) = match &*sensitivity {
        "base" => (Strength::Primary, CaseLevel::Off),
        "accent" => (Strength::Secondary, CaseLevel::Off),
        "case" => (Strength::Primary, CaseLevel::On),
        _ => (Strength::Tertiary, CaseLevel::Off),
    };
    options.strength = Some(strength);
    options.case_level = Some(case_level);
    options.alternate_handling = Some(if ignores_punctuation { AlternateHandling::Shifted } else { AlternateHandling::NonIgnorable });
    let collator = IcuCollator::try_new_with_buffer_provider(&Files, preferences, options);
    Class::instance(cx.clone(), Collator(collator.map_err(|error| refuse(error.to_string()))?))
}

fn compare(collator: &IcuCollator, left: &str, right: &str) -> i32 {
    match collator.as_borrowed().compare(left, right) {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }
}
