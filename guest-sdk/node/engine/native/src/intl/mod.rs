//! What Intl in the layer (`layer/src/intl`) has of ICU4X: collation, segmentation, case, and what locales mean; and of jiff, time
//! zones. The data are files (`guest-sdk/node/intl`), read when something needs them.

pub(crate) mod collation;
mod data;
mod locale;
pub(crate) mod segmentation;
pub(crate) mod zone;

use rquickjs::Object;

pub use data::ReadFile;

pub fn install(native: &Object<'_>, read_file: ReadFile) -> rquickjs::Result<()> {
    data::READ_FILE.set(read_file);
    collation::install(native)?;
    locale::install(native)?;
    segmentation::install(native)?;
    zone::install(native)
}
