//! ICU4X asks for its data by marker and locale; each lies in a file, and a locale that has none has that of the one it falls back
//! to.

use std::cell::{Cell, OnceCell};

use icu_locale_fallback::LocaleFallbacker;
use icu_provider::{buf::BufferFormat, prelude::*};

/// The file at a path; none if there is none.
pub type ReadFile = fn(&str) -> Option<Vec<u8>>;

thread_local! {
    /// Set before anything is asked for.
    pub static READ_FILE: Cell<ReadFile> = const { Cell::new(|_| None) };
    static FALLBACKER: OnceCell<LocaleFallbacker> = const { OnceCell::new() };
}

/// A file of Intl's data.
pub fn file(path: &str) -> Option<Vec<u8>> {
    READ_FILE.get()(&format!("intl/{path}"))
}

pub struct Files;

impl DynamicDataProvider<BufferMarker> for Files {
    fn load_data(&self, marker: DataMarkerInfo, request: DataRequest<'_>) -> Result<DataResponse<BufferMarker>, DataError> {
        let missing = || DataErrorKind::IdentifierNotFound.with_req(marker, request);
        let attributes = request.id.marker_attributes.as_str();
        let separator = if attributes.is_empty() { "" } else { "." };
        let [a, b, c, d] = marker.id.hashed().to_bytes();
        let find = |locale: &DataLocale| file(&format!("icu/{a:02x}{b:02x}{c:02x}{d:02x}/{locale}{separator}{attributes}"));
        let found = if marker.is_singleton {
            find(&DataLocale::default())
        } else {
            let fallbacker = fallbacker()?;
            let mut locales = fallbacker.for_config(marker.fallback_config).fallback_for(*request.id.locale);
            loop {
                let found = find(locales.get());
                if found.is_some() || locales.get().is_unknown() {
                    break found;
                }
                locales.step();
            }
        };
        let bytes = found.ok_or_else(missing)?.into_boxed_slice();
        let mut metadata = DataResponseMetadata::default();
        metadata.buffer_format = Some(BufferFormat::Postcard1);
        Ok(DataResponse { metadata, payload: DataPayload::from_owned_buffer(bytes) })
    }
}

fn fallbacker() -> Result<LocaleFallbacker, DataError> {
    FALLBACKER.with(|kept| match kept.get() {
        Some(fallbacker) => Ok(fallbacker.clone()),
        None => {
            let made = LocaleFallbacker::try_new_with_buffer_provider(&Files)?;
            Ok(kept.get_or_init(|| made).clone())
        }
    })
}
