use super::{
    Call,
    bindings::mirra::function::files::{File, Host},
};

impl Host for Call {
    async fn find(&mut self, folder: u32, path: String) -> wasmtime::Result<Option<File>> {
        self.work(path.len()).await?;
        Ok(self.files.find(folder, &path).map(|file| File { id: file.id, is_folder: file.is_folder, size: file.size }))
    }

    async fn read(&mut self, id: u32, offset: u64, length: u32) -> wasmtime::Result<Vec<u8>> {
        self.work(self.files.read(id, offset, length).len()).await?;
        Ok(self.files.read(id, offset, length).to_vec())
    }

    async fn names(&mut self, id: u32) -> wasmtime::Result<Vec<String>> {
        let names = self.files.names(id);
        self.work(names.iter().map(String::len).sum()).await?;
        Ok(names)
    }
}
