//! Where characters, words and sentences end.

use icu_provider::DataError;
use icu_segmenter::options::{SentenceBreakOptions, WordBreakOptions};
use icu_segmenter::{GraphemeClusterSegmenter, SentenceSegmenter, WordSegmenter};
use rquickjs::{Class, Ctx, Object};

use super::data::Files;
use crate::{Refusal, define};

pub enum Segmenter {
    Grapheme(GraphemeClusterSegmenter),
    Word(WordSegmenter),
    Sentence(SentenceSegmenter),
}

pub fn install(native: &Object<'_>) -> rquickjs::Result<()> {
    define(native, "segmenter", segmenter)?;
    define(native, "segmenterBreaks", |segmenter: Class<'_, Segmenter>, text: String| breaks(&segmenter.borrow(), &text))
}

fn segmenter<'js>(cx: Ctx<'js>, granularity: String) -> rquickjs::Result<Class<'js, Segmenter>> {
    let refuse = |error: DataError| Refusal::new("ERR_INTERNAL_ASSERTION", error.to_string()).throw(&cx);
    Class::instance(cx.clone(), make(&granularity).map_err(refuse)?)
}

fn make(granularity: &str) -> Result<Segmenter, DataError> {
    Ok(match granularity {
        "word" => Segmenter::Word(WordSegmenter::try_new_dictionary_with_buffer_provider(&Files, WordBreakOptions::default())?),
        "sentence" => Segmenter::Sentence(SentenceSegmenter::try_new_with_buffer_provider(&Files, SentenceBreakOptions::default())?),
        _ => Segmenter::Grapheme(GraphemeClusterSegmenter::try_new_with_buffer_provider(&Files)?),
    })
}

/// The end of each segment in UTF-16 code units, doubled, and one more if it is like a word.
fn breaks(segmenter: &Segmenter, text: &str) -> Vec<u32> {
    let mut ends = Vec::new();
    match segmenter {
        Segmenter::Grapheme(segmenter) => ends.extend(segmenter.as_borrowed().segment_str(text).map(|end| (end, false))),
        Segmenter::Sentence(segmenter) => ends.extend(segmenter.as_borrowed().segment_str(text).map(|end| (end, false))),
        Segmenter::Word(segmenter) => {
            let mut words = segmenter.as_borrowed().segment_str(text);
            while let Some(end) = words.next() {
                ends.push((end, words.is_word_like()));
            }
        }
    }
    let (mut bytes, mut units) = (0, 0);
    let mut doubled = Vec::with_capacity(ends.len());
    // The first is the beginning of the text.
    for (end, is_word_like) in ends.into_iter().filter(|(end, _)| *end > 0) {
        units += text.get(bytes..end).unwrap_or_default().encode_utf16().count() as u32;
        bytes = end;
        doubled.push(units * 2 + u32::from(is_word_like));
    }
    doubled
}
