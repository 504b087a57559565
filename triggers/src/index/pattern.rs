//! What a text must have in it for a regular expression to match.

use regex_syntax::hir::literal::{ExtractKind, Extractor, Seq};

/// More say less: each is short.
const LITERALS_MAX: usize = 32;

/// Literals of which one is in every text that matches: all that a match may begin with, or may end with. None if there are too many,
/// or if one of them is empty, as with `.*`.
pub fn literals(pattern: &str) -> Option<Vec<String>> {
    let hir = regex_syntax::parse(pattern).ok()?;
    let of_kind = |kind| texts(&Extractor::new().kind(kind).extract(&hir));
    let shortest = |literals: &Vec<String>| literals.iter().map(String::len).min();
    let kinds = [of_kind(ExtractKind::Prefix), of_kind(ExtractKind::Suffix)];
    kinds.into_iter().flatten().max_by_key(shortest)
}

fn texts(literals: &Seq) -> Option<Vec<String>> {
    let text =
        |bytes: &[u8]| std::str::from_utf8(bytes).ok().filter(|text| !text.is_empty()).map(|text| crate::value::fold(text).into_owned());
    // Ignoring case makes many of one.
    let mut texts = literals.literals()?.iter().map(|literal| text(literal.as_bytes())).collect::<Option<Vec<_>>>()?;
    texts.sort_unstable();
    texts.dedup();
    (1..=LITERALS_MAX).contains(&texts.len()).then_some(texts)
}
