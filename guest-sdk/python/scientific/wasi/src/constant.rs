//! Functions that answer always the same.

use crate::{Errno, READ_ONLY, SUCCESS};

macro_rules! always {
    ($($name:ident($($argument:ty),*) = $answer:expr;)*) => {
        $(
            #[unsafe(export_name = concat!("wasi_snapshot_preview1#", stringify!($name)))]
            extern "C" fn $name($(_: $argument),*) -> Errno {
                $answer
            }
        )*
    };
}

always! {
    fd_advise(u32, u64, u64, u32) = SUCCESS;
    fd_datasync(u32) = SUCCESS;
    fd_sync(u32) = SUCCESS;
    fd_filestat_set_times(u32, u64, u64, u32) = SUCCESS;
    path_link(u32, u32, u32, u32, u32, u32, u32) = READ_ONLY;
    path_symlink(u32, u32, u32, u32, u32) = READ_ONLY;
}
