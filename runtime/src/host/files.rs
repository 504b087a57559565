use super::{
    Call,
    bindings::mirra::function::files::{File, Host},
};

impl Host for Call {
    fn find(&mut self, folder: u32, path: String) -> wasmtime::Result<Option<File>> {
        Ok(self.files.find(folder, &path).map(|file| File { id: file.id, is_folder: file.is_folder, size: file.size }))
    }

    fn read(&mut self, id: u32, offset: u64, length: u32) -> wasmtime::Result<Vec<u8>> {
        Ok(self.files.read(id, offset, length).to_vec())
    }

    fn names(&mut self, id: u32) -> wasmtime::Result<Vec<String>> {
        Ok(self.files.names(id))
    }
}
