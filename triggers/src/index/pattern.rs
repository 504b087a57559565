//! What a text must have in it for a regular expression to match.

use regex_syntax::hir::{
    Hir, HirKind,
    literal::{Extractor, Seq},
};

use crate::value::fold;

/// More say less: each is short.
const LITERALS_MAX: usize = 32;
/// Of a long pattern, which would take long to look at.
const PARTS_MAX: usize = 16;

/// Literals, folded, of which one is in every text that matches. None if there are too many, or if one of them is empty.
///
/// Where the whole matches, so does each part of it from somewhere on to its end, as `urgent.*` does of `.*urgent.*`. Of the literals that
/// these may begin with, those are taken whose shortest is the longest.
pub fn literals(pattern: &str) -> Option<Vec<String>> {
    let mut hir = &regex_syntax::parse(pattern).ok()?;
    while let HirKind::Capture(capture) = hir.kind() {
        hir = &capture.sub;
    }
    let parts = if let HirKind::Concat(parts) = hir.kind() { parts } else { std::slice::from_ref(hir) };
    let begins = (0..parts.len().min(PARTS_MAX)).filter_map(|start| {
        let rest = Hir::concat(parts.iter().skip(start).take(PARTS_MAX).cloned().collect());
        texts(&Extractor::new().extract(&rest))
    });
    begins.max_by_key(|literals| literals.iter().map(String::len).min())
}

fn texts(literals: &Seq) -> Option<Vec<String>> {
    let text = |bytes| std::str::from_utf8(bytes).ok().filter(|text| !text.is_empty()).map(|text| fold(text).into_owned());
    let mut texts = literals.literals()?.iter().map(|literal| text(literal.as_bytes())).collect::<Option<Vec<_>>>()?;
    // Ignoring case makes many of one.
    texts.sort_unstable();
    texts.dedup();
    (1..=LITERALS_MAX).contains(&texts.len()).then_some(texts)
}
